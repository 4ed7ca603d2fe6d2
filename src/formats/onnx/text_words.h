// What the printer and the parser of ONNX's text syntax share.
#pragma once

#include <algorithm>
#include <string_view>

namespace shipway {

/// How deep graphs and types may lie in each other, counted together.
inline constexpr int kMaxTextDepth = 100;

constexpr bool is_text_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr bool is_text_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_identifier_start(char c) { return is_text_letter(c) || c == '_'; }
constexpr bool is_identifier_part(char c) { return is_identifier_start(c) || is_text_digit(c); }

/// True when `name` can stand without quotes.
constexpr bool is_text_identifier(std::string_view name) {
  return !name.empty() && is_identifier_start(name.front()) &&
         std::all_of(name.begin(), name.end(), is_identifier_part);
}

}  // namespace shipway
