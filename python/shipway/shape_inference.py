"""The types and shapes of all values of a model, symbolic where sizes are."""
from . import _core
from .model import ModelLike, load


def infer_shapes(model: ModelLike, check_type: bool = False, strict_mode: bool = False, data_prop: bool = False):
    """A model with all types filled in: a Model for a path or a Model; bytes for bytes; an onnx.ModelProto for one.

    strict_mode: raise where an operator refuses its inputs, instead of leaving its outputs open.
    data_prop: follow the elements of small integer tensors (always done; accepted for onnx's sake).
    """
    inferred = _core.infer_shapes(load(model), strict_mode or check_type, True)
    if isinstance(model, (bytes, bytearray)):
        return inferred.serialize()
    if hasattr(model, "SerializeToString"):
        result = type(model)()
        result.ParseFromString(inferred.serialize())
        return result
    return inferred
