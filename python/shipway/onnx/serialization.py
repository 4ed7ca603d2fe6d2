"""The forms that messages are written in: protobuf's bytes, protobuf's text, JSON, and ONNX's text."""
from typing import Any, Dict, FrozenSet, Optional, Union

from . import json_form, text_form
from .messages import FunctionProto, GraphProto, ModelProto, NodeProto

_PARSERS = {ModelProto: "parse_model", GraphProto: "parse_graph", FunctionProto: "parse_function", NodeProto: "parse_node"}


def _text_of(serialized: Union[bytes, str]) -> str:
    if not isinstance(serialized, (bytes, str)):
        raise TypeError(f"the text of a message is of {type(serialized).__name__}, expected bytes or str")
    return serialized.decode("utf-8") if isinstance(serialized, bytes) else serialized


class ProtoSerializer:
    """One form: its name, the ends of its files' names, and both directions."""

    supported_format: str = ""
    file_extensions: FrozenSet[str] = frozenset()

    def serialize_proto(self, proto: Any) -> bytes:
        """The bytes of a file."""
        raise NotImplementedError

    def deserialize_proto(self, serialized: Any, proto: Any) -> Any:
        """`proto`, filled from the bytes of a file."""
        raise NotImplementedError


class _Protobuf(ProtoSerializer):
    supported_format = "protobuf"
    file_extensions = frozenset({".onnx", ".pb"})

    def serialize_proto(self, proto: Any) -> bytes:
        if not hasattr(proto, "SerializeToString"):
            raise TypeError(f"{type(proto).__name__} is no message: it has no SerializeToString")
        return proto.SerializeToString()

    def deserialize_proto(self, serialized: Any, proto: Any) -> Any:
        if not isinstance(serialized, (bytes, bytearray)):
            raise TypeError(f"the bytes of a message are of {type(serialized).__name__}, expected bytes")
        proto.ParseFromString(bytes(serialized))
        return proto


class _TextProto(ProtoSerializer):
    supported_format = "textproto"
    file_extensions = frozenset({".txtpb", ".textproto", ".prototxt", ".pbtxt"})

    def serialize_proto(self, proto: Any) -> bytes:
        return str(proto).encode("utf-8")

    def deserialize_proto(self, serialized: Any, proto: Any) -> Any:
        text_form.merge(_text_of(serialized), proto)
        return proto


class _Json(ProtoSerializer):
    supported_format = "json"
    file_extensions = frozenset({".json", ".onnxjson"})

    def serialize_proto(self, proto: Any) -> bytes:
        return json_form.to_json(proto).encode("utf-8")

    def deserialize_proto(self, serialized: Any, proto: Any) -> Any:
        json_form.merge(_text_of(serialized), proto)
        return proto


class _OnnxText(ProtoSerializer):
    supported_format = "onnxtxt"
    file_extensions = frozenset({".onnxtxt", ".onnxtext"})

    def serialize_proto(self, proto: Any) -> bytes:
        from . import printer
        return printer.to_text(proto).encode("utf-8")

    def deserialize_proto(self, serialized: Any, proto: Any) -> Any:
        from . import parser
        if type(proto) not in _PARSERS:
            raise ValueError(f"ONNX's text has no form for {type(proto).__name__}")
        proto.CopyFrom(getattr(parser, _PARSERS[type(proto)])(_text_of(serialized)))
        return proto


class _Registry:
    """The forms by name, and by the ends of files' names."""

    def __init__(self) -> None:
        self._by_name: Dict[str, ProtoSerializer] = {}
        self._by_extension: Dict[str, str] = {}

    def register(self, serializer: Any) -> None:
        """Adds a form, or replaces the one of its name."""
        self._by_name[serializer.supported_format] = serializer
        for extension in serializer.file_extensions:
            self._by_extension[extension] = serializer.supported_format

    def get(self, fmt: str) -> Any:
        """The form of this name. Raises ValueError when there is none."""
        if fmt not in self._by_name:
            raise ValueError(f"there is no format {fmt!r}, expected one of {', '.join(self._by_name)}")
        return self._by_name[fmt]

    def get_format_from_file_extension(self, file_extension: str) -> Optional[str]:
        """The name of the form for ".onnx", ".json", ...; None for others."""
        return self._by_extension.get(file_extension)


registry = _Registry()
for _serializer in (_Protobuf(), _TextProto(), _Json(), _OnnxText()):
    registry.register(_serializer)

__all__ = ["ProtoSerializer", "registry"]
