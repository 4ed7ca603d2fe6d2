"""OrtValue and OrtDevice: values with a type, here always in the machine's memory."""
import ctypes
from typing import Any, Dict, List, Optional, Sequence, Tuple, Union

import numpy as np

from ..onnx.helper import np_dtype_to_tensor_dtype, tensor_dtype_to_np_dtype
from ..onnx.messages import TensorProto
from .capi.onnxruntime_pybind11_state import InvalidArgument, NotImplemented

ElementType = Union[int, Any]
"""A number of TensorProto.DataType, or what numpy takes for a dtype."""


class OrtDevice:
    """Where a value lies: "cpu", device 0."""

    def __init__(self, name: str, device_id: int) -> None:
        if name.lower() != "cpu":
            raise NotImplemented(f"device {name!r}: values lie in the machine's memory, device 'cpu', only")
        self._device_id = int(device_id)

    @staticmethod
    def make(ort_device_name: str, device_id: int, vendor_id: int = -1) -> "OrtDevice":
        """The device of this name; another than "cpu" raises NotImplemented."""
        return OrtDevice(ort_device_name, device_id)

    @staticmethod
    def cpu() -> int:
        """The number of the kind "cpu"."""
        return 0

    def device_id(self) -> int:
        """Which of its kind."""
        return self._device_id

    def device_type(self) -> int:
        """The number of its kind: 0, cpu."""
        return 0


def dtype_of(element_type: ElementType) -> np.dtype:
    """numpy's dtype for a number of TensorProto.DataType, or for what numpy takes for one."""
    if isinstance(element_type, (int, np.integer)) and not isinstance(element_type, bool):
        return tensor_dtype_to_np_dtype(int(element_type))
    return np.dtype(element_type)


def type_name(element_type: int) -> str:
    """ "float" for TensorProto.FLOAT."""
    return TensorProto.DataType.Name(element_type).lower()


class OrtValue:
    """A tensor, a sequence (list), a map (dict) or an absent optional (None). Tensors share numpy's memory."""

    def __init__(self, value: Any, element_type: Optional[int] = None) -> None:
        if isinstance(value, OrtValue):
            value, element_type = value.to_python(), value._element_type
        self._value: Any = value
        self._element_type = element_type
        if isinstance(value, np.ndarray) and element_type is None:
            self._element_type = TensorProto.STRING if value.dtype.kind in "OUST" else np_dtype_to_tensor_dtype(value.dtype)

    @classmethod
    def ortvalue_from_numpy(cls, numpy_obj: np.ndarray, /, device_type: str = "cpu", device_id: int = 0, vendor_id: int = -1) -> "OrtValue":
        """A tensor in the memory of a contiguous array; of another, in that of a contiguous copy."""
        OrtDevice.make(device_type, device_id)
        array = np.asarray(numpy_obj)
        if not array.dtype.isnative:
            array = array.astype(array.dtype.newbyteorder("="))
        return cls(array if array.flags.c_contiguous else np.ascontiguousarray(array))

    @classmethod
    def ortvalue_from_numpy_with_onnx_type(cls, data: np.ndarray, /, onnx_element_type: int) -> "OrtValue":
        """The array's bytes as elements of another type of the same size (uint16 as bfloat16)."""
        dtype = tensor_dtype_to_np_dtype(onnx_element_type)
        if dtype.itemsize != data.dtype.itemsize:
            raise InvalidArgument(f"an array of {data.dtype} has elements of {data.dtype.itemsize} bytes, {type_name(onnx_element_type)} needs "
                                  f"{dtype.itemsize}")
        return cls(np.ascontiguousarray(data).view(dtype), int(onnx_element_type))

    @classmethod
    def ortvalue_from_shape_and_type(cls, shape: Sequence[int], element_type: ElementType, device_type: str = "cpu", device_id: int = 0,
                                     vendor_id: int = -1, memory_info: Any = None) -> "OrtValue":
        """A tensor of zeros, to be filled."""
        OrtDevice.make(device_type, device_id)
        return cls(np.zeros(tuple(shape), dtype_of(element_type)))

    @classmethod
    def from_dlpack(cls, data: Any, /) -> "OrtValue":
        """A tensor in the memory of anything with __dlpack__."""
        return cls(np.from_dlpack(data))

    def __dlpack__(self, *, stream: Any = None, **kwargs: Any) -> Any:
        return self._tensor().__dlpack__(stream=stream, **kwargs)

    def __dlpack_device__(self) -> Tuple[int, int]:
        return self._tensor().__dlpack_device__()

    def _tensor(self) -> np.ndarray:
        if not isinstance(self._value, np.ndarray):
            raise InvalidArgument(f"the value is {self.data_type() or 'absent'}, expected a tensor")
        return self._value

    def numpy(self) -> np.ndarray:
        """The tensor's array, in the same memory."""
        return self._tensor()

    def to_python(self) -> Any:
        """The array, list, dict or None that it holds."""
        return self._value

    def __array__(self, dtype: Any = None, copy: Optional[bool] = None) -> np.ndarray:
        array = self._tensor()
        if dtype is not None and array.dtype != dtype:
            return array.astype(dtype)
        return array.copy() if copy else array

    def update_inplace(self, data: Any) -> None:
        """Other elements in the same memory; an array or OrtValue of the same type and number of elements."""
        array, new = self._tensor(), np.asarray(data)
        if new.size != array.size or new.dtype != array.dtype:
            raise InvalidArgument(f"the value is {array.dtype} of shape {list(array.shape)}, the data {new.dtype} of shape {list(new.shape)}")
        array[...] = new.reshape(array.shape)

    def shape(self) -> List[int]:
        """Sizes of the tensor."""
        return list(self._tensor().shape)

    def data_type(self) -> str:
        """ "tensor(float)", "seq(tensor(int64))", "map(int64,tensor(float))"; "" when absent."""
        return _type_text(self._value, self._element_type)

    def element_type(self) -> int:
        """The number in TensorProto.DataType."""
        self._tensor()
        return int(self._element_type or 0)

    def data_ptr(self) -> int:
        """The address of the first element."""
        return int(self._tensor().ctypes.data)

    def tensor_size_in_bytes(self) -> int:
        """Bytes of all elements."""
        return int(self._tensor().nbytes)

    def device_name(self) -> str:
        """ "cpu" """
        return "cpu"

    def has_value(self) -> bool:
        """False for an absent optional."""
        return self._value is not None

    def is_tensor(self) -> bool:
        """Whether it holds a tensor."""
        return isinstance(self._value, np.ndarray)

    def is_sparse_tensor(self) -> bool:
        """False: sparse values are given dense."""
        return False

    def is_tensor_sequence(self) -> bool:
        """Whether it holds a sequence of tensors."""
        return isinstance(self._value, list)


def _type_text(value: Any, element_type: Optional[int] = None) -> str:
    if isinstance(value, np.ndarray):
        return f"tensor({type_name(OrtValue(value, element_type)._element_type or 0)})"
    if isinstance(value, (list, tuple)):
        return f"seq({_type_text(value[0])})" if value else "seq()"
    if isinstance(value, dict):
        key = next(iter(value), 0)
        return f"map({'string' if isinstance(key, str) else 'int64'},tensor(float))"
    return ""


def array_at(address: int, element_type: ElementType, shape: Sequence[int]) -> np.ndarray:
    """An array over memory that is somebody else's, who must keep it."""
    dtype = dtype_of(element_type)
    count = int(np.prod(tuple(shape), dtype=np.int64))
    if count == 0:
        return np.zeros(tuple(shape), dtype)
    memory: Any = (ctypes.c_char * (count * dtype.itemsize)).from_address(int(address))
    return np.frombuffer(memory, dtype, count).reshape(tuple(shape))


def as_feed(values: Dict[str, Any]) -> Dict[str, Any]:
    """A feed in which OrtValues are the arrays they hold."""
    return {name: value.to_python() if isinstance(value, OrtValue) else value for name, value in values.items()}
