#include "operators/iterate.h"

#include "operators/elements.h"
#include "operators/shape_rules.h"

namespace shipway {

namespace {

/// True when a state comes back as another kind of value than it went in: an optional as what it
/// holds. The body then keeps the declared kind, and the node gives what comes out.
bool is_rewrapped(const Type& before, const Type& after) {
  return before.kind() != TypeKind::kUnknown && after.kind() != TypeKind::kUnknown &&
         before.kind() != after.kind();
}

}  // namespace

Result<BodyTypes> infer_body(InferContext& context, GraphId body, std::span<const Type> leading,
                             std::vector<Type> initial, std::span<const Type> trailing,
                             size_t skipped_outputs) {
  BodyTypes result{.states = std::move(initial)};
  // Each round makes something unknown that was known: sizes of all states, then ranks.
  size_t rounds = 2;
  for (const Type& type : result.states) rounds += 2 + (type.dims() ? type.dims()->size() : 0);
  for (size_t round = 0; round < rounds; ++round) {
    std::vector<Type> inputs(leading.begin(), leading.end());
    inputs.insert(inputs.end(), result.states.begin(), result.states.end());
    inputs.insert(inputs.end(), trailing.begin(), trailing.end());
    auto inferred = context.infer_subgraph(body, inputs);
    if (!inferred.is_ok()) return inferred.status().with_context("attribute 'body'");
    if (inferred->size() < skipped_outputs + result.states.size())
      return Status::invalid_model("attribute 'body' has {} outputs, expected at least {}",
                                   inferred->size(), skipped_outputs + result.states.size());
    bool changed = false;
    for (size_t i = 0; i < result.states.size(); ++i) {
      const Type& after = (*inferred)[skipped_outputs + i];
      if (after.kind() == TypeKind::kUnknown || is_rewrapped(result.states[i], after)) continue;
      Type joined = result.states[i].kind() == TypeKind::kUnknown
                        ? after
                        : join_types(result.states[i], after);
      if (joined == result.states[i]) continue;
      result.states[i] = std::move(joined);
      changed = true;
    }
    if (changed) continue;
    for (size_t i = 0; i < result.states.size(); ++i)
      if (const Type& after = (*inferred)[skipped_outputs + i];
          is_rewrapped(result.states[i], after))
        result.states[i] = after;
    result.others.assign(
        inferred->begin() + static_cast<std::ptrdiff_t>(skipped_outputs + result.states.size()),
        inferred->end());
    return result;
  }
  return Status::internal("the types of the states do not settle");
}

Status Stack::add(const RuntimeValue& value) {
  const Tensor* tensor = value.tensor();
  if (!tensor)
    return Status::invalid_argument("an output to be stacked is {}, expected a tensor",
                                    to_string(value));
  if (!slices_.empty() &&
      (slices_[0].shape() != tensor->shape() || slices_[0].dtype() != tensor->dtype()))
    return Status::invalid_argument("an output is {}[{}] in iteration {}, but was {}[{}] before",
                                    to_string(tensor->dtype()), to_string(tensor->shape()),
                                    slices_.size(), to_string(slices_[0].dtype()),
                                    to_string(slices_[0].shape()));
  slices_.push_back(*tensor);
  return Status::ok();
}

Status Stack::finish(EvaluateContext& context, size_t i, const Type& slice) const {
  Shape shape;
  DType dtype = slice.dtype();
  if (!slices_.empty()) {
    shape = slices_[0].shape();
    dtype = slices_[0].dtype();
  } else if (slice.dims()) {
    for (Dim dim : *slice.dims()) shape.push_back(dim.is_constant() ? dim.value() : 0);
  }
  if (dtype == DType::kUndefined)
    return Status::unsupported("output {} has no iteration and no declared type", i);
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t normal,
                           normalize_axis(axis_, static_cast<int64_t>(shape.size()) + 1, "axis"));
  const auto axis = static_cast<size_t>(normal);
  const auto count = static_cast<int64_t>(slices_.size());
  shape.insert(shape.begin() + normal, count);
  SHIPWAY_ASSIGN_OR_RETURN(Elements y, Elements::output(context, i, dtype, shape));
  if (y.count() == 0) return y.finish(context, i);
  int64_t outer = 1, inner = 1;
  for (size_t k = 0; k < axis; ++k) outer *= shape[k];
  for (size_t k = axis + 1; k < shape.size(); ++k) inner *= shape[k];
  for (int64_t n = 0; n < count; ++n) {
    SHIPWAY_ASSIGN_OR_RETURN(const Elements x, Elements::of(slices_[static_cast<size_t>(n)]));
    const int64_t place = prepend_ ? count - 1 - n : n;
    for (int64_t k = 0; k < outer; ++k) y.copy((k * count + place) * inner, x, k * inner, inner);
  }
  return y.finish(context, i);
}

}  // namespace shipway
