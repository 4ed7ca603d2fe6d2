"""Model files: load, save, and what every function that takes a model accepts."""
import os
from typing import Any, BinaryIO, Protocol, Union

from . import _core

Model = _core.Model
"""A graph with everything its file said. `text()` prints it, `serialize()` gives ONNX bytes."""


class Serializable(Protocol):
    """A message, such as an onnx.ModelProto or a shipway.onnx.ModelProto."""

    def SerializeToString(self) -> bytes:
        """The bytes of an ONNX file."""


ModelLike = Union[str, "os.PathLike[str]", bytes, bytearray, memoryview, _core.Model, Serializable, BinaryIO]
"""A path, the bytes of an ONNX file, a Model, anything with SerializeToString() such as an onnx.ModelProto, or with read()."""


def load(source: ModelLike) -> _core.Model:
    """Reads a model. Raises shipway.InvalidModel, NotFound or IoError; what is no model is named as what it is."""
    given: Any = source
    if isinstance(given, _core.Model):
        return given
    if isinstance(given, (bytes, bytearray, memoryview)):
        return _core.load_bytes(bytes(given))
    if hasattr(given, "SerializeToString"):
        return _core.load_bytes(given.SerializeToString())
    if hasattr(given, "read"):
        return _core.load_bytes(given.read())
    return _core.load(os.fspath(given))


def save(model: ModelLike, path: Union[str, "os.PathLike[str]"]) -> None:
    """Writes ONNX; the file is replaced when complete, also over the one the model was loaded from."""
    load(model).save(os.fspath(path))


__all__ = ["Model", "ModelLike", "Serializable", "load", "save"]
