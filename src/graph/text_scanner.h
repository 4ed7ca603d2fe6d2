// Scanner: words, quoted strings and numbers of the text form, and errors that say where.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "shipway/status.h"

namespace shipway {

/// True when `name` can stand in the text form without quotes: letters, digits and `_ . /` only,
/// and not "_" alone.
bool is_plain_name(std::string_view name);
/// `bytes` in double quotes. `\" \\ \n \t` and `\xNN` for control characters and bytes that are not
/// UTF-8, so that any bytes read back the same.
std::string quote_text(std::string_view bytes);
/// The name itself when it is plain, else quoted.
std::string spell_name(std::string_view name);

/// Reads a text from front to back. Space and comments (`#` to the end of the line) may stand
/// between any two tokens. The text must outlive it.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) { skip_space(); }

  bool at_end() const { return position_ == text_.size(); }
  /// What has not been read yet.
  std::string_view rest() const { return text_.substr(position_); }
  /// Takes `count` characters, and the space after them.
  std::string_view take(size_t count);
  /// The next character; '\0' at the end.
  char peek() const { return at_end() ? '\0' : text_[position_]; }
  bool next_is(std::string_view token) const { return text_.substr(position_).starts_with(token); }
  /// Takes `token` (punctuation) if it comes next.
  bool accept(std::string_view token);
  Status expect(std::string_view token);
  /// The word that comes next: the longest run of the characters of plain names; "" when there is
  /// none.
  std::string_view peek_word() const;
  bool accept_word(std::string_view word);
  /// The character after the next word and the space that follows it.
  char peek_after_word() const;
  std::string_view take_word();
  /// A word or a quoted string; `what` says in an error what was expected.
  Result<std::string> name(std::string_view what);
  Result<std::string> quoted(std::string_view what);
  /// A symbol of a dim expression: letters, digits, `_` and `.`, no '/' (which divides there), a
  /// '?' in front allowed; or a quoted string.
  Result<std::string> dim_symbol();
  /// The characters of a number, unchecked: "-1.5e-3", "0x7fc0", "inf", "-nan".
  std::string_view take_number();
  Result<int64_t> integer(std::string_view what);

  size_t position() const { return position_; }
  /// "line 3, column 7: found ')', expected a name", at the next token or at `position`.
  Status error_expected(std::string_view what) const;
  /// "line 3, column 7: " and the message.
  Status error_at(size_t position, std::string_view message,
                  StatusCode code = StatusCode::kInvalidArgument) const;

 private:
  void skip_space();
  std::string place(size_t position) const;
  std::string_view text_;
  size_t position_ = 0;
};

}  // namespace shipway
