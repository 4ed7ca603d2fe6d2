// Slice: cuts ranges out of chosen axes, with steps.
#include <algorithm>
#include <limits>

#include "operators/contents.h"
#include "operators/downgrade_steps.h"
#include "operators/elements.h"
#include "operators/loops.h"
#include "operators/operator.h"
#include "operators/upgrade_steps.h"

namespace shipway {
namespace {

constexpr std::string_view kSignature =
    "(data: T, starts: Tind, ends: Tind, axes?: Tind, steps?: Tind) -> (output: T)";

/// Numbers at or beyond these mean "to the end", whatever the size: exporters write the limits of
/// int32 and int64.
constexpr int64_t kFarEnd = std::numeric_limits<int32_t>::max();
constexpr int64_t kFarBegin = -kFarEnd;

/// First element, step and number of elements along an axis of `size`, as numpy's start:end:step.
struct Range {
  int64_t start = 0, step = 1, count = 0;
};
Range range_of(int64_t start, int64_t end, int64_t step, int64_t size) {
  const auto clamp = [size](int64_t position, int64_t low, int64_t high) {
    return std::clamp(position < 0 ? position + size : position, low, high);
  };
  Range range{.start = start, .step = step, .count = 0};
  if (size == 0) return {0, 1, 0};
  if (step > 0) {
    range.start = clamp(start, 0, size);
    const int64_t last = clamp(end, 0, size);
    if (last > range.start) range.count = (last - range.start - 1) / step + 1;
  } else {
    range.start = clamp(start, -1, size - 1);
    const int64_t last = clamp(end, -1, size - 1);
    const int64_t distance = range.start - last;
    // Written so that a step of -2^63 does not overflow.
    if (distance > 0) range.count = -((distance - 1) / step) + 1;
  }
  if (range.count <= 1) range.step = 1;  // never used; and a huge one must not be multiplied
  if (range.count == 0) range.start = 0;
  return range;
}

/// How many elements start:end:step leaves of a size that is an expression; unknown where that
/// cannot be said.
Dim symbolic_count(DimTable& table, Dim size, Dim start, Dim end, Dim step) {
  if (size.is_unknown() || start.is_unknown() || end.is_unknown() || !step.is_constant()) return {};
  // Where a position lies, 0 to size; nothing when its sign is not known.
  const auto position = [&](Dim at) -> Dim {
    if (at == size) return size;
    if (at.is_constant() && at.value() >= kFarEnd) return size;
    if (at == Dim(0) || (at.is_constant() && at.value() <= kFarBegin)) return 0;
    const DimRange range = table.range(at);
    if (range.low >= 0) return table.min(at, size);
    if (range.high < 0) return table.max(table.add(size, at), 0);
    return {};
  };
  if (step.value() > 0) {
    const Dim first = position(start), last = position(end);
    const Dim count = divide_up(table, table.sub(last, first), step.value());
    // Both lie between 0 and size, so only a range within can be the wrong way round.
    return first == Dim(0) || last == size ? count : table.max(count, 0);
  }
  const bool whole = (start == Dim(-1) || (start.is_constant() && start.value() >= kFarEnd)) &&
                     end.is_constant() && end.value() <= kFarBegin && step.value() > kFarBegin;
  return whole ? divide_up(table, size, -step.value()) : Dim::unknown();
}

/// Starts, ends or steps. Exporters write the limits of int64, which a Dim cannot hold, for "far
/// away".
std::optional<Contents> bounds_of(const InferContext& context, size_t i) {
  constexpr int64_t kFarthest = int64_t{1} << 62;
  const std::optional<std::vector<int64_t>> values = context.input_ints(i);
  if (!values) return followed_elements(context, i);
  Contents bounds;
  for (int64_t value : *values) bounds.push_back(std::clamp(value, -kFarthest, kFarthest));
  return bounds;
}

Status infer_slice(InferContext& context) {
  const Dims* dims = context.input_dims(0);
  const DType dtype = context.input_dtype(0);
  if (!dims) {
    context.set_output_dtype(0, dtype);
    return Status::ok();
  }
  const auto rank = static_cast<int64_t>(dims->size());
  const std::optional<Contents> starts = bounds_of(context, 1);
  const std::optional<Contents> ends = bounds_of(context, 2);
  const std::optional<Contents> steps =
      context.has_input(4) ? bounds_of(context, 4) : std::optional<Contents>();
  std::vector<int64_t> axes;
  bool axes_known = true;
  if (context.has_input(3)) {
    const std::optional<std::vector<int64_t>> given = context.input_ints(3);
    axes_known = given.has_value();
    if (given) {
      SHIPWAY_ASSIGN_OR_RETURN(axes, normalize_axes(*given, rank, "input 'axes'"));
    }
  } else if (starts) {
    for (int64_t i = 0; i < static_cast<int64_t>(starts->size()); ++i) axes.push_back(i);
  } else {
    axes_known = false;
  }
  if (!axes_known) {
    context.set_output(0, dtype, Dims(dims->size()));
    return Status::ok();
  }
  if ((starts && starts->size() != axes.size()) || (ends && ends->size() != axes.size()) ||
      (steps && steps->size() != axes.size()) || static_cast<int64_t>(axes.size()) > rank)
    return Status::invalid_model(
        "inputs 'starts', 'ends', 'axes' and 'steps' must have the same length, at most the rank "
        "{}",
        rank);
  Dims result = *dims;
  std::optional<Contents> elements = context.input_contents(0);
  for (size_t i = 0; i < axes.size(); ++i) {
    Dim& size = result[static_cast<size_t>(axes[i])];
    const Dim start = starts ? (*starts)[i] : Dim::unknown();
    const Dim end = ends ? (*ends)[i] : Dim::unknown();
    const Dim step = !context.has_input(4) ? Dim(1) : steps ? (*steps)[i] : Dim::unknown();
    if (step == Dim(0)) return Status::invalid_model("input 'steps' is 0 for axis {}", axes[i]);
    if (!start.is_constant() || !end.is_constant() || !step.is_constant() || !size.is_constant()) {
      size = symbolic_count(context.dims(), size, start, end, step);
      elements.reset();
      continue;
    }
    const Range range = range_of(start.value(), end.value(), step.value(), size.value());
    size = range.count;
    if (!elements || rank != 1) continue;
    Contents part;
    for (int64_t k = 0; k < range.count; ++k) {
      const auto at = static_cast<size_t>(range.start + k * range.step);
      part.push_back(at < elements->size() ? (*elements)[at] : Dim::unknown());
    }
    elements = std::move(part);
  }
  const bool is_list = result.size() == 1;
  context.set_output(0, dtype, std::move(result));
  if (elements && is_list) follow_elements(context, 0, dtype, std::move(*elements));
  return Status::ok();
}

Status evaluate_slice(EvaluateContext& context) {
  const Tensor& data = context.input(0);
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<int64_t> starts, ints_of(context.input(1), "starts"));
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<int64_t> ends, ints_of(context.input(2), "ends"));
  std::vector<int64_t> axes, steps(starts.size(), 1);
  if (context.has_input(3)) {
    SHIPWAY_ASSIGN_OR_RETURN(axes, ints_of(context.input(3), "axes"));
  } else {
    for (size_t i = 0; i < starts.size(); ++i) axes.push_back(static_cast<int64_t>(i));
  }
  if (context.has_input(4)) {
    SHIPWAY_ASSIGN_OR_RETURN(steps, ints_of(context.input(4), "steps"));
  }
  SHIPWAY_ASSIGN_OR_RETURN(axes, normalize_axes(axes, data.rank(), "input 'axes'"));
  if (ends.size() != starts.size() || axes.size() != starts.size() || steps.size() != starts.size())
    return Status::invalid_argument(
        "inputs have different lengths: starts {}, ends {}, axes {}, steps {}", starts.size(),
        ends.size(), axes.size(), steps.size());
  Shape shape = data.shape(), strides = strides_of(data.shape());
  int64_t first = 0;
  for (size_t i = 0; i < axes.size(); ++i) {
    const auto axis = static_cast<size_t>(axes[i]);
    if (steps[i] == 0) return Status::invalid_argument("input 'steps' is 0 for axis {}", axis);
    const Range range = range_of(starts[i], ends[i], steps[i], shape[axis]);
    shape[axis] = range.count;
    first += range.start * strides[axis];
    strides[axis] *= range.step;
  }
  SHIPWAY_ASSIGN_OR_RETURN(const Elements x, Elements::of(data));
  SHIPWAY_ASSIGN_OR_RETURN(Elements y, Elements::output(context, 0, data.dtype(), shape));
  y.copy_strided(shape, 0, strides_of(shape), x, first, strides);
  return y.finish(context, 0);
}

Status attributes_to_inputs(NodeRewrite& rewrite) {
  SHIPWAY_RETURN_IF_ERROR(move_ints_to_input(rewrite, "starts", 1));
  SHIPWAY_RETURN_IF_ERROR(move_ints_to_input(rewrite, "ends", 2));
  return move_ints_to_input(rewrite, "axes", 3);
}

// Before version 11, axes were counted from the front.
Status downgrade_11(NodeRewrite& rewrite) {
  if (!rewrite.node().input(3).is_valid()) return Status::ok();
  const Tensor* constant = rewrite.input_constant(3);
  if (!constant) return Status::ok();  // computed axes can be of either kind; they stay
  SHIPWAY_ASSIGN_OR_RETURN(std::vector<int64_t> axes, to_ints(*constant));
  if (std::all_of(axes.begin(), axes.end(), [](int64_t axis) { return axis >= 0; }))
    return Status::ok();
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t rank, known_rank(rewrite, 0));
  SHIPWAY_ASSIGN_OR_RETURN(axes, normalize_axes(axes, rank, "input 'axes'"));
  SHIPWAY_ASSIGN_OR_RETURN(Tensor counted, from_ints(rewrite.input_type(1).dtype(),
                                                     {static_cast<int64_t>(axes.size())}, axes));
  rewrite.set_input(3, rewrite.add_constant("axes", std::move(counted)));
  return Status::ok();
}

Status inputs_to_attributes(NodeRewrite& rewrite) {
  if (rewrite.node().input(4).is_valid()) {
    SHIPWAY_ASSIGN_OR_RETURN(const std::vector<int64_t> steps, constant_ints(rewrite, 4, "steps"));
    if (std::any_of(steps.begin(), steps.end(), [](int64_t step) { return step != 1; }))
      return Status::unsupported("input 4 ('steps') other than 1 came with opset 10");
    rewrite.set_input(4, {});
  }
  SHIPWAY_RETURN_IF_ERROR(move_input_to_ints(rewrite, 3, "axes"));
  SHIPWAY_RETURN_IF_ERROR(move_input_to_ints(rewrite, 2, "ends"));
  return move_input_to_ints(rewrite, 1, "starts");
}

}  // namespace

const Operator& slice_operator() {
  static const Operator definition{
      .name = "Slice",
      .summary = "Cuts ranges out of chosen axes, with steps.",
      .versions = {{.since = 1,
                    .signature = "(data: T) -> (output: T)",
                    .types = "T: all_ir3",
                    .attributes = "axes: ints?; ends: ints!; starts: ints!",
                    .upgrade = attributes_to_inputs},
                   {.since = 10,
                    .signature = kSignature,
                    .types = "T: all_ir3; Tind: int32 int64",
                    .downgrade = inputs_to_attributes},
                   {.since = 11,
                    .signature = kSignature,
                    .types = "T: all_ir3; Tind: int32 int64",
                    .downgrade = downgrade_11},
                   {.since = 13,
                    .signature = kSignature,
                    .types = "T: all_ir4; Tind: int32 int64"}},
      .infer = infer_slice,
      .evaluate = evaluate_slice,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
