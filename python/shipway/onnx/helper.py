"""Making messages, with the names and defaults of onnx.helper."""
import numbers
from typing import Any, Dict, Optional, Sequence

import numpy as np

from .messages import (AttributeProto, FunctionProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, SparseTensorProto,
                       TensorProto, TypeProto, ValueInfoProto)

IR_VERSION = 13
OPSET_VERSION = 26

_PLAIN = {"FLOAT": "float32", "UINT8": "uint8", "INT8": "int8", "UINT16": "uint16", "INT16": "int16", "INT32": "int32",
          "INT64": "int64", "STRING": "object", "BOOL": "bool", "FLOAT16": "float16", "DOUBLE": "float64", "UINT32": "uint32",
          "UINT64": "uint64", "COMPLEX64": "complex64", "COMPLEX128": "complex128"}
_SMALL = {"BFLOAT16": "bfloat16", "FLOAT8E4M3FN": "float8_e4m3fn", "FLOAT8E4M3FNUZ": "float8_e4m3fnuz",
          "FLOAT8E5M2": "float8_e5m2", "FLOAT8E5M2FNUZ": "float8_e5m2fnuz", "UINT4": "uint4", "INT4": "int4",
          "FLOAT4E2M1": "float4_e2m1fn", "FLOAT8E8M0": "float8_e8m0fnu", "UINT2": "uint2", "INT2": "int2",
          "FLOAT6E2M3": "float6_e2m3fn", "FLOAT6E3M2": "float6_e3m2fn"}


def tensor_dtype_to_np_dtype(tensor_dtype: int) -> np.dtype:
    name = TensorProto.DataType.Name(tensor_dtype)
    if name in _PLAIN:
        return np.dtype(_PLAIN[name])
    if name not in _SMALL:
        raise KeyError(f"numpy has no dtype for {name}")
    import ml_dtypes
    return np.dtype(getattr(ml_dtypes, _SMALL[name]))


def np_dtype_to_tensor_dtype(np_dtype: Any) -> int:
    name = np.dtype(np_dtype).name
    if name.startswith("str"):
        name = "object"
    for names in (_PLAIN, _SMALL):
        for onnx_name, numpy_name in names.items():
            if numpy_name == name:
                return TensorProto.DataType.Value(onnx_name)
    raise ValueError(f"numpy's dtype {name} has no ONNX type")


def make_opsetid(domain: str, version: int) -> Any:
    return OperatorSetIdProto(domain=domain, version=version)


make_operatorsetid = make_opsetid


def make_tensor_type_proto(elem_type: int, shape: Optional[Sequence[Any]], shape_denotation: Optional[Sequence[str]] = None) -> Any:
    """A size is a number, a name, or None for one nothing is said of; no shape at all leaves the rank open."""
    made = TypeProto()
    made.tensor_type.elem_type = elem_type
    if shape is not None:
        made.tensor_type.shape.SetInParent()
        for i, size in enumerate(shape):
            dim = made.tensor_type.shape.dim.add()
            if isinstance(size, str):
                dim.dim_param = size
            elif size is not None:
                dim.dim_value = size
            if shape_denotation:
                dim.denotation = shape_denotation[i]
    return made


def make_sequence_type_proto(inner: Any) -> Any:
    made = TypeProto()
    made.sequence_type.elem_type.CopyFrom(inner)
    return made


def make_optional_type_proto(inner: Any) -> Any:
    made = TypeProto()
    made.optional_type.elem_type.CopyFrom(inner)
    return made


def make_map_type_proto(key_type: int, value_type: Any) -> Any:
    made = TypeProto()
    made.map_type.key_type = key_type
    made.map_type.value_type.CopyFrom(value_type)
    return made


def make_value_info(name: str, type_proto: Any, doc_string: str = "") -> Any:
    made = ValueInfoProto(name=name)
    if type_proto is not None:
        made.type.CopyFrom(type_proto)
    if doc_string:
        made.doc_string = doc_string
    return made


def make_tensor_value_info(name: str, elem_type: int, shape: Optional[Sequence[Any]], doc_string: str = "",
                           shape_denotation: Optional[Sequence[str]] = None) -> Any:
    return make_value_info(name, make_tensor_type_proto(elem_type, shape, shape_denotation), doc_string)


def make_tensor_sequence_value_info(name: str, elem_type: int, shape: Optional[Sequence[Any]], doc_string: str = "") -> Any:
    return make_value_info(name, make_sequence_type_proto(make_tensor_type_proto(elem_type, shape)), doc_string)


def make_tensor(name: str, data_type: int, dims: Sequence[int], vals: Any, raw: bool = False) -> Any:
    """A tensor of `vals`: the bytes themselves with raw, else numbers or texts."""
    made = TensorProto(name=name, data_type=data_type, dims=dims)
    if raw:
        made.raw_data = vals
        return made
    if data_type == TensorProto.STRING:
        texts = vals.ravel().tolist() if isinstance(vals, np.ndarray) else vals
        made.string_data.extend(text.encode("utf-8") if isinstance(text, str) else text for text in texts)
        return made
    from . import numpy_helper
    values = np.asarray(vals).astype(tensor_dtype_to_np_dtype(data_type)).reshape(tuple(dims))
    plain = {TensorProto.FLOAT: made.float_data, TensorProto.DOUBLE: made.double_data, TensorProto.INT64: made.int64_data,
             TensorProto.UINT32: made.uint64_data, TensorProto.UINT64: made.uint64_data}
    for small in ("INT32", "INT16", "INT8", "UINT16", "UINT8", "BOOL"):
        plain[TensorProto.DataType.Value(small)] = made.int32_data
    if data_type in plain:
        plain[data_type].extend(values.ravel().tolist())
    else:
        made.raw_data = numpy_helper.from_array(values).raw_data
    return made


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
    if attr.ref_attr_name:
        raise ValueError(f"attribute {attr.name!r} refers to {attr.ref_attr_name!r} and has no value of its own")
    if attr.type in _SINGLES:
        return getattr(attr, _SINGLES[attr.type])
    if attr.type in _LISTS:
        return list(getattr(attr, _LISTS[attr.type]))
    raise ValueError(f"attribute {attr.name!r} is of the unknown type {attr.type}")


def get_node_attr_value(node: Any, attr_name: str) -> Any:
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
    return GraphProto(node=nodes, name=name, input=inputs, output=outputs, initializer=initializer, doc_string=doc_string or None,
                      value_info=value_info, sparse_initializer=sparse_initializer)


def make_function(domain: str, fname: str, inputs: Sequence[str], outputs: Sequence[str], nodes: Sequence[Any],
                  opset_imports: Sequence[Any], attributes: Optional[Sequence[str]] = None,
                  attribute_protos: Optional[Sequence[Any]] = None, doc_string: Optional[str] = None,
                  overload: Optional[str] = None, value_info: Optional[Sequence[Any]] = None) -> Any:
    return FunctionProto(domain=domain, name=fname, input=inputs, output=outputs, node=nodes, opset_import=opset_imports,
                         attribute=attributes, attribute_proto=attribute_protos, doc_string=doc_string or None,
                         overload=overload, value_info=value_info)


def make_model(graph: Any, **kwargs: Any) -> Any:
    """opset_imports, functions and any field of ModelProto by keyword."""
    imports = kwargs.pop("opset_imports", None)
    model = ModelProto(ir_version=kwargs.pop("ir_version", IR_VERSION), graph=graph, functions=kwargs.pop("functions", None))
    model.opset_import.extend([make_opsetid("", OPSET_VERSION)] if imports is None else imports)
    for key, value in kwargs.items():
        setattr(model, key, value)
    return model


def make_sparse_tensor(values: Any, indices: Any, dims: Sequence[int]) -> Any:
    return SparseTensorProto(values=values, indices=indices, dims=dims)


def set_model_props(model: Any, dict_value: Dict[str, str]) -> None:
    del model.metadata_props[:]
    for key, value in dict_value.items():
        model.metadata_props.add(key=key, value=value)
