// What the tests of operators share: one node built, inferred, upgraded or run on its own.
#pragma once

#include <charconv>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "graph/builder.h"
#include "operators/infer.h"
#include "operators/reference.h"
#include "operators/registry.h"
#include "operators/upgrade.h"
#include "tensor/convert.h"

namespace shipway {

// attr("axis", 1), attr("alpha", 0.5f), attr("perm", {1, 0}), attr("mode", "edge"), ...
inline Attribute attr(std::string name, int64_t value) { return {std::move(name), value}; }
inline Attribute attr(std::string name, int value) { return {std::move(name), int64_t{value}}; }
inline Attribute attr(std::string name, float value) { return {std::move(name), value}; }
inline Attribute attr(std::string name, const char* value) {
  return {std::move(name), std::string(value)};
}
inline Attribute attr(std::string name, DType value) {
  return {std::move(name), static_cast<int64_t>(value)};
}
inline Attribute attr(std::string name, std::initializer_list<int64_t> values) {
  return {std::move(name), std::vector<int64_t>(values)};
}
template <typename T>
Attribute attr(std::string name, T value) {
  return {std::move(name), AttributeValue(std::move(value))};
}

/// A model of one node at the given opset of its domain, with values `in0`, `in1`, ... and `out0`,
/// ... Inputs of an unknown Type that `present` does not name are left out.
struct SingleNode {
  Model model;
  NodeId node;
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;
};

inline Result<SingleNode> single_node(std::string_view name, const std::vector<bool>& present,
                                      std::vector<Attribute> attributes, size_t outputs,
                                      std::string_view domain, int64_t opset) {
  SingleNode single;
  single.model.opset_imports = {{std::string(domain), opset}};
  ModelBuilder builder(single.model);
  const GraphId graph = single.model.main_graph();
  NodeSpec spec;
  for (size_t i = 0; i < present.size(); ++i) {
    ValueId id;
    if (present[i]) {
      id = builder.add_value(graph, "in" + std::to_string(i));
      builder.add_input(graph, id);
    }
    single.inputs.push_back(id);
    spec.inputs.push_back(id);
  }
  for (size_t i = 0; i < outputs; ++i) {
    single.outputs.push_back(builder.add_value(graph, "out" + std::to_string(i)));
    spec.outputs.push_back(single.outputs.back());
    builder.add_output(graph, single.outputs.back());
  }
  spec.op_type = name;
  spec.domain = domain;
  spec.attributes = std::move(attributes);
  SHIPWAY_ASSIGN_OR_RETURN(single.node, builder.add_node(graph, std::move(spec)));
  return single;
}

/// Runs the newest version of an operator. An absent RuntimeValue stands for an input left out.
inline Result<std::vector<RuntimeValue>> evaluate(std::string_view name,
                                                  const std::vector<RuntimeValue>& inputs,
                                                  std::vector<Attribute> attributes = {},
                                                  size_t outputs = 1,
                                                  std::string_view domain = "") {
  std::vector<bool> present;
  for (const RuntimeValue& value : inputs) present.push_back(!value.is_absent());
  SHIPWAY_ASSIGN_OR_RETURN(
      const SingleNode single,
      single_node(name, present, std::move(attributes), outputs, domain, newest_opset(domain)));
  std::vector<RuntimeValue> results(outputs);
  ReferenceRunner runner(single.model, Registry::built_in());
  SHIPWAY_RETURN_IF_ERROR(runner.run_node(single.model.node(single.node), inputs, results));
  return results;
}

/// The first output as a tensor, for operators that have just one.
inline Result<Tensor> evaluate_tensor(std::string_view name,
                                      const std::vector<RuntimeValue>& inputs,
                                      std::vector<Attribute> attributes = {},
                                      std::string_view domain = "") {
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<RuntimeValue> outputs,
                           evaluate(name, inputs, std::move(attributes), 1, domain));
  if (!outputs[0].tensor()) return Status::internal("output 0 is {}", to_string(outputs[0]));
  return *outputs[0].tensor();
}

/// Runs the version of an operator that `opset` means: its inputs become initializers (so that
/// steps which need constants see them), the model is upgraded, then run.
inline Result<std::vector<RuntimeValue>> evaluate_at(int64_t opset, std::string_view name,
                                                     const std::vector<Tensor>& inputs,
                                                     std::vector<Attribute> attributes = {},
                                                     size_t outputs = 1,
                                                     std::string_view domain = "") {
  Model model;
  model.opset_imports = {{std::string(domain), opset}};
  ModelBuilder builder(model);
  NodeSpec spec;
  for (size_t i = 0; i < inputs.size(); ++i) {
    ValueId id;
    if (inputs[i].is_defined()) {
      id = builder.add_value(model.main_graph(), "in" + std::to_string(i));
      builder.add_initializer(id, Constant{.tensor = inputs[i]});
      Dims dims;
      for (int64_t size : inputs[i].shape()) dims.push_back(size);
      builder.set_type(id, Type::tensor(inputs[i].dtype(), std::move(dims)));
    }
    spec.inputs.push_back(id);
  }
  for (size_t i = 0; i < outputs; ++i) {
    spec.outputs.push_back(builder.add_value(model.main_graph(), "out" + std::to_string(i)));
    builder.add_output(model.main_graph(), spec.outputs.back());
  }
  spec.op_type = name;
  spec.domain = domain;
  spec.attributes = std::move(attributes);
  SHIPWAY_RETURN_IF_ERROR(builder.add_node(model.main_graph(), std::move(spec)).status());
  SHIPWAY_RETURN_IF_ERROR(upgrade(model, Registry::built_in()));
  return ReferenceRunner(model, Registry::built_in()).run({});
}

/// An input of `infer`: a type as text ("float[N,3,?]": symbols, numbers, unknown sizes; "float":
/// unknown rank; "": left out), and what is known of its elements.
struct InferInput {
  InferInput(const char* text) : type(text) {}
  InferInput(Tensor tensor) : constant(std::move(tensor)) {}
  InferInput(const char* text, std::vector<const char*> elements)
      : type(text), contents(std::move(elements)) {}

  std::string type;
  Tensor constant;
  std::optional<std::vector<const char*>> contents;  // symbols, numbers and "?"
};

struct InferResult {
  std::vector<std::string> types;     // "float[N,6]", as to_string(Type)
  std::vector<std::string> contents;  // "N, 2*H, ?"; "" when not followed
};

namespace testing_internal {

inline Dim parse_dim(std::string_view text, DimTable& dims) {
  if (text == "?") return Dim::unknown();
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size()) return value;
  return dims.symbol(text);
}

inline Type parse_tensor_type(std::string_view text, DimTable& dims) {
  if (text.starts_with("seq("))
    return Type::sequence(parse_tensor_type(text.substr(4, text.size() - 5), dims));
  if (text.starts_with("optional("))
    return Type::optional(parse_tensor_type(text.substr(9, text.size() - 10), dims));
  const size_t bracket = text.find('[');
  const DType dtype = dtype_from_name(text.substr(0, bracket)).value_or(DType::kUndefined);
  if (bracket == std::string_view::npos) return Type::tensor(dtype);
  Dims sizes;
  std::string_view rest = text.substr(bracket + 1, text.size() - bracket - 2);
  while (!rest.empty()) {
    const size_t comma = std::min(rest.find(','), rest.size());
    sizes.push_back(parse_dim(rest.substr(0, comma), dims));
    rest = rest.substr(std::min(comma + 1, rest.size()));
  }
  return Type::tensor(dtype, std::move(sizes));
}

}  // namespace testing_internal

/// Infers the newest version of an operator; sizes and elements that are symbols stay so.
inline Result<InferResult> infer(std::string_view name, const std::vector<InferInput>& inputs,
                                 std::vector<Attribute> attributes = {}, size_t outputs = 1,
                                 std::string_view domain = "") {
  const Operator* op = Registry::built_in().find(domain, name);
  if (!op || !op->infer) return Status::unsupported("there is no inference of operator {}", name);
  std::vector<bool> present;
  for (const InferInput& input : inputs)
    present.push_back(input.constant.is_defined() || !input.type.empty());
  SHIPWAY_ASSIGN_OR_RETURN(SingleNode single, single_node(name, present, std::move(attributes),
                                                          outputs, domain, newest_opset(domain)));
  DimTable& dims = single.model.dims();
  std::vector<InferContext::Input> given;
  for (size_t i = 0; i < inputs.size(); ++i) {
    InferContext::Input input;
    input.present = present[i];
    if (inputs[i].constant.is_defined()) {
      Dims sizes;
      for (int64_t size : inputs[i].constant.shape()) sizes.push_back(size);
      input.type = Type::tensor(inputs[i].constant.dtype(), std::move(sizes));
      input.constant = &inputs[i].constant;
    } else if (present[i]) {
      input.type = testing_internal::parse_tensor_type(inputs[i].type, dims);
    }
    if (inputs[i].contents) {
      Contents contents;
      for (const char* text : *inputs[i].contents)
        contents.push_back(testing_internal::parse_dim(text, dims));
      input.contents = std::make_shared<const Contents>(std::move(contents));
    }
    given.push_back(std::move(input));
  }
  const Node& node = single.model.node(single.node);
  SHIPWAY_RETURN_IF_ERROR(check_form(node, *op->versions.newest()));
  InferContext context(*op, node, *op->versions.newest(), std::move(given), outputs, dims);
  SHIPWAY_RETURN_IF_ERROR(op->infer(context));
  InferResult result;
  for (const InferContext::Output& output : context.outputs()) {
    result.types.push_back(to_string(output.type, dims));
    std::string contents;
    if (output.contents)
      for (Dim dim : *output.contents)
        contents += (contents.empty() ? "" : ", ") + dims.to_string(dim);
    result.contents.push_back(std::move(contents));
  }
  return result;
}

/// The type of output 0, or the error's message.
inline std::string inferred(std::string_view name, const std::vector<InferInput>& inputs,
                            std::vector<Attribute> attributes = {}) {
  const Result<InferResult> result = infer(name, inputs, std::move(attributes));
  return result.is_ok() ? result->types[0] : result.status().message();
}

/// The elements of output 0 as followed, or the error's message.
inline std::string inferred_contents(std::string_view name, const std::vector<InferInput>& inputs,
                                     std::vector<Attribute> attributes = {}) {
  const Result<InferResult> result = infer(name, inputs, std::move(attributes));
  return result.is_ok() ? result->contents[0] : result.status().message();
}

/// All elements as double, for comparisons; empty (with the error lost) when there are none.
inline std::vector<double> doubles(const Result<Tensor>& tensor) {
  if (!tensor.is_ok()) return {};
  const Result<std::vector<double>> values = to_doubles(*tensor);
  return values.is_ok() ? *values : std::vector<double>();
}

}  // namespace shipway
