#include "formats/onnx/tensor.h"

#include <algorithm>

#include "base/mapped_file.h"
#include "base/text.h"
#include "formats/onnx/fields.h"

namespace shipway {
namespace {

namespace field = onnx_fields::tensor;

enum class DataField : uint8_t { kNone, kFloat, kInt32, kString, kInt64, kRaw, kDouble, kUInt64 };
constexpr std::string_view kDataFieldNames[] = {"none",        "float_data", "int32_data",
                                                "string_data", "int64_data", "raw_data",
                                                "double_data", "uint64_data"};
std::string_view name_of(DataField data) { return kDataFieldNames[static_cast<size_t>(data)]; }

std::optional<DataField> data_field_of(uint32_t number) {
  switch (number) {
    case field::kFloatData:
      return DataField::kFloat;
    case field::kInt32Data:
      return DataField::kInt32;
    case field::kStringData:
      return DataField::kString;
    case field::kInt64Data:
      return DataField::kInt64;
    case field::kRawData:
      return DataField::kRaw;
    case field::kDoubleData:
      return DataField::kDouble;
    case field::kUInt64Data:
      return DataField::kUInt64;
    default:
      return std::nullopt;
  }
}

/// The typed field that ONNX prescribes for a dtype.
DataField typed_field_of(DType dtype) {
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

size_t alignment_of(DType dtype) {
  const int bits = bit_width(dtype);
  if (dtype == DType::kComplex64) return 4;
  return bits <= 8 ? 1 : std::min<size_t>(8, static_cast<size_t>(bits) / 8);
}

/// Smaller ones are copied at once: looking after them would cost more.
constexpr size_t kDeferredBytes = 4096;

/// Elements as they stand in the file: borrowed where owner and alignment allow, else copied, large
/// ones only when they are asked for (most raw data lies unaligned, and packing for a kernel reads
/// it once).
Result<Tensor> place_elements(DType dtype, Shape shape, Bytes elements,
                              const std::shared_ptr<const void>& owner, const MappedFile* file) {
  const bool aligned = reinterpret_cast<uintptr_t>(elements.data()) % alignment_of(dtype) == 0;
  if (owner && (aligned || elements.size() >= kDeferredBytes)) {
    std::shared_ptr<Storage> storage =
        aligned ? Storage::borrow_read_only(elements.data(), elements.size(), owner)
                : Storage::deferred(elements.size(), [elements, owner](std::span<std::byte> to) {
                    std::memcpy(to.data(), elements.data(), to.size());
                  });
    if (file) {
      storage->set_rest([elements, file, owner] {
        file->drop_pages(static_cast<size_t>(elements.data() - file->bytes().data()),
                         elements.size());
      });
    }
    return Tensor::from_storage(dtype, std::move(shape), std::move(storage));
  }
  SHIPWAY_ASSIGN_OR_RETURN(Tensor tensor, Tensor::allocate(dtype, std::move(shape)));
  if (!elements.empty()) std::memcpy(tensor.mutable_data(), elements.data(), elements.size());
  return tensor;
}

/// One stored number per element (6-bit floats too), or per byte for elements of 2 and 4 bits.
Result<Tensor> place_integers(DType dtype, Shape shape, const std::vector<int64_t>& numbers) {
  SHIPWAY_ASSIGN_OR_RETURN(Tensor tensor, Tensor::zeros(dtype, std::move(shape)));
  auto* bytes = static_cast<uint8_t*>(tensor.mutable_data());
  const int bits = bit_width(dtype);
  if (bits == 6) {
    for (size_t i = 0; i < numbers.size(); ++i) {
      const size_t bit = 6 * i;
      const auto code = static_cast<uint32_t>(numbers[i] & 0x3f) << (bit % 8);
      bytes[bit / 8] |= static_cast<uint8_t>(code);
      if (code > 0xff) bytes[bit / 8 + 1] |= static_cast<uint8_t>(code >> 8);
    }
    return tensor;
  }
  const size_t size = bits < 8 ? 1 : static_cast<size_t>(bits) / 8;
  for (size_t i = 0; i < numbers.size(); ++i) std::memcpy(bytes + i * size, &numbers[i], size);
  return tensor;
}

/// The parts of a TensorProto before its elements are decoded.
struct Parts {
  std::vector<int64_t> dims;
  int64_t dtype = 0;
  DataField data = DataField::kNone;
  std::vector<int64_t> integers;
  std::vector<Bytes> chunks;  // of raw, float, double and string fields
  std::string payload;        // the typed integers' fields
  bool is_external = false;
  std::vector<std::pair<std::string, std::string>> external_entries;
};

Result<std::pair<std::string, std::string>> read_entry(Bytes message, const std::byte* origin) {
  std::pair<std::string, std::string> entry;
  FieldReader fields(message, origin);
  while (fields.next()) {
    if (fields.key() == bytes_field(onnx_fields::entry::kKey)) entry.first = fields.text();
    if (fields.key() == bytes_field(onnx_fields::entry::kValue)) entry.second = fields.text();
  }
  SHIPWAY_RETURN_IF_ERROR(fields.status());
  return entry;
}

Status read_data_field(FieldReader& fields, DataField data, Parts& parts, OnnxTensor& tensor) {
  if (fields.is_default() && data == DataField::kRaw) {  // present but empty: no data of its own
    tensor.other_fields += fields.raw_text();
    return Status::ok();
  }
  if (fields.is_default() && (fields.key() & 7) == 2 && data != DataField::kString)
    return Status::ok();
  if (parts.data != DataField::kNone && parts.data != data)
    return Status::invalid_model("has elements in both {} and {}", name_of(parts.data),
                                 name_of(data));
  parts.data = data;
  if (data == DataField::kInt32 || data == DataField::kInt64 || data == DataField::kUInt64) {
    parts.payload += fields.raw_text();
    return fields.append_integers(parts.integers);
  }
  if (data == DataField::kRaw) parts.chunks.clear();  // a single field: the last one counts
  parts.chunks.push_back(fields.bytes());
  return Status::ok();
}

Result<Parts> read_parts(Bytes message, const TensorSource& source, OnnxTensor& tensor) {
  Parts parts;
  FieldReader fields(message, source.origin);
  while (fields.next()) {
    const uint32_t wire_type = fields.key() & 7;
    switch (fields.key()) {
      case varint_field(field::kDims):
      case bytes_field(field::kDims):
        SHIPWAY_RETURN_IF_ERROR(fields.append_integers(parts.dims));
        continue;
      case varint_field(field::kDataType):
        parts.dtype = fields.integer();
        continue;
      case bytes_field(field::kName):
        tensor.name = fields.text();
        break;
      case varint_field(field::kDataLocation):
        parts.is_external = fields.integer() == field::kLocationExternal;
        break;
      case bytes_field(field::kExternalData): {
        SHIPWAY_ASSIGN_OR_RETURN(auto entry, read_entry(fields.bytes(), source.origin));
        parts.external_entries.push_back(std::move(entry));
        break;
      }
      default:
        if (const auto data = data_field_of(fields.number())) {
          const bool integers = *data == DataField::kInt32 || *data == DataField::kInt64 ||
                                *data == DataField::kUInt64;
          const bool fits = wire_type == 2 || (integers && wire_type == 0) ||
                            (*data == DataField::kFloat && wire_type == 5) ||
                            (*data == DataField::kDouble && wire_type == 1);
          if (!fits) break;
          SHIPWAY_RETURN_IF_ERROR(read_data_field(fields, *data, parts, tensor));
          continue;
        }
    }
    tensor.other_fields += fields.raw_text();
  }
  SHIPWAY_RETURN_IF_ERROR(fields.status());
  return parts;
}

Result<Tensor> read_external(DType dtype, Shape shape, int64_t bytes, Parts& parts,
                             const TensorSource& source, OnnxTensor& tensor) {
  if (dtype == DType::kString) return Status::invalid_model("strings cannot be external data");
  if (parts.data != DataField::kNone)
    return Status::invalid_model("is external data and has elements in {} too",
                                 name_of(parts.data));
  SHIPWAY_ASSIGN_OR_RETURN(ExternalData external,
                           parse_external_data(std::move(parts.external_entries)));
  if (!source.external)
    return Status::invalid_model("has external data {}, which cannot be read here",
                                 quoted(external.location));
  SHIPWAY_ASSIGN_OR_RETURN(const auto file, source.external->open(external.location));
  const auto available = static_cast<int64_t>(file->bytes().size());
  if (external.offset > available)
    return Status::invalid_model("external data starts at byte {} of {}, which has {} bytes",
                                 external.offset, quoted(external.location), available);
  const int64_t left = available - external.offset;
  if (external.length >= 0 && external.length != bytes)
    return Status::invalid_model("external data has length {}, expected {} for {}[{}]",
                                 external.length, bytes, to_string(dtype), to_string(shape));
  if (bytes > left)
    return Status::invalid_model(
        "external data needs {} bytes from byte {} of {} on, {} left (a cut-off file?)", bytes,
        external.offset, quoted(external.location), left);
  const Bytes elements =
      file->bytes().subspan(static_cast<size_t>(external.offset), static_cast<size_t>(bytes));
  tensor.external = std::make_shared<const ExternalData>(std::move(external));
  return place_elements(dtype, std::move(shape), elements, file, file.get());
}

Result<Tensor> read_chunks(DType dtype, Shape shape, int64_t bytes, const Parts& parts,
                           const TensorSource& source) {
  uint64_t found = 0;
  for (Bytes chunk : parts.chunks) found += chunk.size();
  if (found != static_cast<uint64_t>(bytes))
    return Status::invalid_model("has {} bytes in {}, expected {} for {}[{}]", found,
                                 name_of(parts.data), bytes, to_string(dtype), to_string(shape));
  if (parts.chunks.size() == 1)
    return place_elements(dtype, std::move(shape), parts.chunks[0], source.owner, source.file);
  SHIPWAY_ASSIGN_OR_RETURN(Tensor tensor, Tensor::allocate(dtype, std::move(shape)));
  auto* to = static_cast<std::byte*>(tensor.mutable_data());
  for (Bytes chunk : parts.chunks) to = std::copy(chunk.begin(), chunk.end(), to);
  return tensor;
}

Result<Tensor> read_elements(DType dtype, Shape shape, int64_t count, int64_t bytes, Parts& parts,
                             const TensorSource& source, OnnxTensor& tensor) {
  const DataField typed = typed_field_of(dtype);
  if (parts.is_external)
    return read_external(dtype, std::move(shape), bytes, parts, source, tensor);
  const bool is_raw = parts.data == DataField::kRaw && dtype != DType::kString;
  if (parts.data != DataField::kNone && !is_raw && parts.data != typed)
    return Status::invalid_model("has dtype {} but its elements in {}, expected {}{}",
                                 to_string(dtype), name_of(parts.data), name_of(typed),
                                 dtype == DType::kString ? "" : " or raw_data");
  tensor.data_field = is_raw ? "" : name_of(parts.data);
  if (parts.data == DataField::kNone) {
    if (count > 0)
      return Status::invalid_model("has no elements, expected {} for {}[{}]", count,
                                   to_string(dtype), to_string(shape));
    return Tensor::zeros(dtype, std::move(shape));
  }
  if (dtype == DType::kString) {
    if (parts.chunks.size() != static_cast<size_t>(count))
      return Status::invalid_model("has {} elements in string_data, expected {} for [{}]",
                                   parts.chunks.size(), count, to_string(shape));
    std::vector<std::string> strings;
    strings.reserve(parts.chunks.size());
    for (Bytes chunk : parts.chunks) strings.emplace_back(as_text(chunk));
    tensor.data_field = "";
    return Tensor::from_strings(std::move(shape), std::move(strings));
  }
  if (is_raw || parts.data == DataField::kFloat || parts.data == DataField::kDouble)
    return read_chunks(dtype, std::move(shape), bytes, parts, source);

  const int64_t expected = bit_width(dtype) < 6 ? bytes : count;
  if (parts.integers.size() != static_cast<size_t>(expected))
    return Status::invalid_model("has {} numbers in {}, expected {} for {}[{}]",
                                 parts.integers.size(), name_of(parts.data), expected,
                                 to_string(dtype), to_string(shape));
  SHIPWAY_ASSIGN_OR_RETURN(Tensor decoded, place_integers(dtype, std::move(shape), parts.integers));
  if (typed_integers(decoded) != parts.integers) tensor.payload = std::move(parts.payload);
  return decoded;
}

Status write_typed(MessageWriter& message, const Tensor& tensor, DataField data) {
  switch (data) {
    case DataField::kFloat:
      message.add_borrowed(field::kFloatData, tensor.bytes());
      break;
    case DataField::kDouble:
      message.add_borrowed(field::kDoubleData, tensor.bytes());
      break;
    case DataField::kInt32:
      message.add_packed(field::kInt32Data, typed_integers(tensor));
      break;
    case DataField::kInt64:
      message.add_packed(field::kInt64Data, typed_integers(tensor));
      break;
    case DataField::kUInt64:
      message.add_packed(field::kUInt64Data, typed_integers(tensor));
      break;
    default:
      return Status::internal("{} is no typed field", name_of(data));
  }
  return Status::ok();
}

bool is_external_field(uint32_t number) {
  return number == field::kExternalData || number == field::kDataLocation;
}

void write_external(MessageWriter& message, const ExternalPlace& place) {
  auto entries = place.entries;
  if (entries.empty())
    entries = {{"location", place.location},
               {"offset", std::to_string(place.offset)},
               {"length", std::to_string(place.length)}};
  for (const auto& [key, value] : entries) {
    MessageWriter entry;
    entry.add_text(onnx_fields::entry::kKey, key);
    entry.add_text(onnx_fields::entry::kValue, value);
    message.add_message(field::kExternalData, std::move(entry));
  }
  message.add_integer(field::kDataLocation, field::kLocationExternal);
}

}  // namespace

std::vector<int64_t> typed_integers(const Tensor& tensor) {
  const auto* bytes = static_cast<const uint8_t*>(tensor.data());
  const DType dtype = tensor.dtype();
  const int bits = bit_width(dtype);
  const auto count = static_cast<size_t>(bits < 6 ? tensor.byte_size() : tensor.element_count());
  std::vector<int64_t> numbers(count);
  for (size_t i = 0; i < count; ++i) {
    uint64_t number = 0;
    if (bits == 6) {
      const size_t bit = 6 * i;
      number = bytes[bit / 8];
      if (bit % 8 > 2) number |= static_cast<uint64_t>(bytes[bit / 8 + 1]) << 8;
      number = number >> (bit % 8) & 0x3f;
    } else {
      const size_t size = bits < 8 ? 1 : static_cast<size_t>(bits) / 8;
      std::memcpy(&number, bytes + i * size, size);
      if (kind_of(dtype) == DTypeKind::kSigned && bits >= 8) {
        const int unused = 64 - bits;
        number = static_cast<uint64_t>(static_cast<int64_t>(number << unused) >> unused);
      }
    }
    numbers[i] = static_cast<int64_t>(number);
  }
  return numbers;
}

Result<OnnxTensor> read_onnx_tensor(Bytes message, const TensorSource& source) {
  OnnxTensor tensor;
  auto parts = read_parts(message, source, tensor);
  Status status = parts.status();
  if (status.is_ok()) {
    status = [&]() -> Status {
      if (!is_valid_dtype(parts->dtype))
        return Status::invalid_model("has data_type {}, which is not an element type of ONNX",
                                     parts->dtype);
      const auto dtype = static_cast<DType>(parts->dtype);
      const Shape shape{std::span<const int64_t>(parts->dims)};
      SHIPWAY_ASSIGN_OR_RETURN(const int64_t count, element_count(shape));
      SHIPWAY_ASSIGN_OR_RETURN(const int64_t bytes, storage_bytes(dtype, count));
      SHIPWAY_ASSIGN_OR_RETURN(tensor.tensor,
                               read_elements(dtype, shape, count, bytes, *parts, source, tensor));
      return Status::ok();
    }();
  }
  if (!status.is_ok()) {
    const auto begin =
        static_cast<size_t>(message.data() - (source.origin ? source.origin : message.data()));
    return status.with_context("tensor {} (bytes {} to {})", quoted(tensor.name), begin,
                               begin + message.size());
  }
  return tensor;
}

Status write_onnx_tensor(MessageWriter& message, const Tensor& tensor, const OnnxTensor& form,
                         const ExternalPlace* external) {
  for (int64_t size : tensor.shape()) message.add_integer(field::kDims, size);
  message.add_integer(field::kDataType, static_cast<int64_t>(tensor.dtype()));
  if (!tensor.is_contiguous())
    return Status::internal("a tensor with strides reached the ONNX writer");

  FieldReader fields(as_bytes(form.other_fields));
  while (fields.next())
    if (!is_external_field(fields.number())) message.append_raw(fields.raw_text());
  if (external) {
    write_external(message, *external);
    return Status::ok();
  }
  if (tensor.dtype() == DType::kString) {
    for (const std::string& text : tensor.strings()) message.add_text(field::kStringData, text);
    return Status::ok();
  }
  const bool is_none = form.data_field == name_of(DataField::kNone);
  if (is_none && tensor.element_count() == 0) return Status::ok();
  const DataField typed = typed_field_of(tensor.dtype());
  if (form.data_field != name_of(typed)) {
    message.add_borrowed(field::kRawData, tensor.bytes());
    return Status::ok();
  }
  if (!form.payload.empty()) {  // as it was, if it still says the same
    std::vector<int64_t> numbers;
    FieldReader payload(as_bytes(form.payload));
    while (payload.next()) SHIPWAY_RETURN_IF_ERROR(payload.append_integers(numbers));
    auto decoded = place_integers(tensor.dtype(), tensor.shape(), numbers);
    const size_t expected = typed_integers(tensor).size();
    if (numbers.size() == expected && decoded.is_ok() && identical(*decoded, tensor)) {
      message.append_raw(form.payload);
      return Status::ok();
    }
  }
  return write_typed(message, tensor, typed);
}

}  // namespace shipway
