"""Is a model correct? The verdicts of onnx.checker, with messages that say what, where, found and expected."""
import os
from typing import Any

from . import _core
from .errors import InvalidModel as ValidationError
from .model import Model, ModelLike

__all__ = ["ValidationError", "check_model"]


def check_model(model: ModelLike, full_check: bool = False, skip_opset_compatibility_check: bool = False,
                check_custom_domain: bool = False) -> None:
    """Raises ValidationError (shipway.InvalidModel) unless `model` (path, bytes, Model, onnx.ModelProto) is correct.

    full_check: shapes and types are inferred too, and must agree with what the file declares.
    """
    source: Any = model
    if hasattr(source, "SerializeToString"):
        source = source.SerializeToString()
    elif isinstance(source, (bytearray, memoryview)):
        source = bytes(source)
    elif not isinstance(source, (bytes, Model)):
        source = os.fspath(source)
    _core.check(source, full_check, skip_opset_compatibility_check, check_custom_domain)
