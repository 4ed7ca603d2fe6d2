"""The messages, where some scripts look for them."""
from .messages import (AttributeProto, FunctionProto, GraphProto, MapProto, ModelProto, NodeProto, OperatorSetIdProto, OptionalProto,
                       SequenceProto, SparseTensorProto, StringStringEntryProto, TensorAnnotation, TensorProto, TensorShapeProto,
                       TrainingInfoProto, TypeProto, ValueInfoProto, Version)

__all__ = [
    "AttributeProto", "FunctionProto", "GraphProto", "MapProto", "ModelProto", "NodeProto", "OperatorSetIdProto", "OptionalProto",
    "SequenceProto", "SparseTensorProto", "StringStringEntryProto", "TensorAnnotation", "TensorProto", "TensorShapeProto",
    "TrainingInfoProto", "TypeProto", "ValueInfoProto", "Version",
]
