// Split: cuts a tensor into pieces along one axis.
#include <algorithm>

#include "operators/contents.h"
#include "operators/downgrade_steps.h"
#include "operators/elements.h"
#include "operators/operator.h"
#include "operators/shape_rules.h"
#include "operators/upgrade_steps.h"
#include "tensor/convert.h"

namespace shipway {

namespace {

Status check_number_of_outputs(const AttributeReader& node, size_t outputs) {
  if (!node.has_attribute("num_outputs")) return Status::ok();
  const int64_t wanted = node.int_attribute("num_outputs");
  if (wanted != static_cast<int64_t>(outputs))
    return Status::invalid_model("attribute 'num_outputs' is {}, but the node has {} outputs",
                                 wanted, outputs);
  return Status::ok();
}

Status infer_split(InferContext& context) {
  const Dims* dims = context.input_dims(0);
  const DType dtype = context.input_dtype(0);
  const size_t outputs = context.output_count();
  SHIPWAY_RETURN_IF_ERROR(check_number_of_outputs(context, outputs));
  if (!dims) {
    for (size_t i = 0; i < outputs; ++i) context.set_output_dtype(i, dtype);
    return Status::ok();
  }
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t axis, normalize_axis(context.int_attribute("axis"),
                                                              static_cast<int64_t>(dims->size())));
  const Dim size = (*dims)[static_cast<size_t>(axis)];
  std::vector<Dim> lengths(outputs);
  if (context.has_input(1)) {
    if (const std::optional<Contents> split = followed_elements(context, 1)) {
      if (split->size() != outputs)
        return Status::invalid_model("input 'split' has {} values, but the node has {} outputs",
                                     split->size(), outputs);
      lengths.assign(split->begin(), split->end());
    }
    const Dim sum = [&] {
      Dim total = 0;
      for (Dim length : lengths) total = context.dims().add(total, length);
      return total;
    }();
    if (sum.is_constant() && size.is_constant() && sum != size)
      return Status::invalid_model("input 'split' adds up to {}, but axis {} has size {}",
                                   sum.value(), axis, size.value());
  } else {
    const auto parts = static_cast<int64_t>(outputs);
    const Dim length = divide_up(context.dims(), size, parts);
    Dim left = size;
    for (size_t i = 0; i < outputs; ++i) {
      lengths[i] = i + 1 < outputs || size == context.dims().mul(length, parts)
                       ? context.dims().min(length, left)
                       : left;
      left = context.dims().sub(left, lengths[i]);
    }
  }
  const std::optional<Contents> elements =
      dims->size() == 1 ? context.input_contents(0) : std::nullopt;
  size_t start = 0;
  for (size_t i = 0; i < outputs; ++i) {
    Dims part = *dims;
    part[static_cast<size_t>(axis)] = lengths[i];
    context.set_output(i, dtype, std::move(part));
    if (!elements || !lengths[i].is_constant()) continue;
    const size_t end = start + static_cast<size_t>(lengths[i].value());
    if (end > elements->size()) continue;
    follow_elements(context, i, dtype,
                    Contents(elements->begin() + static_cast<std::ptrdiff_t>(start),
                             elements->begin() + static_cast<std::ptrdiff_t>(end)));
    start = end;
  }
  return Status::ok();
}

Status evaluate_split(EvaluateContext& context) {
  const Tensor& data = context.input(0);
  SHIPWAY_RETURN_IF_ERROR(check_number_of_outputs(context, context.output_count()));
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t normal,
                           normalize_axis(context.int_attribute("axis"), data.rank()));
  const auto axis = static_cast<size_t>(normal);
  const int64_t size = data.dim(axis);
  const auto outputs = static_cast<int64_t>(context.output_count());
  std::vector<int64_t> lengths;
  if (context.has_input(1)) {
    SHIPWAY_ASSIGN_OR_RETURN(lengths, ints_of(context.input(1), "split"));
    if (static_cast<int64_t>(lengths.size()) != outputs)
      return Status::invalid_argument("input 'split' has {} values, but the node has {} outputs",
                                      lengths.size(), outputs);
    int64_t left = size;
    for (int64_t length : lengths) {
      if (length < 0)
        return Status::invalid_argument("input 'split' has the negative size {}", length);
      if (length > left) left = -1;
      if (left < 0) break;
      left -= length;
    }
    if (left != 0)
      return Status::invalid_argument("input 'split' does not add up to {}, the size of axis {}",
                                      size, axis);
  } else {
    const int64_t length = size / outputs + (size % outputs != 0 ? 1 : 0);  // the last may be less
    for (int64_t i = 0, left = size; i < outputs; ++i) {
      lengths.push_back(std::min(length, left));
      left -= lengths.back();
    }
  }
  SHIPWAY_ASSIGN_OR_RETURN(const Elements x, Elements::of(data));
  int64_t outer = x.count() == 0 ? 0 : 1;
  for (size_t k = 0; k < axis && outer > 0; ++k) outer *= data.dim(k);
  const int64_t row = outer == 0 ? 0 : x.count() / outer;
  int64_t start = 0;
  for (size_t i = 0; i < lengths.size(); ++i) {
    const int64_t width = size == 0 ? 0 : row / size * lengths[i];
    if (context.has_output(i)) {
      Shape shape = data.shape();
      shape[axis] = lengths[i];
      SHIPWAY_ASSIGN_OR_RETURN(Elements y, Elements::output(context, i, data.dtype(), shape));
      for (int64_t k = 0; k < outer; ++k) y.copy(k * width, x, k * row + start, width);
      SHIPWAY_RETURN_IF_ERROR(y.finish(context, i));
    }
    start += width;
  }
  return Status::ok();
}

/// Version 1 could take the lengths as an input of the data's dtype, and had no default axis.
Status lengths_to_attribute(NodeRewrite& rewrite) {
  if (!rewrite.has_attribute("axis")) rewrite.set_attribute({"axis", int64_t{0}});
  if (!rewrite.node().input(1).is_valid()) return Status::ok();
  const Tensor* split = rewrite.input_constant(1);
  if (!split) return Status::unsupported("input 'split' of version 1 is not constant");
  SHIPWAY_ASSIGN_OR_RETURN(std::vector<int64_t> lengths, to_ints(*split));
  rewrite.set_input(1, {});
  rewrite.set_attribute({"split", std::move(lengths)});
  return Status::ok();
}
Status lengths_to_input(NodeRewrite& rewrite) { return move_ints_to_input(rewrite, "split", 1); }
/// Before version 18, equal parts were as many as the node had outputs.
Status say_number_of_outputs(NodeRewrite& rewrite) {
  if (!rewrite.node().input(1).is_valid())
    rewrite.set_attribute({"num_outputs", static_cast<int64_t>(rewrite.node().outputs().size())});
  return Status::ok();
}

Status input_to_lengths(NodeRewrite& rewrite) { return move_input_to_ints(rewrite, 1, "split"); }
// Equal parts need no list; parts of which the last is smaller become one, if the size is known.
Status say_lengths(NodeRewrite& rewrite) {
  if (!rewrite.has_attribute("num_outputs")) return Status::ok();
  const int64_t parts = rewrite.int_attribute("num_outputs");
  rewrite.remove_attribute("num_outputs");
  const Dims* dims = rewrite.input_type(0).dims();
  const int64_t axis = rewrite.int_attribute("axis");
  Dim size = Dim::unknown();
  if (dims) {
    SHIPWAY_ASSIGN_OR_RETURN(const int64_t counted,
                             normalize_axis(axis, static_cast<int64_t>(dims->size())));
    size = (*dims)[static_cast<size_t>(counted)];
  }
  if (parts < 1 || !size.is_constant())
    return Status::unsupported(
        "attribute 'num_outputs' ({}) came with opset 18, and the size of axis {} is not known "
        "before the run",
        parts, axis);
  if (size.value() % parts == 0) return Status::ok();
  std::vector<int64_t> lengths;
  const int64_t length = size.value() / parts + 1;
  for (int64_t left = size.value(); static_cast<int64_t>(lengths.size()) < parts;) {
    lengths.push_back(std::min(length, left));
    left -= lengths.back();
  }
  rewrite.set_input(1, rewrite.add_ints("split", lengths));
  return Status::ok();
}

}  // namespace

const Operator& split_operator() {
  static const Operator definition{
      .name = "Split",
      .summary = "Cuts a tensor into pieces along one axis.",
      .versions = {{.since = 1,
                    .signature = "(input: T, split?: T) -> (outputs......: T)",
                    .types = "T: floats",
                    .attributes = "axis: int?; split: ints?",
                    .upgrade = lengths_to_attribute},
                   {.since = 2,
                    .signature = "(input: T) -> (outputs...: T)",
                    .types = "T: all_ir3",
                    .attributes = "axis: int = 0; split: ints?"},
                   {.since = 11,
                    .signature = "(input: T) -> (outputs...: T)",
                    .types = "T: all_ir3",
                    .attributes = "axis: int = 0; split: ints?",
                    .upgrade = lengths_to_input,
                    .downgrade = axis_from_front},
                   {.since = 13,
                    .signature = "(input: T, split?: int64) -> (outputs...: T)",
                    .types = "T: all_ir4",
                    .attributes = "axis: int = 0",
                    .upgrade = say_number_of_outputs,
                    .downgrade = input_to_lengths},
                   {.since = 18,
                    .signature = "(input: T, split?: int64) -> (outputs...: T)",
                    .types = "T: all_ir4",
                    .attributes = "axis: int = 0; num_outputs: int?",
                    .downgrade = say_lengths}},
      .infer = infer_split,
      .evaluate = evaluate_split,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
