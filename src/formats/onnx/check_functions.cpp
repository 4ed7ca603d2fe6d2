// Functions that a model defines: each in itself, its agreement with the model's opsets, and no
// recursion.
#include <algorithm>

#include "base/text.h"
#include "formats/onnx/check_context.h"
#include "formats/onnx/fields.h"

namespace shipway::onnx_check {
namespace {

namespace f = onnx_fields;

constexpr Where kModelItself{};
constexpr size_t kMaxFunctions = 10000;  // onnx's own limits
constexpr size_t kMaxCallDepth = 100;

/// What a call and the function it means have in common.
std::string function_key(std::string_view domain, std::string_view name,
                         std::string_view overload) {
  std::string key(normalized_domain(domain));
  for (const std::string_view part : {name, overload}) {
    key += "::";
    key += part;
  }
  return key;
}

struct FunctionNames {
  std::string_view domain, name, overload;
  bool has_domain = false;
};

FunctionNames names_of(Bytes function) {
  FunctionNames names;
  FieldReader fields(function);
  while (fields.next()) {
    switch (fields.key()) {
      case bytes_field(f::function::kName):
        names.name = fields.text();
        break;
      case bytes_field(f::function::kOverload):
        names.overload = fields.text();
        break;
      case bytes_field(f::function::kDomain):
        names.domain = fields.text();
        names.has_domain = true;
        break;
      default:
        break;
    }
  }
  return names;
}

}  // namespace

void Checker::check_functions(const std::vector<Bytes>& functions) {
  // A function may import a domain that the model does not: it then counts as the model's too.
  const OpsetImports own_imports = imports_;
  OpsetImports all_imports = imports_;
  for (const Bytes function : functions)
    for (const auto& [domain, version] :
         read_imports(function, f::function::kOpsetImport, kModelItself))
      all_imports.try_emplace(domain, version);
  check_function_calls(functions);
  for (const Bytes function : functions) check_function(function, all_imports);
  imports_ = own_imports;
}

void Checker::check_function(Bytes message, const OpsetImports& model_imports) {
  const FunctionNames names = names_of(message);
  const Where here{.outer = &kModelItself, .what = "function", .name = names.name};
  if (names.name.empty()) problems_.add(here, "has no name");
  if (!names.has_domain) problems_.add(here, "its domain is missing");
  imports_ = read_imports(message, f::function::kOpsetImport, here);
  model_imports_ = &model_imports;

  Scope scope;
  std::unordered_set<std::string_view> outputs, attributes;
  FieldReader fields(message);
  while (fields.next()) {
    switch (fields.key()) {
      case bytes_field(f::function::kInput):
        if (!scope.names.insert(fields.text()).second)
          problems_.add(here, "has two inputs {}", quoted(fields.text()));
        break;
      case bytes_field(f::function::kOutput):
        if (!outputs.insert(fields.text()).second)
          problems_.add(here, "has two outputs {}", quoted(fields.text()));
        break;
      case bytes_field(f::function::kAttribute):
        if (!attributes.insert(fields.text()).second)
          problems_.add(here, "has two attributes {}", quoted(fields.text()));
        break;
      default:
        break;
    }
  }
  int64_t index = 0;
  FieldReader nodes(message);
  while (nodes.next())
    if (nodes.key() == bytes_field(f::function::kNode))
      check_node_in_scope(nodes.bytes(), scope, here, index++, true);
}

void Checker::check_opset_compatibility(const Node& node, const OpsetImports& model_imports,
                                        const Where& where) {
  const auto in_function = imports_.find(node.domain);
  if (in_function == imports_.end() || in_function->second == -1) {
    problems_.add(where, "the function imports no opset of domain {}", quoted(node.domain));
    return;
  }
  const auto in_model = model_imports.find(node.domain);
  if (in_model == model_imports.end() || in_model->second == -1 ||
      in_model->second == in_function->second)
    return;
  const Schema* for_function = schema(node.domain, node.op_type, in_function->second);
  const Schema* for_model = schema(node.domain, node.op_type, in_model->second);
  if (for_function == for_model) return;
  problems_.add(where,
                "opset {} of the function and opset {} of the model mean different versions of it",
                in_function->second, in_model->second);
}

void Checker::collect_calls(Bytes body, uint32_t node_field,
                            const std::unordered_map<std::string, size_t>& functions,
                            std::vector<size_t>& calls) {
  FieldReader nodes(body);
  while (nodes.next()) {
    if (nodes.key() != bytes_field(node_field)) continue;
    const Node node = read_node(nodes.bytes());
    const auto callee = functions.find(function_key(node.domain, node.op_type, node.overload));
    if (callee != functions.end()) calls.push_back(callee->second);
    for (const Bytes bytes : node.attributes) {
      const Attribute attribute = read_attribute(bytes);
      if (attribute.graph) collect_calls(*attribute.graph, f::graph::kNode, functions, calls);
      for (const Bytes graph : attribute.graphs)
        collect_calls(graph, f::graph::kNode, functions, calls);
    }
  }
}

void Checker::check_function_calls(const std::vector<Bytes>& functions) {
  if (functions.size() > kMaxFunctions) {
    problems_.add(kModelItself, "has {} functions, expected at most {}", functions.size(),
                  kMaxFunctions);
    return;
  }
  std::vector<FunctionNames> names;
  std::unordered_map<std::string, size_t> by_key;
  for (const Bytes function : functions) {
    names.push_back(names_of(function));
    const FunctionNames& own = names.back();
    if (!by_key.try_emplace(function_key(own.domain, own.name, own.overload), names.size() - 1)
             .second)
      problems_.add({.outer = nullptr, .what = "function", .name = own.name},
                    "another function has this domain, name and overload");
  }
  std::vector<std::vector<size_t>> calls(functions.size());
  for (size_t i = 0; i < functions.size(); ++i) {
    collect_calls(functions[i], f::function::kNode, by_key, calls[i]);
    std::sort(calls[i].begin(), calls[i].end());
    calls[i].erase(std::unique(calls[i].begin(), calls[i].end()), calls[i].end());
  }

  // Depth first, without recursion; `depth` counts the functions on the longest chain of calls from
  // each.
  enum class State : uint8_t { kNew, kOpen, kDone };
  std::vector<State> states(functions.size(), State::kNew);
  std::vector<size_t> depth(functions.size(), 1);
  for (size_t root = 0; root < functions.size(); ++root) {
    if (states[root] != State::kNew) continue;
    std::vector<std::pair<size_t, size_t>> path{{root, 0}};  // function, next call to follow
    states[root] = State::kOpen;
    while (!path.empty()) {
      const size_t caller = path.back().first;
      if (path.back().second == calls[caller].size()) {
        states[caller] = State::kDone;
        for (const size_t callee : calls[caller])
          if (states[callee] == State::kDone)
            depth[caller] = std::max(depth[caller], depth[callee] + 1);
        path.pop_back();
        continue;
      }
      const size_t callee = calls[caller][path.back().second++];
      if (states[callee] == State::kOpen) {
        problems_.add({.outer = nullptr, .what = "function", .name = names[callee].name},
                      "calls itself{}; functions must not be recursive",
                      callee == caller ? "" : " through " + quoted(names[caller].name));
      } else if (states[callee] == State::kNew) {
        states[callee] = State::kOpen;
        path.push_back({callee, 0});
      }
    }
    if (depth[root] > kMaxCallDepth)
      problems_.add({.outer = nullptr, .what = "function", .name = names[root].name},
                    "calls functions {} deep, expected at most {}", depth[root], kMaxCallDepth);
  }
}

}  // namespace shipway::onnx_check
