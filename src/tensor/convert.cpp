#include "tensor/convert.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

namespace shipway {
namespace {

/// A binary float format of at most 32 bits: sign, exponent, mantissa from the top down.
struct FloatFormat {
  int exponent_bits;
  int mantissa_bits;
  int bias;
  bool has_infinity;  // the top exponent means infinity and NaN, as in IEEE 754
  enum class Nan : uint8_t { kIeee, kAllOnes, kNegativeZero, kNone } nan;
  int bits() const { return 1 + exponent_bits + mantissa_bits; }
};

/// Sources: IEEE 754; OCP 8-bit (OFP8) and OCP MX specifications; ONNX "float stored in 8 bits".
FloatFormat format_of(DType dtype) {
  using Nan = FloatFormat::Nan;
  switch (dtype) {
    case DType::kFloat16:
      return {5, 10, 15, true, Nan::kIeee};
    case DType::kBFloat16:
      return {8, 7, 127, true, Nan::kIeee};
    case DType::kFloat8E4M3FN:
      return {4, 3, 7, false, Nan::kAllOnes};
    case DType::kFloat8E4M3FNUZ:
      return {4, 3, 8, false, Nan::kNegativeZero};
    case DType::kFloat8E5M2:
      return {5, 2, 15, true, Nan::kIeee};
    case DType::kFloat8E5M2FNUZ:
      return {5, 2, 16, false, Nan::kNegativeZero};
    case DType::kFloat6E2M3:
      return {2, 3, 1, false, Nan::kNone};
    case DType::kFloat6E3M2:
      return {3, 2, 3, false, Nan::kNone};
    case DType::kFloat4E2M1:
      return {2, 1, 1, false, Nan::kNone};
    default:
      return {8, 23, 127, true, Nan::kIeee};
  }
}

uint32_t nan_bits(const FloatFormat& f, bool negative) {
  const uint32_t sign = negative ? 1u << (f.bits() - 1) : 0;
  switch (f.nan) {
    case FloatFormat::Nan::kIeee:
      return sign | (((1u << f.exponent_bits) - 1) << f.mantissa_bits) |
             (1u << (f.mantissa_bits - 1));
    case FloatFormat::Nan::kAllOnes:
      return sign | ((1u << (f.bits() - 1)) - 1);
    case FloatFormat::Nan::kNegativeZero:
      return 1u << (f.bits() - 1);
    case FloatFormat::Nan::kNone:
      return 0;  // no NaN: the formats' conversions give zero
  }
  return 0;
}

/// Bits of the largest finite magnitude.
uint32_t largest_finite(const FloatFormat& f) {
  const uint32_t all = (1u << (f.bits() - 1)) - 1;
  if (f.has_infinity)
    return (((1u << f.exponent_bits) - 2) << f.mantissa_bits) | ((1u << f.mantissa_bits) - 1);
  return f.nan == FloatFormat::Nan::kAllOnes ? all - 1 : all;
}

/// float8e8m0: a power of two, 2^(bits - 127); 255 is NaN; no sign and no zero.
uint32_t encode_e8m0(double value, Saturate saturate, RoundMode round) {
  if (std::isnan(value)) return 0xff;
  value = std::fabs(value);
  if (std::isinf(value)) return saturate == Saturate::kYes ? 254 : 255;
  if (value == 0) return 0;
  int exponent = 0;
  const double fraction =
      std::frexp(value, &exponent) * 2;  // value = fraction * 2^(exponent - 1), in [1, 2)
  --exponent;
  if (round == RoundMode::kUp && fraction > 1) ++exponent;
  if (round == RoundMode::kNearest && fraction >= 1.5)
    ++exponent;  // ties go up, as ONNX's reference does
  if (exponent < -127) return 0;
  if (exponent > 127) return saturate == Saturate::kYes ? 254 : 255;
  return static_cast<uint32_t>(exponent + 127);
}

template <typename T>
T load(const void* data, int64_t index) {
  T value;
  std::memcpy(&value, static_cast<const std::byte*>(data) + index * static_cast<int64_t>(sizeof(T)),
              sizeof(T));
  return value;
}
template <typename T>
void store(void* data, int64_t index, T value) {
  std::memcpy(static_cast<std::byte*>(data) + index * static_cast<int64_t>(sizeof(T)), &value,
              sizeof(T));
}

uint32_t load_bits(const void* data, int bits, int64_t index) {
  if (bits == 8) return load<uint8_t>(data, index);
  if (bits == 16) return load<uint16_t>(data, index);
  const auto* bytes = static_cast<const uint8_t*>(data);
  const int64_t bit = index * bits;
  uint32_t word = bytes[bit / 8];
  if (bit % 8 + bits > 8) word |= static_cast<uint32_t>(bytes[bit / 8 + 1]) << 8;
  return (word >> (bit % 8)) & ((1u << bits) - 1);
}
/// Below 8 bits the bits there must be zero before.
void store_bits(void* data, int bits, int64_t index, uint32_t value) {
  if (bits == 8) return store(data, index, static_cast<uint8_t>(value));
  if (bits == 16) return store(data, index, static_cast<uint16_t>(value));
  auto* bytes = static_cast<uint8_t*>(data);
  const int64_t bit = index * bits;
  const uint32_t word = (value & ((1u << bits) - 1)) << (bit % 8);
  bytes[bit / 8] = static_cast<uint8_t>(bytes[bit / 8] | (word & 0xff));
  if (bit % 8 + bits > 8)
    bytes[bit / 8 + 1] = static_cast<uint8_t>(bytes[bit / 8 + 1] | (word >> 8));
}

int64_t sign_extend(uint32_t value, int bits) {
  const uint32_t sign = 1u << (bits - 1);
  return static_cast<int64_t>(value ^ sign) - static_cast<int64_t>(sign);
}

/// Calls `visit(loader)`, loader(data, index) giving the element in the dtype's own number type.
template <typename Visit>
Status visit_numbers(DType dtype, Visit&& visit) {
  switch (dtype) {
    case DType::kFloat32:
      visit(load<float>);
      break;
    case DType::kFloat64:
      visit(load<double>);
      break;
    case DType::kInt8:
      visit(load<int8_t>);
      break;
    case DType::kInt16:
      visit(load<int16_t>);
      break;
    case DType::kInt32:
      visit(load<int32_t>);
      break;
    case DType::kInt64:
      visit(load<int64_t>);
      break;
    case DType::kUInt8:
      visit(load<uint8_t>);
      break;
    case DType::kUInt16:
      visit(load<uint16_t>);
      break;
    case DType::kUInt32:
      visit(load<uint32_t>);
      break;
    case DType::kUInt64:
      visit(load<uint64_t>);
      break;
    case DType::kBool:
      visit([](const void* data, int64_t i) {
        return static_cast<uint8_t>(load<uint8_t>(data, i) != 0);
      });
      break;
    case DType::kInt2:
    case DType::kInt4:
      visit([bits = bit_width(dtype)](const void* data, int64_t i) {
        return sign_extend(load_bits(data, bits, i), bits);
      });
      break;
    case DType::kUInt2:
    case DType::kUInt4:
      visit([bits = bit_width(dtype)](const void* data, int64_t i) {
        return uint64_t{load_bits(data, bits, i)};
      });
      break;
    case DType::kFloat16:
      visit([](const void* data, int64_t i) {
        return decode_float(DType::kFloat16, load<uint16_t>(data, i));
      });
      break;
    case DType::kBFloat16:
      visit([](const void* data, int64_t i) {
        return double{std::bit_cast<float>(static_cast<uint32_t>(load<uint16_t>(data, i)) << 16)};
      });
      break;
    case DType::kUndefined:
    case DType::kString:
    case DType::kComplex64:
    case DType::kComplex128:
      return Status::invalid_argument("a tensor of {} cannot be read as real numbers",
                                      to_string(dtype));
    default:
      visit([dtype, bits = bit_width(dtype)](const void* data, int64_t i) {
        return decode_float(dtype, load_bits(data, bits, i));
      });
  }
  return Status::ok();
}

template <typename To>
To truncate(double value) {
  // Out of range and NaN are undefined in C++: give what x86-64's conversion to int64 gives.
  if (!(value >= -9223372036854775808.0 && value < 9223372036854775808.0)) {
    if constexpr (std::is_same_v<To, uint64_t>) {
      if (value >= 9223372036854775808.0 && value < 18446744073709551616.0)
        return static_cast<uint64_t>(value - 9223372036854775808.0) + (uint64_t{1} << 63);
    }
    return static_cast<To>(std::numeric_limits<int64_t>::min());
  }
  return static_cast<To>(static_cast<int64_t>(value));
}

template <typename To>
Result<std::vector<To>> read_all(const Tensor& tensor) {
  SHIPWAY_ASSIGN_OR_RETURN(const Tensor dense, tensor.contiguous());
  std::vector<To> values(static_cast<size_t>(dense.element_count()));
  const void* data = dense.data();
  SHIPWAY_RETURN_IF_ERROR(visit_numbers(dense.dtype(), [&](auto element) {
    for (size_t i = 0; i < values.size(); ++i) {
      const auto value = element(data, static_cast<int64_t>(i));
      if constexpr (std::is_floating_point_v<decltype(value)> && std::is_integral_v<To>)
        values[i] = truncate<To>(value);
      else
        values[i] = static_cast<To>(value);
    }
  }));
  return values;
}

template <typename From>
Result<Tensor> write_all(DType dtype, Shape shape, std::span<const From> values, Saturate saturate,
                         RoundMode round) {
  const bool packed = is_sub_byte(dtype);
  SHIPWAY_ASSIGN_OR_RETURN(Tensor tensor, packed ? Tensor::zeros(dtype, std::move(shape))
                                                 : Tensor::allocate(dtype, std::move(shape)));
  if (static_cast<size_t>(tensor.element_count()) != values.size())
    return Status::internal("{} numbers for a tensor of {} elements", values.size(),
                            tensor.element_count());
  void* data = tensor.mutable_data();
  const auto each = [&](auto&& put) {
    for (size_t i = 0; i < values.size(); ++i) put(static_cast<int64_t>(i), values[i]);
  };
  const auto whole = [](From value) {
    if constexpr (std::is_floating_point_v<From>)
      return truncate<uint64_t>(value);
    else
      return static_cast<uint64_t>(value);
  };
  switch (dtype) {
    case DType::kFloat32:
      each([&](int64_t i, From v) { store(data, i, static_cast<float>(v)); });
      break;
    case DType::kFloat64:
      each([&](int64_t i, From v) { store(data, i, static_cast<double>(v)); });
      break;
    case DType::kInt8:
    case DType::kUInt8:
      each([&](int64_t i, From v) { store(data, i, static_cast<uint8_t>(whole(v))); });
      break;
    case DType::kInt16:
    case DType::kUInt16:
      each([&](int64_t i, From v) { store(data, i, static_cast<uint16_t>(whole(v))); });
      break;
    case DType::kInt32:
    case DType::kUInt32:
      each([&](int64_t i, From v) { store(data, i, static_cast<uint32_t>(whole(v))); });
      break;
    case DType::kInt64:
    case DType::kUInt64:
      each([&](int64_t i, From v) { store(data, i, whole(v)); });
      break;
    case DType::kBool:
      each([&](int64_t i, From v) { store(data, i, static_cast<uint8_t>(v != From{})); });
      break;
    case DType::kInt2:
    case DType::kUInt2:
    case DType::kInt4:
    case DType::kUInt4:
      each([&](int64_t i, From v) {
        store_bits(data, bit_width(dtype), i, static_cast<uint32_t>(whole(v)));
      });
      break;
    case DType::kUndefined:
    case DType::kString:
    case DType::kComplex64:
    case DType::kComplex128:
      return Status::invalid_argument("a tensor of {} cannot be made from real numbers",
                                      to_string(dtype));
    default:
      each([&](int64_t i, From v) {
        store_bits(data, bit_width(dtype), i,
                   encode_float(dtype, static_cast<double>(v), saturate, round));
      });
  }
  return tensor;
}

template <typename T>
std::string shortest(T value) {
  char text[64];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  return {text, end};
}

}  // namespace

double decode_float(DType dtype, uint32_t bits) {
  if (dtype == DType::kFloat32) return double{std::bit_cast<float>(bits)};
  if (dtype == DType::kFloat8E8M0)
    return bits == 0xff ? std::numeric_limits<double>::quiet_NaN()
                        : std::ldexp(1.0, static_cast<int>(bits) - 127);
  const FloatFormat f = format_of(dtype);
  const bool negative = (bits >> (f.bits() - 1)) & 1;
  const uint32_t magnitude = bits & ((1u << (f.bits() - 1)) - 1);
  const uint32_t exponent = magnitude >> f.mantissa_bits;
  const uint32_t mantissa = magnitude & ((1u << f.mantissa_bits) - 1);
  const bool top = exponent == (1u << f.exponent_bits) - 1;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  switch (f.nan) {
    case FloatFormat::Nan::kIeee:
      if (top && mantissa != 0) return negative ? -nan : nan;
      break;
    case FloatFormat::Nan::kAllOnes:
      if (top && mantissa == (1u << f.mantissa_bits) - 1) return negative ? -nan : nan;
      break;
    case FloatFormat::Nan::kNegativeZero:
      if (negative && magnitude == 0) return nan;
      break;
    case FloatFormat::Nan::kNone:
      break;
  }
  double value;
  if (f.has_infinity && top) {
    value = std::numeric_limits<double>::infinity();
  } else if (exponent == 0) {
    value = std::ldexp(static_cast<double>(mantissa), 1 - f.bias - f.mantissa_bits);
  } else {
    value = std::ldexp(static_cast<double>(mantissa | (1u << f.mantissa_bits)),
                       static_cast<int>(exponent) - f.bias - f.mantissa_bits);
  }
  return negative ? -value : value;
}

uint32_t encode_float(DType dtype, double value, Saturate saturate, RoundMode round) {
  if (dtype == DType::kFloat32) return std::bit_cast<uint32_t>(static_cast<float>(value));
  if (dtype == DType::kFloat8E8M0) return encode_e8m0(value, saturate, round);
  const FloatFormat f = format_of(dtype);
  const bool negative = std::signbit(value);
  const uint32_t sign = negative ? 1u << (f.bits() - 1) : 0;
  if (std::isnan(value)) return nan_bits(f, negative);

  // IEEE formats of 16 bits always overflow to infinity; formats without one, as `saturate` says.
  const bool ieee16 = f.bits() == 16;
  const auto beyond = [&]() -> uint32_t {
    if (f.nan == FloatFormat::Nan::kNone) return sign | largest_finite(f);
    if (saturate == Saturate::kYes && !ieee16) return sign | largest_finite(f);
    if (f.has_infinity) return sign | (((1u << f.exponent_bits) - 1) << f.mantissa_bits);
    return nan_bits(f, negative);
  };
  const double magnitude = std::fabs(value);
  if (std::isinf(magnitude)) return beyond();
  if (magnitude == 0) return f.nan == FloatFormat::Nan::kNegativeZero ? 0 : sign;

  int exponent = 0;
  std::frexp(magnitude, &exponent);
  --exponent;                     // magnitude in [2^exponent, 2^(exponent + 1))
  const int lowest = 1 - f.bias;  // exponent of the smallest normal number
  const int scale = std::max(exponent, lowest) - f.mantissa_bits;
  const double units = std::nearbyint(std::ldexp(magnitude, -scale));  // ties to even
  // Normal numbers carry their hidden bit into the exponent field; rounding up to the next power
  // works out.
  const int field = std::max(exponent, lowest) - lowest;
  const auto encoded =
      static_cast<uint64_t>(units) + (static_cast<uint64_t>(field) << f.mantissa_bits);
  if (encoded > largest_finite(f)) return beyond();
  if (encoded == 0) return f.nan == FloatFormat::Nan::kNegativeZero ? 0 : sign;
  return sign | static_cast<uint32_t>(encoded);
}

Result<std::vector<double>> to_doubles(const Tensor& tensor) { return read_all<double>(tensor); }
Result<std::vector<int64_t>> to_ints(const Tensor& tensor) { return read_all<int64_t>(tensor); }
Result<std::vector<uint64_t>> to_uints(const Tensor& tensor) { return read_all<uint64_t>(tensor); }

Result<std::vector<std::complex<double>>> to_complexes(const Tensor& tensor) {
  SHIPWAY_ASSIGN_OR_RETURN(const Tensor dense, tensor.contiguous());
  if (tensor.dtype() == DType::kComplex64) {
    const auto values = dense.as<std::complex<float>>();
    return std::vector<std::complex<double>>(values.begin(), values.end());
  }
  if (tensor.dtype() == DType::kComplex128) {
    const auto values = dense.as<std::complex<double>>();
    return std::vector<std::complex<double>>(values.begin(), values.end());
  }
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<double> real, to_doubles(dense));
  return std::vector<std::complex<double>>(real.begin(), real.end());
}

Result<Tensor> from_doubles(DType dtype, Shape shape, std::span<const double> values,
                            Saturate saturate, RoundMode round) {
  return write_all(dtype, std::move(shape), values, saturate, round);
}
Result<Tensor> from_ints(DType dtype, Shape shape, std::span<const int64_t> values) {
  return write_all(dtype, std::move(shape), values, Saturate::kYes, RoundMode::kUp);
}
Result<Tensor> from_uints(DType dtype, Shape shape, std::span<const uint64_t> values) {
  return write_all(dtype, std::move(shape), values, Saturate::kYes, RoundMode::kUp);
}

Result<Tensor> from_complexes(DType dtype, Shape shape,
                              std::span<const std::complex<double>> values) {
  if (dtype != DType::kComplex64 && dtype != DType::kComplex128)
    return Status::invalid_argument("a tensor of {} cannot be made from complex numbers",
                                    to_string(dtype));
  SHIPWAY_ASSIGN_OR_RETURN(Tensor tensor, Tensor::allocate(dtype, std::move(shape)));
  if (static_cast<size_t>(tensor.element_count()) != values.size())
    return Status::internal("{} numbers for a tensor of {} elements", values.size(),
                            tensor.element_count());
  for (size_t i = 0; i < values.size(); ++i) {
    if (dtype == DType::kComplex64)
      tensor.mutable_as<std::complex<float>>()[i] = std::complex<float>(values[i]);
    else
      tensor.mutable_as<std::complex<double>>()[i] = values[i];
  }
  return tensor;
}

Result<Tensor> unpack_to_bytes(const Tensor& tensor) {
  if (!is_sub_byte(tensor.dtype())) return tensor;
  SHIPWAY_ASSIGN_OR_RETURN(Tensor bytes, Tensor::allocate(DType::kUInt8, tensor.shape()));
  const auto out = bytes.mutable_as<uint8_t>();
  for (size_t i = 0; i < out.size(); ++i)
    out[i] = static_cast<uint8_t>(
        load_bits(tensor.data(), bit_width(tensor.dtype()), static_cast<int64_t>(i)));
  return bytes;
}

Result<Tensor> pack_from_bytes(DType dtype, const Tensor& bytes) {
  if (!is_sub_byte(dtype)) return bytes;
  SHIPWAY_ASSIGN_OR_RETURN(Tensor packed, Tensor::zeros(dtype, bytes.shape()));
  const auto in = bytes.as<uint8_t>();
  for (size_t i = 0; i < in.size(); ++i)
    store_bits(packed.mutable_data(), bit_width(dtype), static_cast<int64_t>(i), in[i]);
  return packed;
}

std::string element_to_string(const Tensor& tensor, int64_t index) {
  if (tensor.dtype() == DType::kString) {
    constexpr size_t kShown = 40;
    const std::string& text = tensor.strings()[static_cast<size_t>(index)];
    std::string quoted = "\"";
    for (char c : text.substr(0, kShown)) {
      if (c == '"' || c == '\\') quoted += '\\';
      quoted += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
    }
    return quoted + (text.size() > kShown ? "...\"" : "\"");
  }
  if (tensor.dtype() == DType::kComplex64 || tensor.dtype() == DType::kComplex128) {
    const std::complex<double> z =
        tensor.dtype() == DType::kComplex64
            ? std::complex<double>(load<std::complex<float>>(tensor.data(), index))
            : load<std::complex<double>>(tensor.data(), index);
    return shortest(z.real()) + (std::signbit(z.imag()) ? "" : "+") + shortest(z.imag()) + "i";
  }
  std::string text;
  const Status status = visit_numbers(tensor.dtype(), [&](auto element) {
    if (tensor.dtype() == DType::kBool) {
      text = element(tensor.data(), index) != 0 ? "true" : "false";
    } else {
      text = shortest(element(tensor.data(), index));
    }
  });
  return status.is_ok() ? text : "?";
}

}  // namespace shipway
