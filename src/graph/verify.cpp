#include "graph/verify.h"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "base/text.h"
#include "graph/text_type.h"

namespace shipway {

constexpr int kMaxNesting = 100;

/// Befriended by the classes of the model: it also checks what they keep to themselves (slots,
/// counts).
class Verifier {
 public:
  explicit Verifier(const Model& model)
      : m_(model),
        position_(model.node_count(), -1),
        is_root_(model.graph_count()),
        uses_(model.value_count()),
        outputs_(model.value_count()),
        captured_(model.graph_count()),
        captures_(model.node_count()) {}

  Status run() {
    SHIPWAY_RETURN_IF_ERROR(ids());
    SHIPWAY_RETURN_IF_ERROR(roots());
    for (size_t i = 0; i < m_.graphs_.size(); ++i) SHIPWAY_RETURN_IF_ERROR(list(m_.graphs_[i]));
    SHIPWAY_RETURN_IF_ERROR(owners());
    SHIPWAY_RETURN_IF_ERROR(nesting());
    for (const Node& node : m_.nodes_)
      if (!node.removed_) SHIPWAY_RETURN_IF_ERROR(outputs_of(node));
    for (const Graph& graph : m_.graphs_) SHIPWAY_RETURN_IF_ERROR(ends(graph));
    for (const Node& node : m_.nodes_)
      if (!node.removed_) SHIPWAY_RETURN_IF_ERROR(inputs_of(node));
    for (const Graph& graph : m_.graphs_) SHIPWAY_RETURN_IF_ERROR(outputs_of(graph));
    SHIPWAY_RETURN_IF_ERROR(captures());
    for (const Value& value : m_.values_) SHIPWAY_RETURN_IF_ERROR(value_itself(value));
    SHIPWAY_RETURN_IF_ERROR(names());
    for (const Graph& graph : m_.graphs_) SHIPWAY_RETURN_IF_ERROR(states(graph));
    return Status::ok();
  }

 private:
  static size_t at(ValueId id) { return static_cast<size_t>(id.index); }
  static size_t at(NodeId id) { return static_cast<size_t>(id.index); }
  static size_t at(GraphId id) { return static_cast<size_t>(id.index); }
  bool exists(ValueId id) const {
    return id.is_valid() && at(id) < m_.values_.size() && !m_.values_[at(id)].removed_;
  }
  bool exists(NodeId id) const {
    return id.is_valid() && at(id) < m_.nodes_.size() && !m_.nodes_[at(id)].removed_;
  }
  bool exists(GraphId id) const { return id.is_valid() && at(id) < m_.graphs_.size(); }

  std::string describe(const Value& value) const {
    return "value " +
           (value.name_.empty() ? "#" + std::to_string(value.id_.index) : quoted(value.name_));
  }
  std::string describe(const Node& node) const { return m_.describe(node.id_); }
  std::string describe(const Graph& graph) const {
    return "graph " +
           (graph.name_.empty() ? "#" + std::to_string(graph.id_.index) : quoted(graph.name_));
  }
  template <typename T, typename... Args>
  Status wrong(const T& thing, std::string_view pattern, const Args&... args) const {
    return Status::invalid_model(pattern, args...).with_context("{}", describe(thing));
  }

  Status ids() const {
    for (size_t i = 0; i < m_.graphs_.size(); ++i)
      if (at(m_.graphs_[i].id_) != i)
        return wrong(m_.graphs_[i], "it stands in place {} of the graphs", i);
    for (size_t i = 0; i < m_.nodes_.size(); ++i)
      if (at(m_.nodes_[i].id_) != i)
        return wrong(m_.nodes_[i], "it stands in place {} of the nodes", i);
    for (size_t i = 0; i < m_.values_.size(); ++i)
      if (at(m_.values_[i].id_) != i)
        return wrong(m_.values_[i], "it stands in place {} of the values", i);
    return Status::ok();
  }

  // ---- graphs and their lists of nodes

  Status roots() {
    if (!exists(m_.main_graph_)) return Status::invalid_model("the model has no main graph");
    is_root_[at(m_.main_graph_)] = true;
    for (const Function& function : m_.functions_) {
      if (!exists(function.body))
        return Status::invalid_model("function {} has no body", quoted(function.name));
      if (is_root_[at(function.body)])
        return wrong(m_.graph(function.body),
                     "it is the body of function {} and another one's, or the main graph",
                     quoted(function.name));
      is_root_[at(function.body)] = true;
    }
    return Status::ok();
  }

  Status list(const Graph& graph) {
    size_t count = 0;
    NodeId previous;
    for (NodeId id = graph.first_node_; id.is_valid(); previous = id, id = m_.node(id).next_) {
      if (!exists(id))
        return wrong(graph, "its list of nodes holds #{}, which is removed or never was", id.index);
      const Node& node = m_.node(id);
      if (node.graph_ != graph.id_) return wrong(node, "it is in the list of another graph");
      if (node.previous_ != previous) return wrong(node, "its link to the node before is wrong");
      if (++count > graph.node_count_)
        return wrong(graph, "its list of nodes is longer than {}", graph.node_count_);
      position_[at(id)] = static_cast<int32_t>(count);
    }
    if (graph.last_node_ != previous)
      return wrong(graph, "its last node is not where its list ends");
    if (count != graph.node_count_)
      return wrong(graph, "it has {} nodes, counted {}", count, graph.node_count_);
    return Status::ok();
  }

  Status owners() {
    std::vector<bool> owned(m_.graphs_.size());
    for (const Node& node : m_.nodes_) {
      if (node.removed_) continue;
      if (position_[at(node.id_)] < 0) return wrong(node, "it is in no graph's list of nodes");
      for (GraphId id : node.subgraphs()) {
        if (!exists(id))
          return wrong(node, "it has a subgraph #{}, which does not exist", id.index);
        const Graph& graph = m_.graph(id);
        if (owned[at(id)] || is_root_[at(id)])
          return wrong(graph, "it belongs to {} and to another one", describe(node));
        if (graph.owner_ != node.id_)
          return wrong(graph, "it is in {} but has another owner", describe(node));
        owned[at(id)] = true;
      }
    }
    for (const Graph& graph : m_.graphs_) {
      if (owned[at(graph.id_)]) continue;
      if (graph.owner_.is_valid()) return wrong(graph, "its owner does not have it");
      if (!is_root_[at(graph.id_)] && (graph.node_count_ > 0 || !graph.outputs_.empty()))
        return wrong(graph, "it belongs to no node");
    }
    return Status::ok();
  }

  /// Depth by steps from the roots; a ring of graphs that own each other is never reached.
  Status nesting() const {
    std::vector<bool> reached = is_root_;
    std::vector<GraphId> level;
    for (const Graph& graph : m_.graphs_)
      if (is_root_[at(graph.id_)]) level.push_back(graph.id_);
    for (int depth = 0; !level.empty(); ++depth) {
      if (depth > kMaxNesting)
        return wrong(m_.graph(level[0]), "it is nested deeper than {}", kMaxNesting);
      std::vector<GraphId> below;
      for (GraphId graph : level)
        for (const Node& node : m_.nodes(graph))
          for (GraphId inside : node.subgraphs()) {
            reached[at(inside)] = true;
            below.push_back(inside);
          }
      level = std::move(below);
    }
    for (const Graph& graph : m_.graphs_)
      if (!reached[at(graph.id_)] && graph.node_count_ > 0)
        return wrong(graph, "it is inside itself");
    return Status::ok();
  }

  // ---- who makes values

  Status outputs_of(const Node& node) const {
    for (size_t i = 0; i < node.outputs_.size(); ++i) {
      const ValueId id = node.outputs_[i];
      if (!id.is_valid()) continue;
      if (!exists(id)) return wrong(node, "its output {} is removed or never was", i);
      const Value& value = m_.value(id);
      if (value.graph_ != node.graph_)
        return wrong(node, "its output {} belongs to another graph", describe(value));
      if (value.is_input_ || value.constant_)
        return wrong(value, "{} makes it, and it is {} too", describe(node),
                     value.is_input_ ? "a graph input" : "an initializer");
      if (value.producer_ != node.id_ || static_cast<size_t>(value.producer_output_) != i)
        return wrong(value, "it is output {} of {}, but its producer is another one", i,
                     describe(node));
    }
    std::unordered_set<std::string_view> seen;
    if (node.attributes_.size() > 1)
      for (const Attribute& attribute : node.attributes_)
        if (!seen.insert(attribute.name).second)
          return wrong(node, "it has two attributes {}", quoted(attribute.name));
    for (SourceId source : node.sources_)
      if (!source.is_valid() || static_cast<size_t>(source.index) >= m_.sources_.size())
        return wrong(node, "its source node #{} does not exist", source.index);
    return Status::ok();
  }

  Status ends(const Graph& graph) {
    for (ValueId id : graph.inputs_) {
      if (!exists(id)) return wrong(graph, "an input of it is removed or never was");
      const Value& value = m_.value(id);
      if (value.graph_ != graph.id_ || !value.is_input_)
        return wrong(value, "an input of {} does not know it", describe(graph));
      if (!inputs_.insert(id.index).second) return wrong(value, "it is a graph input twice");
    }
    for (ValueId id : graph.initializers_) {
      if (!exists(id)) return wrong(graph, "an initializer of it is removed or never was");
      const Value& value = m_.value(id);
      if (value.graph_ != graph.id_ || !value.constant_)
        return wrong(value, "an initializer of {} has no data or another graph", describe(graph));
      if (!initializers_.insert(id.index).second) return wrong(value, "it is an initializer twice");
      SHIPWAY_RETURN_IF_ERROR(initializer_type(value));
    }
    return Status::ok();
  }

  Status initializer_type(const Value& value) const {
    const Tensor& tensor = value.constant_->tensor;
    const Type& type = value.type_;
    if (!tensor.is_defined() || type.kind() == TypeKind::kUnknown) return Status::ok();
    bool fits =
        type.is_tensor() && (type.dtype() == DType::kUndefined || type.dtype() == tensor.dtype());
    if (const Dims* dims = type.dims(); fits && dims) {
      fits = dims->size() == tensor.shape().size();
      for (size_t i = 0; fits && i < dims->size(); ++i)
        fits = !(*dims)[i].is_constant() || (*dims)[i].value() == tensor.dim(i);
    }
    if (fits) return Status::ok();
    return wrong(value, "its data is {} {}, declared {}", to_string(tensor.dtype()),
                 to_string(tensor.shape()), print_type(type, m_.dims_));
  }

  // ---- who uses values

  Status inputs_of(const Node& node) {
    if (node.input_slots_.size() != node.inputs_.size())
      return wrong(node, "inputs and slots differ in number");
    for (size_t i = 0; i < node.inputs_.size(); ++i) {
      const ValueId id = node.inputs_[i];
      if (!id.is_valid()) continue;
      if (!exists(id)) return wrong(node, "its input {} is removed or never was", i);
      const Value& value = m_.value(id);
      if (!has_use(value, node.input_slots_[i], {node.id_, static_cast<int32_t>(i)}))
        return wrong(value, "it does not list its use as input {} of {}", i, describe(node));
      ++uses_[at(id)];
      SHIPWAY_RETURN_IF_ERROR(visible(value, node.graph_, position_[at(node.id_)],
                                      [&] { return "input of " + describe(node); }));
    }
    return Status::ok();
  }

  static bool has_use(const Value& value, int32_t slot, const Use& use) {
    return slot >= 0 && static_cast<size_t>(slot) < value.uses_.size() &&
           value.uses_[static_cast<size_t>(slot)] == use;
  }

  Status outputs_of(const Graph& graph) {
    for (ValueId id : graph.outputs_) {
      if (!exists(id)) return wrong(graph, "an output of it is removed or never was");
      ++outputs_[at(id)];
      const auto end = static_cast<int32_t>(graph.node_count_) + 1;
      SHIPWAY_RETURN_IF_ERROR(
          visible(m_.value(id), graph.id_, end, [&] { return "output of " + describe(graph); }));
    }
    return Status::ok();
  }

  /// That the value is made before `position` in graph `where`, or in a graph around it before the
  /// node that owns the way down. Counts what the way captures, as ModelBuilder does. `use` makes
  /// the text for an error.
  template <typename Use>
  Status visible(const Value& value, GraphId where, int32_t position, const Use& use) {
    bool counting = true;
    GraphId graph = where;
    while (graph != value.graph_) {
      if (counting) counting = captured_[at(graph)][value.id_]++ == 0;
      const NodeId owner = m_.graph(graph).owner_;
      if (!owner.is_valid()) return wrong(value, "it is {}, from where it cannot be seen", use());
      if (counting) counting = captures_[at(owner)][value.id_]++ == 0;
      position = position_[at(owner)];
      graph = m_.node(owner).graph_;
    }
    if (value.is_input_ || value.constant_) return Status::ok();
    if (!exists(value.producer_)) return wrong(value, "it is {}, but nothing makes it", use());
    if (position_[at(value.producer_)] >= position)
      return wrong(value, "it is {}, which comes before {}, which makes it", use(),
                   describe(m_.node(value.producer_)));
    return Status::ok();
  }

  Status captures() {
    for (const Graph& graph : m_.graphs_)
      if (graph.captured_ != captured_[at(graph.id_)])
        return wrong(graph, "its list of outer values used inside is not exact");
    for (const Node& node : m_.nodes_) {
      const auto& expected = captures_[at(node.id_)];
      if (node.captures_.size() != expected.size() ||
          node.capture_slots_.size() != expected.size() ||
          node.capture_counts_.size() != expected.size())
        return wrong(node, "it captures {} values, its subgraphs use {}", node.captures_.size(),
                     expected.size());
      size_t i = 0;
      for (const auto& [id, count] : expected) {  // both sorted
        const Value& value = m_.value(id);
        if (node.captures_[i] != id || node.capture_counts_[i] != count)
          return wrong(
              node, "its subgraphs use {}, which it does not capture (or another number of times)",
              describe(value));
        if (!has_use(value, node.capture_slots_[i], {node.id_, Use::kCapture}))
          return wrong(value, "it does not list that {} captures it", describe(node));
        ++uses_[at(id)];
        ++i;
      }
    }
    return Status::ok();
  }

  // ---- values

  Status value_itself(const Value& value) const {
    const size_t i = at(value.id_);
    if (value.uses_.size() != uses_[i])
      return wrong(value, "it lists {} uses, nodes have {}", value.uses_.size(), uses_[i]);
    if (static_cast<size_t>(value.output_count_) != outputs_[i])
      return wrong(value, "it counts {} places among graph outputs, graphs have {}",
                   value.output_count_, outputs_[i]);
    if (value.removed_) {
      if (value.producer_.is_valid() || value.is_input_ || value.constant_)
        return wrong(value, "it is removed, but something still makes it");
      return Status::ok();
    }
    if (!exists(value.graph_)) return wrong(value, "its graph does not exist");
    if (value.is_input_ != inputs_.contains(value.id_.index))
      return wrong(value, "it says that it is a graph input, but no graph has it");
    if ((value.constant_ != nullptr) != initializers_.contains(value.id_.index))
      return wrong(value, "it has data, but is no initializer of its graph");
    if (value.producer_.is_valid() &&
        (!exists(value.producer_) ||
         m_.node(value.producer_).output(static_cast<size_t>(value.producer_output_)) != value.id_))
      return wrong(value, "its producer does not make it");
    return Status::ok();
  }

  Status names() const {
    // One set per graph would be a map of sets; sorting (graph, name) keeps memory flat.
    std::vector<const Value*> named;
    for (const Value& value : m_.values_)
      if (!value.removed_ && !value.name_.empty()) named.push_back(&value);
    std::unordered_map<std::string_view, const Value*> seen;
    seen.reserve(named.size());
    std::vector<const Value*> again;  // names that some other graph has too
    for (const Value* value : named)
      if (!seen.try_emplace(value->name_, value).second) again.push_back(value);
    std::map<std::pair<GraphId, std::string_view>, const Value*> twins;
    for (const Value* value : again) {
      const Value* first = seen.find(value->name_)->second;
      if (first->graph_ == value->graph_ ||
          !twins.try_emplace({value->graph_, value->name_}, value).second)
        return wrong(*value, "two values of {} have this name", describe(m_.graph(value->graph_)));
    }
    return Status::ok();
  }

  Status states(const Graph& graph) const {
    std::unordered_set<int32_t> seen;
    for (const StatePair& state : graph.states_) {
      if (!exists(state.input) || !exists(state.output))
        return wrong(graph, "a value of a state is removed or never was");
      const Value& input = m_.value(state.input);
      const Value& output = m_.value(state.output);
      if (input.graph_ != graph.id_ || !input.is_input_)
        return wrong(input, "a state is read through it, but it is no input of {}",
                     describe(graph));
      if (output.graph_ != graph.id_ ||
          !(output.producer_.is_valid() || output.is_input_ || output.constant_))
        return wrong(output, "a state is written by it, but nothing in {} makes it",
                     describe(graph));
      if (!seen.insert(state.input.index).second)
        return wrong(input, "two states are read through it");
      const Type& type = input.type_;
      if (!state.initial.is_defined() || !type.is_tensor()) continue;
      if ((type.dtype() != DType::kUndefined && type.dtype() != state.initial.dtype()) ||
          (type.dims() && type.dims()->size() != state.initial.shape().size()))
        return wrong(input, "the initial value of its state is {} {}, declared {}",
                     to_string(state.initial.dtype()), to_string(state.initial.shape()),
                     print_type(type, m_.dims_));
    }
    return Status::ok();
  }

  const Model& m_;
  std::vector<int32_t> position_;  // of each node in its graph, from 1
  std::vector<bool> is_root_;
  // What the nodes and graphs say, to compare with what values, nodes and graphs note down.
  std::vector<uint32_t> uses_, outputs_;
  std::vector<std::map<ValueId, int32_t>> captured_, captures_;
  std::unordered_set<int32_t> inputs_, initializers_;
};

Status verify(const Model& model) { return Verifier(model).run(); }

}  // namespace shipway
