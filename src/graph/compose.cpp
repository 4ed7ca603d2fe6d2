#include "shipway/compose.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

#include "base/text.h"
#include "graph/inline_functions.h"
#include "graph/model_copier.h"

namespace shipway {
namespace {

using NameMap = std::unordered_map<std::string_view, std::string_view>;

/// "'a', 'b' and 3 more"
std::string listed(const std::vector<std::string>& names) {
  constexpr size_t kShown = 5;
  std::string text;
  for (size_t i = 0; i < std::min(names.size(), kShown); ++i)
    text += (i == 0 ? "" : ", ") + quoted(names[i]);
  if (names.size() > kShown) text += " and " + std::to_string(names.size() - kShown) + " more";
  return text;
}

std::string listed(const Model& model, std::span<const ValueId> values) {
  std::vector<std::string> names;
  for (ValueId id : values) names.push_back(model.value(id).name());
  return names.empty() ? "none" : listed(names);
}

/// For each graph, whether it is a function's body or lies in one.
std::vector<bool> graphs_of_functions(const Model& model) {
  std::vector<bool> inside(model.graph_count());
  std::vector<GraphId> open;
  for (const Function& function : model.functions()) open.push_back(function.body);
  while (!open.empty()) {
    const GraphId graph = open.back();
    open.pop_back();
    inside[static_cast<size_t>(graph.index)] = true;
    for (const Node& node : model.nodes(graph))
      for (GraphId one : node.subgraphs()) open.push_back(one);
  }
  return inside;
}

/// Calls visit(value) for every value of the main graph and the graphs inside it.
template <typename Visit>
void for_each_value(const Model& model, Visit visit) {
  const std::vector<bool> is_functions = graphs_of_functions(model);
  for (size_t i = 0; i < model.value_count(); ++i) {
    const Value& value = model.value(ValueId{static_cast<int32_t>(i)});
    if (value.is_removed() || value.name().empty()) continue;
    if (!is_functions[static_cast<size_t>(value.graph().index)]) visit(value);
  }
}

/// All of `from` under other names.
Result<Model> copied(const Model& from, ModelCopier::Names names,
                     const std::function<bool(size_t)>& keeps_function = {}) {
  Model to;
  ModelCopier copier(from, to, ModelCopier::DimTables::kTake, std::move(names));
  ModelBuilder builder(to);
  const Graph& graph = from.graph();
  copier.copy_head();
  copier.describe_main_graph();
  builder.set_graph_name(to.main_graph(), graph.name());
  for (ValueId input : graph.inputs()) builder.add_input(to.main_graph(), copier.value(input));
  SHIPWAY_RETURN_IF_ERROR(copier.main_graph());
  for (ValueId output : graph.outputs()) builder.add_output(to.main_graph(), copier.value(output));
  for (size_t i = 0; i < from.functions().size(); ++i)
    if (!keeps_function || keeps_function(i)) SHIPWAY_RETURN_IF_ERROR(copier.function(i));
  return to;
}

/// By function, whether a node of `called_by` calls it, or a function that is called does.
std::vector<bool> called_functions(const Model& model, std::vector<NodeId> called_by) {
  std::map<std::tuple<std::string_view, std::string_view, std::string_view>, size_t> positions;
  for (size_t i = 0; i < model.functions().size(); ++i) {
    const Function& function = model.functions()[i];
    positions.try_emplace({function.domain, function.name, function.overload}, i);
  }
  std::vector<bool> called(model.functions().size());
  const auto add = [&](GraphId graph) {
    for (const Node& node : model.nodes(graph)) called_by.push_back(node.id());
  };
  while (!positions.empty() && !called_by.empty()) {
    const Node& node = model.node(called_by.back());
    called_by.pop_back();
    for (GraphId graph : node.subgraphs()) add(graph);
    const auto found = positions.find({node.domain(), node.op_type(), node.overload()});
    if (found == positions.end() || called[found->second]) continue;
    called[found->second] = true;
    add(model.functions()[found->second].body);
  }
  return called;
}

std::unordered_map<std::string_view, ValueId> main_graph_values(const Model& model) {
  std::unordered_map<std::string_view, ValueId> found;
  for (size_t i = 0; i < model.value_count(); ++i) {
    const Value& value = model.value(ValueId{static_cast<int32_t>(i)});
    if (!value.is_removed() && value.graph() == model.main_graph() && !value.name().empty())
      found[value.name()] = value.id();
  }
  return found;
}

// --- extract -------------------------------------------------------------------------------------

Result<std::vector<ValueId>> values_named(const Model& model,
                                          const std::unordered_map<std::string_view, ValueId>& all,
                                          std::span<const std::string> names,
                                          std::string_view what) {
  std::vector<ValueId> found;
  std::vector<std::string> missing;
  std::unordered_set<std::string_view> seen;
  for (const std::string& name : names) {
    const auto entry = all.find(name);
    if (entry == all.end()) {
      missing.push_back(name);
      continue;
    }
    if (!seen.insert(name).second)
      return Status::invalid_argument("{} {} is named twice", what, quoted(name));
    if (model.value(entry->second).type().kind() == TypeKind::kUnknown)
      return Status::invalid_argument(
          "the type of {} {} is not known: infer the model's shapes first", what, quoted(name));
    found.push_back(entry->second);
  }
  if (!missing.empty())
    return Status::not_found("no value of the model's graph is called {} (wanted as {})",
                             listed(missing), what);
  return found;
}

/// What `outputs` need of the main graph.
struct Needed {
  std::vector<bool> values, nodes;  // by id
};

Result<Needed> find_needed(const Model& model, std::span<const ValueId> inputs,
                           std::span<const ValueId> outputs) {
  Needed needed{std::vector<bool>(model.value_count()), std::vector<bool>(model.node_count())};
  std::vector<bool> is_given(model.value_count());
  for (ValueId id : inputs) is_given[static_cast<size_t>(id.index)] = true;
  std::vector<std::string> missing;
  std::vector<ValueId> open(outputs.begin(), outputs.end());
  while (!open.empty()) {
    const ValueId id = open.back();
    open.pop_back();
    if (!id.is_valid() || needed.values[static_cast<size_t>(id.index)]) continue;
    needed.values[static_cast<size_t>(id.index)] = true;
    const Value& value = model.value(id);
    if (is_given[static_cast<size_t>(id.index)]) continue;
    if (!value.producer().is_valid()) {
      if (!value.is_initializer()) missing.push_back(value.name());
      continue;
    }
    const Node& node = model.node(value.producer());
    needed.nodes[static_cast<size_t>(node.id().index)] = true;
    open.insert(open.end(), node.inputs().begin(), node.inputs().end());
    open.insert(open.end(), node.captures().begin(), node.captures().end());
  }
  if (!missing.empty()) {
    std::sort(missing.begin(), missing.end());
    return Status::invalid_argument("the outputs depend on {}, not among the inputs",
                                    listed(missing));
  }
  return needed;
}

}  // namespace

Result<Model> extract(const Model& model, std::span<const std::string> input_names,
                      std::span<const std::string> output_names) {
  if (output_names.empty()) return Status::invalid_argument("no outputs are named");
  const auto all = main_graph_values(model);
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<ValueId> inputs,
                           values_named(model, all, input_names, "input"));
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<ValueId> outputs,
                           values_named(model, all, output_names, "output"));
  SHIPWAY_ASSIGN_OR_RETURN(const Needed needed, find_needed(model, inputs, outputs));
  const auto needs = [&](ValueId id) { return needed.values[static_cast<size_t>(id.index)]; };

  Model part;
  ModelCopier copier(model, part, ModelCopier::DimTables::kTake);
  ModelBuilder builder(part);
  copier.copy_head();
  builder.set_graph_name(part.main_graph(), "Extracted from {" + model.graph().name() + "}");
  for (ValueId id : inputs) builder.add_input(part.main_graph(), copier.value(id));
  for (ValueId id : model.graph().initializers())
    if (needs(id)) copier.initializer(id);
  std::vector<NodeId> nodes;
  for (const Node& node : model.nodes()) {
    if (!needed.nodes[static_cast<size_t>(node.id().index)]) continue;
    SHIPWAY_RETURN_IF_ERROR(copier.node(node));
    nodes.push_back(node.id());
  }
  for (const StatePair& state : model.graph().states())
    if (needs(state.input) && needs(state.output)) copier.state(state);
  for (ValueId id : outputs) builder.add_output(part.main_graph(), copier.value(id));
  const std::vector<bool> called = called_functions(model, std::move(nodes));
  for (size_t i = 0; i < called.size(); ++i)
    if (called[i]) SHIPWAY_RETURN_IF_ERROR(copier.function(i));
  return part;
}

// --- names ---------------------------------------------------------------------------------------

Result<Model> add_prefix(const Model& model, std::string_view prefix,
                         const PrefixOptions& options) {
  const auto prefixed = [&](bool is_wanted, const std::string& name) {
    return is_wanted && !name.empty() ? std::string(prefix) + name : name;
  };
  ModelCopier::Names names;
  names.value = [&](const Value& value) {
    const bool is_output = value.output_count() > 0;
    return prefixed((options.inputs && value.is_input()) || (options.outputs && is_output) ||
                        (options.initializers && value.is_initializer()) ||
                        (options.edges && value.producer().is_valid() && !is_output),
                    value.name());
  };
  names.node = [&](const Node& node) { return prefixed(options.nodes, node.name()); };
  if (options.functions && !model.functions().empty())
    names.function = [&](const Function& function) { return prefixed(true, function.name); };
  return copied(model, std::move(names));
}

namespace {

/// Every old name is one of `existing`, every new one is not, or goes away.
Status check_renaming(const NamePairs& pairs, const std::unordered_set<std::string_view>& existing,
                      std::string_view what) {
  std::unordered_set<std::string_view> old_names, new_names;
  for (const auto& [before, after] : pairs) {
    if (!existing.contains(before))
      return Status::not_found("no {} is called {}", what, quoted(before));
    if (!old_names.insert(before).second)
      return Status::invalid_argument("{} {} is renamed twice", what, quoted(before));
    if (after.empty())
      return Status::invalid_argument("{} {} cannot have an empty name", what, quoted(before));
  }
  for (const auto& [before, after] : pairs)
    if (!new_names.insert(after).second || (existing.contains(after) && !old_names.contains(after)))
      return Status::invalid_argument("{} {} cannot become {}: something else is called that", what,
                                      quoted(before), quoted(after));
  return Status::ok();
}

NameMap as_map(const NamePairs& pairs) { return NameMap(pairs.begin(), pairs.end()); }

std::string renamed(const NameMap& names, const std::string& name) {
  const auto found = names.find(name);
  return found == names.end() ? name : std::string(found->second);
}

}  // namespace

Result<Model> rename(const Model& model, const NamePairs& values, const NamePairs& nodes) {
  std::unordered_set<std::string_view> value_names, node_names;
  for_each_value(model, [&](const Value& value) { value_names.insert(value.name()); });
  const std::vector<bool> is_functions = graphs_of_functions(model);
  for (size_t i = 0; i < model.node_count(); ++i) {
    const Node& node = model.node(NodeId{static_cast<int32_t>(i)});
    if (!node.is_removed() && !is_functions[static_cast<size_t>(node.graph().index)])
      node_names.insert(node.name());
  }
  SHIPWAY_RETURN_IF_ERROR(check_renaming(values, value_names, "value"));
  SHIPWAY_RETURN_IF_ERROR(check_renaming(nodes, node_names, "node"));
  const NameMap new_values = as_map(values), new_nodes = as_map(nodes);
  return copied(model, {.value = [&](const Value& v) { return renamed(new_values, v.name()); },
                        .node = [&](const Node& n) { return renamed(new_nodes, n.name()); },
                        .function = {}});
}

// --- merge ---------------------------------------------------------------------------------------

namespace {

/// "" and "ai.onnx" are one domain.
std::string_view normal_domain(std::string_view domain) {
  return domain == "ai.onnx" ? std::string_view() : domain;
}

Status merge_opsets(Model& to, const Model& from) {
  for (const auto& [domain, version] : from.opset_imports) {
    const int64_t ours = to.opset(normal_domain(domain));
    if (ours == 0) {
      to.opset_imports.emplace_back(domain, version);
    } else if (ours != version) {
      return Status::invalid_argument(
          "the first model is of opset {} of domain {}, the second of {}: convert one of them",
          ours, quoted(domain), version);
    }
  }
  return Status::ok();
}

Status merge_metadata(Model& to, const Model& from) {
  for (const auto& [key, value] : from.metadata) {
    const auto same =
        std::find_if(to.metadata.begin(), to.metadata.end(),
                     [&, k = std::string_view(key)](const auto& e) { return e.first == k; });
    if (same == to.metadata.end())
      to.metadata.emplace_back(key, value);
    else if (same->second != value)
      return Status::invalid_argument("metadata {} is {} in the first model and {} in the second",
                                      quoted(key), quoted(same->second), quoted(value));
  }
  return Status::ok();
}

/// A name of either main graph must be nowhere in the other model; graphs inside see it.
Status check_clashes(const Model& first, const Model& second,
                     const std::unordered_set<std::string_view>& connected) {
  std::unordered_set<std::string_view> main, inside;
  for_each_value(first, [&](const Value& value) {
    (value.graph() == first.main_graph() ? main : inside).insert(value.name());
  });
  std::set<std::string> clashes;
  for_each_value(second, [&](const Value& value) {
    const bool is_main = value.graph() == second.main_graph();
    if (is_main && connected.contains(value.name())) return;
    if (main.contains(value.name()) || (is_main && inside.contains(value.name())))
      clashes.insert(value.name());
  });
  if (!clashes.empty())
    return Status::invalid_argument("both models have a value {}: give one of them a prefix",
                                    listed({clashes.begin(), clashes.end()}));
  for (const Function& function : second.functions())
    if (first.find_function(function.domain, function.name, function.overload))
      return Status::invalid_argument(
          "both models have a function {} of domain {}: give one of "
          "them a prefix",
          quoted(function.name), quoted(function.domain));
  return Status::ok();
}

std::vector<std::string> names_of(const Model& model, std::span<const ValueId> values,
                                  const std::function<bool(const std::string&)>& wanted) {
  std::vector<std::string> names;
  for (ValueId id : values)
    if (wanted(model.value(id).name())) names.push_back(model.value(id).name());
  return names;
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// What of `model` the chosen inputs and outputs leave; `connected`: inputs and outputs that the
/// other model needs.
Status keep_chosen(Model& model, const MergeOptions& options,
                   const std::unordered_set<std::string_view>& connected_inputs,
                   const std::unordered_set<std::string_view>& connected_outputs) {
  const Graph& graph = model.graph();
  const auto inputs = names_of(model, graph.inputs(), [&](const std::string& name) {
    return options.inputs.empty() || contains(options.inputs, name) ||
           connected_inputs.contains(name);
  });
  const auto outputs = names_of(model, graph.outputs(), [&](const std::string& name) {
    return options.outputs.empty() || contains(options.outputs, name) ||
           connected_outputs.contains(name);
  });
  if (inputs.size() == graph.inputs().size() && outputs.size() == graph.outputs().size())
    return Status::ok();
  const std::string name = graph.name();
  SHIPWAY_ASSIGN_OR_RETURN(model, extract(model, inputs, outputs));
  ModelBuilder(model).set_graph_name(model.main_graph(), name);
  return Status::ok();
}

Status check_chosen(const std::vector<std::string>& chosen, const Model& first, const Model& second,
                    bool inputs) {
  for (const std::string& name : chosen) {
    bool found = false;
    for (const Model* model : {&first, &second})
      for (ValueId id : inputs ? model->graph().inputs() : model->graph().outputs())
        found = found || model->value(id).name() == name;
    if (!found)
      return Status::not_found("neither model has an {} {}", inputs ? "input" : "output",
                               quoted(name));
  }
  return Status::ok();
}

struct Connection {
  ValueId output, input;
};

Result<std::vector<Connection>> connect(const Model& first, const Model& second,
                                        const NamePairs& names) {
  const auto find = [](const Model& model, std::span<const ValueId> values,
                       const std::string& name) {
    for (ValueId id : values)
      if (model.value(id).name() == name) return id;
    return ValueId{};
  };
  std::vector<Connection> connections;
  std::set<ValueId> used;
  for (const auto& [output_name, input_name] : names) {
    const ValueId output = find(first, first.graph().outputs(), output_name);
    const ValueId input = find(second, second.graph().inputs(), input_name);
    if (!output.is_valid())
      return Status::not_found("the first model has no output {}; it has {}", quoted(output_name),
                               listed(first, first.graph().outputs()));
    if (!input.is_valid())
      return Status::not_found("the second model has no input {}; it has {}", quoted(input_name),
                               listed(second, second.graph().inputs()));
    if (!used.insert(input).second)
      return Status::invalid_argument("input {} of the second model is connected twice",
                                      quoted(input_name));
    const Type &from = first.value(output).type(), &to = second.value(input).type();
    if (from.is_tensor() && to.is_tensor() && from.dtype() != DType::kUndefined &&
        to.dtype() != DType::kUndefined && from.dtype() != to.dtype())
      return Status::invalid_argument(
          "output {} of the first model is {}, input {} of the second {}", quoted(output_name),
          to_string(from, first.dims()), quoted(input_name), to_string(to, second.dims()));
    connections.push_back({output, input});
  }
  return connections;
}

}  // namespace

Result<Model> merge(const Model& first_model, const Model& second_model,
                    const MergeOptions& options) {
  SHIPWAY_ASSIGN_OR_RETURN(Model first, options.prefix1.empty()
                                            ? Result<Model>(first_model)
                                            : add_prefix(first_model, options.prefix1));
  SHIPWAY_ASSIGN_OR_RETURN(Model second, options.prefix2.empty()
                                             ? Result<Model>(second_model)
                                             : add_prefix(second_model, options.prefix2));
  NamePairs names = options.connections;
  for (auto& [output, input] : names) {
    output.insert(0, options.prefix1);
    input.insert(0, options.prefix2);
  }
  std::unordered_set<std::string_view> connected_outputs, connected_inputs;
  for (const auto& [output, input] : names) {
    connected_outputs.insert(output);
    connected_inputs.insert(input);
  }
  if (first.ir_version != second.ir_version)
    return Status::invalid_argument("the first model is of IR version {}, the second of {}",
                                    first.ir_version, second.ir_version);
  SHIPWAY_RETURN_IF_ERROR(connect(first, second, names).status());
  SHIPWAY_RETURN_IF_ERROR(check_chosen(options.inputs, first, second, true));
  SHIPWAY_RETURN_IF_ERROR(check_chosen(options.outputs, first, second, false));
  SHIPWAY_RETURN_IF_ERROR(
      keep_chosen(first, options, {}, connected_outputs).with_context("the first model"));
  SHIPWAY_RETURN_IF_ERROR(
      keep_chosen(second, options, connected_inputs, {}).with_context("the second model"));
  SHIPWAY_RETURN_IF_ERROR(check_clashes(first, second, connected_inputs));
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<Connection> connections,
                           connect(first, second, names));

  Model both;
  ModelBuilder builder(both);
  const GraphId graph = both.main_graph();
  ModelCopier first_copier(first, both, ModelCopier::DimTables::kTake);
  ModelCopier second_copier(second, both, ModelCopier::DimTables::kJoin);
  first_copier.copy_head();
  both.producer_name = "shipway";
  both.producer_version.clear();
  both.path.clear();
  SHIPWAY_RETURN_IF_ERROR(merge_opsets(both, second));
  SHIPWAY_RETURN_IF_ERROR(merge_metadata(both, second));
  builder.set_graph_name(graph,
                         options.name.value_or(first.graph().name() + "_" + second.graph().name()));

  for (ValueId input : first.graph().inputs()) builder.add_input(graph, first_copier.value(input));
  for (const Connection& one : connections)
    second_copier.replace(one.input, first_copier.value(one.output));
  for (ValueId input : second.graph().inputs())
    if (!connected_inputs.contains(second.value(input).name()))
      builder.add_input(graph, second_copier.value(input));
  SHIPWAY_RETURN_IF_ERROR(first_copier.main_graph());
  SHIPWAY_RETURN_IF_ERROR(second_copier.main_graph());
  for (ValueId output : first.graph().outputs()) {
    const std::string& name = first.value(output).name();
    if (options.outputs.empty() ? !connected_outputs.contains(name)
                                : contains(options.outputs, name))
      builder.add_output(graph, first_copier.value(output));
  }
  for (ValueId output : second.graph().outputs())
    builder.add_output(graph, second_copier.value(output));
  for (size_t i = 0; i < first.functions().size(); ++i)
    SHIPWAY_RETURN_IF_ERROR(first_copier.function(i));
  for (size_t i = 0; i < second.functions().size(); ++i)
    SHIPWAY_RETURN_IF_ERROR(second_copier.function(i));
  return both;
}

// --- inlining ------------------------------------------------------------------------------------

Result<Model> inline_local_functions(const Model& model, const InlineOptions& options) {
  for (const auto& [domain, name] : options.functions) {
    const bool exists = std::any_of(
        model.functions().begin(), model.functions().end(),
        [&, d = std::string_view(domain), n = std::string_view(name)](const Function& function) {
          return function.domain == d && function.name == n;
        });
    if (!exists)
      return Status::not_found("the model has no function {} of domain {}", quoted(name),
                               quoted(domain));
  }
  Model inlined = model;
  std::unordered_set<const Function*> wanted;
  for (const Function& function : inlined.functions()) {
    const bool is_named =
        std::find(options.functions.begin(), options.functions.end(),
                  std::pair(function.domain, function.name)) != options.functions.end();
    if (is_named == options.exclude) continue;
    const auto agrees = [&](const auto& import) {
      const int64_t version = inlined.opset(normal_domain(import.first));
      return version == 0 || version == import.second;
    };
    if (!std::all_of(function.opset_imports.begin(), function.opset_imports.end(), agrees))
      continue;
    wanted.insert(&function);
    for (const auto& [domain, version] : function.opset_imports)
      if (inlined.opset(normal_domain(domain)) == 0)
        inlined.opset_imports.emplace_back(domain, version);
  }
  const auto is_wanted = [&](const Function& function) { return wanted.contains(&function); };
  SHIPWAY_RETURN_IF_ERROR(inline_functions(inlined, is_wanted));
  std::vector<NodeId> callers;
  for (const Function& function : inlined.functions())
    if (!is_wanted(function))
      for (const Node& node : inlined.nodes(function.body)) callers.push_back(node.id());
  const std::vector<bool> called = called_functions(inlined, std::move(callers));
  return copied(inlined, {}, [&](size_t position) {
    return called[position] || !is_wanted(inlined.functions()[position]);
  });
}

}  // namespace shipway
