#include "python/values.h"

#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "python/bindings.h"
#include "tensor/convert.h"

namespace shipway::python {
namespace nb = nanobind;
using namespace nb::literals;
namespace {

struct NumpyName {
  DType dtype;
  const char* name;         // of numpy or ml_dtypes
  const char* format = "";  // of the buffer protocol, where it has one
};
constexpr NumpyName kNumpyNames[] = {
    {DType::kFloat32, "float32", "f"},
    {DType::kUInt8, "uint8", "B"},
    {DType::kInt8, "int8", "b"},
    {DType::kUInt16, "uint16", "H"},
    {DType::kInt16, "int16", "h"},
    {DType::kInt32, "int32", "i"},
    {DType::kInt64, "int64", "l"},
    {DType::kBool, "bool", "?"},
    {DType::kFloat16, "float16", "e"},
    {DType::kFloat64, "float64", "d"},
    {DType::kUInt32, "uint32", "I"},
    {DType::kUInt64, "uint64", "L"},
    {DType::kComplex64, "complex64", "Zf"},
    {DType::kComplex128, "complex128", "Zd"},
    {DType::kBFloat16, "bfloat16"},
    {DType::kFloat8E4M3FN, "float8_e4m3fn"},
    {DType::kFloat8E4M3FNUZ, "float8_e4m3fnuz"},
    {DType::kFloat8E5M2, "float8_e5m2"},
    {DType::kFloat8E5M2FNUZ, "float8_e5m2fnuz"},
    {DType::kUInt4, "uint4"},
    {DType::kInt4, "int4"},
    {DType::kFloat4E2M1, "float4_e2m1fn"},
    {DType::kFloat8E8M0, "float8_e8m0fnu"},
    {DType::kUInt2, "uint2"},
    {DType::kInt2, "int2"},
    {DType::kFloat6E2M3, "float6_e2m3fn"},
    {DType::kFloat6E3M2, "float6_e3m2fn"},
};

/// numpy's own dtypes; the others come from ml_dtypes.
bool is_plain_numpy(DType dtype) {
  switch (dtype) {
    case DType::kBFloat16:
    case DType::kFloat8E4M3FN:
    case DType::kFloat8E4M3FNUZ:
    case DType::kFloat8E5M2:
    case DType::kFloat8E5M2FNUZ:
    case DType::kFloat8E8M0:
    case DType::kFloat4E2M1:
    case DType::kFloat6E2M3:
    case DType::kFloat6E3M2:
    case DType::kInt4:
    case DType::kUInt4:
    case DType::kInt2:
    case DType::kUInt2:
      return false;
    default:
      return true;
  }
}

nb::module_& numpy() {
  static auto* module = new nb::module_(
      nb::module_::import_("numpy"));  // never freed: outlives the interpreter's end
  return *module;
}

nb::object numpy_dtype(DType dtype) {
  const char* name = nullptr;
  for (const NumpyName& entry : kNumpyNames)
    if (entry.dtype == dtype) name = entry.name;
  if (dtype == DType::kString) name = "object";
  if (!name) throw Error(Status::unsupported("numpy has no dtype for {}", to_string(dtype)));
  if (is_plain_numpy(dtype)) {
    static auto* made = new std::map<DType, nb::object>();  // asked for with every output
    nb::object& known = (*made)[dtype];
    if (!known.is_valid()) known = numpy().attr("dtype")(name);
    return known;
  }
  try {
    return numpy().attr("dtype")(nb::module_::import_("ml_dtypes").attr(name));
  } catch (nb::python_error&) {
    throw Error(Status::unsupported(
        "values of {} need the package ml_dtypes (pip install ml_dtypes)", to_string(dtype)));
  }
}

Tensor strings_from_python(nb::handle array, const Shape& shape) {
  std::vector<std::string> strings;
  for (nb::handle item : array.attr("ravel")().attr("tolist")()) {
    if (PyBytes_Check(item.ptr())) {
      strings.emplace_back(PyBytes_AsString(item.ptr()),
                           static_cast<size_t>(PyBytes_Size(item.ptr())));
    } else if (PyUnicode_Check(item.ptr())) {
      strings.push_back(nb::cast<std::string>(item));
    } else {
      throw Error(Status::invalid_argument("an array of objects holds {}, expected str or bytes",
                                           nb::cast<std::string>(nb::repr(item.type()))));
    }
  }
  return Tensor::from_strings(shape, std::move(strings));
}

/// The memory of a contiguous array of numpy's own dtypes, by the buffer protocol: asking the array
/// for its attributes costs microseconds. Nothing for any other object.
std::optional<Tensor> tensor_from_buffer(nb::handle array) {
  static const auto* type = new nb::object(numpy().attr("ndarray"));
  if (!array.type().is(*type)) return {};
  Py_buffer buffer;
  if (PyObject_GetBuffer(array.ptr(), &buffer, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT) != 0) {
    PyErr_Clear();
    return {};
  }
  const std::string_view format = buffer.format;
  const void* data = buffer.buf;
  const auto bytes = static_cast<size_t>(buffer.len);
  const Shape shape(std::span<const int64_t>(buffer.shape, static_cast<size_t>(buffer.ndim)));
  DType found = DType::kUndefined;
  for (const NumpyName& entry : kNumpyNames)
    if (format == entry.format) found = entry.dtype;
  PyBuffer_Release(&buffer);  // an array that is kept alive keeps its memory
  if (found == DType::kUndefined) return {};
  return Tensor::from_storage(found, shape,
                              Storage::borrow_read_only(data, bytes, keep_alive(nb::borrow(array))))
      .value_or_throw();
}

Tensor tensor_from_array(nb::object array) {
  Shape shape;
  for (nb::handle size : array.attr("shape")) shape.push_back(nb::cast<int64_t>(size));
  const nb::object dtype = array.attr("dtype");
  const auto kind = nb::cast<std::string>(dtype.attr("kind"));
  if (kind == "O" || kind == "U" || kind == "S" || kind == "T")
    return strings_from_python(array, shape);
  const auto name = nb::cast<std::string>(dtype.attr("name"));
  DType found = DType::kUndefined;
  for (const NumpyName& entry : kNumpyNames)
    if (name == entry.name) found = entry.dtype;
  if (found == DType::kUndefined)
    throw Error(Status::invalid_argument("an array of dtype {} has no ONNX type", name));
  // Big-endian and Fortran-ordered arrays are copied into the machine's order, row by row.
  nb::object plain = numpy().attr("ascontiguousarray")(
      nb::cast<bool>(dtype.attr("isnative"))
          ? array
          : nb::object(array.attr("astype")(dtype.attr("newbyteorder")("="))));
  const auto address = nb::cast<uintptr_t>(plain.attr("ctypes").attr("data"));
  const auto bytes = nb::cast<size_t>(plain.attr("nbytes"));
  if (is_sub_byte(found)) {  // numpy has one element a byte
    Tensor unpacked = Tensor::allocate(DType::kUInt8, shape).value_or_throw();
    std::memcpy(unpacked.mutable_data(), reinterpret_cast<const void*>(address), bytes);
    return pack_from_bytes(found, unpacked).value_or_throw();
  }
  auto storage = Storage::borrow_read_only(reinterpret_cast<const void*>(address), bytes,
                                           keep_alive(std::move(plain)));
  return Tensor::from_storage(found, shape, std::move(storage)).value_or_throw();
}

bool is_string_key(nb::handle key) { return PyUnicode_Check(key.ptr()) != 0; }

nb::tuple shape_tuple(const Shape& shape) {
  nb::list sizes;
  for (int64_t size : shape) sizes.append(size);
  return nb::tuple(sizes);
}

constexpr int64_t kCopiedBytes = 16 << 10;  // fewer are copied sooner than an owner is made

nb::object array_from_tensor(const Tensor& given) {
  if (given.dtype() == DType::kString) {
    nb::list items;
    for (const std::string& text : given.strings()) {
      PyObject* object = PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()),
                                              "surrogateescape");
      items.append(nb::steal(object));
    }
    // Filled through a list: numpy would take the strings apart into characters if it chose the
    // dtype itself.
    nb::object flat = numpy().attr("empty")(given.element_count(), "dtype"_a = "object");
    flat.attr("__setitem__")(nb::slice(nb::none(), nb::none(), nb::none()), items);
    return flat.attr("reshape")(shape_tuple(given.shape()));
  }
  // Shared memory may be another's (an input that leaves as it came): arrays are writable, so they
  // get their own.
  Tensor tensor = given.contiguous().value_or_throw();
  if (tensor.storage() && tensor.storage()->is_read_only())
    tensor = tensor.clone().value_or_throw();
  if (is_sub_byte(tensor.dtype())) {
    const DType dtype = tensor.dtype();
    tensor = unpack_to_bytes(tensor).value_or_throw();
    if (kind_of(dtype) == DTypeKind::kSigned) {  // ml_dtypes keeps the sign in the whole byte
      const int shift = 8 - bit_width(dtype);
      for (uint8_t& byte : tensor.mutable_as<uint8_t>())
        byte =
            static_cast<uint8_t>(static_cast<int8_t>(static_cast<uint8_t>(byte << shift)) >> shift);
    }
    auto* held = new Tensor(tensor);
    nb::capsule owner(held, [](void* p) noexcept { delete static_cast<Tensor*>(p); });
    std::vector<size_t> shape(tensor.shape().begin(), tensor.shape().end());
    nb::ndarray<nb::numpy, uint8_t> bytes(held->mutable_data(), shape.size(), shape.data(), owner);
    return nb::cast(bytes).attr("view")(numpy_dtype(dtype));
  }
  if (tensor.byte_size() <= kCopiedBytes && is_plain_numpy(tensor.dtype())) {
    static const auto* empty = new nb::object(numpy().attr("empty"));
    nb::object array = (*empty)(shape_tuple(tensor.shape()), numpy_dtype(tensor.dtype()));
    Py_buffer buffer;
    if (PyObject_GetBuffer(array.ptr(), &buffer, PyBUF_SIMPLE) != 0) throw nb::python_error();
    if (buffer.len > 0) std::memcpy(buffer.buf, tensor.data(), static_cast<size_t>(buffer.len));
    PyBuffer_Release(&buffer);
    return array;
  }
  auto* held = new Tensor(tensor);
  nb::capsule owner(held, [](void* p) noexcept { delete static_cast<Tensor*>(p); });
  std::vector<size_t> shape(tensor.shape().begin(), tensor.shape().end());
  void* data = held->mutable_data();
  static char nothing[16];
  if (!data) data = nothing;  // numpy wants an address even for no elements
  const auto wrap = [&](auto element) {
    return nb::cast(
        nb::ndarray<nb::numpy, decltype(element)>(data, shape.size(), shape.data(), owner));
  };
  switch (tensor.dtype()) {
    case DType::kFloat32:
      return wrap(float{});
    case DType::kFloat64:
      return wrap(double{});
    case DType::kInt8:
      return wrap(int8_t{});
    case DType::kInt16:
      return wrap(int16_t{});
    case DType::kInt32:
      return wrap(int32_t{});
    case DType::kInt64:
      return wrap(int64_t{});
    case DType::kUInt8:
      return wrap(uint8_t{});
    case DType::kUInt16:
      return wrap(uint16_t{});
    case DType::kUInt32:
      return wrap(uint32_t{});
    case DType::kUInt64:
      return wrap(uint64_t{});
    case DType::kBool:
      return wrap(bool{});
    case DType::kComplex64:
    case DType::kComplex128: {
      shape.push_back(2);  // as pairs of floats, then seen as complex
      nb::object pairs = tensor.dtype() == DType::kComplex64 ? wrap(float{}) : wrap(double{});
      nb::object complex = pairs.attr("view")(numpy_dtype(tensor.dtype()));
      shape.pop_back();
      return complex.attr("reshape")(shape_tuple(tensor.shape()));
    }
    default: {
      nb::object bits = bit_width(tensor.dtype()) == 16 ? wrap(uint16_t{}) : wrap(uint8_t{});
      return bits.attr("view")(numpy_dtype(tensor.dtype()));
    }
  }
}

}  // namespace

std::shared_ptr<const void> keep_alive(nb::object object) {
  return std::shared_ptr<const void>(object.release().ptr(), [](const void* held) {
    if (!Py_IsInitialized()) return;
    nb::gil_scoped_acquire gil;
    Py_DECREF(static_cast<PyObject*>(const_cast<void*>(held)));
  });
}

RuntimeValue value_from_python(nb::handle object) {
  if (std::optional<Tensor> tensor = tensor_from_buffer(object)) return *std::move(tensor);
  if (object.is_none()) return {};
  if (nb::isinstance<nb::list>(object) || nb::isinstance<nb::tuple>(object)) {
    Sequence sequence;
    for (nb::handle item : object) sequence.push_back(value_from_python(item));
    return sequence;
  }
  if (nb::isinstance<nb::dict>(object)) {
    Map map;
    const auto dict = nb::borrow<nb::dict>(object);
    const bool strings = dict.size() > 0 && is_string_key((*dict.begin()).first);
    if (strings) map.entries.emplace<std::map<std::string, RuntimeValue>>();
    for (auto [key, value] : dict) {
      if (strings)
        std::get<1>(map.entries).emplace(nb::cast<std::string>(key), value_from_python(value));
      else
        std::get<0>(map.entries).emplace(nb::cast<int64_t>(key), value_from_python(value));
    }
    return map;
  }
  // numpy scalars, Python numbers and everything with __array__ (torch tensors, DLPack through
  // numpy) become arrays.
  return tensor_from_array(numpy().attr("asarray")(object));
}

RuntimeValue value_from_python(nb::handle object, const Type& expected) {
  const bool is_plain = nb::isinstance<nb::list>(object) || nb::isinstance<nb::tuple>(object) ||
                        nb::isinstance<nb::int_>(object) || nb::isinstance<nb::float_>(object);
  if (!is_plain || !expected.is_tensor()) return value_from_python(object);
  try {
    return tensor_from_array(
        numpy().attr("asarray")(object, "dtype"_a = numpy_dtype(expected.dtype())));
  } catch (const nb::python_error& error) {  // a list of lists of different lengths, say
    throw Error(
        Status::invalid_argument("no tensor of {}: {}", to_string(expected.dtype()),
                                 nb::cast<std::string>(nb::str(nb::handle(error.value())))));
  }
}

nb::object value_to_python(const RuntimeValue& value) {
  if (const Tensor* tensor = value.tensor()) return array_from_tensor(*tensor);
  if (const Sequence* sequence = value.sequence()) {
    nb::list list;
    for (const RuntimeValue& item : *sequence) list.append(value_to_python(item));
    return list;
  }
  if (const Map* map = value.map()) {
    nb::dict dict;
    std::visit(
        [&](const auto& entries) {
          for (const auto& [key, item] : entries) {
            nb::object element = value_to_python(item);
            if (item.tensor() && item.tensor()->rank() == 0) element = element.attr("item")();
            dict[nb::cast(key)] = element;
          }
        },
        map->entries);
    return dict;
  }
  if (const SparseTensor* sparse = value.sparse())
    return array_from_tensor(sparse->to_dense().value_or_throw());
  return nb::none();
}

}  // namespace shipway::python
