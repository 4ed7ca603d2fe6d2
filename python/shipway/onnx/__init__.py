"""The names of the package `onnx`: existing scripts change their import line only.

What differs and what is left out is listed in docs/python.md.
"""
from . import (checker, compose, defs, external_data_helper, helper, inliner, numpy_helper, onnx_pb, parser, printer, reference,
               serialization, shape_inference, utils, version_converter)
from .external_data_helper import convert_model_to_external_data, load_external_data_for_model, write_external_data_tensors
from .files import load_model, load_model_from_string, load_tensor, load_tensor_from_string, save_model, save_tensor
from .messages import (AttributeProto, DeviceConfigurationProto, FunctionProto, GraphProto, IntIntListEntryProto, MapProto, ModelProto,
                       NodeDeviceConfigurationProto, NodeProto, OperatorProto, OperatorSetIdProto, OperatorSetProto, OperatorStatus,
                       OptionalProto, SequenceProto, ShardedDimProto, ShardingSpecProto, SimpleShardedDimProto, SparseTensorProto,
                       StringStringEntryProto, TensorAnnotation, TensorProto, TensorShapeProto, TrainingInfoProto, TypeProto,
                       ValueInfoProto, Version)

# The version whose names and behaviour these are: scripts compare with it. Shipway's own is shipway.__version__.
__version__ = "1.23.2"

load = load_model
load_from_string = load_model_from_string
save = save_model

ONNX_ML = True
EXPERIMENTAL = OperatorStatus["EXPERIMENTAL"]
STABLE = OperatorStatus["STABLE"]
IR_VERSION = Version["IR_VERSION"]
IR_VERSION_2017_10_10 = Version["IR_VERSION_2017_10_10"]
IR_VERSION_2017_10_30 = Version["IR_VERSION_2017_10_30"]
IR_VERSION_2017_11_3 = Version["IR_VERSION_2017_11_3"]
IR_VERSION_2019_1_22 = Version["IR_VERSION_2019_1_22"]
IR_VERSION_2019_3_18 = Version["IR_VERSION_2019_3_18"]
IR_VERSION_2019_9_19 = Version["IR_VERSION_2019_9_19"]
IR_VERSION_2020_5_8 = Version["IR_VERSION_2020_5_8"]
IR_VERSION_2021_7_30 = Version["IR_VERSION_2021_7_30"]
IR_VERSION_2023_5_5 = Version["IR_VERSION_2023_5_5"]
IR_VERSION_2024_3_25 = Version["IR_VERSION_2024_3_25"]

__all__ = [
    "AttributeProto", "DeviceConfigurationProto", "EXPERIMENTAL", "FunctionProto", "GraphProto", "IR_VERSION", "IR_VERSION_2017_10_10",
    "IR_VERSION_2017_10_30", "IR_VERSION_2017_11_3", "IR_VERSION_2019_1_22", "IR_VERSION_2019_3_18", "IR_VERSION_2019_9_19",
    "IR_VERSION_2020_5_8", "IR_VERSION_2021_7_30", "IR_VERSION_2023_5_5", "IR_VERSION_2024_3_25", "IntIntListEntryProto", "MapProto",
    "ModelProto", "NodeDeviceConfigurationProto", "NodeProto", "ONNX_ML", "OperatorProto", "OperatorSetIdProto", "OperatorSetProto",
    "OperatorStatus", "OptionalProto", "STABLE", "SequenceProto", "ShardedDimProto", "ShardingSpecProto", "SimpleShardedDimProto",
    "SparseTensorProto", "StringStringEntryProto", "TensorAnnotation", "TensorProto", "TensorShapeProto", "TrainingInfoProto",
    "TypeProto", "ValueInfoProto", "Version", "__version__", "checker", "compose", "convert_model_to_external_data", "defs",
    "external_data_helper", "helper", "inliner", "load", "load_external_data_for_model", "load_from_string", "load_model",
    "load_model_from_string", "load_tensor", "load_tensor_from_string", "numpy_helper", "onnx_pb", "parser", "printer", "reference", "save",
    "save_model", "save_tensor", "serialization", "shape_inference", "utils", "version_converter", "write_external_data_tensors",
]
