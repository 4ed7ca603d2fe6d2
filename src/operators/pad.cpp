// Pad: adds a border: constant, reflected, repeated edge, or wrapped around.
#include <algorithm>

#include "base/checked.h"
#include "operators/contents.h"
#include "operators/downgrade_steps.h"
#include "operators/elements.h"
#include "operators/loops.h"
#include "operators/operator.h"
#include "operators/upgrade_steps.h"
#include "tensor/convert.h"

namespace shipway {
namespace {

constexpr std::string_view kSignature =
    "(data: T, pads: int64, constant_value?: T, axes?: Tind) -> (output: T)";

Status infer_pad(InferContext& context) {
  const Dims* dims = context.input_dims(0);
  const DType dtype = context.input_dtype(0);
  if (!dims) {
    context.set_output_dtype(0, dtype);
    return Status::ok();
  }
  const auto rank = static_cast<int64_t>(dims->size());
  std::vector<int64_t> axes;
  if (context.has_input(3)) {
    const std::optional<std::vector<int64_t>> given = context.input_ints(3);
    if (!given) {
      context.set_output(0, dtype, Dims(dims->size()));
      return Status::ok();
    }
    SHIPWAY_ASSIGN_OR_RETURN(axes, normalize_axes(*given, rank, "input 'axes'"));
  } else {
    for (int64_t axis = 0; axis < rank; ++axis) axes.push_back(axis);
  }
  Dims result = *dims;
  const std::optional<Contents> pads = followed_elements(context, 1);
  if (pads && pads->size() != 2 * axes.size())
    return Status::invalid_model("input 'pads' has {} values, expected begin and end for {} axes",
                                 pads->size(), axes.size());
  for (size_t i = 0; i < axes.size(); ++i) {
    Dim& size = result[static_cast<size_t>(axes[i])];
    size = pads ? context.dims().add(size, context.dims().add((*pads)[i], (*pads)[axes.size() + i]))
                : Dim::unknown();
    if (size.is_constant() && size.value() < 0)
      return Status::invalid_model("input 'pads' makes the size of axis {} negative ({})", axes[i],
                                   size.value());
  }
  context.set_output(0, dtype, std::move(result));
  return Status::ok();
}

enum class Mode { kConstant, kReflect, kEdge, kWrap };
Result<Mode> mode_of(const std::string& mode) {
  if (mode == "constant") return Mode::kConstant;
  if (mode == "reflect") return Mode::kReflect;
  if (mode == "edge") return Mode::kEdge;
  if (mode == "wrap") return Mode::kWrap;
  return Status::invalid_model("attribute 'mode' is '{}', expected constant, reflect, edge or wrap",
                               mode);
}

/// Where position `at` of a padded axis comes from; `size` is at least 1.
int64_t source_position(Mode mode, int64_t at, int64_t size) {
  switch (mode) {
    case Mode::kConstant:
      break;
    case Mode::kEdge:
      return std::clamp<int64_t>(at, 0, size - 1);
    case Mode::kWrap:
      return (at % size + size) % size;
    case Mode::kReflect: {
      if (size == 1) return 0;
      const int64_t period = 2 * (size - 1);
      const int64_t folded = (at % period + period) % period;
      return folded < size ? folded : period - folded;
    }
  }
  return at;
}

Status evaluate_pad(EvaluateContext& context) {
  const Tensor& data = context.input(0);
  SHIPWAY_ASSIGN_OR_RETURN(const Mode mode, mode_of(context.string_attribute("mode")));
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<int64_t> pads, ints_of(context.input(1), "pads"));
  std::vector<int64_t> axes;
  if (context.has_input(3)) {
    SHIPWAY_ASSIGN_OR_RETURN(const std::vector<int64_t> given, ints_of(context.input(3), "axes"));
    SHIPWAY_ASSIGN_OR_RETURN(axes, normalize_axes(given, data.rank(), "input 'axes'"));
  } else {
    for (int64_t axis = 0; axis < data.rank(); ++axis) axes.push_back(axis);
  }
  if (pads.size() != 2 * axes.size())
    return Status::invalid_argument(
        "input 'pads' has {} values, expected begin and end for {} axes", pads.size(), axes.size());
  Shape shape = data.shape(), begin(shape.size(), 0);
  for (size_t i = 0; i < axes.size(); ++i) {
    const auto axis = static_cast<size_t>(axes[i]);
    const std::optional<int64_t> both = checked_add(pads[i], pads[axes.size() + i]);
    const std::optional<int64_t> size = both ? checked_add(shape[axis], *both) : both;
    if (!size || *size < 0)
      return Status::invalid_argument("input 'pads' ({}, {}) do not fit axis {} of size {}",
                                      pads[i], pads[axes.size() + i], axis, shape[axis]);
    if (mode != Mode::kConstant && shape[axis] == 0 && *size > 0)
      return Status::invalid_argument("axis {} is empty, mode '{}' has nothing to repeat", axis,
                                      context.string_attribute("mode"));
    begin[axis] = pads[i];
    shape[axis] = *size;
  }
  SHIPWAY_ASSIGN_OR_RETURN(const Elements x, Elements::of(data));
  SHIPWAY_ASSIGN_OR_RETURN(Elements y, Elements::output(context, 0, data.dtype(), shape));
  const Shape from_strides = strides_of(data.shape()), to_strides = strides_of(shape);
  if (mode == Mode::kConstant) {
    if (context.has_input(2) && context.input(2).element_count() > 0) {
      const Tensor& value = context.input(2);
      if (value.dtype() != data.dtype() || value.element_count() != 1)
        return Status::invalid_argument("input 'constant_value' is {}[{}], expected one {}",
                                        to_string(value.dtype()), to_string(value.shape()),
                                        to_string(data.dtype()));
      SHIPWAY_ASSIGN_OR_RETURN(const Elements element, Elements::of(value));
      y.fill(element);
    } else {
      y.clear();
    }
    // The part of `data` that negative pads leave, into its place.
    Shape kept = shape;
    int64_t to = 0, from = 0;
    for (size_t axis = 0; axis < shape.size(); ++axis) {
      const int64_t skipped = std::max<int64_t>(-begin[axis], 0);
      const int64_t start = std::max<int64_t>(begin[axis], 0);
      kept[axis] = std::max<int64_t>(std::min(data.dim(axis) - skipped, shape[axis] - start), 0);
      from += skipped * from_strides[axis];
      to += start * to_strides[axis];
    }
    y.copy_strided(kept, to, to_strides, x, from, from_strides);
    return y.finish(context, 0);
  }
  // Offsets in `data` for every position of every axis; a row's positions add the last axis' ones.
  std::vector<std::vector<int64_t>> offsets(shape.size());
  for (size_t axis = 0; axis < shape.size(); ++axis)
    for (int64_t i = 0; i < shape[axis]; ++i)
      offsets[axis].push_back(source_position(mode, i - begin[axis], data.dim(axis)) *
                              from_strides[axis]);
  std::vector<int64_t> sources;
  sources.reserve(static_cast<size_t>(y.count()));
  for (StridedWalk walk(shape, {}); !walk.done(); walk.next()) {
    int64_t source = 0;
    for (size_t axis = 0; axis < shape.size(); ++axis)
      source += offsets[axis][static_cast<size_t>(walk.index()[axis])];
    sources.push_back(source);
  }
  y.take(x, sources);
  return y.finish(context, 0);
}

Status paddings_to_pads(NodeRewrite& rewrite) {
  const std::span<const int64_t> paddings = rewrite.ints_attribute("paddings");
  rewrite.set_attribute({"pads", std::vector<int64_t>(paddings.begin(), paddings.end())});
  rewrite.remove_attribute("paddings");
  return Status::ok();
}

Status attributes_to_inputs(NodeRewrite& rewrite) {
  SHIPWAY_RETURN_IF_ERROR(move_ints_to_input(rewrite, "pads", 1));
  if (!rewrite.has_attribute("value")) return Status::ok();
  const double value = rewrite.float_attribute("value");
  rewrite.remove_attribute("value");
  if (value == 0) return Status::ok();  // what a missing input means
  const DType declared = rewrite.input_type(0).dtype();
  const DType dtype = declared == DType::kUndefined ? DType::kFloat32 : declared;
  SHIPWAY_ASSIGN_OR_RETURN(Tensor constant, from_doubles(dtype, {}, std::span(&value, 1)));
  rewrite.set_input(2, rewrite.add_constant("constant_value", std::move(constant)));
  return Status::ok();
}

// Mode 'wrap' came with version 19.
Status downgrade_19(NodeRewrite& rewrite) {
  if (rewrite.string_attribute("mode") == "wrap")
    return Status::unsupported("attribute 'mode' ('wrap') came with opset 19");
  return Status::ok();
}

// Pads for chosen axes become pads for all.
Status downgrade_18(NodeRewrite& rewrite) {
  if (!rewrite.node().input(3).is_valid()) return Status::ok();
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<int64_t> pads, constant_ints(rewrite, 1, "pads"));
  SHIPWAY_ASSIGN_OR_RETURN(std::vector<int64_t> axes, constant_ints(rewrite, 3, "axes"));
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t rank, known_rank(rewrite, 0));
  SHIPWAY_ASSIGN_OR_RETURN(axes, normalize_axes(axes, rank, "input 'axes'"));
  if (pads.size() != 2 * axes.size())
    return Status::invalid_model("input 'pads' has {} elements, expected {}", pads.size(),
                                 2 * axes.size());
  std::vector<int64_t> all(static_cast<size_t>(2 * rank), 0);
  for (size_t i = 0; i < axes.size(); ++i) {
    all[static_cast<size_t>(axes[i])] = pads[i];
    all[static_cast<size_t>(axes[i] + rank)] = pads[i + axes.size()];
  }
  rewrite.set_input(1, rewrite.add_ints("pads", all));
  rewrite.set_input(3, {});
  return Status::ok();
}

Status inputs_to_attributes(NodeRewrite& rewrite) {
  SHIPWAY_RETURN_IF_ERROR(move_input_to_ints(rewrite, 1, "pads"));
  SHIPWAY_ASSIGN_OR_RETURN(const std::optional<float> value,
                           constant_float(rewrite, 2, "constant_value"));
  if (value && *value != 0) rewrite.set_attribute({"value", *value});
  rewrite.set_input(2, {});
  return Status::ok();
}

Status pads_to_paddings(NodeRewrite& rewrite) {
  const std::span<const int64_t> pads = rewrite.ints_attribute("pads");
  rewrite.set_attribute({"paddings", std::vector<int64_t>(pads.begin(), pads.end())});
  rewrite.remove_attribute("pads");
  return Status::ok();
}

}  // namespace

const Operator& pad_operator() {
  static const Operator definition{
      .name = "Pad",
      .summary = "Adds a border: constant, reflected, repeated edge, or wrapped around.",
      .versions = {{.since = 1,
                    .signature = "(data: T) -> (output: T)",
                    .types = "T: floats",
                    .attributes = "mode: string = 'constant'; paddings: ints!; value: float = 0.0",
                    .upgrade = paddings_to_pads},
                   {.since = 2,
                    .signature = "(data: T) -> (output: T)",
                    .types = "T: floats",
                    .attributes = "mode: string = 'constant'; pads: ints!; value: float = 0.0",
                    .upgrade = attributes_to_inputs,
                    .downgrade = pads_to_paddings},
                   {.since = 11,
                    .signature = "(data: T, pads: int64, constant_value?: T) -> (output: T)",
                    .types = "T: numeric",
                    .attributes = "mode: string = 'constant'",
                    .downgrade = inputs_to_attributes},
                   {.since = 13,
                    .signature = "(data: T, pads: int64, constant_value?: T) -> (output: T)",
                    .types = "T: all_ir4",
                    .attributes = "mode: string = 'constant'"},
                   {.since = 18,
                    .signature = kSignature,
                    .types = "T: all_ir4; Tind: int32 int64",
                    .attributes = "mode: string = 'constant'",
                    .downgrade = downgrade_18},
                   {.since = 19,
                    .signature = kSignature,
                    .types = "T: all_ir4; Tind: int32 int64",
                    .attributes = "mode: string = 'constant'",
                    .downgrade = downgrade_19},
                   {.since = 21,
                    .signature = kSignature,
                    .types = "T: all_ir10; Tind: int32 int64",
                    .attributes = "mode: string = 'constant'"},
                   {.since = 23,
                    .signature = kSignature,
                    .types = "T: all_ir11; Tind: int32 int64",
                    .attributes = "mode: string = 'constant'"},
                   {.since = 24,
                    .signature = kSignature,
                    .types = "T: all_ir12; Tind: int32 int64",
                    .attributes = "mode: string = 'constant'"},
                   {.since = 25,
                    .signature = kSignature,
                    .types = "T: all_ir13; Tind: int32 int64",
                    .attributes = "mode: string = 'constant'"}},
      .infer = infer_pad,
      .evaluate = evaluate_pad,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
