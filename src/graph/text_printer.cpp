// print: the text form of a Model. Mirrors text_parser.cpp; docs/text-form.md is the grammar of
// both.
#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "base/text.h"
#include "graph/text.h"
#include "graph/text_scanner.h"
#include "graph/text_tensor.h"
#include "graph/text_type.h"

namespace shipway {
namespace {

constexpr int kMaxNesting = 100;

/// Finds the values that their name alone does not reach from some place of use: unnamed ones, two
/// of one name in a graph, one hidden by an inner value of the same name. They are printed with
/// their id: "name%12". Walks the model as the parser does.
class NameClashes {
 public:
  explicit NameClashes(const Model& model)
      : model_(model), numbered_(model.value_count()), seen_graphs_(model.graph_count()) {
    visit(model.main_graph(), 0);
    for (const Function& function : model.functions()) visit(function.body, 0);
  }
  bool is_numbered(ValueId id) const { return numbered_[static_cast<size_t>(id.index)]; }

 private:
  void define(ValueId id) {
    if (!id.is_valid()) return;
    const Value& value = model_.value(id);
    if (value.name().empty()) {
      numbered_[static_cast<size_t>(id.index)] = true;
      return;
    }
    auto& visible = visible_[value.name()];
    if (!visible.empty() && visible.back() == id) return;
    if (!visible.empty() && model_.value(visible.back()).graph() == value.graph()) number(id);
    visible.push_back(id);
    defined_.push_back(value.name());
  }

  void use(ValueId id) {
    if (!id.is_valid() || is_numbered(id)) return;
    const auto found = visible_.find(model_.value(id).name());
    if (found == visible_.end() || found->second.empty() || found->second.back() != id) number(id);
  }

  void number(ValueId id) { numbered_[static_cast<size_t>(id.index)] = true; }

  void visit(GraphId graph_id, int nesting) {
    if (nesting > kMaxNesting || seen_graphs_[static_cast<size_t>(graph_id.index)]) return;
    seen_graphs_[static_cast<size_t>(graph_id.index)] = true;
    const Graph& graph = model_.graph(graph_id);
    const size_t outside = defined_.size();
    for (ValueId id : graph.inputs()) define(id);
    for (ValueId id : graph.initializers()) define(id);
    for (const Node& node : model_.nodes(graph_id)) {
      for (GraphId subgraph : node.subgraphs()) visit(subgraph, nesting + 1);
      for (ValueId id : node.inputs()) use(id);
      for (ValueId id : node.outputs()) define(id);
    }
    for (ValueId id : graph.outputs()) use(id);
    for (const StatePair& state : graph.states()) {
      use(state.input);
      use(state.output);
    }
    while (defined_.size() > outside) {
      visible_.find(defined_.back())->second.pop_back();
      defined_.pop_back();
    }
  }

  const Model& model_;
  std::vector<bool> numbered_, seen_graphs_;
  std::unordered_map<std::string_view, std::vector<ValueId>> visible_;
  std::vector<std::string_view> defined_;  // names in order of definition, to leave a graph by
};

class Printer {
 public:
  Printer(const Model& model, const PrintOptions& options)
      : model_(model),
        options_(options),
        elements_{options.max_elements, options.store},
        seen_graphs_(model.graph_count()),
        typed_in_head_(model.value_count()) {}

  std::string print_model() {
    clashes_.emplace(model_);
    header();
    for (size_t i = 0; i < model_.functions().size(); ++i) function(i);
    out_ += "graph ";
    graph(model_.main_graph(), 0);
    out_ += '\n';
    return std::move(out_);
  }

  std::string print_one(NodeId id) {
    node(model_.node(id), 0);
    return std::move(out_);
  }

 private:
  void header() {
    if (model_.dialect != "onnx") line("dialect ", quote_text(model_.dialect));
    if (model_.ir_version != 0) line("ir_version ", std::to_string(model_.ir_version));
    for (const auto& [domain, version] : model_.opset_imports)
      line("opset ", opset(domain, version));
    if (!model_.producer_name.empty()) line("producer_name ", quote_text(model_.producer_name));
    if (!model_.producer_version.empty())
      line("producer_version ", quote_text(model_.producer_version));
    if (!model_.domain.empty()) line("domain ", quote_text(model_.domain));
    if (model_.model_version != 0) line("model_version ", std::to_string(model_.model_version));
    if (!model_.doc_string.empty()) line("doc ", quote_text(model_.doc_string));
    for (const auto& [key, value] : model_.metadata)
      line("metadata ", quote_text(key) + " = " + quote_text(value));
    if (!options_.annotations) return symbol_ranges();
    if (const Annotation* found = model_.annotation({Entity::Kind::kModel, 0, {}}))
      line("note ", annotation_text(*found));
    symbol_ranges();
  }

  void line(std::string_view keyword, const std::string& rest) { (out_ += keyword) += rest + '\n'; }

  static std::string opset(const std::string& domain, int64_t version) {
    return domain.empty() ? std::to_string(version)
                          : spell_domain(domain) + ' ' + std::to_string(version);
  }
  /// A domain that begins like a number would read as a version.
  static std::string spell_domain(const std::string& domain) {
    return domain[0] >= '0' && domain[0] <= '9' ? quote_text(domain) : spell_name(domain);
  }

  void symbol_ranges() {
    const DimTable& dims = model_.dims();
    for (size_t i = 0; i < dims.size(); ++i) {
      const Dim dim = Dim::expression(static_cast<int32_t>(i));
      if (!dims.is_symbol(dim) || dims.range(dim) == DimRange{}) continue;
      const DimRange range = dims.range(dim);
      const std::string high = range.high == DimRange{}.high ? "*" : std::to_string(range.high);
      line("dim ", print_dim(dim, dims) + " in [" + std::to_string(range.low) + ", " + high + "]");
    }
  }

  void function(size_t position) {
    const Function& f = model_.functions()[position];
    out_ += "function ";
    operator_name(f.domain, f.name, f.overload);
    if (!f.attributes.empty() || !f.attribute_defaults.empty()) {
      out_ += '[';
      bool first = true;
      for (const std::string& name : f.attributes) {
        separate(first);
        out_ += spell_name(name);
      }
      for (const Attribute& attribute : f.attribute_defaults) {
        separate(first);
        attribute_text(attribute, NodeId{}, 0);
      }
      out_ += ']';
    }
    if (!f.opset_imports.empty()) {
      out_ += " imports [";
      bool first = true;
      for (const auto& [domain, version] : f.opset_imports) {
        separate(first);
        out_ += opset(domain, version);
      }
      out_ += ']';
    }
    annotation({Entity::Kind::kFunction, static_cast<int32_t>(position), {}});
    const Entity body{Entity::Kind::kGraph, f.body.index, {}};
    const bool named =
        !model_.graph(f.body).name().empty() || (options_.annotations && model_.annotation(body));
    out_ += named ? " graph " : " ";
    graph(f.body, 0);
    out_ += "\n";
  }

  void separate(bool& first) {
    if (!first) out_ += ", ";
    first = false;
  }

  /// From the name on: the word "graph" is the caller's.
  void graph(GraphId id, int nesting) {
    const Graph& g = model_.graph(id);
    if (!g.name().empty()) out_ += spell_name(g.name()) + ' ';
    annotation({Entity::Kind::kGraph, id.index, {}});
    if (out_.back() == '}') out_ += ' ';
    // What is nested too deep, and a graph that stands in two places, is only named (verify()
    // refuses both).
    if (nesting > kMaxNesting || seen_graphs_[static_cast<size_t>(id.index)]) {
      out_ += "{...}";
      return;
    }
    seen_graphs_[static_cast<size_t>(id.index)] = true;
    out_ += '(';
    bool first = true;
    for (ValueId input : g.inputs()) {
      separate(first);
      definition(input, Types::kYes);
    }
    out_ += ") -> (";
    first = true;
    for (ValueId output : g.outputs()) {
      separate(first);
      const Value& value = model_.value(output);
      reference(output);
      if (value.graph() != id || !value.producer().is_valid()) continue;
      if (!typed_in_head_[static_cast<size_t>(output.index)]) type(value);
      typed_in_head_[static_cast<size_t>(output.index)] = true;
    }
    out_ += ") {\n";
    const size_t indent = 2 * (static_cast<size_t>(nesting) + 1);
    for (ValueId initializer : g.initializers()) {
      out_.append(indent, ' ');
      initializer_statement(model_.value(initializer));
      out_ += '\n';
    }
    for (const Node& n : model_.nodes(id)) {
      out_.append(indent, ' ');
      node(n, nesting);
      out_ += '\n';
    }
    for (const StatePair& state : g.states()) {
      out_.append(indent, ' ');
      state_statement(state);
      out_ += '\n';
    }
    out_.append(indent - 2, ' ');
    out_ += '}';
  }

  enum class Types : bool { kNo, kYes };

  void reference(ValueId id) {
    if (!id.is_valid()) {
      out_ += '_';
      return;
    }
    const std::string& name = model_.value(id).name();
    if (!name.empty()) out_ += spell_name(name);
    if (clashes_ ? clashes_->is_numbered(id) : name.empty()) out_ += '%' + std::to_string(id.index);
  }

  void type(const Value& value) {
    if (value.type().kind() == TypeKind::kUnknown) return;
    out_ += ": ";
    out_ += print_type(value.type(), model_.dims());
  }

  void definition(ValueId id, Types types) {
    reference(id);
    if (!id.is_valid()) return;
    if (types == Types::kYes) type(model_.value(id));
    annotation({Entity::Kind::kValue, id.index, {}});
  }

  void initializer_statement(const Value& value) {
    const Constant& constant = *value.constant();
    const Tensor& tensor = constant.tensor;
    reference(value.id());
    if (!value.is_input()) {
      if (value.type().kind() == TypeKind::kUnknown)
        out_ += ": ?";  // else it would get the tensor's
      else
        type(value);
      annotation({Entity::Kind::kValue, value.id().index, {}});
    }
    out_ += " = ";
    if (tensor.is_defined() && value.type().is_tensor() && value.type().dtype() == tensor.dtype() &&
        value.type().constant_shape() == tensor.shape()) {
      elements(tensor);
    } else {
      out_ += "constant ";
      if (constant.sparse)
        sparse_tensor(*constant.sparse);
      else
        tensor_text(tensor);
    }
    if (constant.external) external(*constant.external);
    annotation({Entity::Kind::kInitializer, value.id().index, {}});
  }

  void external(const ExternalData& data) {
    out_ += " external(" + quote_text(data.location) + ", " + std::to_string(data.offset) + ", " +
            std::to_string(data.length);
    for (const auto& [key, value] : data.entries)
      out_ += ", " + quote_text(key) + '=' + quote_text(value);
    out_ += ')';
  }

  void elements(const Tensor& tensor) {
    if (!print_elements(tensor, elements_, out_).is_ok()) out_ += "{...}";
  }
  void tensor_text(const Tensor& tensor) {
    if (!print_tensor(tensor, elements_, out_).is_ok()) out_ += "{...}";
  }
  void sparse_tensor(const SparseTensor& sparse) {
    out_ += "sparse[";
    for (size_t i = 0; i < sparse.shape.size(); ++i)
      out_ += (i ? "," : "") + std::to_string(sparse.shape[i]);
    out_ += "](";
    tensor_text(sparse.values);
    out_ += ", ";
    tensor_text(sparse.indices);
    out_ += ')';
  }

  void state_statement(const StatePair& state) {
    out_ += "state ";
    reference(state.input);
    out_ += " -> ";
    reference(state.output);
    if (!state.initial.is_defined()) return;
    out_ += " = ";
    tensor_text(state.initial);
  }

  void operator_name(const std::string& domain, const std::string& name,
                     const std::string& overload) {
    const bool plain_name = is_plain_name(name) && name.find('.') == std::string::npos;
    const bool plain_domain = domain.empty() || is_plain_name(domain);
    if (plain_name && plain_domain) {
      if (!domain.empty()) out_ += domain + '.';
      out_ += name;
    } else {
      out_ += quote_text(domain) + '.' + quote_text(name);
    }
    if (!overload.empty()) out_ += ':' + spell_name(overload);
  }

  void node(const Node& n, int nesting) {
    if (n.outputs().empty()) out_ += "()";
    for (size_t i = 0; i < n.outputs().size(); ++i) {
      if (i) out_ += ", ";
      const ValueId output = n.outputs()[i];
      const bool typed = options_.value_types && output.is_valid() &&
                         !typed_in_head_[static_cast<size_t>(output.index)];
      definition(output, typed ? Types::kYes : Types::kNo);
    }
    out_ += " = ";
    operator_name(n.domain(), n.op_type(), n.overload());
    if (!n.attributes().empty()) {
      out_ += '[';
      bool first = true;
      for (const Attribute& attribute : n.attributes()) {
        separate(first);
        attribute_text(attribute, n.id(), nesting);
      }
      out_ += ']';
    }
    out_ += '(';
    for (size_t i = 0; i < n.inputs().size(); ++i) {
      if (i) out_ += ", ";
      reference(n.inputs()[i]);
    }
    out_ += ')';
    if (options_.node_names && !n.name().empty()) {
      out_ += " @";
      out_ += spell_name(n.name());
    }
    if (options_.sources && !stands_for_itself(n)) sources(n);
    annotation({Entity::Kind::kNode, n.id().index, {}});
  }

  bool stands_for_itself(const Node& n) const {
    if (n.sources().size() != 1) return false;
    const SourceNode& source = model_.source(n.sources()[0]);
    return source.name == n.name() && source.domain == n.domain() &&
           source.op_type == n.op_type() && source.location.empty();
  }

  void sources(const Node& n) {
    out_ += " from [";
    bool first = true;
    for (SourceId id : n.sources()) {
      separate(first);
      const SourceNode& source = model_.source(id);
      operator_name(source.domain, source.op_type, {});
      if (!source.name.empty()) out_ += " @" + spell_name(source.name);
      if (!source.location.empty()) out_ += ' ' + quote_text(source.location);
    }
    out_ += ']';
  }

  void attribute_text(const Attribute& attribute, NodeId node_id, int nesting) {
    out_ += spell_name(attribute.name);
    if (!attribute.refers_to.empty()) {
      out_ += ": " + std::string(to_string(attribute.declared_kind)) + " = @" +
              spell_name(attribute.refers_to);
    } else if (is_empty_list(attribute) || attribute.kind() == AttributeKind::kUndefined) {
      out_ += ": " + std::string(to_string(attribute.kind()));
      if (attribute.kind() != AttributeKind::kUndefined) out_ += " = []";
    } else {
      out_ += '=';
      std::visit([&](const auto& value) { attribute_value(value, nesting); }, attribute.value);
    }
    if (node_id.is_valid()) annotation({Entity::Kind::kAttribute, node_id.index, attribute.name});
  }

  static bool is_empty_list(const Attribute& attribute) {
    return std::visit(
        [](const auto& value) {
          if constexpr (
              requires { value.front(); } && !requires { value.c_str(); })
            return value.empty();
          else
            return false;
        },
        attribute.value);
  }

  void attribute_value(std::monostate, int) {}
  void attribute_value(int64_t value, int) { out_ += std::to_string(value); }
  void attribute_value(float value, int) {
    const size_t start = out_.size();
    const Tensor scalar = Tensor::scalar(value);
    std::string text;
    if (!print_elements(scalar, {}, text).is_ok()) return;
    out_.append(text, 1, text.size() - 2);  // without the braces
    const std::string_view number = std::string_view(out_).substr(start);
    if (number.find_first_not_of("-0123456789") == std::string_view::npos) out_ += ".0";
  }
  void attribute_value(const std::string& value, int) { out_ += quote_text(value); }
  void attribute_value(const Tensor& value, int) { tensor_text(value); }
  void attribute_value(const SparseTensor& value, int) { sparse_tensor(value); }
  void attribute_value(GraphId value, int nesting) {
    out_ += "graph ";
    graph(value, nesting + 1);
  }
  void attribute_value(const Type& value, int) {
    out_ += "type " + print_type(value, model_.dims());
  }
  template <typename T>
  void attribute_value(const std::vector<T>& values, int nesting) {
    out_ += '[';
    bool first = true;
    for (const T& value : values) {
      separate(first);
      attribute_value(value, nesting);
    }
    out_ += ']';
  }

  void annotation(const Entity& entity) {
    if (!options_.annotations || model_.annotations().empty()) return;
    if (const Annotation* found = model_.annotation(entity)) {
      if (out_.back() != ' ') out_ += ' ';
      out_ += annotation_text(*found);
    }
  }

  static std::string annotation_text(const Annotation& note) {
    std::string text = "!{";
    const auto next = [&]() -> std::string& { return text.size() > 2 ? text += ", " : text; };
    if (!note.doc_string.empty()) next() += "doc=" + quote_text(note.doc_string);
    for (const auto& [key, value] : note.metadata)
      next() += "metadata " + quote_text(key) + '=' + quote_text(value);
    for (const auto& [key, value] : note.other)
      next() += "other " + quote_text(key) + '=' + quote_text(value);
    if (!note.unknown_fields.empty()) next() += "unknown=" + quote_text(note.unknown_fields);
    return text + '}';
  }

  const Model& model_;
  const PrintOptions& options_;
  const ElementsOptions elements_;
  std::optional<NameClashes> clashes_;  // only of whole models: finding them walks all of it
  std::vector<bool> seen_graphs_, typed_in_head_;
  std::string out_;
};

}  // namespace

std::string print(const Model& model, const PrintOptions& options) {
  return Printer(model, options).print_model();
}

std::string print_node(const Model& model, NodeId node, const PrintOptions& options) {
  return Printer(model, options).print_one(node);
}

}  // namespace shipway
