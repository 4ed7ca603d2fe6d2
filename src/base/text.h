// Texts from files made safe for messages, and numbers read and written without a locale.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace shipway {

/// `from_file` in single quotes, fit for a message: names from hostile files go into messages only
/// through here. Control characters (line breaks, escapes, and Unicode's bidirectional overrides,
/// which reorder a terminal line) and bytes that are not UTF-8 appear as \xNN. What exceeds `limit`
/// bytes is cut, at a whole character, and ends in '…'.
std::string quoted(std::string_view from_file, size_t limit = 80);
// Exact matches for std::string, or argument-dependent lookup would prefer std::quoted of
// <iomanip>.
inline std::string quoted(const std::string& from_file, size_t limit = 80) {
  return quoted(std::string_view(from_file), limit);
}
inline std::string quoted(const char* from_file, size_t limit = 80) {
  return quoted(std::string_view(from_file), limit);
}
inline std::string quoted(std::string& from_file, size_t limit = 80) {
  return quoted(std::string_view(from_file), limit);
}

/// True when `text` is well-formed UTF-8 (no overlong forms, no surrogates, nothing above
/// U+10FFFF).
bool is_utf8(std::string_view text);

/// The whole of `text` as a decimal integer; nothing when it is empty, out of range, or anything
/// else stands around it (also spaces and '+').
std::optional<int64_t> parse_int(std::string_view text);

/// The whole of `text` as a number ("1", "-2.5e-3", "inf", "nan"), correctly rounded. A number too
/// large for a double is nothing; one too small becomes 0, as rounding asks.
std::optional<double> parse_double(std::string_view text);

/// The shortest decimal text that reads back as the same number ("0.1", "1e+20", "inf", "nan").
std::string to_text(double value);
std::string to_text(float value);

}  // namespace shipway
