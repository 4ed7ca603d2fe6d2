// Tensors: a dtype, a shape, and as many elements as both ask for, in the field that belongs to the
// dtype.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "formats/onnx/check_context.h"
#include "formats/onnx/fields.h"

namespace shipway::onnx_check {
namespace {

namespace f = onnx_fields;

enum class DataField : uint8_t { kFloat, kInt32, kString, kInt64, kRaw, kDouble, kUInt64 };
constexpr size_t kDataFields = 7;
constexpr std::string_view kDataFieldNames[] = {"float_data", "int32_data", "string_data",
                                                "int64_data", "raw_data",   "double_data",
                                                "uint64_data"};
std::string_view to_string(DataField field) { return kDataFieldNames[static_cast<size_t>(field)]; }

/// The field that holds elements of `dtype` when raw_data does not.
DataField typed_field(DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
    case DType::kComplex64:
      return DataField::kFloat;
    case DType::kFloat64:
    case DType::kComplex128:
      return DataField::kDouble;
    case DType::kInt64:
      return DataField::kInt64;
    case DType::kUInt32:
    case DType::kUInt64:
      return DataField::kUInt64;
    case DType::kString:
      return DataField::kString;
    default:
      return DataField::kInt32;
  }
}

/// The fields of a TensorProto; elements are counted, not kept.
struct TensorMessage {
  std::vector<int64_t> dims;
  std::optional<int32_t> dtype;
  std::array<uint64_t, kDataFields> counts{};  // elements in each field, bytes in raw_data
  std::vector<Bytes> int32_chunks, int64_chunks;
  std::vector<int64_t> single_int32s, single_int64s;  // not packed
  Bytes raw;
  bool is_external = false;
  std::vector<Bytes> external_entries;

  uint64_t& count(DataField field) { return counts[static_cast<size_t>(field)]; }
  uint64_t count(DataField field) const { return counts[static_cast<size_t>(field)]; }
};

uint64_t count_varints(Bytes packed) {
  return static_cast<uint64_t>(std::count_if(packed.begin(), packed.end(), [](std::byte byte) {
    return std::to_integer<unsigned>(byte) < 0x80;
  }));
}

TensorMessage read_tensor(Bytes message) {
  TensorMessage tensor;
  FieldReader fields(message);
  while (fields.next()) {
    switch (fields.key()) {
      case varint_field(f::tensor::kDims):
      case bytes_field(f::tensor::kDims):
        static_cast<void>(
            fields.append_integers(tensor.dims).is_ok());  // well-formed, so it cannot fail
        break;
      case varint_field(f::tensor::kDataType):
        tensor.dtype = static_cast<int32_t>(fields.integer());
        break;
      case fixed32_field(f::tensor::kFloatData):
        ++tensor.count(DataField::kFloat);
        break;
      case bytes_field(f::tensor::kFloatData):
        tensor.count(DataField::kFloat) += fields.bytes().size() / 4;
        break;
      case varint_field(f::tensor::kInt32Data):
        ++tensor.count(DataField::kInt32);
        tensor.single_int32s.push_back(fields.integer());
        break;
      case bytes_field(f::tensor::kInt32Data):
        tensor.count(DataField::kInt32) += count_varints(fields.bytes());
        tensor.int32_chunks.push_back(fields.bytes());
        break;
      case bytes_field(f::tensor::kStringData):
        ++tensor.count(DataField::kString);
        break;
      case varint_field(f::tensor::kInt64Data):
        ++tensor.count(DataField::kInt64);
        tensor.single_int64s.push_back(fields.integer());
        break;
      case bytes_field(f::tensor::kInt64Data):
        tensor.count(DataField::kInt64) += count_varints(fields.bytes());
        tensor.int64_chunks.push_back(fields.bytes());
        break;
      case bytes_field(f::tensor::kRawData):
        tensor.raw = fields.bytes();
        tensor.count(DataField::kRaw) = tensor.raw.size();
        break;
      case fixed64_field(f::tensor::kDoubleData):
        ++tensor.count(DataField::kDouble);
        break;
      case bytes_field(f::tensor::kDoubleData):
        tensor.count(DataField::kDouble) += fields.bytes().size() / 8;
        break;
      case varint_field(f::tensor::kUInt64Data):
        ++tensor.count(DataField::kUInt64);
        break;
      case bytes_field(f::tensor::kUInt64Data):
        tensor.count(DataField::kUInt64) += count_varints(fields.bytes());
        break;
      case bytes_field(f::tensor::kExternalData):
        tensor.external_entries.push_back(fields.bytes());
        break;
      case varint_field(f::tensor::kDataLocation): {
        const auto location = static_cast<int32_t>(fields.integer());
        if (location == 0 || location == f::tensor::kLocationExternal)
          tensor.is_external = location != 0;
        break;
      }
      default:
        break;
    }
  }
  return tensor;
}

/// Packed and single numbers of a field, in the file's order as long as the field is written in one
/// way.
std::vector<int64_t> numbers(const std::vector<Bytes>& chunks,
                             const std::vector<int64_t>& singles) {
  std::vector<int64_t> values = singles;
  for (const Bytes chunk : chunks) {
    uint64_t value = 0;
    unsigned shift = 0;
    for (const std::byte byte : chunk) {
      value |= (std::to_integer<uint64_t>(byte) & 0x7f) << shift;
      shift += 7;
      if (std::to_integer<unsigned>(byte) >= 0x80) continue;
      values.push_back(static_cast<int64_t>(value));
      value = 0;
      shift = 0;
    }
  }
  return values;
}

/// Product of the dims, or nothing when one is negative or it does not fit.
std::optional<int64_t> element_count(const std::vector<int64_t>& dims) {
  int64_t count = 1;
  for (const int64_t dim : dims)
    if (dim < 0 || __builtin_mul_overflow(count, dim, &count)) return std::nullopt;
  return count;
}

/// Bytes of that many elements in raw_data, nothing when that does not fit.
std::optional<int64_t> raw_size(DType dtype, int64_t count) {
  const auto bits = static_cast<int64_t>(bit_width(dtype));
  if (bits % 8 == 0) {
    int64_t bytes = 0;
    if (__builtin_mul_overflow(count, bits / 8, &bytes)) return std::nullopt;
    return bytes;
  }
  if (bits == 6) {
    int64_t total = 0;
    if (__builtin_mul_overflow(count, bits, &total)) return std::nullopt;
    return total / 8 + (total % 8 != 0 ? 1 : 0);
  }
  const int64_t per_byte = 8 / bits;
  return count / per_byte + (count % per_byte != 0 ? 1 : 0);
}

/// Numbers that a typed field needs for that many elements.
std::optional<int64_t> typed_count(DType dtype, int64_t count) {
  if (dtype == DType::kComplex64 || dtype == DType::kComplex128) {
    int64_t numbers = 0;
    if (__builtin_mul_overflow(count, 2, &numbers)) return std::nullopt;
    return numbers;
  }
  // Numbers of 4 and 2 bits are packed, 8 and 16 to an int32; those of 6 bits stand alone.
  const int width = bit_width(dtype);
  const int64_t per_number = width == 4 ? 8 : width == 2 ? 16 : 1;
  return count / per_number + (count % per_number != 0 ? 1 : 0);
}

std::string shape_text(const std::vector<int64_t>& dims) {
  std::string text = "[";
  for (const int64_t dim : dims)
    text += (text.size() > 1 ? "," : "") + format_message("{}", {FormatArg(dim)});
  return text + "]";
}

/// Indices of a sparse tensor: `columns` numbers per element (1: already counted through all axes),
/// in range and ascending.
std::optional<std::string> wrong_index(const std::vector<int64_t>& indices,
                                       const std::vector<int64_t>& dims, size_t rows,
                                       size_t columns) {
  uint64_t dense_size = 1;
  for (const int64_t dim : dims) dense_size *= static_cast<uint64_t>(dim);
  int64_t before = -1;
  for (size_t row = 0; row < rows; ++row) {
    uint64_t index = 0;
    for (size_t column = 0; column < columns; ++column) {
      const int64_t part = indices[row * columns + column];
      const int64_t limit = columns > 1 ? dims[column] : static_cast<int64_t>(dense_size);
      if (part < 0 || part >= limit)
        return format_message("index {} of element {} is outside 0 to {}",
                              {FormatArg(part), FormatArg(row), FormatArg(limit - 1)});
      index = index * static_cast<uint64_t>(limit) + static_cast<uint64_t>(part);
    }
    if (static_cast<int64_t>(index) <= before)
      return format_message("the index of element {} is not above the one before",
                            {FormatArg(row)});
    before = static_cast<int64_t>(index);
  }
  return std::nullopt;
}

}  // namespace

void Checker::check_tensor(Bytes message, const Where& where) {
  const TensorMessage tensor = read_tensor(message);
  if (tensor.dtype.value_or(0) == 0) {
    problems_.add(where, "its data type is missing");
    return;
  }
  std::vector<DataField> used;
  for (size_t i = 0; i < kDataFields; ++i)
    if (tensor.counts[i] != 0) used.push_back(static_cast<DataField>(i));

  if (tensor.is_external) {
    if (!used.empty())
      problems_.add(where, "is external data and has elements in {} too", to_string(used.front()));
    bool has_location = false;
    for (const Bytes entry : tensor.external_entries) {
      std::optional<std::string_view> key, value;
      FieldReader fields(entry);
      while (fields.next()) {
        if (fields.key() == bytes_field(f::entry::kKey)) key = fields.text();
        if (fields.key() == bytes_field(f::entry::kValue)) value = fields.text();
      }
      if (key != "location" || !value) continue;
      has_location = true;
      check_external_location(*value, where);
    }
    if (!has_location) problems_.add(where, "is external data without a location");
    return;
  }

  const std::optional<int64_t> count = element_count(tensor.dims);
  if (!count) {
    problems_.add(where, "its shape {} has a negative size or too many elements",
                  shape_text(tensor.dims));
    return;
  }
  if (*count == 0 && !used.empty()) {
    problems_.add(where, "has elements in {}, but its shape {} has none", to_string(used.front()),
                  shape_text(tensor.dims));
    return;
  }
  if (*count != 0 && used.size() != 1) {
    problems_.add(where, "has elements in {} fields, expected one for its shape {}", used.size(),
                  shape_text(tensor.dims));
    return;
  }
  const bool is_known = is_valid_dtype(*tensor.dtype);
  const DType dtype = is_known ? static_cast<DType>(*tensor.dtype) : DType::kUndefined;
  const auto too_few = [&](DataField field, int64_t expected) {
    problems_.add(where, "has {} {} in {}, expected {} for {}{}", tensor.count(field),
                  field == DataField::kRaw ? "bytes" : "numbers", to_string(field), expected,
                  shipway::to_string(dtype), shape_text(tensor.dims));
  };

  if (!used.empty() && used.front() == DataField::kRaw) {
    if (!is_known) return;  // onnx lets raw bytes of unknown kinds pass
    if (dtype == DType::kString) {
      problems_.add(where, "has strings in raw_data, expected them in string_data");
      return;
    }
    const std::optional<int64_t> expected = raw_size(dtype, *count);
    if (!expected) {
      problems_.add(where, "its shape {} has too many elements", shape_text(tensor.dims));
    } else if (tensor.raw.size() < static_cast<uint64_t>(*expected)) {
      too_few(DataField::kRaw, *expected);
    } else if (const int64_t used_bits = bit_width(dtype) == 6 ? *count * 6 % 8 : 0;
               used_bits != 0) {
      const auto last = std::to_integer<unsigned>(tensor.raw[static_cast<size_t>(*expected - 1)]);
      if (last >> used_bits != 0)
        problems_.add(where, "has bits after its last element, expected zeros");
    }
    return;
  }

  if (!is_known) {
    problems_.add(where, "its data type {} is unknown", *tensor.dtype);
    return;
  }
  if (*count == 0) return;
  const DataField expected_field = typed_field(dtype);
  if (used.front() != expected_field) {
    problems_.add(where, "has its elements in {}, expected {} for {}", to_string(used.front()),
                  to_string(expected_field), shipway::to_string(dtype));
    return;
  }
  const std::optional<int64_t> expected = typed_count(dtype, *count);
  if (!expected) {
    problems_.add(where, "its shape {} has too many elements", shape_text(tensor.dims));
  } else if (tensor.count(expected_field) < static_cast<uint64_t>(*expected)) {
    too_few(expected_field, *expected);
  } else if (bit_width(dtype) == 6) {
    for (const int64_t value : numbers(tensor.int32_chunks, tensor.single_int32s))
      if (static_cast<int32_t>(value) < 0 || static_cast<int32_t>(value) > 0x3f) {
        problems_.add(where, "has the number {} in int32_data, expected 6 bits", value);
        break;
      }
  }
}

void Checker::check_sparse_tensor(Bytes message, const Where& where) {
  std::optional<Bytes> values_message, indices_message;
  std::vector<int64_t> dims;
  FieldReader fields(message);
  while (fields.next()) {
    switch (fields.key()) {
      case bytes_field(f::sparse_tensor::kValues):
        values_message = joined(values_message, fields.bytes());
        break;
      case bytes_field(f::sparse_tensor::kIndices):
        indices_message = joined(indices_message, fields.bytes());
        break;
      case varint_field(f::sparse_tensor::kDims):
      case bytes_field(f::sparse_tensor::kDims):
        static_cast<void>(fields.append_integers(dims).is_ok());  // well-formed, so it cannot fail
        break;
      default:
        break;
    }
  }
  if (!values_message) {
    problems_.add(where, "the sparse tensor has no values");
    return;
  }
  const Where at_values{.outer = &where, .what = "values of the sparse tensor"};
  const Where at_indices{.outer = &where, .what = "indices of the sparse tensor"};
  check_tensor(*values_message, at_values);
  const TensorMessage values = read_tensor(*values_message);
  if (values.dims.size() != 1) {
    problems_.add(at_values, "have rank {}, expected 1", values.dims.size());
    return;
  }
  if (dims.empty() || std::any_of(dims.begin(), dims.end(), [](int64_t dim) { return dim <= 0; })) {
    problems_.add(where, "the sparse tensor has shape {}, expected one or more positive sizes",
                  shape_text(dims));
    return;
  }
  const int64_t count = values.dims[0];
  if (!indices_message) {
    if (count != 0) problems_.add(where, "the sparse tensor has {} values, but no indices", count);
    return;
  }
  check_tensor(*indices_message, at_indices);
  const TensorMessage indices = read_tensor(*indices_message);
  if (indices.dtype != static_cast<int32_t>(DType::kInt64)) {
    problems_.add(at_indices, "are not of dtype int64");
    return;
  }
  if (indices.dims.empty() || indices.dims.size() > 2) {
    problems_.add(at_indices, "have rank {}, expected 1 or 2", indices.dims.size());
    return;
  }
  const bool has_columns = indices.dims.size() == 2;
  const auto rank = static_cast<int64_t>(dims.size());
  if (indices.dims[0] != count || (has_columns && indices.dims[1] != rank)) {
    problems_.add(at_indices, "have shape {}, expected [{}] or [{},{}]", shape_text(indices.dims),
                  count, count, rank);
    return;
  }
  if (indices.is_external) {
    problems_.add(at_indices, "are external data, expected in the model");
    return;
  }
  const std::optional<int64_t> expected = element_count(indices.dims);
  std::vector<int64_t> numbers_there = numbers(indices.int64_chunks, indices.single_int64s);
  if (!indices.raw.empty()) {
    numbers_there.resize(indices.raw.size() / sizeof(int64_t));
    std::memcpy(numbers_there.data(), indices.raw.data(), numbers_there.size() * sizeof(int64_t));
  } else if (expected && numbers_there.size() > static_cast<uint64_t>(*expected)) {
    problems_.add(at_indices, "have {} numbers, expected {}", numbers_there.size(), *expected);
    return;
  }
  if (!expected || numbers_there.size() < static_cast<uint64_t>(*expected))
    return;  // reported by check_tensor
  const size_t columns = has_columns ? dims.size() : 1;
  if (const auto wrong = wrong_index(numbers_there, dims, static_cast<size_t>(count), columns))
    problems_.add(at_indices, "{}", *wrong);
}

}  // namespace shipway::onnx_check
