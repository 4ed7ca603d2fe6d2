// What the opaque handles of shipway_c.h are, and the door that every function of it goes through:
// no exception leaves, a Status becomes an error object.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstring>
#include <deque>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <type_traits>

#include "operators/registry.h"
#include "shipway/model.h"
#include "shipway/session.h"
#include "shipway/shipway_c.h"
#include "shipway/tensor.h"

struct shipway_error {
  shipway_code code;
  std::string message;
};

struct shipway_tensor {
  shipway::Tensor tensor;
};

namespace shipway::c {
/// Held by the registry's handle and by every session created with it.
struct SharedRegistry {
  Registry operators;
  std::atomic<bool> in_use = false;  // by a session, which may read it on any thread
};
}  // namespace shipway::c

struct shipway_registry {
  std::shared_ptr<shipway::c::SharedRegistry> shared;
};

struct shipway_model {
  shipway::Model model;
};

struct shipway_value_info {
  std::string name;
  shipway::Type type;
  bool optional = false;
};

struct shipway_session {
  std::shared_ptr<const shipway::c::SharedRegistry> registry;  // outlives the session below
  std::unique_ptr<shipway::Session> session;
  std::vector<shipway_value_info> inputs, outputs;
};

namespace shipway::c {

/// Null for an ok Status. Never throws: without memory, a constant error stands in.
shipway_error* to_error(const Status& status) noexcept;
/// The Status in `error`, which is freed.
Status take_status(shipway_error* error);

/// Runs `body` (which returns a Status) and turns whatever it ends with into an error.
template <typename Body>
shipway_error* guarded(Body body) noexcept {
  try {
    return to_error(body());
  } catch (const std::bad_alloc&) {
    return to_error(Status(StatusCode::kOutOfMemory, ""));
  } catch (const Error& error) {
    return to_error(error.status());
  } catch (const std::exception& error) {
    return to_error(Status(StatusCode::kInternal, error.what()));
  }
}

/// A handle that a caller passes must not be null.
template <typename Handle>
Status require(const Handle* handle, const char* name) {
  if (handle) return Status::ok();
  return Status::invalid_argument("{} is NULL", name);
}

/// The caller's struct, of an older, equal or newer header than ours, as ours; what it does not
/// have keeps the value of `defaults`. An error when it is newer and sets what is not known here.
template <typename Struct>
Result<Struct> read_struct(const Struct* given, const Struct& defaults, const char* name) {
  static_assert(std::is_trivially_copyable_v<Struct>);
  if (!given) return defaults;
  size_t size = 0;
  std::memcpy(&size, given, sizeof(size));
  if (size < sizeof(size_t) || size > (size_t{1} << 16))
    return Status::invalid_argument("struct_size of {} is {}, expected {} (start from its _INIT)",
                                    name, size, sizeof(Struct));
  const auto* bytes = reinterpret_cast<const std::byte*>(given);
  if (size > sizeof(Struct) && std::any_of(bytes + sizeof(Struct), bytes + size,
                                           [](std::byte b) { return b != std::byte{}; }))
    return Status::unsupported("{} sets fields that this version of Shipway does not know", name);
  Struct result = defaults;
  std::memcpy(&result, given, std::min(size, sizeof(Struct)));
  return result;
}

inline std::string_view text_or_empty(const char* text) {
  return text ? std::string_view(text) : std::string_view();
}

/// A shape of the caller's.
Result<Shape> read_shape(const int64_t* sizes, size_t rank);
/// A DType of the caller's.
Result<DType> read_dtype(shipway_dtype dtype);

}  // namespace shipway::c
