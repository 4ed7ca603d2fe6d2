// Errors and tensors of shipway_c.h.
#include <utility>

#include "c/handles.h"

namespace shipway::c {
namespace {

// The enumerators of both sides are the same numbers.
static_assert(static_cast<int>(StatusCode::kInvalidModel) == SHIPWAY_INVALID_MODEL);
static_assert(static_cast<int>(StatusCode::kInvalidArgument) == SHIPWAY_INVALID_ARGUMENT);
static_assert(static_cast<int>(StatusCode::kNotFound) == SHIPWAY_NOT_FOUND);
static_assert(static_cast<int>(StatusCode::kUnsupported) == SHIPWAY_UNSUPPORTED);
static_assert(static_cast<int>(StatusCode::kLimit) == SHIPWAY_LIMIT);
static_assert(static_cast<int>(StatusCode::kOutOfMemory) == SHIPWAY_OUT_OF_MEMORY);
static_assert(static_cast<int>(StatusCode::kCancelled) == SHIPWAY_CANCELLED);
static_assert(static_cast<int>(StatusCode::kIo) == SHIPWAY_IO);
static_assert(static_cast<int>(StatusCode::kInternal) == SHIPWAY_INTERNAL);
static_assert(static_cast<int>(DType::kString) == SHIPWAY_STRING);
static_assert(static_cast<int>(DType::kFloat8E8M0) == SHIPWAY_FLOAT8E8M0);
static_assert(static_cast<int>(DType::kFloat6E3M2) == SHIPWAY_FLOAT6E3M2);
static_assert(kDTypeCount == SHIPWAY_FLOAT6E3M2 + 1);

/// Needs no memory (the text fits into the string itself), never freed.
shipway_error& no_memory() {
  static shipway_error error{SHIPWAY_OUT_OF_MEMORY, "no memory left"};
  return error;
}

}  // namespace

shipway_error* to_error(const Status& status) noexcept {
  if (status.is_ok()) return nullptr;
  if (status.code() == StatusCode::kOutOfMemory && status.message().empty()) return &no_memory();
  try {
    return new shipway_error{static_cast<shipway_code>(status.code()), status.message()};
  } catch (const std::bad_alloc&) {
    return &no_memory();
  }
}

Status take_status(shipway_error* error) {
  if (!error) return Status::ok();
  Status status(static_cast<StatusCode>(error->code), error->message);
  shipway_error_free(error);
  return status;
}

Result<Shape> read_shape(const int64_t* sizes, size_t rank) {
  if (rank > 0) SHIPWAY_RETURN_IF_ERROR(require(sizes, "shape"));
  return Shape(sizes, sizes + rank);
}

Result<DType> read_dtype(shipway_dtype dtype) {
  if (!is_valid_dtype(dtype))
    return Status::invalid_argument("{} is the number of no dtype", static_cast<int64_t>(dtype));
  return static_cast<DType>(dtype);
}

}  // namespace shipway::c

using namespace shipway;

const char* shipway_version() { return SHIPWAY_VERSION; }

// ----------------------------------------------------------------------------------------------
// errors

shipway_error* shipway_error_create(shipway_code code, const char* message) {
  return c::guarded([&] {
    const bool known = code >= SHIPWAY_INVALID_MODEL && code <= SHIPWAY_INTERNAL;
    return Status(known ? static_cast<StatusCode>(code) : StatusCode::kInternal,
                  std::string(c::text_or_empty(message)));
  });
}
shipway_code shipway_error_code(const shipway_error* error) { return error->code; }
const char* shipway_error_message(const shipway_error* error) { return error->message.c_str(); }
void shipway_error_free(shipway_error* error) {
  if (error != &c::no_memory()) delete error;
}

// ----------------------------------------------------------------------------------------------
// tensors

shipway_error* shipway_tensor_create(shipway_dtype dtype, const int64_t* shape, size_t rank,
                                     shipway_tensor** tensor) {
  return c::guarded([&]() -> Status {
    SHIPWAY_RETURN_IF_ERROR(c::require(tensor, "tensor"));
    *tensor = nullptr;
    SHIPWAY_ASSIGN_OR_RETURN(const DType type, c::read_dtype(dtype));
    SHIPWAY_ASSIGN_OR_RETURN(Shape sizes, c::read_shape(shape, rank));
    SHIPWAY_ASSIGN_OR_RETURN(Tensor made, Tensor::zeros(type, std::move(sizes)));
    *tensor = new shipway_tensor{std::move(made)};
    return Status::ok();
  });
}

shipway_error* shipway_tensor_borrow(shipway_dtype dtype, const int64_t* shape, size_t rank,
                                     void* data, size_t bytes, void (*release)(void* context),
                                     void* context, shipway_tensor** tensor) {
  return c::guarded([&]() -> Status {
    SHIPWAY_RETURN_IF_ERROR(c::require(tensor, "tensor"));
    *tensor = nullptr;
    SHIPWAY_ASSIGN_OR_RETURN(const DType type, c::read_dtype(dtype));
    if (type == DType::kString)
      return Status::invalid_argument("strings cannot be borrowed, only set one by one");
    SHIPWAY_ASSIGN_OR_RETURN(Shape sizes, c::read_shape(shape, rank));
    SHIPWAY_ASSIGN_OR_RETURN(const int64_t count, element_count(sizes));
    SHIPWAY_ASSIGN_OR_RETURN(const int64_t needed, storage_bytes(type, count));
    if (static_cast<size_t>(needed) != bytes)
      return Status::invalid_argument("{}[{}] takes {} bytes, but {} are given", to_string(type),
                                      to_string(sizes), needed, bytes);
    if (bytes > 0) SHIPWAY_RETURN_IF_ERROR(c::require(data, "data"));
    struct Owner {
      void (*release)(void*) = nullptr;
      void* context = nullptr;
      ~Owner() {
        if (release) release(context);
      }
    };
    const auto owner = std::make_shared<Owner>();
    SHIPWAY_ASSIGN_OR_RETURN(
        Tensor made,
        Tensor::from_storage(type, std::move(sizes), Storage::borrow(data, bytes, owner)));
    *tensor = new shipway_tensor{std::move(made)};
    // From here on nothing can fail. One by one: a whole Owner would be a second one, which
    // releases.
    owner->context = context;
    owner->release = release;
    return Status::ok();
  });
}

void shipway_tensor_free(shipway_tensor* tensor) { delete tensor; }

shipway_dtype shipway_tensor_dtype(const shipway_tensor* tensor) {
  return static_cast<shipway_dtype>(tensor->tensor.dtype());
}
size_t shipway_tensor_rank(const shipway_tensor* tensor) { return tensor->tensor.shape().size(); }
const int64_t* shipway_tensor_shape(const shipway_tensor* tensor) {
  return tensor->tensor.shape().data();
}
size_t shipway_tensor_element_count(const shipway_tensor* tensor) {
  return static_cast<size_t>(tensor->tensor.element_count());
}
size_t shipway_tensor_byte_size(const shipway_tensor* tensor) {
  const Tensor& t = tensor->tensor;
  return t.dtype() == DType::kString ? 0 : static_cast<size_t>(t.byte_size());
}
const void* shipway_tensor_data(const shipway_tensor* tensor) {
  return tensor->tensor.dtype() == DType::kString ? nullptr : tensor->tensor.data();
}
void* shipway_tensor_mutable_data(shipway_tensor* tensor) {
  return tensor->tensor.dtype() == DType::kString ? nullptr : tensor->tensor.mutable_data();
}

const char* shipway_tensor_string(const shipway_tensor* tensor, size_t index, size_t* size) {
  if (size) *size = 0;
  if (tensor->tensor.dtype() != DType::kString || index >= tensor->tensor.strings().size())
    return nullptr;
  const std::string& text = tensor->tensor.strings()[index];
  if (size) *size = text.size();
  return text.c_str();
}

shipway_error* shipway_tensor_set_string(shipway_tensor* tensor, size_t index, const char* text,
                                         size_t size) {
  return c::guarded([&]() -> Status {
    SHIPWAY_RETURN_IF_ERROR(c::require(tensor, "tensor"));
    if (size > 0) SHIPWAY_RETURN_IF_ERROR(c::require(text, "text"));
    Tensor& t = tensor->tensor;
    if (t.dtype() != DType::kString)
      return Status::invalid_argument("the tensor holds {}, no strings", to_string(t.dtype()));
    if (index >= t.strings().size())
      return Status::invalid_argument("string {} of a tensor of {}", index, t.strings().size());
    t.mutable_strings()[index].assign(size > 0 ? text : "", size);
    return Status::ok();
  });
}
