"""Tensors whose data lies in files beside the model file. Such a file is never outside the model's folder."""
import os
import re
import uuid
from pathlib import Path
from typing import Any, Iterator, Optional, Union

from ..errors import InvalidArgument, InvalidModel, NotFound
from .messages import TensorProto

Folder = Union[str, "os.PathLike[str]"]


class ExternalDataInfo:
    """Where a tensor's data lies: location (relative to the model's folder), offset and length in bytes (None: from the
    start, to the end), checksum, basepath."""

    def __init__(self, tensor: Any) -> None:
        self.location = ""
        self.offset: Optional[int] = None
        self.length: Optional[int] = None
        self.checksum: Optional[str] = None
        self.basepath = ""
        for entry in tensor.external_data:
            if entry.key in ("location", "checksum", "basepath"):
                setattr(self, entry.key, entry.value)
            elif entry.key in ("offset", "length"):
                if not entry.value.isdecimal():
                    raise InvalidModel(f"tensor {tensor.name!r}: {entry.key} of its external data is {entry.value!r}, expected a number >= 0")
                setattr(self, entry.key, int(entry.value))


def uses_external_data(tensor: Any) -> bool:
    """Whether the tensor's data lies in another file."""
    return tensor.HasField("data_location") and tensor.data_location == TensorProto.EXTERNAL


def _file_of(tensor: Any, location: str, base_dir: Folder) -> Path:
    """The path of a location. Raises InvalidModel for one outside the folder, through links too."""
    folder = Path(base_dir).resolve()
    path = folder / location
    if not location or os.path.isabs(location) or folder not in path.resolve().parents:
        raise InvalidModel(f"tensor {tensor.name!r}: its data is in {location!r}, expected a file in the model's folder")
    return path


def read_external_data(tensor: Any, base_dir: Folder) -> bytes:
    """The bytes of an external tensor, which stays as it is."""
    info = ExternalDataInfo(tensor)
    path = _file_of(tensor, info.location, base_dir)
    if not path.is_file():
        raise NotFound(f"tensor {tensor.name!r}: the file {info.location!r} with its data is not in {os.fspath(base_dir)!r}")
    size, offset = path.stat().st_size, info.offset or 0
    length = size - offset if info.length is None else info.length
    if length < 0 or offset + length > size:
        raise InvalidModel(f"tensor {tensor.name!r}: its data is bytes {offset} to {offset + max(length, 0)} of {info.location!r}, which has {size}")
    with open(path, "rb") as file:
        file.seek(offset)
        return file.read(length)


def load_external_data_for_tensor(tensor: Any, base_dir: Folder) -> None:
    """Reads the data into the tensor."""
    tensor.raw_data = read_external_data(tensor, base_dir)
    del tensor.external_data[:]
    tensor.data_location = TensorProto.DEFAULT


def load_external_data_for_model(model: Any, base_dir: Folder) -> None:
    """Reads the data of all external tensors into the model."""
    for tensor in all_tensors(model):
        if uses_external_data(tensor):
            load_external_data_for_tensor(tensor, base_dir)


def set_external_data(tensor: Any, location: str, offset: Optional[int] = None, length: Optional[int] = None,
                      checksum: Optional[str] = None, basepath: Optional[str] = None) -> None:
    """Marks a tensor with raw_data as one that is to be written to another file."""
    if not tensor.HasField("raw_data"):
        raise InvalidArgument(f"tensor {tensor.name!r} has no raw_data, which alone can go into another file")
    del tensor.external_data[:]
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", offset), ("length", length), ("checksum", checksum), ("basepath", basepath)):
        if value is not None:
            tensor.external_data.add(key=key, value=str(value))


def convert_model_to_external_data(model: Any, all_tensors_to_one_file: bool = True, location: Optional[str] = None,
                                   size_threshold: int = 1024, convert_attribute: bool = False) -> None:
    """Marks tensors whose raw_data has at least `size_threshold` bytes; save_model then writes them.

    To one file (`location`, relative to the model's folder), or each to a file named after it. Those in attributes only
    with convert_attribute.
    """
    if location and os.path.isabs(location):
        raise InvalidArgument(f"location {location!r} is absolute, expected a path relative to the model's folder")
    if location and all_tensors_to_one_file and os.path.exists(location):
        raise FileExistsError(f"external data would be added to {location!r}, which exists")
    shared = location or f"{uuid.uuid1()}.data"
    for tensor in all_tensors(model) if convert_attribute else initializers(model.graph):
        if not tensor.HasField("raw_data") or len(tensor.raw_data) < size_threshold:
            continue
        own = tensor.name if re.fullmatch('[^<>:;,?"*|/\\\\]+', tensor.name) and tensor.name not in (".", "..") else str(uuid.uuid1())
        set_external_data(tensor, shared if all_tensors_to_one_file else own)


def convert_model_from_external_data(model: Any) -> None:
    """Marks all tensors, whose data must have been read, as kept in the model."""
    for tensor in all_tensors(model):
        if uses_external_data(tensor):
            if not tensor.HasField("raw_data"):
                raise InvalidArgument(f"tensor {tensor.name!r}: its data was not read")
            del tensor.external_data[:]
            tensor.data_location = TensorProto.DEFAULT


def save_external_data(tensor: Any, base_path: Folder) -> None:
    """Appends a tensor's raw_data to its file in the folder, and notes the place."""
    info = ExternalDataInfo(tensor)
    if not tensor.HasField("raw_data"):
        raise InvalidModel(f"tensor {tensor.name!r} has no raw_data to write")
    with open(_file_of(tensor, info.location, base_path), "ab") as file:
        if info.offset is not None and info.offset > file.tell():
            if info.offset - file.tell() > 65536:
                raise InvalidModel(f"tensor {tensor.name!r}: offset {info.offset} is far past the end of {info.location!r} ({file.tell()})")
            file.write(bytes(info.offset - file.tell()))
        offset = file.tell()
        file.write(tensor.raw_data)
    set_external_data(tensor, info.location, offset, len(tensor.raw_data))


def write_external_data_tensors(model: Any, filepath: Folder) -> Any:
    """Writes the tensors marked as external into files in the folder, takes them out of the model, and gives it back."""
    for tensor in all_tensors(model):
        if uses_external_data(tensor) and tensor.HasField("raw_data"):
            save_external_data(tensor, filepath)
            tensor.ClearField("raw_data")
    return model


def remove_external_data_field(tensor: Any, field_key: str) -> None:
    """Removes the entries of this key from external_data."""
    kept = [entry for entry in tensor.external_data if entry.key != field_key]
    del tensor.external_data[:]
    tensor.external_data.extend(kept)


def initializers(graph: Any) -> Iterator[Any]:
    """The initializers of a graph and of those inside it."""
    for inner in _graphs(graph):
        yield from inner.initializer


def all_tensors(model: Any) -> Iterator[Any]:
    """All dense tensors of a model: initializers and attributes, in subgraphs and functions too."""
    for part in [model.graph, *model.functions]:
        for graph in _graphs(part):
            yield from getattr(graph, "initializer", [])
            for node in graph.node:
                for attribute in node.attribute:
                    if attribute.HasField("t"):
                        yield attribute.t
                    yield from attribute.tensors


def _graphs(graph: Any) -> Iterator[Any]:
    """A graph, or a function's body, and all graphs inside."""
    graphs = [graph]
    while graphs:
        graph = graphs.pop()
        yield graph
        for node in graph.node:
            for attribute in node.attribute:
                graphs.extend(attribute.graphs)
                if attribute.HasField("g"):
                    graphs.append(attribute.g)


__all__ = [
    "ExternalDataInfo", "convert_model_from_external_data", "convert_model_to_external_data", "load_external_data_for_model",
    "load_external_data_for_tensor", "remove_external_data_field", "save_external_data", "set_external_data", "uses_external_data",
    "write_external_data_tensors",
]
