"""Tensors as numpy arrays, and back."""
from typing import Any, Optional

import numpy as np

from .helper import np_dtype_to_tensor_dtype, tensor_dtype_to_np_dtype
from .messages import TensorProto

PER_BYTE = {TensorProto.INT4: 2, TensorProto.UINT4: 2, TensorProto.FLOAT4E2M1: 2, TensorProto.INT2: 4, TensorProto.UINT2: 4}


def to_array(tensor: Any, base_dir: str = "") -> np.ndarray:
    """The values of a TensorProto."""
    if tensor.data_location == TensorProto.EXTERNAL:
        raise ValueError(f"tensor {tensor.name!r} has its data in another file, which was not loaded")
    kind, shape = tensor.data_type, tuple(tensor.dims)
    dtype = tensor_dtype_to_np_dtype(kind)
    if kind == TensorProto.STRING:
        return np.array([text.decode("utf-8") for text in tensor.string_data], object).reshape(shape)
    if tensor.HasField("raw_data"):
        raw = np.frombuffer(tensor.raw_data, np.uint8)
        if kind in PER_BYTE:
            return _unpacked(raw, kind, dtype, shape)
        return raw.view(dtype.newbyteorder("<") if dtype.kind in "iufc" else dtype).astype(dtype).reshape(shape)
    if kind in (TensorProto.COMPLEX64, TensorProto.COMPLEX128):
        parts = np.array(tensor.float_data if kind == TensorProto.COMPLEX64 else tensor.double_data)
        return (parts[0::2] + 1j * parts[1::2]).astype(dtype).reshape(shape)
    if kind in (TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.INT64):
        field = {TensorProto.FLOAT: "float_data", TensorProto.DOUBLE: "double_data", TensorProto.INT64: "int64_data"}[kind]
        return np.array(getattr(tensor, field), dtype).reshape(shape)
    if kind in (TensorProto.UINT32, TensorProto.UINT64):
        return np.array(tensor.uint64_data, np.uint64).astype(dtype).reshape(shape)
    values = np.array(tensor.int32_data, np.int32)
    if kind in PER_BYTE:
        return _unpacked(values.astype(np.uint8), kind, dtype, shape)
    if kind in (TensorProto.BOOL, TensorProto.INT8, TensorProto.UINT8, TensorProto.INT16, TensorProto.UINT16, TensorProto.INT32):
        return values.astype(dtype).reshape(shape)
    return values.astype(np.uint16 if dtype.itemsize == 2 else np.uint8).view(dtype).reshape(shape)  # bits of small floats


def _unpacked(data: np.ndarray, kind: int, dtype: np.dtype, shape: Any) -> np.ndarray:
    """Elements of 2 or 4 bits, the lowest first."""
    per, bits = PER_BYTE[kind], 8 // PER_BYTE[kind]
    parts = (data[:, None] >> (np.arange(per, dtype=np.uint8) * bits)) & (2**bits - 1)
    parts = parts.reshape(-1)[:int(np.prod(shape, dtype=np.int64))].astype(np.uint8)
    if kind in (TensorProto.INT4, TensorProto.INT2):
        parts = (parts << (8 - bits)).view(np.int8) >> (8 - bits)
    elif kind == TensorProto.FLOAT4E2M1:
        return parts.view(dtype).reshape(shape)
    return parts.astype(dtype).reshape(shape)


def from_array(array: np.ndarray, name: Optional[str] = None) -> Any:
    """A TensorProto with these values."""
    array = np.asarray(array)
    tensor = TensorProto(dims=array.shape)
    if name:
        tensor.name = name
    if array.dtype.kind in "OUS":
        tensor.data_type = TensorProto.STRING
        tensor.string_data.extend(item if isinstance(item, bytes) else str(item).encode("utf-8") for item in array.ravel().tolist())
        return tensor
    tensor.data_type = np_dtype_to_tensor_dtype(array.dtype)
    if tensor.data_type in PER_BYTE:
        per, bits = PER_BYTE[tensor.data_type], 8 // PER_BYTE[tensor.data_type]
        data = np.ascontiguousarray(array).reshape(-1).view(np.uint8) & (2**bits - 1)
        data = np.concatenate([data, np.zeros(-len(data) % per, np.uint8)]).reshape(-1, per)
        tensor.raw_data = np.bitwise_or.reduce(data << (np.arange(per, dtype=np.uint8) * bits), axis=1).astype(np.uint8).tobytes()
    else:
        tensor.raw_data = (array.astype(array.dtype.newbyteorder("<")) if array.dtype.kind in "iufc" else array).tobytes()
    return tensor


__all__ = ["from_array", "to_array"]
