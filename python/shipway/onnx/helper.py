"""Making messages, with the names and defaults of onnx.helper."""
import math
import numbers
from typing import Any, Dict, Iterable, KeysView, List, Optional, Sequence, Tuple

import numpy as np

from ..errors import Unsupported
from .messages import (AttributeProto, FunctionProto, GraphProto, MapProto, Message, ModelProto, NodeProto, OperatorSetIdProto,
                       OptionalProto, SequenceProto, SparseTensorProto, TensorProto, TrainingInfoProto, TypeProto, ValueInfoProto,
                       Version)
from .printable import (printable_attribute, printable_dim, printable_graph, printable_node, printable_tensor_proto, printable_type,
                        printable_value_info)

IR_VERSION = Version["IR_VERSION"]
OPSET_VERSION = 28  # of ai.onnx, the one that Shipway is pinned to

# Which releases of onnx brought which versions: (release, IR version, ai.onnx, ai.onnx.ml, ai.onnx.training).
VERSION_TABLE: List[Tuple[Any, ...]] = [
    ("1.0", 3, 1, 1), ("1.1", 3, 5, 1), ("1.1.2", 3, 6, 1), ("1.2", 3, 7, 1), ("1.3", 3, 8, 1), ("1.4.1", 4, 9, 1),
    ("1.5.0", 5, 10, 1), ("1.6.0", 6, 11, 2), ("1.7.0", 7, 12, 2, 1), ("1.8.0", 7, 13, 2, 1), ("1.8.1", 7, 13, 2, 1),
    ("1.9.0", 7, 14, 2, 1), ("1.10.0", 8, 15, 2, 1), ("1.10.1", 8, 15, 2, 1), ("1.10.2", 8, 15, 2, 1), ("1.11.0", 8, 16, 3, 1),
    ("1.12.0", 8, 17, 3, 1), ("1.13.0", 8, 18, 3, 1), ("1.13.1", 8, 18, 3, 1), ("1.14.0", 9, 19, 3, 1), ("1.14.1", 9, 19, 3, 1),
    ("1.15.0", 9, 20, 4, 1), ("1.16.0", 10, 21, 5, 1), ("1.16.1", 10, 21, 5, 1), ("1.16.2", 10, 21, 5, 1), ("1.17.0", 10, 22, 5, 1),
    ("1.18.0", 11, 23, 5, 1), ("1.19.0", 12, 24, 5, 1), ("1.19.1", 12, 24, 5, 1), ("1.20.0", 13, 25, 5, 1), ("1.20.1", 13, 25, 5, 1),
    ("1.21.0", 13, 26, 5, 1), ("1.22.0", 13, 27, 5, 1), ("1.23.0", 14, 28, 5, 1),
]
OP_SET_ID_VERSION_MAP: Dict[Tuple[str, int], int] = {}
for _row in reversed(VERSION_TABLE):  # the oldest release that has it counts
    for _domain, _version in zip(("ai.onnx", "ai.onnx.ml", "ai.onnx.training"), _row[2:]):
        OP_SET_ID_VERSION_MAP[_domain, _version] = _row[1]
        if _domain != "ai.onnx.ml":  # the previews count with the domains that they are of
            OP_SET_ID_VERSION_MAP[_domain.replace("ai.onnx", "ai.onnx.preview"), _version] = _row[1]

_PLAIN = {"FLOAT": "float32", "UINT8": "uint8", "INT8": "int8", "UINT16": "uint16", "INT16": "int16", "INT32": "int32",
          "INT64": "int64", "STRING": "object", "BOOL": "bool", "FLOAT16": "float16", "DOUBLE": "float64", "UINT32": "uint32",
          "UINT64": "uint64", "COMPLEX64": "complex64", "COMPLEX128": "complex128"}
_SMALL = {"BFLOAT16": "bfloat16", "FLOAT8E4M3FN": "float8_e4m3fn", "FLOAT8E4M3FNUZ": "float8_e4m3fnuz",
          "FLOAT8E5M2": "float8_e5m2", "FLOAT8E5M2FNUZ": "float8_e5m2fnuz", "UINT4": "uint4", "INT4": "int4",
          "FLOAT4E2M1": "float4_e2m1fn", "FLOAT8E8M0": "float8_e8m0fnu", "UINT2": "uint2", "INT2": "int2",
          "FLOAT6E2M3": "float6_e2m3fn", "FLOAT6E3M2": "float6_e3m2fn"}


def tensor_dtype_to_np_dtype(tensor_dtype: int) -> np.dtype:
    """numpy's dtype for a TensorProto.DataType; those that numpy lacks are of the package ml_dtypes."""
    name = tensor_dtype_to_string(tensor_dtype).rpartition(".")[2]
    if name in _PLAIN:
        return np.dtype(_PLAIN[name])
    if name not in _SMALL:
        raise KeyError(f"numpy has no dtype for {name}")
    try:
        import ml_dtypes
    except ImportError:
        raise Unsupported(f"values of {name} need the package ml_dtypes (pip install ml_dtypes)") from None
    return np.dtype(getattr(ml_dtypes, _SMALL[name]))


def np_dtype_to_tensor_dtype(np_dtype: Any) -> int:
    """The TensorProto.DataType for numpy's dtype. Raises ValueError when ONNX has none."""
    name = np.dtype(np_dtype).name
    if name.startswith("str"):
        name = "object"
    for names in (_PLAIN, _SMALL):
        for onnx_name, numpy_name in names.items():
            if numpy_name == name:
                return TensorProto.DataType.Value(onnx_name)
    raise ValueError(f"numpy's dtype {name} has no ONNX type")


def get_all_tensor_dtypes() -> KeysView[int]:
    """Every TensorProto.DataType that has values."""
    return {TensorProto.DataType.Value(name): None for name in [*_PLAIN, *_SMALL]}.keys()


def tensor_dtype_to_string(tensor_dtype: int) -> str:
    """ "TensorProto.FLOAT" for 1."""
    if tensor_dtype not in get_all_tensor_dtypes():
        raise KeyError(f"there is no TensorProto.DataType {tensor_dtype}")
    return "TensorProto." + TensorProto.DataType.Name(tensor_dtype)


def tensor_dtype_to_storage_tensor_dtype(tensor_dtype: int) -> int:
    """The type in whose field of TensorProto elements of `tensor_dtype` are kept."""
    storage = {TensorProto.COMPLEX64: TensorProto.FLOAT, TensorProto.COMPLEX128: TensorProto.DOUBLE, TensorProto.UINT32: TensorProto.UINT64}
    own = (TensorProto.FLOAT, TensorProto.INT32, TensorProto.INT64, TensorProto.DOUBLE, TensorProto.UINT64, TensorProto.STRING)
    tensor_dtype_to_string(tensor_dtype)  # exists
    return storage.get(tensor_dtype, tensor_dtype if tensor_dtype in own else TensorProto.INT32)


def tensor_dtype_to_field(tensor_dtype: int) -> str:
    """The field of TensorProto in which elements of `tensor_dtype` are kept."""
    return TensorProto.DataType.Name(tensor_dtype_to_storage_tensor_dtype(tensor_dtype)).lower() + "_data"


def find_min_ir_version_for(opsetidlist: Sequence[Any], ignore_unknown: bool = False) -> int:
    """The lowest IR version that knows these opsets; 3 for an unknown one with ignore_unknown, else ValueError."""
    versions = [3]
    for opset in opsetidlist:
        version = OP_SET_ID_VERSION_MAP.get((opset.domain or "ai.onnx", opset.version))
        if version is None and not ignore_unknown:
            raise ValueError(f"no release of onnx had version {opset.version} of domain {opset.domain or 'ai.onnx'!r}")
        versions.append(version or 3)
    return max(versions)


def make_opsetid(domain: str, version: int) -> Any:
    """An OperatorSetIdProto."""
    return OperatorSetIdProto(domain=domain, version=version)


make_operatorsetid = make_opsetid


def make_tensor_type_proto(elem_type: int, shape: Optional[Sequence[Any]], shape_denotation: Optional[Sequence[str]] = None) -> Any:
    """A size is a number, a name, or None for one nothing is said of; no shape at all leaves the rank open."""
    made = TypeProto()
    _set_tensor_type(made.tensor_type, elem_type, shape, shape_denotation)
    return made


def make_sparse_tensor_type_proto(elem_type: int, shape: Optional[Sequence[Any]],
                                  shape_denotation: Optional[Sequence[str]] = None) -> Any:
    """As make_tensor_type_proto, for a sparse tensor."""
    made = TypeProto()
    _set_tensor_type(made.sparse_tensor_type, elem_type, shape, shape_denotation)
    return made


def _set_tensor_type(made: Any, elem_type: int, shape: Optional[Sequence[Any]], shape_denotation: Optional[Sequence[str]]) -> None:
    made.elem_type = elem_type
    if shape is None:
        return
    if shape_denotation and len(shape_denotation) != len(shape):
        raise ValueError(f"{len(shape_denotation)} denotations for {len(shape)} sizes")
    made.shape.SetInParent()
    for i, size in enumerate(shape):
        dim = made.shape.dim.add()
        if isinstance(size, str):
            dim.dim_param = size
        elif isinstance(size, numbers.Integral):
            dim.dim_value = size
        elif size is not None:
            raise ValueError(f"size {size!r} is of {type(size).__name__}, expected a number, a name or None")
        if shape_denotation:
            dim.denotation = shape_denotation[i]


def make_sequence_type_proto(inner_type_proto: Any) -> Any:
    """The type of sequences of a type."""
    made = TypeProto()
    made.sequence_type.elem_type.CopyFrom(inner_type_proto)
    return made


def make_optional_type_proto(inner_type_proto: Any) -> Any:
    """The type of optionals of a type."""
    made = TypeProto()
    made.optional_type.elem_type.CopyFrom(inner_type_proto)
    return made


def make_map_type_proto(key_type: int, value_type: Any) -> Any:
    """The type of maps from a key (a TensorProto.DataType) to a value."""
    made = TypeProto()
    made.map_type.key_type = key_type
    made.map_type.value_type.CopyFrom(value_type)
    return made


def make_value_info(name: str, type_proto: Any, doc_string: str = "") -> Any:
    """A ValueInfoProto of any type."""
    made = ValueInfoProto(name=name)
    if type_proto is not None:
        made.type.CopyFrom(type_proto)
    if doc_string:
        made.doc_string = doc_string
    return made


def make_tensor_value_info(name: str, elem_type: int, shape: Optional[Sequence[Any]], doc_string: str = "",
                           shape_denotation: Optional[Sequence[str]] = None) -> Any:
    """A ValueInfoProto of a tensor; sizes as in make_tensor_type_proto."""
    return make_value_info(name, make_tensor_type_proto(elem_type, shape, shape_denotation), doc_string)


def make_empty_tensor_value_info(name: str) -> Any:
    """A ValueInfoProto that says the name only."""
    return ValueInfoProto(name=name)


def make_sparse_tensor_value_info(name: str, elem_type: int, shape: Optional[Sequence[Any]], doc_string: str = "",
                                  shape_denotation: Optional[Sequence[str]] = None) -> Any:
    """A ValueInfoProto of a sparse tensor."""
    return make_value_info(name, make_sparse_tensor_type_proto(elem_type, shape, shape_denotation), doc_string)


def make_tensor_sequence_value_info(name: str, elem_type: int, shape: Optional[Sequence[Any]], doc_string: str = "",
                                    elem_shape_denotation: Optional[Sequence[str]] = None) -> Any:
    """A ValueInfoProto of a sequence of tensors."""
    return make_value_info(name, make_sequence_type_proto(make_tensor_type_proto(elem_type, shape, elem_shape_denotation)), doc_string)


def make_tensor(name: str, data_type: int, dims: Sequence[int], vals: Any, raw: bool = False) -> Any:
    """A tensor of `vals`: the bytes themselves with raw (or an array), else numbers or texts."""
    from . import numpy_helper
    made = TensorProto(name=name, data_type=data_type, dims=dims)
    count = math.prod(dims)
    if raw:
        if data_type == TensorProto.STRING:
            raise TypeError(f"tensor {name!r}: texts have no raw bytes")
        if isinstance(vals, np.ndarray):
            vals = numpy_helper.raw_bytes(vals, data_type)
        elif not isinstance(vals, (bytes, bytearray)):
            raise TypeError(f"tensor {name!r}: raw data is of {type(vals).__name__}, expected bytes or an array")
        expected = -(-count * numpy_helper.bits_of(data_type) // 8)
        if len(vals) != expected:
            raise ValueError(f"tensor {name!r}: {len(vals)} raw bytes, expected {expected} for dims {list(dims)}")
        made.raw_data = bytes(vals)
        return made
    if data_type == TensorProto.STRING:
        values: Any = [text.encode("utf-8") if isinstance(text, str) else text for text in np.array(vals, object).ravel().tolist()]
    else:
        values = numpy_helper.rounded(np.asarray(vals), data_type).ravel()
    if len(values) != count:
        raise ValueError(f"tensor {name!r}: {len(values)} values, expected {count} for dims {list(dims)}")
    if data_type in (TensorProto.COMPLEX64, TensorProto.COMPLEX128):
        values = values.view(np.float32 if data_type == TensorProto.COMPLEX64 else np.float64)
    elif numpy_helper.is_packed(data_type):
        values = np.frombuffer(numpy_helper.raw_bytes(values, data_type), np.uint8)
    elif TensorProto.DataType.Name(data_type) in _SMALL or data_type == TensorProto.FLOAT16:
        values = values.view(np.uint16 if values.dtype.itemsize == 2 else np.uint8)
    getattr(made, tensor_dtype_to_field(data_type)).extend(values if isinstance(values, list) else values.tolist())
    return made


def make_sequence(name: str, elem_type: int, values: Sequence[Any]) -> Any:
    """A SequenceProto of messages; elem_type is one of SequenceProto.DataType."""
    made = SequenceProto(name=name, elem_type=elem_type)
    if elem_type != SequenceProto.UNDEFINED:
        getattr(made, _container_field(elem_type) + "_values").extend(values)
    return made


def make_map(name: str, key_type: int, keys: List[Any], values: Any) -> Any:
    """A MapProto; values are a SequenceProto as long as `keys`."""
    made = MapProto(name=name, key_type=key_type)
    if key_type == TensorProto.STRING:
        made.string_keys.extend(key.encode("utf-8") if isinstance(key, str) else key for key in keys)
    else:
        made.keys.extend(keys)
    made.values.CopyFrom(values)
    return made


def make_optional(name: str, elem_type: int, value: Any) -> Any:
    """An OptionalProto of a message; OptionalProto.UNDEFINED holds nothing."""
    made = OptionalProto(name=name, elem_type=elem_type)
    if elem_type != OptionalProto.UNDEFINED:
        getattr(made, _container_field(elem_type) + "_value").CopyFrom(value)
    return made


def _container_field(elem_type: int) -> str:
    if elem_type not in SequenceProto.DataType.values():
        raise TypeError(f"there is no SequenceProto.DataType {elem_type}")
    return SequenceProto.DataType.Name(elem_type).lower()


def make_attribute(key: str, value: Any, doc_string: Optional[str] = None, attr_type: Optional[int] = None) -> Any:
    """The kind of the attribute follows from the value; an empty list needs attr_type."""
    made = AttributeProto(name=key)
    if doc_string:
        made.doc_string = doc_string
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, (list, tuple, range)) or (not isinstance(value, (str, bytes)) and hasattr(value, "__iter__")):
        values = list(value)
        if not values and attr_type is None:
            raise ValueError(f"attribute {key!r}: the kind of an empty list is unknown, attr_type must say it")
        kinds = {_kind_of(key, item) for item in values}
        kind = "FLOAT" if kinds == {"INT", "FLOAT"} else kinds.pop() if len(kinds) == 1 else None if kinds else ""
        if kind is None:
            raise ValueError(f"attribute {key!r}: a list of different kinds")
        number = attr_type if attr_type is not None else AttributeProto.AttributeType.Value(_PLURAL[kind])
        if number not in _LISTS:
            raise TypeError(f"attribute {key!r}: a list, which is not of the kind that attr_type says")
        getattr(made, _LISTS[number]).extend(_bytes_of(item) for item in values)
    else:
        kind = _kind_of(key, value)
        number = attr_type if attr_type is not None else AttributeProto.AttributeType.Value(kind)
        if number not in _SINGLES:
            raise TypeError(f"attribute {key!r}: {value!r} is no list, which attr_type asks for")
        if _SINGLES[number] in ("f", "i", "s"):
            setattr(made, _SINGLES[number], _bytes_of(value))
        else:
            getattr(made, _SINGLES[number]).CopyFrom(value)
    made.type = number
    return made


def make_attribute_ref(name: str, attr_type: int, doc_string: Optional[str] = None, *, ref_attr_name: Optional[str] = None) -> Any:
    """Inside a function: an attribute whose value is that of the function's attribute `ref_attr_name` (or `name`)."""
    if ref_attr_name == "":
        raise ValueError("ref_attr_name is empty")
    return AttributeProto(name=name, type=attr_type, ref_attr_name=ref_attr_name or name, doc_string=doc_string or None)


_KINDS = {"TensorProto": "TENSOR", "GraphProto": "GRAPH", "SparseTensorProto": "SPARSE_TENSOR", "TypeProto": "TYPE_PROTO"}
_PLURAL = {"FLOAT": "FLOATS", "INT": "INTS", "STRING": "STRINGS", "TENSOR": "TENSORS", "GRAPH": "GRAPHS",
           "SPARSE_TENSOR": "SPARSE_TENSORS", "TYPE_PROTO": "TYPE_PROTOS"}
_SINGLES = {AttributeProto.FLOAT: "f", AttributeProto.INT: "i", AttributeProto.STRING: "s", AttributeProto.TENSOR: "t",
            AttributeProto.GRAPH: "g", AttributeProto.SPARSE_TENSOR: "sparse_tensor", AttributeProto.TYPE_PROTO: "tp"}
_LISTS = {AttributeProto.FLOATS: "floats", AttributeProto.INTS: "ints", AttributeProto.STRINGS: "strings",
          AttributeProto.TENSORS: "tensors", AttributeProto.GRAPHS: "graphs",
          AttributeProto.SPARSE_TENSORS: "sparse_tensors", AttributeProto.TYPE_PROTOS: "type_protos"}


def _kind_of(key: str, value: Any) -> str:
    if isinstance(value, (str, bytes)):
        return "STRING"
    if isinstance(value, (numbers.Integral, np.bool_)):
        return "INT"
    if isinstance(value, numbers.Real):
        return "FLOAT"
    kind = _KINDS.get(type(value).__name__)
    if kind is None:
        raise TypeError(f"attribute {key!r}: {value!r} is of {type(value).__name__}, which no attribute holds")
    return kind


def _bytes_of(value: Any) -> Any:
    return value.encode("utf-8") if isinstance(value, str) else value


def get_attribute_value(attr: Any) -> Any:
    """The value: a number, bytes, a message, or a list of those."""
    if attr.ref_attr_name:
        raise ValueError(f"attribute {attr.name!r} refers to {attr.ref_attr_name!r} and has no value of its own")
    if attr.type in _SINGLES:
        return getattr(attr, _SINGLES[attr.type])
    if attr.type in _LISTS:
        return list(getattr(attr, _LISTS[attr.type]))
    raise ValueError(f"attribute {attr.name!r} is of the unknown type {attr.type}")


def get_node_attr_value(node: Any, attr_name: str) -> Any:
    """The value of the one attribute of this name."""
    found = [attribute for attribute in node.attribute if attribute.name == attr_name]
    if len(found) != 1:
        raise ValueError(f"the node has {len(found)} attributes {attr_name!r}, expected one")
    return get_attribute_value(found[0])


def make_node(op_type: str, inputs: Sequence[str], outputs: Sequence[str], name: Optional[str] = None,
              doc_string: Optional[str] = None, domain: Optional[str] = None, overload: Optional[str] = None, **kwargs: Any) -> Any:
    """Keyword arguments become attributes, in alphabetical order; None leaves one out."""
    made = NodeProto(op_type=op_type, input=inputs, output=outputs, name=name or None, doc_string=doc_string or None,
                     domain=domain, overload=overload)
    made.attribute.extend(make_attribute(key, value) for key, value in sorted(kwargs.items()) if value is not None)
    return made


def make_graph(nodes: Sequence[Any], name: str, inputs: Sequence[Any], outputs: Sequence[Any],
               initializer: Optional[Sequence[Any]] = None, doc_string: Optional[str] = None,
               value_info: Optional[Sequence[Any]] = None, sparse_initializer: Optional[Sequence[Any]] = None) -> Any:
    """A GraphProto."""
    return GraphProto(node=nodes, name=name, input=inputs, output=outputs, initializer=initializer, doc_string=doc_string or None,
                      value_info=value_info, sparse_initializer=sparse_initializer)


def make_function(domain: str, fname: str, inputs: Sequence[str], outputs: Sequence[str], nodes: Sequence[Any],
                  opset_imports: Sequence[Any], attributes: Optional[Sequence[str]] = None,
                  attribute_protos: Optional[Sequence[Any]] = None, doc_string: Optional[str] = None,
                  overload: Optional[str] = None, value_info: Optional[Sequence[Any]] = None) -> Any:
    """A FunctionProto: `attributes` must be given by callers, `attribute_protos` have a default."""
    return FunctionProto(domain=domain, name=fname, input=inputs, output=outputs, node=nodes, opset_import=opset_imports,
                         attribute=attributes, attribute_proto=attribute_protos, doc_string=doc_string or None,
                         overload=overload, value_info=value_info)


def make_model(graph: Any, **kwargs: Any) -> Any:
    """A ModelProto; opset_imports, functions and any field of it by keyword."""
    imports = kwargs.pop("opset_imports", None)
    model = ModelProto(ir_version=kwargs.pop("ir_version", IR_VERSION), graph=graph, functions=kwargs.pop("functions", None))
    model.opset_import.extend([OperatorSetIdProto(version=OPSET_VERSION)] if imports is None else imports)
    for key, value in kwargs.items():
        setattr(model, key, value)
    return model


def make_sparse_tensor(values: Any, indices: Any, dims: Sequence[int]) -> Any:
    """A SparseTensorProto of TensorProtos."""
    return SparseTensorProto(values=values, indices=indices, dims=dims)


def make_model_gen_version(graph: Any, **kwargs: Any) -> Any:
    """As make_model, with the lowest IR version that knows the imported opsets."""
    kwargs.setdefault("ir_version", find_min_ir_version_for(kwargs.get("opset_imports") or []))
    return make_model(graph, **kwargs)


def make_training_info(algorithm: Any, algorithm_bindings: Iterable[Tuple[str, str]], initialization: Any,
                       initialization_bindings: Optional[Iterable[Tuple[str, str]]]) -> Any:
    """A TrainingInfoProto; bindings are pairs of names."""
    made = TrainingInfoProto(algorithm=algorithm, initialization=initialization)
    for key, value in algorithm_bindings:
        made.update_binding.add(key=key, value=value)
    for key, value in initialization_bindings or []:
        made.initialization_binding.add(key=key, value=value)
    return made


def set_metadata_props(proto: Any, dict_value: Dict[str, str]) -> None:
    """Replaces the metadata of a model, graph, function, node, tensor or value info."""
    del proto.metadata_props[:]
    for key, value in dict_value.items():
        proto.metadata_props.add(key=key, value=value)


def set_model_props(model: Any, dict_value: Dict[str, str]) -> None:
    """Replaces the metadata of a model."""
    set_metadata_props(model, dict_value)


def strip_doc_string(proto: Any) -> None:
    """Empties doc_string in a message and all its parts."""
    if not isinstance(proto, Message):
        raise TypeError(f"{proto!r} is no message")
    messages = [proto]
    while messages:
        message = messages.pop()
        for field, value in message.ListFields():
            if field.name == "doc_string":
                message.ClearField("doc_string")
            elif field.kind == "message":
                messages.extend(value if field.repeated else [value])


__all__ = [
    "IR_VERSION", "OPSET_VERSION", "OP_SET_ID_VERSION_MAP", "VERSION_TABLE", "find_min_ir_version_for", "get_all_tensor_dtypes",
    "get_attribute_value", "get_node_attr_value", "make_attribute", "make_attribute_ref", "make_empty_tensor_value_info",
    "make_function", "make_graph", "make_map", "make_map_type_proto", "make_model", "make_model_gen_version", "make_node",
    "make_operatorsetid", "make_opsetid", "make_optional", "make_optional_type_proto", "make_sequence", "make_sequence_type_proto",
    "make_sparse_tensor", "make_sparse_tensor_type_proto", "make_sparse_tensor_value_info", "make_tensor", "make_tensor_sequence_value_info",
    "make_tensor_type_proto", "make_tensor_value_info", "make_training_info", "make_value_info", "np_dtype_to_tensor_dtype",
    "printable_attribute", "printable_dim", "printable_graph", "printable_node", "printable_tensor_proto", "printable_type",
    "printable_value_info", "set_metadata_props", "set_model_props", "strip_doc_string", "tensor_dtype_to_field",
    "tensor_dtype_to_np_dtype", "tensor_dtype_to_storage_tensor_dtype", "tensor_dtype_to_string",
]
