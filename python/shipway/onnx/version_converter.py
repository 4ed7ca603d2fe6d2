"""onnx.version_converter: a model in another opset of ai.onnx, newer or older."""
from typing import Any

from .. import _core
from ..errors import Error
from .messages import ModelProto

ConvertError = Error


def convert_version(model: Any, target_version: int) -> Any:
    """A ModelProto that computes the same in opset `target_version`. Raises ConvertError naming every node that it cannot say."""
    return ModelProto.FromString(_core.convert_version(_core.load_bytes(model.SerializeToString()), target_version).serialize())


__all__ = ["ConvertError", "convert_version"]
