"""Reading and writing model files as messages."""
import os
from pathlib import Path
from typing import Any, Iterator, Optional

from .. import model as native
from ..errors import InvalidModel
from .messages import DecodeError, ModelProto, TensorProto


def load_model(f: Any, format: Optional[str] = None, load_external_data: bool = True) -> Any:
    """Reads a file (a path, or an object with read()) as a ModelProto, its external data included.

    What is no model raises shipway.InvalidModel, saying what it is instead. Errors inside a model are for
    checker.check_model to find.
    """
    if format not in (None, "protobuf"):
        raise ValueError(f"format {format!r}: only 'protobuf' is read")
    if hasattr(f, "read"):
        return load_model_from_string(f.read())
    if not os.path.exists(f):
        native.load(f)  # says so
    data = Path(f).read_bytes()
    model = _parsed(data, f)
    if load_external_data:
        _load_external_data(model, Path(os.fspath(f)).resolve().parent)
    return model


def load_model_from_string(s: bytes, format: Optional[str] = None) -> Any:
    return _parsed(s, s)


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


def save_model(proto: Any, f: Any, format: Optional[str] = None, **kwargs: Any) -> None:
    """Writes a ModelProto, or a shipway.Model, to a path or an object with write()."""
    if format not in (None, "protobuf"):
        raise ValueError(f"format {format!r}: only 'protobuf' is written")
    if kwargs.get("save_as_external_data"):
        raise NotImplementedError("save_as_external_data")
    if isinstance(proto, native.Model):
        data = proto.serialize()
    else:
        data = proto if isinstance(proto, bytes) else proto.SerializeToString()
    if hasattr(f, "write"):
        f.write(data)
        return
    beside = Path(os.fspath(f) + ".part")
    beside.write_bytes(data)
    os.replace(beside, f)


def _tensors(graph: Any) -> Iterator[Any]:
    """All tensors of a graph, its subgraphs included."""
    graphs = [graph]
    while graphs:
        graph = graphs.pop()
        yield from graph.initializer
        for node in graph.node:
            for attribute in node.attribute:
                if attribute.HasField("t"):
                    yield attribute.t
                yield from attribute.tensors
                if attribute.HasField("g"):
                    graphs.append(attribute.g)
                graphs.extend(attribute.graphs)


def _load_external_data(model: Any, folder: Path) -> None:
    if not model.HasField("graph"):
        return
    for tensor in _tensors(model.graph):
        if tensor.data_location != TensorProto.EXTERNAL:
            continue
        entries = {entry.key: entry.value for entry in tensor.external_data}
        path = (folder / entries.get("location", "")).resolve()
        if folder not in path.parents or not path.is_file():
            raise InvalidModel(f"tensor {tensor.name!r}: its data is in {entries.get('location')!r}, expected a file in the model's folder")
        with open(path, "rb") as file:
            file.seek(int(entries.get("offset", "0")))
            tensor.raw_data = file.read(int(entries["length"])) if "length" in entries else file.read()
        del tensor.external_data[:]
        tensor.ClearField("data_location")


