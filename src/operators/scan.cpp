// Scan: runs a subgraph over slices of its inputs, carrying state and stacking what it yields.
#include "operators/contents.h"
#include "operators/elements.h"
#include "operators/iterate.h"
#include "operators/operator.h"
#include "operators/shape_rules.h"

namespace shipway {
namespace {

constexpr std::string_view kSignature =
    "(initial_state_and_scan_inputs...~: V) -> (final_state_and_scan_outputs...~: V)";
constexpr std::string_view kAttributes =
    "body: graph!; num_scan_inputs: int!; scan_input_axes: ints?; "
    "scan_input_directions: ints?; scan_output_axes: ints?; "
    "scan_output_directions: ints?";

/// How inputs and outputs fall apart: the states come first in both.
struct Layout {
  size_t states = 0, scan_inputs = 0, scan_outputs = 0;
};
Result<Layout> layout_of(const AttributeReader& node, size_t inputs, size_t outputs) {
  const int64_t scan_inputs = node.int_attribute("num_scan_inputs");
  if (scan_inputs < 1 || scan_inputs > static_cast<int64_t>(inputs))
    return Status::invalid_model("attribute 'num_scan_inputs' is {}, expected 1 to {}", scan_inputs,
                                 inputs);
  Layout layout;
  layout.scan_inputs = static_cast<size_t>(scan_inputs);
  layout.states = inputs - layout.scan_inputs;
  if (outputs < layout.states)
    return Status::invalid_model("has {} outputs, expected at least {}", outputs, layout.states);
  layout.scan_outputs = outputs - layout.states;
  return layout;
}

/// Value `i` of a list with an entry per scan input or output; 0 when it is left out.
Result<int64_t> entry(const AttributeReader& node, std::string_view name, size_t i, size_t count) {
  if (!node.has_attribute(name)) return int64_t{0};
  const std::span<const int64_t> values = node.ints_attribute(name);
  if (values.size() != count)
    return Status::invalid_model("attribute '{}' has {} values, expected {}", name, values.size(),
                                 count);
  return values[i];
}
Result<bool> is_reversed(const AttributeReader& node, std::string_view name, size_t i,
                         size_t count) {
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t direction, entry(node, name, i, count));
  if (direction != 0 && direction != 1)
    return Status::invalid_model("attribute '{}' has the value {}, expected 0 or 1", name,
                                 direction);
  return direction == 1;
}

Status infer_scan(InferContext& context) {
  SHIPWAY_ASSIGN_OR_RETURN(const Layout layout,
                           layout_of(context, context.input_count(), context.output_count()));
  std::vector<Type> states, slices;
  for (size_t i = 0; i < layout.states; ++i) states.push_back(context.input_type(i));
  Dim length;
  for (size_t i = 0; i < layout.scan_inputs; ++i) {
    const Type& type = context.input_type(layout.states + i);
    if (!type.dims()) {
      slices.push_back(Type::tensor(type.dtype()));
      continue;
    }
    SHIPWAY_ASSIGN_OR_RETURN(const int64_t given,
                             entry(context, "scan_input_axes", i, layout.scan_inputs));
    SHIPWAY_ASSIGN_OR_RETURN(const int64_t axis,
                             normalize_axis(given, static_cast<int64_t>(type.dims()->size()),
                                            "attribute 'scan_input_axes'"));
    Dims dims = *type.dims();
    SHIPWAY_ASSIGN_OR_RETURN(length, agreeing_dim(length, dims[static_cast<size_t>(axis)],
                                                  "lengths of the scan inputs"));
    dims.erase(dims.begin() + axis);
    slices.push_back(Type::tensor(type.dtype(), std::move(dims)));
  }
  SHIPWAY_ASSIGN_OR_RETURN(
      const BodyTypes types,
      infer_body(context, context.graph_attribute("body"), {}, std::move(states), slices, 0));
  if (types.others.size() != layout.scan_outputs)
    return Status::invalid_model("attribute 'body' has {} outputs, expected {}",
                                 types.states.size() + types.others.size(), context.output_count());
  for (size_t i = 0; i < types.states.size(); ++i) context.set_output(i, types.states[i]);
  for (size_t i = 0; i < types.others.size(); ++i) {
    const Type& slice = types.others[i];
    if (!slice.dims()) {
      context.set_output_dtype(layout.states + i, slice.dtype());
      continue;
    }
    SHIPWAY_ASSIGN_OR_RETURN(const int64_t given,
                             entry(context, "scan_output_axes", i, layout.scan_outputs));
    Dims dims = *slice.dims();
    SHIPWAY_ASSIGN_OR_RETURN(const int64_t axis,
                             normalize_axis(given, static_cast<int64_t>(dims.size()) + 1,
                                            "attribute 'scan_output_axes'"));
    dims.insert(dims.begin() + axis, length);
    context.set_output(layout.states + i, slice.dtype(), std::move(dims));
  }
  return Status::ok();
}

/// One scan input, cut along its axis.
struct ScanInput {
  Elements elements;
  DType dtype = DType::kUndefined;
  Shape slice_shape;
  int64_t outer = 1, length = 0, inner = 1;
  bool reversed = false;
};

Result<ScanInput> open_scan_input(EvaluateContext& context, const Layout& layout, size_t i) {
  const Tensor& tensor = context.input(layout.states + i);
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t given,
                           entry(context, "scan_input_axes", i, layout.scan_inputs));
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t axis,
                           normalize_axis(given, tensor.rank(), "attribute 'scan_input_axes'"));
  ScanInput input;
  SHIPWAY_ASSIGN_OR_RETURN(input.reversed,
                           is_reversed(context, "scan_input_directions", i, layout.scan_inputs));
  SHIPWAY_ASSIGN_OR_RETURN(input.elements, Elements::of(tensor));
  input.dtype = tensor.dtype();
  for (size_t k = 0; k < tensor.shape().size(); ++k) {
    if (static_cast<int64_t>(k) == axis) {
      input.length = tensor.dim(k);
      continue;
    }
    int64_t& count = static_cast<int64_t>(k) < axis ? input.outer : input.inner;
    count = tensor.element_count() == 0 ? 0 : count * tensor.dim(k);
    input.slice_shape.push_back(tensor.dim(k));
  }
  return input;
}

Result<Tensor> slice_at(EvaluateContext& context, const ScanInput& input, int64_t iteration) {
  const int64_t at = input.reversed ? input.length - 1 - iteration : iteration;
  SHIPWAY_ASSIGN_OR_RETURN(Elements slice,
                           Elements::scratch(context, input.dtype, input.slice_shape));
  for (int64_t k = 0; k < input.outer; ++k)
    slice.copy(k * input.inner, input.elements, (k * input.length + at) * input.inner, input.inner);
  return slice.take_tensor();
}

Status evaluate_scan(EvaluateContext& context) {
  const GraphId body = context.graph_attribute("body");
  SHIPWAY_ASSIGN_OR_RETURN(const Layout layout,
                           layout_of(context, context.input_count(), context.output_count()));
  std::vector<RuntimeValue> states;
  for (size_t i = 0; i < layout.states; ++i) states.push_back(context.input_value(i));
  std::vector<ScanInput> scanned;
  for (size_t i = 0; i < layout.scan_inputs; ++i) {
    SHIPWAY_ASSIGN_OR_RETURN(ScanInput input, open_scan_input(context, layout, i));
    if (i > 0 && input.length != scanned[0].length)
      return Status::invalid_argument("scan input {} has length {}, expected {}", i, input.length,
                                      scanned[0].length);
    scanned.push_back(std::move(input));
  }
  std::vector<Stack> stacks;
  for (size_t i = 0; i < layout.scan_outputs; ++i) {
    SHIPWAY_ASSIGN_OR_RETURN(const int64_t axis,
                             entry(context, "scan_output_axes", i, layout.scan_outputs));
    SHIPWAY_ASSIGN_OR_RETURN(const bool reversed, is_reversed(context, "scan_output_directions", i,
                                                              layout.scan_outputs));
    stacks.emplace_back(axis, reversed);
  }
  for (int64_t iteration = 0; iteration < scanned[0].length; ++iteration) {
    SHIPWAY_RETURN_IF_ERROR(context.poll());
    std::vector<RuntimeValue> inputs = std::move(states);
    for (const ScanInput& input : scanned) {
      SHIPWAY_ASSIGN_OR_RETURN(Tensor slice, slice_at(context, input, iteration));
      inputs.emplace_back(std::move(slice));
    }
    auto outputs = context.run_subgraph(body, inputs);
    if (!outputs.is_ok()) return outputs.status().with_context("iteration {}", iteration);
    if (outputs->size() != context.output_count())
      return Status::invalid_model("attribute 'body' has {} outputs, expected {}", outputs->size(),
                                   context.output_count());
    states.assign(outputs->begin(), outputs->begin() + static_cast<std::ptrdiff_t>(layout.states));
    for (size_t i = 0; i < stacks.size(); ++i)
      SHIPWAY_RETURN_IF_ERROR(stacks[i].add((*outputs)[layout.states + i]));
  }
  for (size_t i = 0; i < layout.states; ++i) context.set_output(i, std::move(states[i]));
  for (size_t i = 0; i < stacks.size(); ++i)
    SHIPWAY_RETURN_IF_ERROR(stacks[i].finish(
        context, layout.states + i, context.subgraph_output_type(body, layout.states + i)));
  return Status::ok();
}

/// Version 8 ran the body for every entry of a batch axis, each with a length of its own.
Status refuse_batches(NodeRewrite&) {
  return Status::unsupported("version 8 of Scan, with a batch axis, cannot be said in version 9");
}

// Version 8 ran every sequence of a batch for itself, with axes of their own.
Status refuse_scan_9(NodeRewrite&) {
  return Status::unsupported("Scan without a batch axis came with opset 9");
}

}  // namespace

const Operator& scan_operator() {
  static const Operator definition{
      .name = "Scan",
      .summary =
          "Runs a subgraph over slices of its inputs, carrying state and stacking what it yields.",
      .versions =
          {{.since = 8,
            .signature =
                "(sequence_lens?: I, "
                "initial_state_and_scan_inputs...~: V) -> (final_state_and_scan_outputs...~: V)",
            .types = "I: int64; V: all_ir3",
            .attributes = "body: graph!; directions: ints?; num_scan_inputs: int!",
            .upgrade = refuse_batches},
           {.since = 9,
            .signature = kSignature,
            .types = "V: all_ir3",
            .attributes = kAttributes,
            .downgrade = refuse_scan_9},
           {.since = 11, .signature = kSignature, .types = "V: all_ir3", .attributes = kAttributes},
           {.since = 16, .signature = kSignature, .types = "V: all_ir4", .attributes = kAttributes},
           {.since = 19, .signature = kSignature, .types = "V: all_ir9", .attributes = kAttributes},
           {.since = 21,
            .signature = kSignature,
            .types = "V: all_ir10",
            .attributes = kAttributes},
           {.since = 23,
            .signature = kSignature,
            .types = "V: all_ir11",
            .attributes = kAttributes},
           {.since = 24,
            .signature = kSignature,
            .types = "V: all_ir12",
            .attributes = kAttributes},
           {.since = 25,
            .signature = kSignature,
            .types = "V: all_ir13",
            .attributes = kAttributes}},
      .infer = infer_scan,
      .evaluate = evaluate_scan,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
