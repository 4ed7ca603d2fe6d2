#include "tensor/npy.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "base/mapped_file.h"
#include "base/text.h"

namespace shipway {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kMagic = "\x93NUMPY";

struct Header {
  std::string descr;
  bool fortran_order = false;
  Shape shape;
};

/// Reads the one Python dictionary of the header; nothing else of Python.
class HeaderParser {
 public:
  explicit HeaderParser(std::string_view text) : text_(text) {}

  Result<Header> parse() {
    Header header;
    bool has_descr = false, has_order = false, has_shape = false;
    if (!take('{')) return wrong("a dictionary");
    while (!take('}')) {
      std::string key;
      if (!take_string(key) || !take(':')) return wrong("a key");
      if (key == "descr") {
        skip_spaces();
        if (text_.starts_with("["))
          return Status::unsupported(
              "a .npy file of records (descr {}) is not supported, only of plain elements",
              quoted(text_));
        if (!take_string(header.descr)) return wrong("a type in 'descr'");
        has_descr = true;
      } else if (key == "fortran_order") {
        if (take_word("True"))
          header.fortran_order = true;
        else if (!take_word("False"))
          return wrong("True or False");
        has_order = true;
      } else if (key == "shape") {
        if (!take_shape(header.shape)) return wrong("a tuple of sizes in 'shape'");
        has_shape = true;
      } else {
        return Status::invalid_argument("a .npy header has an unknown key {}", quoted(key));
      }
      if (!take(',')) {
        if (take('}')) break;
        return wrong("',' or '}'");
      }
    }
    if (!has_descr || !has_order || !has_shape)
      return Status::invalid_argument("a .npy header needs 'descr', 'fortran_order' and 'shape'");
    return header;
  }

 private:
  void skip_spaces() {
    while (!text_.empty() && (text_[0] == ' ' || text_[0] == '\n' || text_[0] == '\t'))
      text_.remove_prefix(1);
  }
  bool take(char c) {
    skip_spaces();
    if (text_.empty() || text_[0] != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  bool take_word(std::string_view word) {
    skip_spaces();
    if (!text_.starts_with(word)) return false;
    text_.remove_prefix(word.size());
    return true;
  }
  bool take_string(std::string& to) {
    skip_spaces();
    if (text_.empty() || (text_[0] != '\'' && text_[0] != '"')) return false;
    const size_t end = text_.find(text_[0], 1);
    if (end == text_.npos) return false;
    to = text_.substr(1, end - 1);
    text_.remove_prefix(end + 1);
    return true;
  }
  bool take_shape(Shape& shape) {
    if (!take('(')) return false;
    while (!take(')')) {
      skip_spaces();
      const size_t digits = std::min(text_.find_first_not_of("0123456789"), text_.size());
      const auto size = parse_int(text_.substr(0, digits));
      if (!size) return false;
      text_.remove_prefix(digits);
      if (text_.starts_with("L")) text_.remove_prefix(1);  // written by Python 2
      shape.push_back(*size);
      if (!take(',')) return take(')');
    }
    return true;
  }
  Status wrong(std::string_view expected) const {
    return Status::invalid_argument("a .npy header has {}, expected {}", quoted(text_, 40),
                                    expected);
  }
  std::string_view text_;
};

struct NumpyType {
  std::string_view code;  // without the byte order
  DType dtype;
};
constexpr NumpyType kTypes[] = {
    {"f4", DType::kFloat32}, {"f8", DType::kFloat64},   {"f2", DType::kFloat16},
    {"i1", DType::kInt8},    {"i2", DType::kInt16},     {"i4", DType::kInt32},
    {"i8", DType::kInt64},   {"u1", DType::kUInt8},     {"u2", DType::kUInt16},
    {"u4", DType::kUInt32},  {"u8", DType::kUInt64},    {"b1", DType::kBool},
    {"?", DType::kBool},     {"c8", DType::kComplex64}, {"c16", DType::kComplex128},
};

void append_utf8(std::string& text, uint32_t code) {
  if (code < 0x80) {
    text += static_cast<char>(code);
  } else if (code < 0x800) {
    text += static_cast<char>(0xC0 | code >> 6);
    text += static_cast<char>(0x80 | (code & 63));
  } else if (code < 0x10000) {
    text += static_cast<char>(0xE0 | code >> 12);
    text += static_cast<char>(0x80 | (code >> 6 & 63));
    text += static_cast<char>(0x80 | (code & 63));
  } else {
    text += static_cast<char>(0xF0 | code >> 18);
    text += static_cast<char>(0x80 | (code >> 12 & 63));
    text += static_cast<char>(0x80 | (code >> 6 & 63));
    text += static_cast<char>(0x80 | (code & 63));
  }
}

/// The code points of UTF-8; bytes that are none stand for themselves.
std::vector<uint32_t> code_points(std::string_view text) {
  std::vector<uint32_t> codes;
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
    if (length > text.size() - i || !is_utf8(text.substr(i, length))) length = 1;
    uint32_t code = length == 1 ? lead : lead & (0xFFu >> (length + 1));
    for (size_t j = 1; j < length; ++j)
      code = code << 6 | (static_cast<unsigned char>(text[i + j]) & 0x3Fu);
    codes.push_back(code);
    i += length;
  }
  return codes;
}

Result<std::string> decode_text(std::span<const std::byte> item, bool is_unicode, bool big_endian) {
  std::string text;
  if (!is_unicode) {
    text.assign(reinterpret_cast<const char*>(item.data()), item.size());
    text.erase(text.find_last_not_of('\0') + 1);
    return text;
  }
  std::vector<uint32_t> codes(item.size() / 4);
  for (size_t i = 0; i < codes.size(); ++i) {
    std::memcpy(&codes[i], item.data() + 4 * i, 4);
    if (big_endian) codes[i] = __builtin_bswap32(codes[i]);
    if (codes[i] > 0x10FFFF)
      return Status::invalid_argument("a .npy text has {}, which is no character", codes[i]);
  }
  while (!codes.empty() && codes.back() == 0) codes.pop_back();
  for (uint32_t code : codes) append_utf8(text, code);
  return text;
}

/// For each place of a row-major array of `shape`, calls take(place in Fortran order).
template <typename Take>
void for_each_fortran(const Shape& shape, int64_t count, Take take) {
  if (count == 0) return;  // the other dimensions may have any product then
  Shape strides(shape.size(), 1);
  for (size_t axis = 1; axis < shape.size(); ++axis)
    strides[axis] = strides[axis - 1] * shape[axis - 1];
  Shape index(shape.size(), 0);
  int64_t source = 0;
  for (int64_t i = 0; i < count; ++i) {
    take(i, source);
    for (size_t axis = shape.size(); axis-- > 0;) {
      source += strides[axis];
      if (++index[axis] < shape[axis]) break;
      source -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
}

Result<Tensor> read_strings(const Header& header, int64_t count, std::span<const std::byte> data,
                            bool big_endian) {
  const bool is_unicode = header.descr[1] == 'U';
  const auto characters = parse_int(std::string_view(header.descr).substr(2));
  if (!characters || *characters <= 0 || *characters > (1 << 28))
    return Status::invalid_argument("a .npy file has type {}, whose length makes no sense",
                                    quoted(header.descr));
  const auto width = static_cast<size_t>(*characters) * (is_unicode ? 4 : 1);
  if (static_cast<uint64_t>(count) > data.size() / width)
    return Status::invalid_argument(
        "a .npy file is cut off: {} elements of {} bytes expected, {} bytes left", count, width,
        data.size());
  std::vector<std::string> strings(static_cast<size_t>(count));
  Status status;
  const auto take = [&](int64_t to, int64_t from) {
    auto text =
        decode_text(data.subspan(static_cast<size_t>(from) * width, width), is_unicode, big_endian);
    if (text.is_ok())
      strings[static_cast<size_t>(to)] = std::move(*text);
    else
      status = text.status();
  };
  if (header.fortran_order)
    for_each_fortran(header.shape, count, take);
  else
    for (int64_t i = 0; i < count; ++i) take(i, i);
  SHIPWAY_RETURN_IF_ERROR(status);
  return Tensor::from_strings(header.shape, std::move(strings));
}

void swap_bytes(std::byte* data, size_t size, size_t element) {
  for (size_t i = 0; i < size; i += element) std::reverse(data + i, data + i + element);
}

Result<Tensor> read_elements(const Header& header, std::span<const std::byte> data) {
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t count, element_count(header.shape));
  const std::string_view descr = header.descr;
  if (descr.size() < 2)
    return Status::invalid_argument("a .npy file has no type ({})", quoted(descr));
  const bool has_order = "<>|="sv.find(descr[0]) != ""sv.npos;
  const bool big_endian = descr[0] == '>';
  const std::string_view code = has_order ? descr.substr(1) : descr;
  if (has_order && (code[0] == 'S' || code[0] == 'U'))
    return read_strings(header, count, data, big_endian);
  if (code[0] == 'O')
    return Status::unsupported(
        "a .npy file of Python objects (a pickle) is not read: it could run code");
  const auto* type = std::find_if(std::begin(kTypes), std::end(kTypes),
                                  [&](const auto& t) { return t.code == code; });
  if (type == std::end(kTypes))
    return Status::unsupported(
        "a .npy file has type {}, which ONNX has not (an extension type such as bfloat16 is saved "
        "without its name: convert it to float32 first, or use a .pb file)",
        quoted(descr));
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t bytes, storage_bytes(type->dtype, count));
  if (static_cast<uint64_t>(bytes) > data.size())
    return Status::invalid_argument(
        "a .npy file is cut off: {} bytes of elements expected, {} left", bytes, data.size());
  SHIPWAY_ASSIGN_OR_RETURN(Tensor tensor, Tensor::allocate(type->dtype, header.shape));
  auto* to = static_cast<std::byte*>(tensor.mutable_data());
  const auto size = static_cast<size_t>(bit_width(type->dtype)) / 8;
  if (header.fortran_order && tensor.rank() > 1) {
    for_each_fortran(header.shape, count, [&](int64_t place, int64_t from) {
      std::memcpy(to + static_cast<size_t>(place) * size,
                  data.data() + static_cast<size_t>(from) * size, size);
    });
  } else if (bytes > 0) {
    std::memcpy(to, data.data(), static_cast<size_t>(bytes));
  }
  const bool is_complex = kind_of(type->dtype) == DTypeKind::kComplex;
  if (big_endian) swap_bytes(to, static_cast<size_t>(bytes), is_complex ? size / 2 : size);
  return tensor;
}

}  // namespace

Result<Tensor> parse_npy(std::span<const std::byte> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (!text.starts_with(kMagic) || text.size() < 10)
    return Status::invalid_argument(
        "not a .npy file: it does not start with \\x93NUMPY and a version");
  const auto byte = [&](size_t i) {
    return static_cast<size_t>(std::to_integer<uint8_t>(bytes[i]));
  };
  const size_t major = byte(6);
  if (major < 1 || major > 3)
    return Status::unsupported("a .npy file of version {}.{}, expected 1.0 to 3.0", major, byte(7));
  const size_t begin = major == 1 ? 10 : 12;
  if (text.size() < begin) return Status::invalid_argument("a .npy file is cut off in its header");
  size_t length = byte(8) | byte(9) << 8;
  if (major > 1) length |= byte(10) << 16 | byte(11) << 24;
  if (length > text.size() - begin)
    return Status::invalid_argument("a .npy file is cut off: its header has {} bytes, {} are left",
                                    length, text.size() - begin);
  SHIPWAY_ASSIGN_OR_RETURN(const Header header, HeaderParser(text.substr(begin, length)).parse());
  return read_elements(header, bytes.subspan(begin + length));
}

Result<Tensor> read_npy(const std::string& path) {
  SHIPWAY_ASSIGN_OR_RETURN(const auto file, MappedFile::open(path));
  auto tensor = parse_npy(file->bytes());
  if (!tensor.is_ok()) return tensor.status().with_context("reading {}", quoted(path, 400));
  return tensor;
}

Result<std::string> serialize_npy(const Tensor& given) {
  SHIPWAY_ASSIGN_OR_RETURN(const Tensor tensor, given.contiguous());
  std::string descr, elements;
  if (tensor.dtype() == DType::kString) {
    std::vector<std::vector<uint32_t>> texts;
    size_t longest = 1;
    for (const std::string& text : tensor.strings())
      longest = std::max(longest, texts.emplace_back(code_points(text)).size());
    descr = "<U" + std::to_string(longest);
    for (auto& codes : texts) {
      codes.resize(longest);
      elements.append(reinterpret_cast<const char*>(codes.data()), 4 * longest);
    }
  } else {
    const auto* type = std::find_if(std::begin(kTypes), std::end(kTypes),
                                    [&](const auto& t) { return t.dtype == tensor.dtype(); });
    if (type == std::end(kTypes))
      return Status::unsupported("NumPy has no {}: write a .pb file, or cast to float first",
                                 to_string(tensor.dtype()));
    descr = (bit_width(type->dtype) == 8 ? "|" : "<") + std::string(type->code);
    elements.assign(static_cast<const char*>(tensor.data()),
                    static_cast<size_t>(tensor.byte_size()));
  }
  std::string header = "{'descr': '" + descr + "', 'fortran_order': False, 'shape': (";
  for (size_t i = 0; i < tensor.shape().size(); ++i)
    header += (i ? " " : "") + std::to_string(tensor.shape()[i]) +
              (i + 1 < tensor.shape().size() || i == 0 ? "," : "");
  header += "), }";
  constexpr size_t kAlignment = 64;  // of the elements, as NumPy writes
  const bool is_long = header.size() + 128 > 0xffff;
  const size_t before = kMagic.size() + 2 + (is_long ? 4 : 2);
  header.append((kAlignment - (before + header.size() + 1) % kAlignment) % kAlignment, ' ');
  header += '\n';
  std::string file(kMagic);
  file += is_long ? "\x02\x00"sv : "\x01\x00"sv;
  for (size_t i = 0; i < (is_long ? 4u : 2u); ++i)
    file += static_cast<char>(header.size() >> (8 * i) & 0xff);
  return file + header + elements;
}

Status write_npy(const std::string& path, const Tensor& tensor) {
  const auto bytes = serialize_npy(tensor);
  if (!bytes.is_ok()) return bytes.status().with_context("writing {}", quoted(path, 400));
  return write_file_atomically(path, std::as_bytes(std::span<const char>(*bytes)));
}

}  // namespace shipway
