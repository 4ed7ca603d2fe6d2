#include "base/text.h"

#include <charconv>
#include <cmath>
#include <system_error>

namespace shipway {
namespace {

struct Character {
  size_t length = 0;  // bytes; 0 when the bytes are not UTF-8
  char32_t code = 0;
};

/// The character at the start of `text` (not empty), by table 3-7 of the Unicode Standard.
Character first_character(std::string_view text) {
  auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {1, lead};
  const size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return {};
  char32_t code = lead & (0xFFu >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {};
    code = (code << 6) | (byte(i) & 0x3Fu);
  }
  const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  if (overlong || surrogate || code > 0x10FFFF) return {};
  return {length, code};
}

bool needs_escape(char32_t code) {
  return code < 0x20 || (code >= 0x7F && code <= 0x9F) || (code >= 0x200E && code <= 0x200F) ||
         (code >= 0x2028 && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069) || code == 0xFEFF;
}

void append_escaped(std::string& text, std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  for (char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += "\\x";
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
}

template <typename T>
std::string shortest(T value) {
  if (std::isnan(value)) return "nan";  // to_chars would say "-nan" too
  char buffer[64];
  const auto result = std::to_chars(buffer, buffer + sizeof buffer, value);
  return std::string(buffer, result.ptr);
}

}  // namespace

std::string quoted(std::string_view from_file, size_t limit) {
  std::string text = "'";
  while (!from_file.empty()) {
    const Character character = first_character(from_file);
    const size_t length = character.length == 0 ? 1 : character.length;
    const bool escape = character.length == 0 || needs_escape(character.code);
    const size_t printed = escape ? 4 * length : length;
    if (printed > limit) {
      text += "…";
      break;
    }
    limit -= printed;
    if (escape) {
      append_escaped(text, from_file.substr(0, length));
    } else {
      text += from_file.substr(0, length);
    }
    from_file.remove_prefix(length);
  }
  text += "'";
  return text;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const size_t length = first_character(text).length;
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::optional<int64_t> parse_int(std::string_view text) {
  int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  if (result.ec != std::errc() || result.ptr != end) return std::nullopt;
  return value;
}

std::optional<double> parse_double(std::string_view text) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  if (result.ptr != end) return std::nullopt;
  if (result.ec == std::errc()) return value;
  if (result.ec != std::errc::result_out_of_range) return std::nullopt;
  // Too large or too small: from_chars does not say which; the wider type does.
  long double wide = 0;
  if (std::from_chars(text.data(), end, wide).ec != std::errc() || std::fabs(wide) > 1)
    return std::nullopt;
  return static_cast<double>(wide);
}

std::string to_text(double value) { return shortest(value); }
std::string to_text(float value) { return shortest(value); }

}  // namespace shipway
