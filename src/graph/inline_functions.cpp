#include "graph/inline_functions.h"

#include <algorithm>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/text.h"
#include "graph/builder.h"

namespace shipway {
namespace {

constexpr int kMaxDepth = 100;
constexpr size_t kMaxNodes = 2'000'000;

/// A call that waits for its expansion; `depth` counts the calls it came from.
struct Call {
  NodeId node;
  int depth = 1;
};

class Inliner {
 public:
  Inliner(Model& model, const std::function<bool(const Function&)>& wanted)
      : model_(model), builder_(model) {
    for (size_t i = 0; i < model.functions().size(); ++i) {
      const Function& function = model.functions()[i];
      if (!wanted || wanted(function))
        functions_.try_emplace(key(function.domain, function.name, function.overload), i);
    }
  }

  Status run() {
    if (functions_.empty()) return Status::ok();
    SHIPWAY_RETURN_IF_ERROR(measure());
    std::vector<bool> is_body(model_.graph_count());
    for (const Function& function : model_.functions())
      is_body[static_cast<size_t>(function.body.index)] = true;
    std::vector<Call> calls;
    for (size_t i = 0; i < model_.graph_count(); ++i) {
      GraphId outermost{static_cast<int32_t>(i)};
      while (model_.graph(outermost).owner().is_valid())
        outermost = model_.node(model_.graph(outermost).owner()).graph();
      if (is_body[static_cast<size_t>(outermost.index)]) continue;
      for (const Node& node : model_.nodes(GraphId{static_cast<int32_t>(i)}))
        if (find(node)) calls.push_back({node.id()});
    }
    while (!calls.empty()) {
      const Call call = calls.back();
      calls.pop_back();
      const std::string where = model_.describe(call.node);
      SHIPWAY_RETURN_IF_ERROR(expand(call, calls).with_context("{}", where));
    }
    return Status::ok();
  }

 private:
  static std::string key(std::string_view domain, std::string_view name,
                         std::string_view overload) {
    std::string text(domain);
    for (std::string_view part : {name, overload}) text.append(1, '\0').append(part);
    return text;
  }
  const Function* find(const Node& node) const {
    const auto found = functions_.find(key(node.domain(), node.op_type(), node.overload()));
    return found == functions_.end() ? nullptr : &model_.functions()[found->second];
  }

  /// What one function comes to.
  struct Size {
    enum { kUnknown, kBeingMeasured, kKnown } state = kUnknown;
    size_t nodes = 0;             // of its body, without calls
    std::vector<size_t> callees;  // once for each call
  };

  static std::string spelled(const Function& function) {
    return quoted(function.domain.empty() ? function.name : function.domain + "." + function.name);
  }

  /// The nodes and calls of a graph, those inside its nodes' graphs included.
  void count(GraphId outermost, Size& size) const {
    std::vector<GraphId> graphs{outermost};
    while (!graphs.empty()) {
      const GraphId graph = graphs.back();
      graphs.pop_back();
      for (const Node& node : model_.nodes(graph)) {
        const auto found = functions_.find(key(node.domain(), node.op_type(), node.overload()));
        if (found == functions_.end())
          ++size.nodes;
        else
          size.callees.push_back(found->second);
        for (GraphId inside : node.subgraphs()) graphs.push_back(inside);
      }
    }
  }

  /// Whether expansion ends, and with how many nodes, before any is made: each function is measured
  /// once, its callees before it.
  Status measure() {
    const std::span<const Function> functions = model_.functions();
    std::vector<Size> sizes(functions.size());
    Size model;
    count(model_.main_graph(), model);
    struct Open {
      size_t function, next_callee;
    };
    std::vector<Open> open;
    const auto begin = [&](size_t function) {
      count(functions[function].body, sizes[function]);
      sizes[function].state = Size::kBeingMeasured;
      open.push_back({function, 0});
    };
    const auto add = [](size_t& to, size_t nodes) { to = std::min(to + nodes, kMaxNodes + 1); };
    for (const auto& [name, function] : functions_) {
      if (sizes[function].state == Size::kUnknown) begin(function);
      while (!open.empty()) {
        Size& size = sizes[open.back().function];
        if (open.back().next_callee == size.callees.size()) {
          for (size_t callee : size.callees) add(size.nodes, sizes[callee].nodes);
          size.state = Size::kKnown;
          open.pop_back();
          continue;
        }
        const size_t callee = size.callees[open.back().next_callee++];
        if (sizes[callee].state == Size::kUnknown) {
          begin(callee);
        } else if (sizes[callee].state == Size::kBeingMeasured) {
          return Status::invalid_model("functions call each other in a circle: {}",
                                       circle(open, callee));
        }
      }
    }
    for (size_t callee : model.callees) {
      add(model.nodes, sizes[callee].nodes);
      if (model.nodes > kMaxNodes)
        return Status::limit(
            "with its functions inlined (function {} among them) the model has "
            "more than {} nodes",
            spelled(functions[callee]), kMaxNodes);
    }
    return Status::ok();
  }

  /// "'d.F' -> 'd.G' -> 'd.F'"
  template <typename Open>
  std::string circle(const std::vector<Open>& open, size_t callee) const {
    size_t first = open.size() - 1;
    while (open[first].function != callee) --first;
    std::string names;
    for (size_t i = first; i < std::min(open.size(), first + 10); ++i)
      names += spelled(model_.functions()[open[i].function]) + " -> ";
    return names + (open.size() > first + 10 ? "... -> " : "") +
           spelled(model_.functions()[callee]);
  }

  /// What copies of one call share.
  struct Copying {
    const Function& function;
    std::string name;                   // of the call, before the names of copies
    std::vector<Attribute> attributes;  // that the call gives
    std::vector<SourceId> sources;
    int depth;
    std::vector<Call>& calls;                          // found in the copies
    std::unordered_map<int32_t, ValueId> values = {};  // of the body: their copies
  };

  Status expand(const Call& call, std::vector<Call>& calls) {
    if (call.depth > kMaxDepth)
      return Status::invalid_model("functions call each other more than {} deep", kMaxDepth);
    const Node& node = model_.node(call.node);
    const Function& function = *find(node);
    const Graph& body = model_.graph(function.body);
    if (node.inputs().size() > body.inputs().size() ||
        node.outputs().size() > body.outputs().size())
      return Status::invalid_model("has {} inputs and {} outputs, the function {} and {}",
                                   node.inputs().size(), node.outputs().size(),
                                   body.inputs().size(), body.outputs().size());

    Copying copying{.function = function,
                    .name = node.name().empty() ? node.op_type() : node.name(),
                    .attributes = {node.attributes().begin(), node.attributes().end()},
                    .sources = {node.sources().begin(), node.sources().end()},
                    .depth = call.depth + 1,
                    .calls = calls};
    const GraphId graph = node.graph();
    const NodeId before = node.next();
    const std::vector<ValueId> outputs(node.outputs().begin(), node.outputs().end());
    const std::vector<GraphId> given_graphs = node.subgraphs();
    for (size_t i = 0; i < body.inputs().size(); ++i)
      copying.values[body.inputs()[i].index] = node.input(i);
    builder_.remove_node(call.node);

    // An output that is an input handed on, or stands there twice, needs a node that makes it.
    std::vector<std::pair<ValueId, ValueId>> handed_on;
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (!outputs[i].is_valid()) continue;
      const auto [entry, is_new] = copying.values.try_emplace(body.outputs()[i].index, outputs[i]);
      if (!is_new) handed_on.emplace_back(entry->second, outputs[i]);
    }
    for (const Node& inside : model_.nodes(function.body))
      SHIPWAY_RETURN_IF_ERROR(copy_node(inside, graph, before, copying));
    for (const auto& [from, to] : handed_on) {
      NodeSpec identity;
      identity.op_type = "Identity";
      identity.inputs = {from};
      identity.outputs = {to};
      identity.name = builder_.unique_name(copying.name + "/Identity");
      SHIPWAY_RETURN_IF_ERROR(
          builder_.add_node(graph, std::move(identity), before, copying.sources).status());
    }
    for (const GraphId given : given_graphs)
      builder_.remove_graph(given);  // copied wherever they were used
    return Status::ok();
  }

  /// The value that `id` of a body stands for: its copy, or itself when it was made outside
  /// (captured by a graph that the call gave).
  ValueId copy_of(ValueId id, const Copying& copying) const {
    if (!id.is_valid()) return id;
    const auto found = copying.values.find(id.index);
    return found == copying.values.end() ? id : found->second;
  }
  ValueId make_copy(ValueId id, GraphId graph, Copying& copying) {
    if (!id.is_valid()) return id;
    const auto found = copying.values.find(id.index);
    if (found != copying.values.end()) return found->second;
    // Without its type: the body's sizes may be called like others of the model.
    const ValueId copy = builder_.add_value(
        graph, builder_.unique_name(copying.name + "/" + model_.value(id).name()));
    copying.values.emplace(id.index, copy);
    return copy;
  }

  Status copy_node(const Node& node, GraphId graph, NodeId before, Copying& copying) {
    if (model_.node_count() > kMaxNodes)
      return Status::limit("its functions come to more than {} nodes", kMaxNodes);
    NodeSpec copy;
    copy.op_type = node.op_type();
    copy.domain = node.domain();
    copy.overload = node.overload();
    if (!node.name().empty()) copy.name = builder_.unique_name(copying.name + "/" + node.name());
    for (ValueId input : node.inputs()) copy.inputs.push_back(copy_of(input, copying));
    for (ValueId output : node.outputs()) copy.outputs.push_back(make_copy(output, graph, copying));
    for (const Attribute& attribute : node.attributes()) {
      const Attribute* source =
          attribute.refers_to.empty() ? &attribute : bound(attribute.refers_to, copying);
      if (!source) continue;  // neither given nor defaulted: as if it were not there
      Attribute own = *source;
      own.name = attribute.name;
      if (GraphId* inside = std::get_if<GraphId>(&own.value)) {
        SHIPWAY_ASSIGN_OR_RETURN(*inside, copy_graph(*inside, copying));
      } else if (auto* list = std::get_if<std::vector<GraphId>>(&own.value)) {
        for (GraphId& one : *list) {
          SHIPWAY_ASSIGN_OR_RETURN(one, copy_graph(one, copying));
        }
      }
      copy.attributes.push_back(std::move(own));
    }
    const bool is_call = find(node) != nullptr;
    SHIPWAY_ASSIGN_OR_RETURN(const NodeId id,
                             builder_.add_node(graph, std::move(copy), before, copying.sources));
    if (is_call) copying.calls.push_back({id, copying.depth});
    return Status::ok();
  }

  static const Attribute* bound(std::string_view name, const Copying& copying) {
    for (const std::vector<Attribute>* list :
         {&copying.attributes, &copying.function.attribute_defaults})
      for (const Attribute& attribute : *list)
        if (attribute.name == name) return &attribute;
    return nullptr;
  }

  /// Graphs lie at most 100 deep (see verify.h), so recursion does too.
  Result<GraphId> copy_graph(GraphId source, Copying& copying) {
    const GraphId copy = builder_.add_graph(model_.graph(source).name());
    for (ValueId input : model_.graph(source).inputs())
      builder_.add_input(copy, make_copy(input, copy, copying));
    for (ValueId initializer : model_.graph(source).initializers())
      builder_.add_initializer(make_copy(initializer, copy, copying),
                               *model_.value(initializer).constant());
    for (const Node& node : model_.nodes(source))
      SHIPWAY_RETURN_IF_ERROR(copy_node(node, copy, {}, copying));
    for (ValueId output : model_.graph(source).outputs())
      builder_.add_output(copy, copy_of(output, copying));
    return copy;
  }

  Model& model_;
  ModelBuilder builder_;
  std::unordered_map<std::string, size_t> functions_;
};

}  // namespace

Status inline_functions(Model& model, const std::function<bool(const Function&)>& wanted) {
  return Inliner(model, wanted).run();
}

}  // namespace shipway
