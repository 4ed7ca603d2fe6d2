"""Model files: load, save, and what every function that takes a model accepts."""
import os
from typing import Union

from . import _core

Model = _core.Model
"""A graph with everything its file said. `text()` prints it, `serialize()` gives ONNX bytes."""

ModelLike = Union[str, os.PathLike, bytes, Model, "object"]
"""A path, the bytes of an ONNX file, a Model, or anything with SerializeToString() such as an onnx.ModelProto."""


def load(source: ModelLike) -> Model:
    """Reads a model. Raises shipway.InvalidModel, NotFound or IoError; what is no model is named as what it is."""
    if isinstance(source, Model):
        return source
    if isinstance(source, (bytes, bytearray, memoryview)):
        return _core.load_bytes(bytes(source))
    if hasattr(source, "SerializeToString"):
        return _core.load_bytes(source.SerializeToString())
    if hasattr(source, "read"):
        return _core.load_bytes(source.read())
    return _core.load(os.fspath(source))


def save(model: ModelLike, path: Union[str, os.PathLike]) -> None:
    """Writes ONNX; the file is replaced when complete, also over the one the model was loaded from."""
    load(model).save(os.fspath(path))
