// Status and Result: how every part of Shipway reports that something did not work.
//
// A Status is an error value: a code, and a sentence that says what was wrong, where, what was
// found and what was expected. Levels above add what they were doing (`add_context`), so a message
// reads `reading m.onnx: node 'conv1' (Conv): attribute 'pads' has 3 values, expected 4`.
#pragma once

#include <concepts>
#include <cstdint>
#include <exception>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace shipway {

enum class StatusCode : uint8_t {
  kOk,
  kInvalidModel,     // the model breaks a rule of its format or of ONNX
  kInvalidArgument,  // the caller's argument or input tensor does not fit
  kNotFound,         // no such file, value or name
  kUnsupported,      // valid, but not implemented here
  kLimit,            // a limit (time, memory, depth, size) was reached
  kOutOfMemory,
  kCancelled,
  kIo,        // the operating system refused a read or a write
  kInternal,  // a mistake of ours
};

/// The name of `code` in snake_case ("invalid_model").
std::string_view to_string(StatusCode code);

/// One argument of a message: anything that has a number, a text, or a `to_string(x)` found by its
/// namespace. Views are kept until the message is made, so an argument must outlive the full
/// expression (temporaries do).
class FormatArg {
 public:
  enum class Kind : uint8_t { kInt, kUInt, kDouble, kView, kText };
  template <std::signed_integral T>
  FormatArg(T value) : kind_(Kind::kInt), int_(value) {}
  template <std::unsigned_integral T>
  requires(!std::same_as<T, bool>) FormatArg(T value) : kind_(Kind::kUInt), uint_(value) {}
  FormatArg(bool value) : kind_(Kind::kView), view_(value ? "true" : "false") {}
  template <std::floating_point T>
  FormatArg(T value) : kind_(Kind::kDouble), double_(static_cast<double>(value)) {}
  FormatArg(std::string_view value) : kind_(Kind::kView), view_(value) {}
  FormatArg(const std::string& value) : kind_(Kind::kView), view_(value) {}
  FormatArg(const char* value) : kind_(Kind::kView), view_(value) {}
  template <typename T>
  requires requires(const T& x) { std::string(to_string(x)); }
  FormatArg(const T& value) : kind_(Kind::kText), text_(to_string(value)) {}

  Kind kind() const { return kind_; }
  int64_t as_int() const { return int_; }
  uint64_t as_uint() const { return uint_; }
  double as_double() const { return double_; }
  std::string_view as_view() const {
    return kind_ == Kind::kText ? std::string_view(text_) : view_;
  }

 private:
  Kind kind_;
  union {
    int64_t int_;
    uint64_t uint_;
    double double_;
  };
  std::string_view view_;
  std::string text_;
};

/// Fills each `{}` of `pattern` with the next argument (fmt's syntax). Texts from files should go
/// through `quoted()` of base/text.h first, which escapes and shortens them.
std::string format_message(std::string_view pattern, std::initializer_list<FormatArg> arguments);

/// Success, or an error with its message. Copying is cheap (a shared pointer; null when ok).
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(StatusCode code, std::string message);

  static Status ok() { return {}; }
#define SHIPWAY_STATUS_FACTORY(name, code)                                               \
  template <typename... Args>                                                            \
  static Status name(std::string_view pattern, const Args&... arguments) {               \
    return Status(StatusCode::code, format_message(pattern, {FormatArg(arguments)...})); \
  }
  SHIPWAY_STATUS_FACTORY(invalid_model, kInvalidModel)
  SHIPWAY_STATUS_FACTORY(invalid_argument, kInvalidArgument)
  SHIPWAY_STATUS_FACTORY(not_found, kNotFound)
  SHIPWAY_STATUS_FACTORY(unsupported, kUnsupported)
  SHIPWAY_STATUS_FACTORY(limit, kLimit)
  SHIPWAY_STATUS_FACTORY(out_of_memory, kOutOfMemory)
  SHIPWAY_STATUS_FACTORY(cancelled, kCancelled)
  SHIPWAY_STATUS_FACTORY(io, kIo)
  SHIPWAY_STATUS_FACTORY(internal, kInternal)
#undef SHIPWAY_STATUS_FACTORY

  bool is_ok() const { return !error_; }
  explicit operator bool() const = delete;  // `if (status)` reads both ways: say is_ok()
  StatusCode code() const { return error_ ? error_->code : StatusCode::kOk; }
  const std::string& message() const;

  /// The same error, its message preceded by `context` and ": ". Does nothing to an ok Status.
  template <typename... Args>
  Status with_context(std::string_view pattern, const Args&... arguments) const {
    return is_ok() ? *this : add_context(format_message(pattern, {FormatArg(arguments)...}));
  }

 private:
  struct Error {
    StatusCode code;
    std::string message;
  };
  Status add_context(std::string context) const;
  std::shared_ptr<const Error> error_;
};

/// A Status as an exception; thrown at two doors only: eager operators in C++ and Python.
class Error : public std::exception {
 public:
  explicit Error(Status status) : status_(std::move(status)) {}
  const Status& status() const { return status_; }
  const char* what() const noexcept override { return status_.message().c_str(); }

 private:
  Status status_;
};

/// A T, or the Status that says why there is none.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}
  Result(Status status) : status_(std::move(status)) {
    if (status_.is_ok())
      status_ = Status::internal("a Result was made from an ok Status without a value");
  }
  template <typename U>
  requires(std::constructible_from<T, U> && !std::same_as<std::remove_cvref_t<U>, T> &&
           !std::same_as<std::remove_cvref_t<U>, Status> &&
           !std::same_as<std::remove_cvref_t<U>, Result<T>> && std::convertible_to<U, T>)
      Result(U&& value)
      : value_(std::forward<U>(value)) {}

  bool is_ok() const { return value_.has_value(); }
  const Status& status() const { return status_; }
  /// The value; only after is_ok().
  T& value() & { return *value_; }
  const T& value() const& { return *value_; }
  T&& value() && { return *std::move(value_); }
  T& operator*() & { return *value_; }
  const T& operator*() const& { return *value_; }
  T&& operator*() && { return *std::move(value_); }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }

  /// The value, or the error thrown as shipway::Error.
  T value_or_throw() && {
    if (!is_ok()) throw Error(status_);
    return *std::move(value_);
  }

 private:
  std::optional<T> value_;
  Status status_;
};

#define SHIPWAY_CONCAT_INNER(a, b) a##b
#define SHIPWAY_CONCAT(a, b) SHIPWAY_CONCAT_INNER(a, b)

/// Returns from the enclosing function when `expression` (a Status) is an error.
#define SHIPWAY_RETURN_IF_ERROR(expression)                                                   \
  do {                                                                                        \
    if (::shipway::Status status_of_expression = (expression); !status_of_expression.is_ok()) \
      return status_of_expression;                                                            \
  } while (false)

/// Declares or assigns `target` from `expression` (a Result), or returns its error.
#define SHIPWAY_ASSIGN_OR_RETURN(target, ...) \
  SHIPWAY_ASSIGN_OR_RETURN_INNER(SHIPWAY_CONCAT(result_on_line_, __LINE__), target, __VA_ARGS__)
#define SHIPWAY_ASSIGN_OR_RETURN_INNER(result, target, ...) \
  auto result = (__VA_ARGS__);                              \
  if (!result.is_ok()) return result.status();              \
  target = std::move(result).value()

}  // namespace shipway
