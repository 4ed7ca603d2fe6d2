#include "shipway/status.h"

#include <fmt/args.h>
#include <fmt/format.h>

namespace shipway {

std::string_view to_string(StatusCode code) {
  switch (code) {
    case StatusCode::kOk:
      return "ok";
    case StatusCode::kInvalidModel:
      return "invalid_model";
    case StatusCode::kInvalidArgument:
      return "invalid_argument";
    case StatusCode::kNotFound:
      return "not_found";
    case StatusCode::kUnsupported:
      return "unsupported";
    case StatusCode::kLimit:
      return "limit";
    case StatusCode::kOutOfMemory:
      return "out_of_memory";
    case StatusCode::kCancelled:
      return "cancelled";
    case StatusCode::kIo:
      return "io";
    case StatusCode::kInternal:
      return "internal";
  }
  return "unknown";
}

std::string format_message(std::string_view pattern, std::initializer_list<FormatArg> arguments) {
  fmt::dynamic_format_arg_store<fmt::format_context> store;
  store.reserve(arguments.size(), 0);
  for (const FormatArg& argument : arguments) {
    switch (argument.kind()) {
      case FormatArg::Kind::kInt:
        store.push_back(argument.as_int());
        break;
      case FormatArg::Kind::kUInt:
        store.push_back(argument.as_uint());
        break;
      case FormatArg::Kind::kDouble:
        store.push_back(argument.as_double());
        break;
      case FormatArg::Kind::kView:
      case FormatArg::Kind::kText:
        store.push_back(argument.as_view());
        break;
    }
  }
  try {
    return fmt::vformat(fmt::string_view(pattern.data(), pattern.size()), store);
  } catch (
      const fmt::format_error&) {  // a pattern of ours that does not fit: better told raw than lost
    return std::string(pattern);
  }
}

Status::Status(StatusCode code, std::string message) {
  if (code != StatusCode::kOk)
    error_ = std::make_shared<const Error>(Error{code, std::move(message)});
}

const std::string& Status::message() const {
  static const std::string none;
  return error_ ? error_->message : none;
}

Status Status::add_context(std::string context) const {
  return Status(code(), std::move(context) + ": " + message());
}

}  // namespace shipway
