"""The messages of an ONNX file, read and edited as users of the onnx package do.

    model = shipway.onnx.load("model.onnx")
    model.graph.node[0].op_type

Behaviour follows protobuf's Python messages: a part comes to exist when something is set in it, repeated fields have
add(), append() and extend(), assigning copies nothing but scalars. Fields that this file does not know are kept.
"""
import math
import struct
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Tuple

from ..errors import InvalidModel

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
WIRE_TYPES = {"int64": VARINT, "int32": VARINT, "uint64": VARINT, "enum": VARINT, "double": FIXED64, "float": FIXED32,
              "string": LENGTH, "bytes": LENGTH, "message": LENGTH}
LIMITS = {"int64": (-2**63, 2**63 - 1), "int32": (-2**31, 2**31 - 1), "enum": (-2**31, 2**31 - 1), "uint64": (0, 2**64 - 1)}
DEFAULTS: Dict[str, Any] = {"string": "", "bytes": b"", "float": 0.0, "double": 0.0}
MAX_DEPTH = 100  # as protobuf: deeper files are refused


class DecodeError(InvalidModel, ValueError):
    """The bytes are no message of this kind."""


class Field(NamedTuple):
    """One field of a message: its number in the file, its name, what it holds."""
    number: int
    name: str
    kind: str
    repeated: bool = False
    packed: bool = False
    message: str = ""
    oneof: str = ""


# --- values and bytes ------------------------------------------------------------------------------------------------


def check_scalar(field: Field, value: Any) -> Any:
    """`value` as the field keeps it."""
    where = f"field {field.name!r}"
    if field.kind in LIMITS:
        if isinstance(value, float) or not hasattr(value, "__index__"):
            raise TypeError(f"{where}: {value!r} is of {type(value).__name__}, expected an integer")
        value, (low, high) = value.__index__(), LIMITS[field.kind]
        if not low <= value <= high:
            raise ValueError(f"{where}: {value} does not fit {field.kind}")
        return value
    if field.kind in ("float", "double"):
        if isinstance(value, (str, bytes)) or not hasattr(value, "__float__"):
            raise TypeError(f"{where}: {value!r} is of {type(value).__name__}, expected a number")
        value = float(value)
        if field.kind == "double":
            return value
        try:
            return struct.unpack("<f", struct.pack("<f", value))[0]
        except OverflowError:
            return math.copysign(math.inf, value)
    if field.kind == "string":
        if isinstance(value, bytes):
            value = value.decode("utf-8")
        if not isinstance(value, str):
            raise TypeError(f"{where}: {value!r} is of {type(value).__name__}, expected str")
        return value
    if not isinstance(value, (bytes, bytearray, memoryview)):
        raise TypeError(f"{where}: {value!r} is of {type(value).__name__}, expected bytes")
    return bytes(value)


def put_varint(out: bytearray, value: int) -> None:
    value &= 2**64 - 1
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)


def get_varint(data: memoryview, at: int) -> Tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise DecodeError("a number is cut off or too long")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & (2**64 - 1), at
        shift += 7


def put_scalar(out: bytearray, kind: str, value: Any) -> None:
    if kind in LIMITS:
        put_varint(out, value)
    elif kind in ("float", "double"):
        out += struct.pack("<f" if kind == "float" else "<d", value)
    else:
        data = value.encode("utf-8") if kind == "string" else value
        put_varint(out, len(data))
        out += data


def number_of(kind: str, value: int) -> int:
    """The number that a varint stands for."""
    if kind in ("int32", "enum"):
        value &= 2**32 - 1
        return value - 2**32 if value >= 2**31 else value
    return value - 2**64 if kind == "int64" and value >= 2**63 else value


def records(data: memoryview) -> Iterator[Tuple[int, int, Any, memoryview]]:
    """(field number, wire type, value, all bytes of the record)"""
    at = 0
    while at < len(data):
        start = at
        key, at = get_varint(data, at)
        number, wire = key >> 3, key & 7
        if number == 0:
            raise DecodeError("field number 0")
        if wire == VARINT:
            value: Any
            value, at = get_varint(data, at)
        elif wire in (FIXED64, FIXED32, LENGTH):
            size = 8 if wire == FIXED64 else 4
            if wire == LENGTH:
                size, at = get_varint(data, at)
            if size > len(data) - at:
                raise DecodeError(f"field {number} needs {size} bytes, {len(data) - at} are left")
            value, at = data[at:at + size], at + size
        else:
            raise DecodeError(f"field {number} has the wire type {wire}")
        yield number, wire, value, data[start:at]


# --- repeated fields -------------------------------------------------------------------------------------------------


class RepeatedScalar(List[Any]):
    """A list that keeps its element type and tells its message of changes."""

    def __init__(self, field: Field, owner: "Message"):
        super().__init__()
        self._field, self._owner = field, owner

    def _checked(self, values: Any) -> List[Any]:
        checked = [check_scalar(self._field, value) for value in values]
        self._owner._exist()
        return checked

    def append(self, value: Any) -> None:
        super().extend(self._checked([value]))

    def extend(self, values: Any) -> None:
        super().extend(self._checked(values))

    MergeFrom = extend

    def __iadd__(self, values: Any) -> "RepeatedScalar":  # type: ignore[misc]
        self.extend(values)
        return self

    def insert(self, index: Any, value: Any) -> None:
        super().insert(index, self._checked([value])[0])

    def __setitem__(self, index: Any, value: Any) -> None:
        super().__setitem__(index, self._checked(value) if isinstance(index, slice) else self._checked([value])[0])

    def __deepcopy__(self, memo: Any) -> List[Any]:
        return list(self)

    def __reduce__(self) -> Any:
        return list, (list(self),)


class RepeatedMessage(List[Any]):
    """A list of messages; what is added is copied."""

    def __init__(self, kind: type, owner: "Message"):
        super().__init__()
        self._kind, self._owner = kind, owner

    def add(self, **values: Any) -> Any:
        """Appends a message with these fields, and gives it."""
        element = self._kind(**values)
        self._owner._exist()
        super().append(element)
        return element

    def _copied(self, value: Any) -> Any:
        element = self._kind()
        element.CopyFrom(value)
        self._owner._exist()
        return element

    def append(self, value: Any) -> None:
        super().append(self._copied(value))

    def extend(self, values: Any) -> None:
        super().extend([self._copied(value) for value in values])

    MergeFrom = extend

    def __iadd__(self, values: Any) -> "RepeatedMessage":  # type: ignore[misc]
        self.extend(values)
        return self

    def insert(self, index: Any, value: Any) -> None:
        super().insert(index, self._copied(value))

    def __setitem__(self, index: Any, value: Any) -> None:
        raise TypeError("elements are messages and cannot be assigned; use CopyFrom on the element")

    def __deepcopy__(self, memo: Any) -> List[Any]:
        return [element.__deepcopy__(memo) for element in self]


# --- messages --------------------------------------------------------------------------------------------------------


class Message:
    """What all messages can do; their fields stand in the table below."""

    _fields: Dict[str, Field] = {}
    _by_number: Dict[int, Field] = {}

    def __init__(self, **values: Any):
        object.__setattr__(self, "_values", {})
        object.__setattr__(self, "_unknown", b"")
        object.__setattr__(self, "_present", False)
        object.__setattr__(self, "_slot", None)  # the message this is a part of, and the field
        for name, value in values.items():
            field = self._field(name)
            if value is None:
                continue
            if field.repeated:
                getattr(self, name).extend(value)
            elif field.kind == "message":
                part = getattr(self, name)
                part.CopyFrom(type(part)(**value) if isinstance(value, dict) else value)
                part._exist()
            else:
                setattr(self, name, value)

    @classmethod
    def _field(cls, name: str) -> Field:
        try:
            return cls._fields[name]
        except KeyError:
            raise ValueError(f"{cls.__name__} has no field {name!r}") from None

    def _exist(self) -> None:
        """This message is there now, and so is what it is a part of."""
        message = self
        while not message._present:
            object.__setattr__(message, "_present", True)
            if message._slot is None:
                return
            owner, field = message._slot
            owner._leave_oneof(field)
            message = owner

    def _leave_oneof(self, field: Field) -> None:
        if field.oneof:
            for other in self._fields.values():
                if other.oneof == field.oneof and other.name != field.name:
                    self._drop(other.name)

    def _drop(self, name: str) -> None:
        value = self._values.pop(name, None)
        if isinstance(value, Message):
            object.__setattr__(value, "_slot", None)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        field = self._fields.get(name)
        if field is None:
            raise AttributeError(f"{type(self).__name__} has no field {name!r}")
        value = self._values.get(name)
        if value is not None:
            return value
        if field.repeated:
            value = RepeatedMessage(CLASSES[field.message], self) if field.message else RepeatedScalar(field, self)
        elif field.message:
            value = CLASSES[field.message]()
            object.__setattr__(value, "_slot", (self, field))
        else:
            return DEFAULTS.get(field.kind, 0)
        self._values[name] = value
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        field = self._fields.get(name)
        if field is None:
            raise AttributeError(f"{type(self).__name__} has no field {name!r}")
        if field.repeated or field.message:
            raise AttributeError(f"{name!r} cannot be assigned: use {'extend' if field.repeated else 'CopyFrom'}")
        self._values[name] = check_scalar(field, value)
        self._leave_oneof(field)
        self._exist()

    def HasField(self, name: str) -> bool:
        """Whether a field (not a repeated one) or a member of a oneof is set."""
        field = self._fields.get(name)
        if field is None:
            if any(other.oneof == name for other in self._fields.values()):
                return self.WhichOneof(name) is not None
            raise ValueError(f"{type(self).__name__} has no field {name!r}")
        if field.repeated:
            raise ValueError(f"{name!r} is repeated and has no presence")
        value = self._values.get(name)
        return value._present if isinstance(value, Message) else value is not None

    def WhichOneof(self, oneof: str) -> Optional[str]:
        """The member of a oneof that is set; None without one."""
        members = [field.name for field in self._fields.values() if field.oneof == oneof]
        if not members:
            raise ValueError(f"{type(self).__name__} has no oneof {oneof!r}")
        return next((name for name in members if self.HasField(name)), None)

    def ClearField(self, name: str) -> None:
        """The field is as if never set."""
        self._drop(self._field(name).name)

    def Clear(self) -> None:
        """Every field is as if never set."""
        for name in list(self._values):
            self._drop(name)
        object.__setattr__(self, "_unknown", b"")

    def SetInParent(self) -> None:
        """Exists from now on, though it is empty."""
        self._exist()

    def ListFields(self) -> List[Tuple[Field, Any]]:
        """Fields that are set, by number."""
        fields = sorted(self._fields.values())
        return [(field, self._values[field.name]) for field in fields
                if (bool(self._values.get(field.name)) if field.repeated else self.HasField(field.name))]

    def MergeFrom(self, other: "Message") -> None:
        """Fields that are set in `other` replace those here; repeated ones are appended."""
        self.MergeFromString(other.SerializeToString())

    def CopyFrom(self, other: "Message") -> None:
        """Makes this equal to `other`: a message of the same name, of this module or of the onnx package."""
        if other is self:
            return
        if type(other).__name__ != type(self).__name__:
            raise TypeError(f"{type(other).__name__} is no {type(self).__name__}")
        data = other.SerializeToString()
        self.Clear()
        self.MergeFromString(data)

    def SerializeToString(self, **_: Any) -> bytes:
        """The bytes of the message."""
        out = bytearray()
        self._write(out)
        return bytes(out)

    SerializePartialToString = SerializeToString

    def ByteSize(self) -> int:
        """How many bytes it has."""
        return len(self.SerializeToString())

    def IsInitialized(self) -> bool:
        """True: no field is required."""
        return True

    def _write(self, out: bytearray) -> None:
        for field, value in self.ListFields():
            key = field.number << 3
            if field.packed:
                part = bytearray()
                if field.kind in ("float", "double"):
                    part += struct.pack(f"<{len(value)}{field.kind[0]}", *value)
                else:
                    for item in value:
                        put_varint(part, item)
                put_varint(out, key | LENGTH)
                put_varint(out, len(part))
                out += part
                continue
            for item in value if field.repeated else [value]:
                put_varint(out, key | WIRE_TYPES[field.kind])
                if field.kind == "message":
                    part = bytearray()
                    item._write(part)
                    put_varint(out, len(part))
                    out += part
                else:
                    put_scalar(out, field.kind, item)
        out += self._unknown

    def ParseFromString(self, data: bytes) -> int:
        """Becomes the message of these bytes. Raises DecodeError. Gives how many there were."""
        self.Clear()
        return self.MergeFromString(data)

    @classmethod
    def FromString(cls, data: bytes) -> Any:
        """The message of these bytes. Raises DecodeError."""
        message = cls()
        message.ParseFromString(data)
        return message

    def MergeFromString(self, data: bytes) -> int:
        """As MergeFrom with the message of these bytes."""
        self._read(memoryview(data).cast("B"), MAX_DEPTH)
        return len(data)

    def _read(self, data: memoryview, depth: int) -> None:
        if depth == 0:
            raise DecodeError(f"messages are nested more than {MAX_DEPTH} deep")
        self._exist()
        for number, wire, value, record in records(data):
            field = self._by_number.get(number)
            if field is None:
                object.__setattr__(self, "_unknown", self._unknown + bytes(record))
            elif wire == WIRE_TYPES[field.kind]:
                self._read_value(field, value, depth)
            elif field.repeated and wire == LENGTH and field.kind not in ("string", "bytes", "message"):
                list.extend(getattr(self, field.name), unpack(field.kind, value))
            else:
                object.__setattr__(self, "_unknown", self._unknown + bytes(record))

    def _read_value(self, field: Field, value: Any, depth: int) -> None:
        if field.kind == "message":
            if field.repeated:
                part = CLASSES[field.message]()
                list.append(getattr(self, field.name), part)
            else:
                self._leave_oneof(field)
                part = getattr(self, field.name)
            part._read(value, depth - 1)
            return
        if field.kind in LIMITS:
            value = number_of(field.kind, value)
        elif field.kind in ("float", "double"):
            value = struct.unpack("<f" if field.kind == "float" else "<d", value)[0]
        elif field.kind == "string":
            try:
                value = str(value, "utf-8")
            except UnicodeDecodeError:
                raise DecodeError(f"{type(self).__name__}.{field.name} is no UTF-8 text") from None
        else:
            value = bytes(value)
        if field.repeated:
            list.append(getattr(self, field.name), value)
        else:
            self._leave_oneof(field)
            self._values[field.name] = value

    def __eq__(self, other: Any) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self.ListFields() == other.ListFields() and self._unknown == other._unknown

    __hash__ = None  # type: ignore[assignment]

    def __deepcopy__(self, memo: Any) -> Any:
        return type(self).FromString(self.SerializeToString())

    def __copy__(self) -> Any:
        return self.__deepcopy__(None)

    def __reduce__(self) -> Any:
        return from_bytes, (type(self), self.SerializeToString())

    def __dir__(self) -> List[str]:
        return sorted({*super().__dir__(), *self._fields})

    def __str__(self) -> str:
        lines: List[str] = []
        self._print(lines, "")
        return "".join(line + "\n" for line in lines)

    __repr__ = __str__

    def _print(self, lines: List[str], indent: str) -> None:
        for field, value in self.ListFields():
            for item in value if field.repeated else [value]:
                if field.kind == "message":
                    lines.append(f"{indent}{field.name} {{")
                    item._print(lines, indent + "  ")
                    lines.append(f"{indent}}}")
                elif field.kind == "enum":
                    names = {number: name for name, number in type(self)._enums[field.name].items()}
                    lines.append(f"{indent}{field.name}: {names.get(item, item)}")
                else:
                    lines.append(f"{indent}{field.name}: {printed(field.kind, item)}")

    _enums: Dict[str, "Enum"] = {}


def unpack(kind: str, data: memoryview) -> List[Any]:
    if kind in ("float", "double"):
        size = 4 if kind == "float" else 8
        if len(data) % size:
            raise DecodeError(f"{len(data)} bytes of packed {kind}")
        return list(struct.unpack(f"<{len(data) // size}{kind[0]}", data))
    values, at = [], 0
    while at < len(data):
        value, at = get_varint(data, at)
        values.append(number_of(kind, value))
    return values


def from_bytes(kind: type, data: bytes) -> Any:
    return kind.FromString(data)  # type: ignore[attr-defined]


def printed(kind: str, value: Any) -> str:
    if kind in ("string", "bytes"):
        return quoted(value)
    return f"{value:.9g}" if kind == "float" else str(value)


def quoted(value: Any) -> str:
    """As protobuf prints: text as it is, bytes outside ASCII as octal numbers."""
    escapes = {"\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "'": "\\'", "\\": "\\\\"}
    text = value if isinstance(value, str) else value.decode("latin-1")
    plain = str.isprintable if isinstance(value, str) else lambda c: " " <= c <= "~"
    return '"' + "".join(escapes.get(c) or (c if plain(c) else f"\\{ord(c):03o}") for c in text) + '"'


class Enum(Dict[str, int]):
    """Names and numbers of an enumeration."""

    def Name(self, number: int) -> str:
        """The name of a number."""
        for name, value in dict.items(self):
            if value == number:
                return name
        raise ValueError(f"there is no name for {number}")

    def Value(self, name: str) -> int:
        """The number of a name."""
        if name not in self:
            raise ValueError(f"there is no value {name!r}")
        return self[name]


# --- the messages of onnx.proto, onnx-data.proto and onnx-operators.proto ----------------------------------------------------------------------------------------
# number name kind; * repeated, + repeated and packed, a name in capitals is a message; "| x" a member of oneof x.

TABLE = """
AttributeProto: 1 name string, 2 f float, 3 i int64, 4 s bytes, 5 t TensorProto, 6 g GraphProto, 7 floats float*,
  8 ints int64*, 9 strings bytes*, 10 tensors TensorProto*, 11 graphs GraphProto*, 13 doc_string string, 14 tp TypeProto,
  15 type_protos TypeProto*, 20 type enum, 21 ref_attr_name string, 22 sparse_tensor SparseTensorProto,
  23 sparse_tensors SparseTensorProto*
ValueInfoProto: 1 name string, 2 type TypeProto, 3 doc_string string, 4 metadata_props StringStringEntryProto*
NodeProto: 1 input string*, 2 output string*, 3 name string, 4 op_type string, 5 attribute AttributeProto*,
  6 doc_string string, 7 domain string, 8 overload string, 9 metadata_props StringStringEntryProto*,
  10 device_configurations NodeDeviceConfigurationProto*
IntIntListEntryProto: 1 key int64, 2 value int64*
NodeDeviceConfigurationProto: 1 configuration_id string, 2 sharding_spec ShardingSpecProto*, 3 pipeline_stage int32
ShardingSpecProto: 1 tensor_name string, 2 device int64*, 3 index_to_device_group_map IntIntListEntryProto*,
  4 sharded_dim ShardedDimProto*
ShardedDimProto: 1 axis int64, 2 simple_sharding SimpleShardedDimProto*
SimpleShardedDimProto: 1 dim_value int64 | dim, 2 dim_param string | dim, 3 num_shards int64
TrainingInfoProto: 1 initialization GraphProto, 2 algorithm GraphProto, 3 initialization_binding StringStringEntryProto*,
  4 update_binding StringStringEntryProto*
ModelProto: 1 ir_version int64, 2 producer_name string, 3 producer_version string, 4 domain string, 5 model_version int64,
  6 doc_string string, 7 graph GraphProto, 8 opset_import OperatorSetIdProto*, 14 metadata_props StringStringEntryProto*,
  20 training_info TrainingInfoProto*, 25 functions FunctionProto*, 26 configuration DeviceConfigurationProto*
DeviceConfigurationProto: 1 name string, 2 num_devices int32, 3 device string*
StringStringEntryProto: 1 key string, 2 value string
TensorAnnotation: 1 tensor_name string, 2 quant_parameter_tensor_names StringStringEntryProto*
GraphProto: 1 node NodeProto*, 2 name string, 5 initializer TensorProto*, 10 doc_string string, 11 input ValueInfoProto*,
  12 output ValueInfoProto*, 13 value_info ValueInfoProto*, 14 quantization_annotation TensorAnnotation*,
  15 sparse_initializer SparseTensorProto*, 16 metadata_props StringStringEntryProto*
TensorProto: 1 dims int64*, 2 data_type int32, 3 segment TensorProto.Segment, 4 float_data float+, 5 int32_data int32+,
  6 string_data bytes*, 7 int64_data int64+, 8 name string, 9 raw_data bytes, 10 double_data double+, 11 uint64_data uint64+,
  12 doc_string string, 13 external_data StringStringEntryProto*, 14 data_location enum,
  16 metadata_props StringStringEntryProto*
TensorProto.Segment: 1 begin int64, 2 end int64
SparseTensorProto: 1 values TensorProto, 2 indices TensorProto, 3 dims int64*
TensorShapeProto: 1 dim TensorShapeProto.Dimension*
TensorShapeProto.Dimension: 1 dim_value int64 | value, 2 dim_param string | value, 3 denotation string
TypeProto: 1 tensor_type TypeProto.Tensor | value, 4 sequence_type TypeProto.Sequence | value,
  5 map_type TypeProto.Map | value, 6 denotation string, 7 opaque_type TypeProto.Opaque | value,
  8 sparse_tensor_type TypeProto.SparseTensor | value, 9 optional_type TypeProto.Optional | value
TypeProto.Tensor: 1 elem_type int32, 2 shape TensorShapeProto
TypeProto.Sequence: 1 elem_type TypeProto
TypeProto.Map: 1 key_type int32, 2 value_type TypeProto
TypeProto.Optional: 1 elem_type TypeProto
TypeProto.SparseTensor: 1 elem_type int32, 2 shape TensorShapeProto
TypeProto.Opaque: 1 domain string, 2 name string
OperatorSetIdProto: 1 domain string, 2 version int64
FunctionProto: 1 name string, 4 input string*, 5 output string*, 6 attribute string*, 7 node NodeProto*, 8 doc_string string,
  9 opset_import OperatorSetIdProto*, 10 domain string, 11 attribute_proto AttributeProto*, 12 value_info ValueInfoProto*,
  13 overload string, 14 metadata_props StringStringEntryProto*
SequenceProto: 1 name string, 2 elem_type int32, 3 tensor_values TensorProto*, 4 sparse_tensor_values SparseTensorProto*,
  5 sequence_values SequenceProto*, 6 map_values MapProto*, 7 optional_values OptionalProto*
MapProto: 1 name string, 2 key_type int32, 3 keys int64*, 4 string_keys bytes*, 5 values SequenceProto
OptionalProto: 1 name string, 2 elem_type int32, 3 tensor_value TensorProto, 4 sparse_tensor_value SparseTensorProto,
  5 sequence_value SequenceProto, 6 map_value MapProto, 7 optional_value OptionalProto
OperatorProto: 1 op_type string, 2 since_version int64, 3 status enum, 10 doc_string string
OperatorSetProto: 1 magic string, 2 ir_version int64, 3 ir_version_prerelease string, 4 domain string, 5 opset_version int64,
  6 doc_string string, 7 ir_build_metadata string, 8 operator OperatorProto*, 9 functions FunctionProto*
"""

# (message, field, name of the enumeration, its values)
ENUMS = [
    ("AttributeProto", "type", "AttributeType",
     "UNDEFINED FLOAT INT STRING TENSOR GRAPH FLOATS INTS STRINGS TENSORS GRAPHS SPARSE_TENSOR SPARSE_TENSORS TYPE_PROTO "
     "TYPE_PROTOS"),
    ("TensorProto", "data_type", "DataType",
     "UNDEFINED FLOAT UINT8 INT8 UINT16 INT16 INT32 INT64 STRING BOOL FLOAT16 DOUBLE UINT32 UINT64 COMPLEX64 COMPLEX128 "
     "BFLOAT16 FLOAT8E4M3FN FLOAT8E4M3FNUZ FLOAT8E5M2 FLOAT8E5M2FNUZ UINT4 INT4 FLOAT4E2M1 FLOAT8E8M0 UINT2 INT2 "
     "FLOAT6E2M3 FLOAT6E3M2"),
    ("TensorProto", "data_location", "DataLocation", "DEFAULT EXTERNAL"),
    ("SequenceProto", "elem_type", "DataType", "UNDEFINED TENSOR SPARSE_TENSOR SEQUENCE MAP OPTIONAL"),
    ("OptionalProto", "elem_type", "DataType", "UNDEFINED TENSOR SPARSE_TENSOR SEQUENCE MAP OPTIONAL"),
]

CLASSES: Dict[str, type] = {}


def make_field(text: str) -> Field:
    text, _, oneof = text.partition(" | ")
    number, name, kind = text.split()
    repeated, packed = kind[-1] in "*+", kind[-1] == "+"
    kind = kind.rstrip("*+")
    is_message = kind[0].isupper()
    return Field(int(number), name, "message" if is_message else kind, repeated, packed, kind if is_message else "", oneof)


def make_classes() -> None:
    for line in TABLE.replace("\n  ", " ").strip().splitlines():
        full_name, _, fields = line.partition(": ")
        listed = [make_field(text) for text in fields.split(", ")]
        name = full_name.rpartition(".")[2]
        CLASSES[full_name] = type(name, (Message,), {
            "__module__": __name__, "__qualname__": full_name, "_fields": {field.name: field for field in listed},
            "_by_number": {field.number: field for field in listed}, "_enums": {}})
    for full_name, made in CLASSES.items():
        outer, _, name = full_name.rpartition(".")
        if outer:
            setattr(CLASSES[outer], name, made)
    for message, field, name, values in ENUMS:
        enum = Enum((value, number) for number, value in enumerate(values.split()))
        setattr(CLASSES[message], name, enum)
        CLASSES[message]._enums[field] = enum  # type: ignore[attr-defined]
        for value, number in enum.items():
            setattr(CLASSES[message], value, number)


make_classes()

AttributeProto: Any = CLASSES["AttributeProto"]
DeviceConfigurationProto: Any = CLASSES["DeviceConfigurationProto"]
FunctionProto: Any = CLASSES["FunctionProto"]
GraphProto: Any = CLASSES["GraphProto"]
IntIntListEntryProto: Any = CLASSES["IntIntListEntryProto"]
MapProto: Any = CLASSES["MapProto"]
ModelProto: Any = CLASSES["ModelProto"]
NodeDeviceConfigurationProto: Any = CLASSES["NodeDeviceConfigurationProto"]
NodeProto: Any = CLASSES["NodeProto"]
OperatorProto: Any = CLASSES["OperatorProto"]
OperatorSetIdProto: Any = CLASSES["OperatorSetIdProto"]
OperatorSetProto: Any = CLASSES["OperatorSetProto"]
OptionalProto: Any = CLASSES["OptionalProto"]
SequenceProto: Any = CLASSES["SequenceProto"]
ShardedDimProto: Any = CLASSES["ShardedDimProto"]
ShardingSpecProto: Any = CLASSES["ShardingSpecProto"]
SimpleShardedDimProto: Any = CLASSES["SimpleShardedDimProto"]
SparseTensorProto: Any = CLASSES["SparseTensorProto"]
StringStringEntryProto: Any = CLASSES["StringStringEntryProto"]
TensorAnnotation: Any = CLASSES["TensorAnnotation"]
TensorProto: Any = CLASSES["TensorProto"]
TensorShapeProto: Any = CLASSES["TensorShapeProto"]
TrainingInfoProto: Any = CLASSES["TrainingInfoProto"]
TypeProto: Any = CLASSES["TypeProto"]
ValueInfoProto: Any = CLASSES["ValueInfoProto"]

OperatorStatus = Enum(EXPERIMENTAL=0, STABLE=1)
Version = Enum(
    _START_VERSION=0, IR_VERSION_2017_10_10=1, IR_VERSION_2017_10_30=2, IR_VERSION_2017_11_3=3, IR_VERSION_2019_1_22=4,
    IR_VERSION_2019_3_18=5, IR_VERSION_2019_9_19=6, IR_VERSION_2020_5_8=7, IR_VERSION_2021_7_30=8, IR_VERSION_2023_5_5=9,
    IR_VERSION_2024_3_25=10, IR_VERSION_2025_05_12=11, IR_VERSION_2025_08_26=12, IR_VERSION_2025_11_06=13, IR_VERSION=14)

__all__ = [
    "AttributeProto", "CLASSES", "DecodeError", "DeviceConfigurationProto", "Enum", "Field", "FunctionProto",
    "GraphProto", "IntIntListEntryProto", "MAX_DEPTH", "MapProto", "Message", "ModelProto",
    "NodeDeviceConfigurationProto", "NodeProto", "OperatorProto", "OperatorSetIdProto", "OperatorSetProto",
    "OperatorStatus", "OptionalProto", "RepeatedMessage", "RepeatedScalar", "SequenceProto", "ShardedDimProto",
    "ShardingSpecProto", "SimpleShardedDimProto", "SparseTensorProto", "StringStringEntryProto", "TensorAnnotation",
    "TensorProto", "TensorShapeProto", "TrainingInfoProto", "TypeProto", "ValueInfoProto", "Version",
]
