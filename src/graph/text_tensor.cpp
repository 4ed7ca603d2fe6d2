#include "graph/text_tensor.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>

#include "base/checked.h"
#include "base/text.h"
#include "tensor/convert.h"

namespace shipway {
namespace {

/// Bytes of one element once it stands alone (below 8 bits: one); complex numbers are two
/// components.
int component_bytes(DType dtype) {
  switch (dtype) {
    case DType::kComplex64:
      return 4;
    case DType::kComplex128:
      return 8;
    default:
      return (bit_width(dtype) + 7) / 8;
  }
}
int component_bits(DType dtype) {
  return kind_of(dtype) == DTypeKind::kComplex ? 8 * component_bytes(dtype) : bit_width(dtype);
}

uint64_t load(const std::byte* at, int bytes) {
  uint64_t bits = 0;
  std::memcpy(&bits, at,
              static_cast<size_t>(bytes));  // little-endian, as every machine this runs on
  return bits;
}

template <typename T, typename... Format>
void append_number(T number, std::string& text, Format... format) {
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, number, format...).ptr;
  text.append(buffer, end);
}

void append_bits(uint64_t bits, std::string& text) {
  text += "0x";
  append_number(bits, text, 16);
}

template <typename Float, typename Bits>
void append_float(uint64_t bits, std::string& text) {
  const Float number = std::bit_cast<Float>(static_cast<Bits>(bits));
  if (!std::isnan(number)) {
    append_number(number, text);
  } else if (static_cast<Bits>(bits) ==
             std::bit_cast<Bits>(std::numeric_limits<Float>::quiet_NaN())) {
    text += "nan";
  } else {
    append_bits(bits, text);
  }
}

void append_small_float(DType dtype, uint32_t bits, std::string& text) {
  const double number = decode_float(dtype, bits);
  if (std::isnan(number) ||
      encode_float(dtype, number, Saturate::kYes, RoundMode::kNearest) != bits)
    return append_bits(bits, text);
  append_number(static_cast<float>(number), text);  // every format below 32 bits fits in one
}

int64_t sign_extended(uint64_t bits, int width) {
  const int shift = 64 - width;
  return static_cast<int64_t>(bits << shift) >> shift;
}

void append_component(DType dtype, uint64_t bits, std::string& text) {
  switch (kind_of(dtype)) {
    case DTypeKind::kSigned:
      return append_number(sign_extended(bits, bit_width(dtype)), text);
    case DTypeKind::kUnsigned:
      return append_number(bits, text);
    case DTypeKind::kBool:
      if (bits > 1) return append_bits(bits, text);
      text += bits == 1 ? "true" : "false";
      return;
    default:
      break;
  }
  const int width = component_bits(dtype);
  if (width == 64) return append_float<double, uint64_t>(bits, text);
  if (width == 32) return append_float<float, uint32_t>(bits, text);
  append_small_float(dtype, static_cast<uint32_t>(bits), text);
}

template <typename T>
std::optional<T> read_number(std::string_view token, int base = 10) {
  T number{};
  std::from_chars_result result;
  if constexpr (std::is_floating_point_v<T>)
    result = std::from_chars(token.data(), token.data() + token.size(), number);
  else
    result = std::from_chars(token.data(), token.data() + token.size(), number, base);
  if (result.ec != std::errc() || result.ptr != token.data() + token.size()) return std::nullopt;
  return number;
}

std::optional<uint64_t> float_bits(DType dtype, std::string_view token) {
  const int width = component_bits(dtype);
  if (token == "nan" || token == "-nan") {  // from_chars does not promise which bits NaN has
    if (width == 64) return std::bit_cast<uint64_t>(std::numeric_limits<double>::quiet_NaN());
    if (width == 32) return std::bit_cast<uint32_t>(std::numeric_limits<float>::quiet_NaN());
    return encode_float(dtype, std::numeric_limits<double>::quiet_NaN());
  }
  if (width == 32) {
    const auto number = read_number<float>(token);
    return number ? std::optional<uint64_t>(std::bit_cast<uint32_t>(*number)) : std::nullopt;
  }
  const std::optional<double> number = parse_double(token);
  if (!number) return std::nullopt;
  return width == 64 ? std::bit_cast<uint64_t>(*number)
                     : encode_float(dtype, *number, Saturate::kYes, RoundMode::kNearest);
}

/// The bits of one number in the dtype; nothing when the token is no number or does not fit.
std::optional<uint64_t> component_from_text(DType dtype, std::string_view token) {
  const int width = component_bits(dtype);
  if (token.starts_with("0x")) {
    const auto bits = read_number<uint64_t>(token.substr(2), 16);
    return bits && (width == 64 || *bits >> width == 0) ? bits : std::nullopt;
  }
  switch (kind_of(dtype)) {
    case DTypeKind::kSigned: {
      const auto number = read_number<int64_t>(token);
      if (!number || sign_extended(static_cast<uint64_t>(*number), width) != *number)
        return std::nullopt;
      return static_cast<uint64_t>(*number) &
             (width == 64 ? ~uint64_t{0} : (uint64_t{1} << width) - 1);
    }
    case DTypeKind::kUnsigned: {
      const auto number = read_number<uint64_t>(token);
      return number && (width == 64 || *number >> width == 0) ? number : std::nullopt;
    }
    case DTypeKind::kBool:
      if (token == "true" || token == "1") return 1;
      return token == "false" || token == "0" ? std::optional<uint64_t>(0) : std::nullopt;
    default:
      return float_bits(dtype, token);
  }
}

void append_raw(uint64_t bits, int bytes, std::string& raw) {
  raw.append(reinterpret_cast<const char*>(&bits), static_cast<size_t>(bytes));
}

Status parse_component(Scanner& in, DType dtype, std::string& raw) {
  Scanner ahead = in;
  const auto bits = component_from_text(dtype, ahead.take_number());
  if (!bits) return in.error_expected("an element of type " + std::string(to_string(dtype)));
  in = ahead;
  append_raw(*bits, component_bytes(dtype), raw);
  return Status::ok();
}

Status parse_element(Scanner& in, DType dtype, std::string& raw) {
  if (kind_of(dtype) != DTypeKind::kComplex) return parse_component(in, dtype, raw);
  SHIPWAY_RETURN_IF_ERROR(in.expect("("));
  SHIPWAY_RETURN_IF_ERROR(parse_component(in, dtype, raw));
  SHIPWAY_RETURN_IF_ERROR(in.expect(","));
  SHIPWAY_RETURN_IF_ERROR(parse_component(in, dtype, raw));
  return in.expect(")");
}

Result<Tensor> tensor_of_raw(DType dtype, Shape shape, const std::string& raw) {
  SHIPWAY_ASSIGN_OR_RETURN(
      Tensor tensor,
      Tensor::allocate(is_sub_byte(dtype) ? DType::kUInt8 : dtype, std::move(shape)));
  if (!raw.empty()) std::memcpy(tensor.mutable_data(), raw.data(), raw.size());
  return is_sub_byte(dtype) ? pack_from_bytes(dtype, tensor) : Result<Tensor>(std::move(tensor));
}

Result<Tensor> parse_listed(Scanner& in, DType dtype, Shape shape, int64_t count) {
  const size_t start = in.position();
  SHIPWAY_RETURN_IF_ERROR(in.expect("{"));
  std::string raw;
  std::vector<std::string> strings;
  int64_t found = 0;
  if (!in.accept("}")) {
    do {
      if (in.next_is("..."))
        return in.error_at(in.position(), "elements were left out when this text was printed");
      if (dtype == DType::kString) {
        SHIPWAY_ASSIGN_OR_RETURN(strings.emplace_back(),
                                 in.quoted("an element of type string (in quotes)"));
      } else {
        SHIPWAY_RETURN_IF_ERROR(parse_element(in, dtype, raw));
      }
      ++found;
    } while (in.accept(","));
    if (!in.accept("}")) return in.error_expected("',' or '}' after an element");
  }
  if (found != count)
    return in.error_at(start, "found " + std::to_string(found) + " elements, expected " +
                                  std::to_string(count) + " for the shape " + to_string(shape));
  if (dtype == DType::kString) return Tensor::from_strings(std::move(shape), std::move(strings));
  return tensor_of_raw(dtype, std::move(shape), raw);
}

/// Steele and others, "Fast splittable pseudorandom number generators" (2014): SplitMix64.
uint64_t splitmix64(uint64_t& state) {
  uint64_t z = state += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

Result<Tensor> seeded(DType dtype, Shape shape, int64_t count, int64_t seed) {
  auto state = static_cast<uint64_t>(seed);
  const auto uniform = [&] { return static_cast<double>(splitmix64(state) >> 40) * 0x1p-23 - 1; };
  const auto n = static_cast<size_t>(count);
  if (kind_of(dtype) == DTypeKind::kFloat || kind_of(dtype) == DTypeKind::kComplex) {
    std::vector<double> numbers(kind_of(dtype) == DTypeKind::kComplex ? 2 * n : n);
    for (double& number : numbers) number = uniform();
    if (kind_of(dtype) == DTypeKind::kFloat) return from_doubles(dtype, std::move(shape), numbers);
    std::vector<std::complex<double>> complexes(n);
    for (size_t i = 0; i < n; ++i) complexes[i] = {numbers[2 * i], numbers[2 * i + 1]};
    return from_complexes(dtype, std::move(shape), complexes);
  }
  std::vector<int64_t> numbers(n);
  const bool is_signed = kind_of(dtype) == DTypeKind::kSigned;
  for (int64_t& number : numbers) {
    number = static_cast<int64_t>(splitmix64(state) >> 60) - (is_signed ? 8 : 0);
    if (dtype == DType::kBool) number &= 1;
  }
  return from_ints(dtype, std::move(shape),
                   numbers);  // keeps the low bits where the dtype holds less
}

Result<Tensor> filled(Scanner& in, DType dtype, Shape shape, int64_t count, TensorBudget& budget) {
  const auto n = static_cast<size_t>(count);
  if (dtype == DType::kString) {
    const size_t start = in.position();
    SHIPWAY_ASSIGN_OR_RETURN(std::string element,
                             in.quoted("an element of type string (in quotes)"));
    const auto bytes = checked_mul<int64_t>(count, static_cast<int64_t>(element.size()));
    if (!bytes || *bytes > budget.bytes_left)
      return in.error_at(start, "these strings ask for more memory than is allowed here",
                         StatusCode::kLimit);
    budget.bytes_left -= *bytes;
    return Tensor::from_strings(std::move(shape), std::vector<std::string>(n, element));
  }
  std::string element, raw;
  SHIPWAY_RETURN_IF_ERROR(parse_element(in, dtype, element));
  raw.reserve(n * element.size());
  for (size_t i = 0; i < n; ++i) raw += element;
  return tensor_of_raw(dtype, std::move(shape), raw);
}

}  // namespace

Status print_elements(const Tensor& tensor, const ElementsOptions& options, std::string& text) {
  const DType dtype = tensor.dtype();
  if (options.store) {
    if (const std::optional<int64_t> number = options.store(tensor)) {
      text += "stored ";
      append_number(*number, text);
      return Status::ok();
    }
  }
  SHIPWAY_ASSIGN_OR_RETURN(const Tensor dense, tensor.contiguous());
  const int64_t shown = std::min(options.max_elements, dense.element_count());
  text += '{';
  if (dtype == DType::kString) {
    for (int64_t i = 0; i < shown; ++i)
      text += (i ? ", " : "") + quote_text(dense.strings()[static_cast<size_t>(i)]);
  } else {
    SHIPWAY_ASSIGN_OR_RETURN(const Tensor bytes, unpack_to_bytes(dense));
    const bool complex = kind_of(dtype) == DTypeKind::kComplex;
    const int width = component_bytes(dtype);
    const auto* at = static_cast<const std::byte*>(bytes.data());
    for (int64_t i = 0; i < shown; ++i, at += width) {
      if (i) text += ", ";
      if (complex) text += '(';
      append_component(dtype, load(at, width), text);
      if (!complex) continue;
      text += ", ";
      append_component(dtype, load(at += width, width), text);
      text += ')';
    }
  }
  if (shown < dense.element_count()) text += shown > 0 ? ", ..." : "...";
  text += '}';
  return Status::ok();
}

Status print_tensor(const Tensor& tensor, const ElementsOptions& options, std::string& text) {
  if (!tensor.is_defined()) {
    text += "undefined";
    return Status::ok();
  }
  text += to_string(tensor.dtype());
  text += '[';
  for (size_t i = 0; i < tensor.shape().size(); ++i)
    text += (i ? "," : "") + std::to_string(tensor.dim(i));
  text += "] ";
  return print_elements(tensor, options, text);
}

bool elements_are_next(const Scanner& scanner) {
  if (scanner.peek() == '{') return true;
  const std::string_view word = scanner.peek_word();
  const char after = scanner.peek_after_word();
  return (word == "fill" || word == "seeded" || word == "iota" || word == "stored") &&
         after != '(' && after != '[' && after != ':';
}

Result<Tensor> parse_elements(Scanner& in, DType dtype, Shape shape, TensorBudget& budget) {
  const size_t start = in.position();
  if (dtype == DType::kUndefined) return in.error_at(start, "elements need a known element type");
  const Result<int64_t> count = element_count(shape);
  if (!count.is_ok()) return in.error_at(start, count.status().message());
  if (in.peek() == '{') return parse_listed(in, dtype, std::move(shape), *count);
  if (!elements_are_next(in)) return in.error_expected("'{', fill, seeded, iota or stored");
  if (in.accept_word("stored")) {
    SHIPWAY_ASSIGN_OR_RETURN(const int64_t number, in.integer("a number"));
    if (!budget.stored)
      return in.error_at(start, "these elements stand elsewhere, and this text alone is read");
    Result<Tensor> tensor = budget.stored(number, dtype, shape);
    if (!tensor.is_ok()) return in.error_at(start, tensor.status().message());
    return tensor;
  }

  const int64_t element_bytes = dtype == DType::kString ? static_cast<int64_t>(sizeof(std::string))
                                                        : 16 + 2 * component_bytes(dtype);
  const auto bytes = checked_mul<int64_t>(*count, element_bytes);
  if (!bytes || *bytes > budget.bytes_left)
    return in.error_at(
        start, "the shape " + to_string(shape) + " asks for more memory than is allowed here",
        StatusCode::kLimit);
  budget.bytes_left -= *bytes;
  if (in.accept_word("fill")) return filled(in, dtype, std::move(shape), *count, budget);
  if (dtype == DType::kString) return in.error_at(start, "strings can be listed or filled only");
  if (in.accept_word("seeded")) {
    SHIPWAY_ASSIGN_OR_RETURN(const int64_t seed, in.integer("a seed (an integer)"));
    return seeded(dtype, std::move(shape), *count, seed);
  }
  in.accept_word("iota");
  std::vector<int64_t> numbers(static_cast<size_t>(*count));
  for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<int64_t>(i);
  if (kind_of(dtype) == DTypeKind::kSigned || kind_of(dtype) == DTypeKind::kUnsigned)
    return from_ints(dtype, std::move(shape), numbers);
  if (kind_of(dtype) != DTypeKind::kFloat)
    return in.error_at(start, "iota makes integers and floats only");
  return from_doubles(dtype, std::move(shape), std::vector<double>(numbers.begin(), numbers.end()));
}

Result<Tensor> parse_tensor(Scanner& in, TensorBudget& budget) {
  if (in.accept_word("undefined")) return Tensor();
  const std::optional<DType> dtype = dtype_from_name(in.peek_word());
  if (!dtype) return in.error_expected("a tensor such as float[2] {1, 2}");
  in.take_word();
  Shape shape;
  SHIPWAY_RETURN_IF_ERROR(in.expect("["));
  if (!in.accept("]")) {
    do {
      SHIPWAY_ASSIGN_OR_RETURN(const int64_t size, in.integer("the size of a tensor"));
      shape.push_back(size);
    } while (in.accept(","));
    SHIPWAY_RETURN_IF_ERROR(in.expect("]"));
  }
  return parse_elements(in, *dtype, std::move(shape), budget);
}

}  // namespace shipway
