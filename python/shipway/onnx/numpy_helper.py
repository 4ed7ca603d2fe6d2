"""Tensors, sequences, maps and optionals as numpy arrays, lists, dicts and None, and back."""
import math
from typing import Any, Dict, List, Optional

import numpy as np

from .helper import np_dtype_to_tensor_dtype, tensor_dtype_to_field, tensor_dtype_to_np_dtype, tensor_dtype_to_storage_tensor_dtype
from .messages import MapProto, OptionalProto, SequenceProto, TensorProto

_BITS = {TensorProto.INT4: 4, TensorProto.UINT4: 4, TensorProto.FLOAT4E2M1: 4, TensorProto.INT2: 2, TensorProto.UINT2: 2,
         TensorProto.FLOAT6E2M3: 6, TensorProto.FLOAT6E3M2: 6}
_SIGNED = {TensorProto.INT4, TensorProto.INT2}
_SATURATED = {TensorProto.FLOAT8E4M3FN, TensorProto.FLOAT8E4M3FNUZ, TensorProto.FLOAT8E5M2, TensorProto.FLOAT8E5M2FNUZ}


def bits_of(data_type: int) -> int:
    """Bits of one element in a tensor's raw bytes."""
    return _BITS.get(data_type) or tensor_dtype_to_np_dtype(data_type).itemsize * 8


def is_packed(data_type: int) -> bool:
    """Whether int32_data holds bytes with several elements each (elements of 2 and 4 bits)."""
    return bits_of(data_type) in (2, 4)


def to_array(tensor: Any, base_dir: str = "") -> np.ndarray:
    """The values of a TensorProto; `base_dir` is where its external data lies.

    Elements of raw bytes share them and are read-only. Strings become str.
    """
    if tensor.HasField("segment"):
        raise ValueError(f"tensor {tensor.name!r} is a segment of a tensor, which is not read")
    kind, shape = tensor.data_type, tuple(tensor.dims)
    if kind == TensorProto.UNDEFINED:
        raise TypeError(f"tensor {tensor.name!r} has no element type")
    if kind == TensorProto.STRING:
        return np.array([text.decode("utf-8") for text in tensor.string_data], object).reshape(shape)
    dtype = tensor_dtype_to_np_dtype(kind)
    if tensor.data_location == TensorProto.EXTERNAL:
        from . import external_data_helper
        raw: Any = external_data_helper.read_external_data(tensor, base_dir)
    else:
        raw = tensor.raw_data if tensor.HasField("raw_data") else None
    if raw is not None:
        if kind in _BITS:
            return _unpacked(np.frombuffer(raw, np.uint8), kind, dtype, shape)
        stored = np.frombuffer(raw, dtype.newbyteorder("<") if dtype.kind in "iufc" else dtype)
        return stored.astype(dtype, copy=False).reshape(shape)
    data = np.array(getattr(tensor, tensor_dtype_to_field(kind)), tensor_dtype_to_np_dtype(tensor_dtype_to_storage_tensor_dtype(kind)))
    if kind in (TensorProto.COMPLEX64, TensorProto.COMPLEX128):
        return data.view(dtype).reshape(shape)
    if is_packed(kind):
        return _unpacked(data.astype(np.uint8), kind, dtype, shape)
    if dtype.kind in "biu" or kind in (TensorProto.FLOAT, TensorProto.DOUBLE):
        return data.astype(dtype).reshape(shape)
    bits: Any = data.astype(np.uint16 if dtype.itemsize == 2 else np.uint8)  # of small floats
    return (bits & 0x3F if bits_of(kind) == 6 else bits).view(dtype).reshape(shape)


def _unpacked(data: np.ndarray, kind: int, dtype: np.dtype, shape: Any) -> np.ndarray:
    """Elements of 2, 4 or 6 bits, the lowest first."""
    width, count = bits_of(kind), math.prod(shape)
    if len(data) * 8 < count * width:
        raise ValueError(f"{len(data)} bytes are too few for {count} elements of {width} bits")
    bits = np.unpackbits(data, bitorder="little")[:count * width].reshape(count, width)
    parts: Any = np.packbits(bits, axis=1, bitorder="little")[:, 0]
    if kind in _SIGNED:
        parts = (parts << (8 - width)).view(np.int8) >> (8 - width)
        return parts.astype(dtype).reshape(shape)
    return parts.view(dtype).reshape(shape)


def raw_bytes(array: np.ndarray, data_type: int) -> bytes:
    """The bytes of TensorProto.raw_data."""
    if data_type not in _BITS:
        return tobytes_little_endian(array)
    width = bits_of(data_type)
    codes = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    bits = np.unpackbits(codes[:, None], axis=1, bitorder="little")[:, :width]
    return np.packbits(bits.reshape(-1), bitorder="little").tobytes()


def rounded(values: np.ndarray, data_type: int) -> np.ndarray:
    """`values` in numpy's dtype for `data_type`, as make_tensor rounds them: float8 saturates."""
    dtype = tensor_dtype_to_np_dtype(data_type)
    if values.dtype == dtype:
        return values
    if data_type in _SATURATED:
        return saturate_cast(values, dtype)
    if data_type == TensorProto.FLOAT8E8M0:
        return to_float8e8m0(values, saturate=True, round_mode="up")
    return values.astype(dtype)


def tobytes_little_endian(array: np.ndarray) -> bytes:
    """The elements' bytes, the lowest of each first."""
    return (array.astype(array.dtype.newbyteorder("<"), copy=False) if array.dtype.kind in "iufc" else array).tobytes()


def from_array(array: np.ndarray, /, name: Optional[str] = None) -> Any:
    """A TensorProto with these values."""
    array = np.asarray(array)
    tensor = TensorProto(dims=array.shape)
    if name:
        tensor.name = name
    if array.dtype.kind in "OUS":
        tensor.data_type = TensorProto.STRING
        for item in array.ravel().tolist():
            if not isinstance(item, (str, bytes)):
                raise NotImplementedError(f"an array of objects holds {item!r} of {type(item).__name__}, expected str or bytes")
            tensor.string_data.append(item.encode("utf-8") if isinstance(item, str) else item)
        return tensor
    tensor.data_type = np_dtype_to_tensor_dtype(array.dtype)
    tensor.raw_data = raw_bytes(array, tensor.data_type)
    return tensor


def to_list(sequence: Any) -> List[Any]:
    """The values of a SequenceProto."""
    kinds: Dict[int, Any] = {SequenceProto.TENSOR: (sequence.tensor_values, to_array), SequenceProto.SEQUENCE: (sequence.sequence_values, to_list),
             SequenceProto.MAP: (sequence.map_values, to_dict), SequenceProto.OPTIONAL: (sequence.optional_values, to_optional)}
    if sequence.elem_type not in kinds:
        raise TypeError(f"a sequence of {SequenceProto.DataType.Name(sequence.elem_type)} has no form in Python")
    values, convert = kinds[sequence.elem_type]
    return [convert(value) for value in values]


def from_list(lst: List[Any], name: Optional[str] = None, dtype: Optional[int] = None) -> Any:
    """A SequenceProto; of an empty list, `dtype` (SequenceProto.DataType) says what it could hold, by default tensors."""
    first = lst[0] if lst else None
    kind = dtype
    if kind is None:
        kind = SequenceProto.MAP if isinstance(first, dict) else SequenceProto.SEQUENCE if isinstance(first, list) else SequenceProto.TENSOR
    if any(not isinstance(item, type(first)) for item in lst):
        raise TypeError("the list holds elements of different kinds, which no sequence does")
    sequence = SequenceProto(name=name or None, elem_type=kind)
    if kind == SequenceProto.TENSOR:
        sequence.tensor_values.extend(from_array(np.asarray(item)) for item in lst)
    elif kind == SequenceProto.SEQUENCE:
        sequence.sequence_values.extend(from_list(item) for item in lst)
    elif kind == SequenceProto.MAP:
        sequence.map_values.extend(from_dict(item) for item in lst)
    else:
        raise TypeError(f"a sequence of {SequenceProto.DataType.Name(kind)} cannot be made of a list")
    return sequence


def to_dict(map_proto: Any) -> Dict[Any, Any]:
    """The entries of a MapProto."""
    keys = list(map_proto.string_keys if map_proto.key_type == TensorProto.STRING else map_proto.keys)
    values = to_list(map_proto.values)
    if len(keys) != len(values):
        raise IndexError(f"map {map_proto.name!r} has {len(keys)} keys and {len(values)} values")
    return dict(zip(keys, values))


def from_dict(dict_: Dict[Any, Any], name: Optional[str] = None) -> Any:
    """A MapProto; keys are all whole numbers of one type or all texts, values all of one type."""
    if not dict_:
        raise ValueError("an empty dict does not say the types of its keys and values")
    for what, items in (("keys", list(dict_)), ("values", list(dict_.values()))):
        if len({str if isinstance(item, (str, bytes)) else np.result_type(item) for item in items}) > 1:
            raise TypeError(f"the dict has {what} of different types, which no map does")
    first = next(iter(dict_))
    kind = TensorProto.STRING if isinstance(first, (str, bytes)) else np_dtype_to_tensor_dtype(np.result_type(first))
    made = MapProto(name=name or None, key_type=kind)
    if kind == TensorProto.STRING:
        made.string_keys.extend(key.encode("utf-8") if isinstance(key, str) else key for key in dict_)
    elif np.result_type(first).kind in "iu":
        made.keys.extend(int(key) for key in dict_)
    else:
        raise TypeError(f"keys are of {np.result_type(first)}, expected whole numbers or texts")
    made.values.CopyFrom(from_list(list(dict_.values())))
    return made


def to_optional(optional: Any) -> Any:
    """What an OptionalProto holds; None for nothing."""
    kind = optional.elem_type
    if kind == OptionalProto.UNDEFINED:
        return None
    kinds: Dict[int, Any] = {OptionalProto.TENSOR: (to_array, "tensor_value"), OptionalProto.SEQUENCE: (to_list, "sequence_value"),
             OptionalProto.MAP: (to_dict, "map_value"), OptionalProto.OPTIONAL: (to_optional, "optional_value")}
    if kind not in kinds:
        raise TypeError(f"an optional {OptionalProto.DataType.Name(kind)} has no form in Python")
    convert, field = kinds[kind]
    return convert(getattr(optional, field))


def from_optional(opt: Any, name: Optional[str] = None, dtype: Optional[int] = None) -> Any:
    """An OptionalProto of an array, a list, a dict or None."""
    if dtype is not None and dtype not in OptionalProto.DataType.values():
        raise TypeError(f"there is no OptionalProto.DataType {dtype}")
    kind = dtype
    if kind is None:
        kind = (OptionalProto.MAP if isinstance(opt, dict) else OptionalProto.SEQUENCE if isinstance(opt, list)
                else OptionalProto.UNDEFINED if opt is None else OptionalProto.TENSOR)
    made = OptionalProto(name=name or None, elem_type=kind)
    if opt is None:
        return made
    if kind == OptionalProto.TENSOR:
        made.tensor_value.CopyFrom(from_array(opt))
    elif kind == OptionalProto.SEQUENCE:
        made.sequence_value.CopyFrom(from_list(opt))
    elif kind == OptionalProto.MAP:
        made.map_value.CopyFrom(from_dict(opt))
    else:
        raise TypeError(f"an optional {OptionalProto.DataType.Name(kind)} cannot be made of {type(opt).__name__}")
    return made


def saturate_cast(x: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """`x` in another dtype, what is outside its range at its ends; whole numbers are rounded to."""
    import ml_dtypes
    whole = np.dtype(dtype).kind in "iu" or np.dtype(dtype).name in ("int4", "uint4", "int2", "uint2")
    limits: Any = ml_dtypes.iinfo(dtype) if whole else ml_dtypes.finfo(dtype)
    return np.clip(np.round(x) if whole else x, limits.min, limits.max).astype(dtype)


def to_float8e8m0(x: np.ndarray, saturate: bool = True, round_mode: str = "up") -> np.ndarray:
    """Powers of two by the exponents of `x` in float32; round_mode: "up", "down" or "nearest"."""
    import ml_dtypes
    bits = np.asarray(x, np.float32).view(np.uint32)
    exponent = (bits >> 23 & 0xFF).astype(np.int64)
    fraction = (bits & 0x7FFFFF).astype(np.int64)
    if round_mode == "up":
        more = fraction > 0
    elif round_mode == "nearest":  # a half goes up, but for the smallest exponent
        more = (fraction > 0x400000) | ((fraction == 0x400000) & (exponent > 0))
    elif round_mode == "down":
        more = np.zeros(bits.shape, bool)
    else:
        raise ValueError(f"round_mode {round_mode!r}, expected 'up', 'down' or 'nearest'")
    if saturate:
        more = more & (exponent != 0xFE)
    codes = np.where(exponent == 0xFF, 0xFF, exponent + more)  # infinities and NaN are NaN
    return codes.astype(np.uint8).view(ml_dtypes.float8_e8m0fnu)


def create_random_int(input_shape: Any, dtype: Any, seed: int = 1) -> np.ndarray:
    """Whole numbers over the range of `dtype` (at most that of int32), the same for the same seed as with onnx."""
    if np.dtype(dtype).kind not in "iu":
        raise TypeError(f"{dtype} is no dtype of whole numbers")
    limits, most = np.iinfo(dtype), np.iinfo(np.int32)
    random = np.random.RandomState(seed)
    return random.randint(max(limits.min, most.min), min(limits.max, most.max), size=input_shape).astype(dtype)


__all__ = [
    "create_random_int", "from_array", "from_dict", "from_list", "from_optional", "saturate_cast", "to_array", "to_dict",
    "to_float8e8m0", "to_list", "to_optional", "tobytes_little_endian",
]
