#include "operators/downgrade_steps.h"

#include <algorithm>

#include "operators/find_dtype.h"
#include "operators/shape_rules.h"
#include "tensor/convert.h"

namespace shipway {

Result<std::vector<int64_t>> constant_ints(const NodeRewrite& rewrite, size_t i,
                                           std::string_view name) {
  const Tensor* constant = rewrite.input_constant(i);
  if (!constant)
    return Status::unsupported(
        "input {} ('{}') is computed while running, and before opset {} it is an attribute", i,
        name, rewrite.schema().since);
  return to_ints(*constant);
}

Result<std::optional<float>> constant_float(const NodeRewrite& rewrite, size_t i,
                                            std::string_view name) {
  if (!rewrite.node().input(i).is_valid()) return std::optional<float>();
  const Tensor* constant = rewrite.input_constant(i);
  if (!constant || constant->element_count() != 1)
    return Status::unsupported(
        "input {} ('{}') is computed while running, and before opset {} it is an attribute", i,
        name, rewrite.schema().since);
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<double> value, to_doubles(*constant));
  return std::optional<float>(static_cast<float>(value[0]));
}

Status move_input_to_ints(NodeRewrite& rewrite, size_t input, std::string_view attribute) {
  if (!rewrite.node().input(input).is_valid()) return Status::ok();
  SHIPWAY_ASSIGN_OR_RETURN(std::vector<int64_t> values, constant_ints(rewrite, input, attribute));
  rewrite.set_attribute({std::string(attribute), std::move(values)});
  rewrite.set_input(input, {});
  return Status::ok();
}

Result<int64_t> known_rank(const NodeRewrite& rewrite, size_t i) {
  const Dims* dims = rewrite.input_type(i).dims();
  if (!dims) return Status::unsupported("the rank of input {} is not known before the run", i);
  return static_cast<int64_t>(dims->size());
}

Result<Shape> known_shape(const NodeRewrite& rewrite, size_t i) {
  const std::optional<Shape> shape = rewrite.input_type(i).constant_shape();
  if (!shape) return Status::unsupported("the shape of input {} is not known before the run", i);
  return *shape;
}

Status count_axis_from_front(NodeRewrite& rewrite, std::string_view name,
                             std::optional<int64_t> rank) {
  const int64_t axis = rewrite.int_attribute(name);
  if (axis >= 0) return Status::ok();
  if (!rank) {
    SHIPWAY_ASSIGN_OR_RETURN(rank, known_rank(rewrite, 0));
  }
  rewrite.set_attribute({std::string(name), axis + *rank});
  return Status::ok();
}

Status axis_from_front(NodeRewrite& rewrite) { return count_axis_from_front(rewrite, "axis"); }

Status axes_from_front(NodeRewrite& rewrite) {
  const std::span<const int64_t> axes = rewrite.ints_attribute("axes");
  if (std::all_of(axes.begin(), axes.end(), [](int64_t axis) { return axis >= 0; }))
    return Status::ok();
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t rank, known_rank(rewrite, 0));
  std::vector<int64_t> counted(axes.begin(), axes.end());
  for (int64_t& axis : counted)
    if (axis < 0) axis += rank;
  rewrite.set_attribute({"axes", std::move(counted)});
  return Status::ok();
}

Result<std::vector<int64_t>> trailing_axes(const NodeRewrite& rewrite) {
  int64_t first = rewrite.int_attribute("axis"), end = 0;
  if (const Dims* dims = rewrite.input_type(0).dims()) {
    SHIPWAY_RETURN_IF_ERROR(normalize_axis(first, static_cast<int64_t>(dims->size())).status());
  } else if (constexpr int64_t kMostAxes = 1024; first < -kMostAxes) {
    return Status::invalid_model("attribute 'axis' is {}, more axes than a tensor has", first);
  }
  if (first >= 0) {
    SHIPWAY_ASSIGN_OR_RETURN(end, known_rank(rewrite, 0));
  }
  std::vector<int64_t> axes;
  for (int64_t axis = first; axis < end; ++axis) axes.push_back(axis);
  return axes;
}

Status drop_unit_dilations(NodeRewrite& rewrite) {
  const std::span<const int64_t> dilations = rewrite.ints_attribute("dilations");
  if (!std::all_of(dilations.begin(), dilations.end(), [](int64_t d) { return d == 1; }))
    return Status::unsupported("attribute 'dilations' came with opset {}", rewrite.schema().since);
  if (rewrite.has_attribute("dilations")) rewrite.remove_attribute("dilations");
  return Status::ok();
}

Result<ValueId> scalar_like_input(NodeRewrite& rewrite, std::string_view name, double value) {
  if (rewrite.input_type(0).dtype() == DType::kUndefined)
    return Status::unsupported("the dtype of input 0 is not known before the run");
  return add_scalar_like(rewrite, 0, std::string(name), value);
}

}  // namespace shipway
