"""The types and shapes of all values of a model, symbolic where sizes are."""
import os
from typing import Any, BinaryIO, TypeVar, Union, overload

from . import _core
from .model import Serializable, load

MessageType = TypeVar("MessageType", bound=Serializable)


@overload
def infer_shapes(model: Union[bytes, bytearray], check_type: bool = False, strict_mode: bool = False, data_prop: bool = False) -> bytes: ...


@overload
def infer_shapes(model: MessageType, check_type: bool = False, strict_mode: bool = False, data_prop: bool = False) -> MessageType: ...


@overload
def infer_shapes(model: Union[str, "os.PathLike[str]", _core.Model, BinaryIO], check_type: bool = False, strict_mode: bool = False,
                 data_prop: bool = False) -> _core.Model: ...


def infer_shapes(model: Any, check_type: bool = False, strict_mode: bool = False, data_prop: bool = False) -> Any:
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


__all__ = ["infer_shapes"]
