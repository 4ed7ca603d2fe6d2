#include "graph/text_scanner.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace shipway {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_word_character(char c) {
  return is_letter(c) || is_digit(c) || c == '_' || c == '.' || c == '/';
}
bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

bool is_plain_name(std::string_view name) {
  return !name.empty() && name != "_" && std::all_of(name.begin(), name.end(), is_word_character);
}

std::string quote_text(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  const bool utf8 = is_utf8(bytes);
  std::string text = "\"";
  for (char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      text += '\\';
      text += c;
    } else if (c == '\n') {
      text += "\\n";
    } else if (c == '\t') {
      text += "\\t";
    } else if (byte < 0x20 || byte == 0x7f || (byte >= 0x80 && !utf8)) {
      text += "\\x";
      text += kDigits[byte >> 4];
      text += kDigits[byte & 15];
    } else {
      text += c;
    }
  }
  return text + '"';
}

std::string spell_name(std::string_view name) {
  return is_plain_name(name) ? std::string(name) : quote_text(name);
}

void Scanner::skip_space() {
  while (position_ < text_.size()) {
    if (is_space(text_[position_])) {
      ++position_;
    } else if (text_[position_] == '#') {
      position_ = std::min(text_.find('\n', position_), text_.size());
    } else {
      return;
    }
  }
}

std::string_view Scanner::take(size_t count) {
  const std::string_view taken = text_.substr(position_, count);
  position_ += taken.size();
  skip_space();
  return taken;
}

bool Scanner::accept(std::string_view token) {
  if (!next_is(token)) return false;
  take(token.size());
  return true;
}

Status Scanner::expect(std::string_view token) {
  if (accept(token)) return Status::ok();
  return error_expected("'" + std::string(token) + "'");
}

std::string_view Scanner::peek_word() const {
  size_t end = position_;
  while (end < text_.size() && is_word_character(text_[end])) ++end;
  return text_.substr(position_, end - position_);
}

bool Scanner::accept_word(std::string_view word) {
  if (peek_word() != word) return false;
  take_word();
  return true;
}

char Scanner::peek_after_word() const {
  Scanner ahead = *this;
  ahead.take_word();
  return ahead.peek();
}

std::string_view Scanner::take_word() { return take(peek_word().size()); }

Result<std::string> Scanner::name(std::string_view what) {
  if (peek() == '"') return quoted(what);
  const std::string_view word = peek_word();
  if (word.empty() || word == "_") return error_expected(what);
  take_word();
  return std::string(word);
}

Result<std::string> Scanner::quoted(std::string_view what) {
  const size_t start = position_;
  if (peek() != '"') return error_expected(what);
  std::string bytes;
  for (size_t i = position_ + 1; i < text_.size(); ++i) {
    const char c = text_[i];
    if (c == '"') {
      position_ = i + 1;
      skip_space();
      return bytes;
    }
    if (c == '\n') break;
    if (c != '\\') {
      bytes += c;
      continue;
    }
    const char escape = ++i < text_.size() ? text_[i] : '\0';
    if (escape == 'n') {
      bytes += '\n';
    } else if (escape == 't') {
      bytes += '\t';
    } else if (escape == '"' || escape == '\\') {
      bytes += escape;
    } else if (escape == 'x' && i + 2 < text_.size() && hex_digit(text_[i + 1]) >= 0 &&
               hex_digit(text_[i + 2]) >= 0) {
      bytes += static_cast<char>(hex_digit(text_[i + 1]) * 16 + hex_digit(text_[i + 2]));
      i += 2;
    } else {
      return error_at(i - 1, "a backslash in quotes is followed by one of \" \\ n t xNN");
    }
  }
  return error_at(start, "this quotation does not end on its line");
}

Result<std::string> Scanner::dim_symbol() {
  if (peek() == '"') return quoted("a symbol");
  size_t end = position_ + (peek() == '?' ? 1 : 0);
  while (end < text_.size() && is_word_character(text_[end]) && text_[end] != '/') ++end;
  if (end == position_) return error_expected("a size");
  const std::string_view symbol = text_.substr(position_, end - position_);
  position_ = end;
  skip_space();
  return std::string(symbol);
}

std::string_view Scanner::take_number() {
  size_t end = position_;
  if (end < text_.size() && (text_[end] == '-' || text_[end] == '+')) ++end;
  const bool hex = text_.substr(end).starts_with("0x");
  while (end < text_.size()) {
    const char c = text_[end];
    const bool exponent_sign = (c == '-' || c == '+') && !hex && end > position_ &&
                               (text_[end - 1] == 'e' || text_[end - 1] == 'E');
    if (!is_letter(c) && !is_digit(c) && c != '.' && !exponent_sign) break;
    ++end;
  }
  const std::string_view number = text_.substr(position_, end - position_);
  position_ = end;
  skip_space();
  return number;
}

Result<int64_t> Scanner::integer(std::string_view what) {
  Scanner ahead = *this;
  const std::optional<int64_t> number = parse_int(ahead.take_number());
  if (!number) return error_expected(what);
  *this = ahead;
  return *number;
}

std::string Scanner::place(size_t position) const {
  const std::string_view before = text_.substr(0, position);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const size_t start = before.rfind('\n');
  const size_t column = position - (start == std::string_view::npos ? 0 : start + 1) + 1;
  return "line " + std::to_string(line) + ", column " + std::to_string(column) + ": ";
}

Status Scanner::error_expected(std::string_view what) const {
  std::string found = "the end of the text";
  if (!at_end()) {
    std::string_view token = peek_word();
    if (token.empty()) token = text_.substr(position_, 1);
    found = shipway::quoted(token, 40);
  }
  return error_at(position_, "found " + found + ", expected " + std::string(what));
}

Status Scanner::error_at(size_t position, std::string_view message, StatusCode code) const {
  const std::string text = place(position) + std::string(message);
  return code == StatusCode::kLimit ? Status::limit("{}", text)
                                    : Status::invalid_argument("{}", text);
}

}  // namespace shipway
