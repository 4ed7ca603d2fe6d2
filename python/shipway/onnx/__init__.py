"""The names of the package `onnx`: existing scripts change their import line only."""
from .. import checker, shape_inference
from . import helper, numpy_helper
from .files import load_model, load_model_from_string, save_model
from .messages import (AttributeProto, FunctionProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, SparseTensorProto,
                       StringStringEntryProto, TensorAnnotation, TensorProto, TensorShapeProto, TrainingInfoProto, TypeProto,
                       ValueInfoProto)

load = load_model
load_from_string = load_model_from_string
save = save_model
IR_VERSION = helper.IR_VERSION

__all__ = [
    "AttributeProto", "FunctionProto", "GraphProto", "IR_VERSION", "ModelProto", "NodeProto", "OperatorSetIdProto",
    "SparseTensorProto", "StringStringEntryProto", "TensorAnnotation", "TensorProto", "TensorShapeProto", "TrainingInfoProto",
    "TypeProto", "ValueInfoProto", "checker", "helper", "load", "load_from_string", "load_model", "load_model_from_string",
    "numpy_helper", "save", "save_model", "shape_inference",
]
