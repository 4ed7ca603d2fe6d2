#include "operators/contents.h"

#include <algorithm>

#include "operators/shape_rules.h"
#include "tensor/convert.h"

namespace shipway {

bool is_followed(DType dtype) {
  const DTypeKind kind = kind_of(dtype);
  return kind == DTypeKind::kSigned || kind == DTypeKind::kUnsigned || kind == DTypeKind::kBool;
}

std::optional<Contents> followed_elements(const InferContext& context, size_t i) {
  if (std::optional<Contents> contents = context.input_contents(i)) return contents;
  const Dims* dims = context.input_dims(i);
  if (!dims || !is_followed(context.input_dtype(i))) return std::nullopt;
  if (dims->empty()) return Contents(1);
  if (dims->size() > 1 || !(*dims)[0].is_constant() || (*dims)[0].value() > kMaxFollowed ||
      (*dims)[0].value() < 0)
    return std::nullopt;
  return Contents(static_cast<size_t>((*dims)[0].value()));
}

void follow_elements(InferContext& context, size_t i, DType dtype, Contents contents) {
  if (!is_followed(dtype) || static_cast<int64_t>(contents.size()) > kMaxFollowed) return;
  if (std::none_of(contents.begin(), contents.end(), [](Dim dim) { return dim.is_known(); }) &&
      !contents.empty())
    return;
  context.set_output_contents(i, std::move(contents));
}

Contents to_contents(std::span<const int64_t> values) {
  Contents contents;
  for (int64_t value : values)
    contents.push_back(Dim(value).is_constant() ? Dim(value) : Dim::unknown());
  return contents;
}

Dim divide_up(DimTable& dims, Dim dim, int64_t divisor) {
  return dims.floordiv(dims.add(dim, divisor - 1), divisor);
}

Result<std::optional<Dims>> sizes_of_input(const InferContext& context, size_t i,
                                           std::string_view name) {
  const std::optional<Contents> contents = followed_elements(context, i);
  if (!contents) return std::optional<Dims>();
  Dims dims;
  for (Dim dim : *contents) {
    if (dim.is_constant() && dim.value() < 0)
      return Status::invalid_model("input '{}' has the negative size {}", name, dim.value());
    dims.push_back(dim);
  }
  return std::optional<Dims>(std::move(dims));
}

Result<std::vector<int64_t>> ints_of(const Tensor& tensor, std::string_view name) {
  if (tensor.rank() > 1)
    return Status::invalid_argument("input '{}' has shape {}, expected one axis", name,
                                    to_string(tensor.shape()));
  auto values = to_ints(tensor);
  if (!values.is_ok()) return values.status().with_context("input '{}'", name);
  return values;
}

Result<Shape> shape_of(const Tensor& tensor, std::string_view name) {
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<int64_t> values, ints_of(tensor, name));
  Shape shape;
  for (int64_t value : values) {
    if (value < 0)
      return Status::invalid_argument("input '{}' has the negative size {}", name, value);
    shape.push_back(value);
  }
  SHIPWAY_RETURN_IF_ERROR(element_count(shape).status().with_context("input '{}'", name));
  return shape;
}

Result<int64_t> int_of(const Tensor& tensor, std::string_view name) {
  if (tensor.element_count() != 1)
    return Status::invalid_argument("input '{}' has {} elements, expected one", name,
                                    tensor.element_count());
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<int64_t> values, to_ints(tensor));
  return values[0];
}

Result<std::vector<int64_t>> normalize_axes(std::span<const int64_t> axes, int64_t rank,
                                            std::string_view what) {
  std::vector<int64_t> result;
  std::vector<bool> seen(static_cast<size_t>(rank));
  for (int64_t axis : axes) {
    SHIPWAY_ASSIGN_OR_RETURN(const int64_t normal, normalize_axis(axis, rank, what));
    if (seen[static_cast<size_t>(normal)])
      return Status::invalid_model("{} names axis {} twice", what, normal);
    seen[static_cast<size_t>(normal)] = true;
    result.push_back(normal);
  }
  return result;
}

Result<Dim> agreeing_dim(Dim a, Dim b, std::string_view what) {
  if (a.is_constant() && b.is_constant() && a != b)
    return Status::invalid_model("{}: sizes {} and {} differ", what, a.value(), b.value());
  if (b.is_constant() || a.is_unknown()) return b;
  return a;
}

}  // namespace shipway
