"""Reading and writing model and tensor files as messages, in the formats of serialization.registry."""
import os
from pathlib import Path
from typing import Any, Optional

from .. import model as native
from ..errors import InvalidArgument, InvalidModel
from . import serialization
from .external_data_helper import (all_tensors, convert_model_to_external_data, load_external_data_for_model, uses_external_data,
                                   write_external_data_tensors)
from .messages import DecodeError, ModelProto, TensorProto


def _path_of(f: Any) -> Optional[str]:
    if isinstance(f, (str, os.PathLike)):
        return os.path.abspath(f)
    name = getattr(f, "name", None)
    return os.path.abspath(name) if isinstance(name, str) else None


def _serializer(format: Optional[str], f: Any = None) -> Any:
    if format is None:
        path = _path_of(f)
        format = serialization.registry.get_format_from_file_extension(os.path.splitext(path)[1]) if path else None
    return serialization.registry.get(format or "protobuf")


def _read(f: Any) -> bytes:
    return f.read() if hasattr(f, "read") else Path(f).read_bytes()


def _write(data: bytes, f: Any) -> None:
    """To a file object, or to a path: replaced as a whole when complete."""
    if hasattr(f, "write"):
        f.write(data)
        return
    beside = Path(os.fspath(f) + ".part")
    beside.write_bytes(data)
    os.replace(beside, f)


def load_model(f: Any, format: Optional[str] = None, load_external_data: bool = True) -> Any:
    """Reads a file (a path, or an object with read()) as a ModelProto, its external data included.

    format: "protobuf", "textproto", "json" or "onnxtxt"; None: by the file's name. What is no model raises
    shipway.InvalidModel, saying what it is instead. Errors inside a model are for checker.check_model to find.
    """
    if not hasattr(f, "read") and not os.path.exists(f):
        native.load(f)  # says so
    serializer = _serializer(format, f)
    data = _read(f)
    if serializer.supported_format == "protobuf":
        model = _parsed(data, data if hasattr(f, "read") else f)
    else:
        model = serializer.deserialize_proto(data, ModelProto())
    path = _path_of(f)
    if load_external_data and path:
        load_external_data_for_model(model, os.path.dirname(path))
    return model


def load_model_from_string(s: Any, format: str = "protobuf") -> Any:
    """A ModelProto from the bytes (or text) of a file."""
    return _parsed(s, s) if format == "protobuf" else _serializer(format).deserialize_proto(s, ModelProto())


def _parsed(data: bytes, source: Any) -> Any:
    try:
        model = ModelProto.FromString(data)
        if model.HasField("graph") or model.HasField("ir_version") or model.functions:
            return model
    except DecodeError as error:
        native.load(source)
        raise InvalidModel(str(error)) from None
    native.load(source)
    return model


def load_tensor(f: Any, format: Optional[str] = None) -> Any:
    """Reads a file as a TensorProto."""
    return _serializer(format, f).deserialize_proto(_read(f), TensorProto())


def load_tensor_from_string(s: bytes, format: str = "protobuf") -> Any:
    """A TensorProto from the bytes of a file."""
    return _serializer(format).deserialize_proto(s, TensorProto())


def save_model(proto: Any, f: Any, format: Optional[str] = None, *, save_as_external_data: bool = False,
               all_tensors_to_one_file: bool = True, location: Optional[str] = None, size_threshold: int = 1024,
               convert_attribute: bool = False) -> None:
    """Writes a ModelProto, its bytes, or a shipway.Model, to a path or an object with write().

    save_as_external_data: tensors of at least `size_threshold` bytes go into one file beside it (`location`, by default the
    model's name with ".data"), which must not exist, or each into one of its own; those in attributes with
    convert_attribute. As with onnx, the message then has its data outside.
    """
    if isinstance(proto, native.Model):
        proto = proto.serialize()
    if isinstance(proto, (bytes, bytearray)):
        proto = ModelProto.FromString(bytes(proto))
    path = _path_of(f)
    if save_as_external_data:
        if path is None:
            raise InvalidArgument("external data needs a path to write to, not a file object")
        if location is None and all_tensors_to_one_file:
            location = os.path.basename(path) + ".data"
            if not any(uses_external_data(tensor) and not tensor.HasField("raw_data") for tensor in all_tensors(proto)):
                Path(os.path.dirname(path), location).unlink(missing_ok=True)  # of the model that is replaced
        if location and all_tensors_to_one_file and os.path.exists(os.path.join(os.path.dirname(path), location)):
            raise FileExistsError(f"external data would be added to {location!r}, which exists")
        convert_model_to_external_data(proto, all_tensors_to_one_file, location, size_threshold, convert_attribute)
    if path is not None and any(uses_external_data(tensor) and tensor.HasField("raw_data") for tensor in all_tensors(proto)):
        write_external_data_tensors(proto, os.path.dirname(path))
    _write(_serializer(format, f).serialize_proto(proto), f)


def save_tensor(proto: Any, f: Any, format: Optional[str] = None) -> None:
    """Writes a TensorProto to a path or an object with write()."""
    _write(_serializer(format, f).serialize_proto(proto), f)
