// parse: a Model from its text form. Mirrors text_printer.cpp; docs/text-form.md is the grammar of
// both.
#include <algorithm>
#include <charconv>
#include <new>
#include <unordered_map>

#include "base/text.h"
#include "graph/builder.h"
#include "graph/text.h"
#include "graph/text_scanner.h"
#include "graph/text_tensor.h"
#include "graph/text_type.h"

namespace shipway {
namespace {

constexpr int kMaxNesting = 100;

/// A value as the text names it.
struct Reference {
  std::string name;
  std::string key;  // the name, and the number after '%' where there is one
  size_t position = 0;
  bool omitted = false;  // "_"
};

struct Definition {
  Reference reference;
  std::optional<Type> type;
  std::optional<Annotation> note;
};

/// The values of one graph that have been made so far.
struct Scope {
  GraphId graph;
  std::unordered_map<std::string, ValueId> values;
  std::unordered_map<std::string, Type> output_types;  // given in the head, for values not yet made
};

struct AttributeText {
  Attribute attribute;
  std::optional<Annotation> note;
};

std::optional<AttributeKind> attribute_kind(std::string_view word) {
  for (int i = 0; i <= static_cast<int>(AttributeKind::kTypes); ++i)
    if (to_string(static_cast<AttributeKind>(i)) == word) return static_cast<AttributeKind>(i);
  return std::nullopt;
}

std::optional<float> float_from_text(std::string_view text) {
  const bool bits = text.starts_with("0x");
  uint32_t raw = 0;
  float number = 0;
  const char* const end = text.data() + text.size();
  const auto result = bits ? std::from_chars(text.data() + 2, end, raw, 16)
                           : std::from_chars(text.data(), end, number);
  if (result.ec != std::errc() || result.ptr != end) return std::nullopt;
  return bits ? std::bit_cast<float>(raw) : number;
}

class Parser {
 public:
  Parser(std::string_view text, const ParseOptions& options)
      : in_(text), builder_(model_), budget_{options.max_generated_bytes, options.stored} {}

  Result<Model> parse_model() {
    bool has_graph = false;
    while (!in_.at_end()) {
      const size_t start = in_.position();
      const std::string_view keyword = in_.take_word();
      if (keyword == "graph") {
        if (has_graph)
          return in_.error_at(start, "a model has one graph outside functions, this is the second");
        has_graph = true;
        SHIPWAY_RETURN_IF_ERROR(graph(model_.main_graph(), 0));
      } else {
        SHIPWAY_RETURN_IF_ERROR(header(keyword, start));
      }
    }
    if (!has_graph) return in_.error_expected("'graph'");
    return std::move(model_);
  }

 private:
  // ---- head of the model

  Status header(std::string_view keyword, size_t start) {
    if (keyword == "opset") return opset(model_.opset_imports);
    if (keyword == "function") return function();
    if (keyword == "dialect") return quoted_into(model_.dialect);
    if (keyword == "producer_name") return quoted_into(model_.producer_name);
    if (keyword == "producer_version") return quoted_into(model_.producer_version);
    if (keyword == "domain") return quoted_into(model_.domain);
    if (keyword == "doc") return quoted_into(model_.doc_string);
    if (keyword == "ir_version") return integer_into(model_.ir_version);
    if (keyword == "model_version") return integer_into(model_.model_version);
    if (keyword == "metadata") return key_and_value(model_.metadata);
    if (keyword == "dim") return symbol_range();
    if (keyword == "note") {
      SHIPWAY_ASSIGN_OR_RETURN(const auto note, optional_note());
      if (!note) return in_.error_expected("'!{'");
      builder_.annotate({Entity::Kind::kModel, 0, {}}) = *note;
      return Status::ok();
    }
    const std::string found =
        keyword.empty() ? std::string(1, in_.peek()) : std::string(keyword.substr(0, 40));
    return in_.error_at(start,
                        "found " + quoted(found) +
                            ", expected graph, function, opset or another line of a model's head");
  }

  Status quoted_into(std::string& target) {
    SHIPWAY_ASSIGN_OR_RETURN(target, in_.quoted("a text in quotes"));
    return Status::ok();
  }
  Status integer_into(int64_t& target) {
    SHIPWAY_ASSIGN_OR_RETURN(target, in_.integer("an integer"));
    return Status::ok();
  }
  Status key_and_value(std::vector<std::pair<std::string, std::string>>& target) {
    SHIPWAY_ASSIGN_OR_RETURN(std::string key, in_.quoted("a key in quotes"));
    SHIPWAY_RETURN_IF_ERROR(in_.expect("="));
    SHIPWAY_ASSIGN_OR_RETURN(std::string value, in_.quoted("a text in quotes"));
    target.emplace_back(std::move(key), std::move(value));
    return Status::ok();
  }

  Status opset(std::vector<std::pair<std::string, int64_t>>& imports) {
    std::string domain;
    if (in_.peek() == '"' || !(in_.peek() >= '0' && in_.peek() <= '9')) {
      SHIPWAY_ASSIGN_OR_RETURN(domain, in_.name("a domain or an opset version"));
    }
    SHIPWAY_ASSIGN_OR_RETURN(const int64_t version, in_.integer("an opset version"));
    imports.emplace_back(std::move(domain), version);
    return Status::ok();
  }

  /// dim N in [1, 8]
  Status symbol_range() {
    const size_t start = in_.position();
    SHIPWAY_ASSIGN_OR_RETURN(const std::string name, in_.dim_symbol());
    if (!in_.accept_word("in")) return in_.error_expected("'in'");
    DimRange range;
    SHIPWAY_RETURN_IF_ERROR(in_.expect("["));
    SHIPWAY_RETURN_IF_ERROR(integer_into(range.low));
    SHIPWAY_RETURN_IF_ERROR(in_.expect(","));
    if (!in_.accept("*")) SHIPWAY_RETURN_IF_ERROR(integer_into(range.high));
    SHIPWAY_RETURN_IF_ERROR(in_.expect("]"));
    if (range.low > range.high) return in_.error_at(start, "this range holds no number");
    model_.dims().set_range(model_.dims().symbol(name), range);
    return Status::ok();
  }

  struct OperatorName {
    std::string domain, name, overload;
  };

  Result<OperatorName> operator_name(std::string_view what) {
    OperatorName op;
    const bool was_quoted = in_.peek() == '"';
    SHIPWAY_ASSIGN_OR_RETURN(op.name, in_.name(what));
    if (was_quoted && in_.accept(".")) {
      op.domain = std::move(op.name);
      SHIPWAY_ASSIGN_OR_RETURN(op.name, in_.quoted("the operator's name in quotes"));
    } else if (const size_t dot = op.name.rfind('.'); !was_quoted && dot != std::string::npos) {
      op.domain = op.name.substr(0, dot);
      op.name.erase(0, dot + 1);
    }
    if (in_.accept(":")) {
      SHIPWAY_ASSIGN_OR_RETURN(op.overload, in_.name("an overload's name"));
    }
    return op;
  }

  Status function() {
    Function function;
    SHIPWAY_ASSIGN_OR_RETURN(OperatorName name, operator_name("the function's name"));
    function.domain = std::move(name.domain);
    function.name = std::move(name.name);
    function.overload = std::move(name.overload);
    if (in_.accept("[") && !in_.accept("]")) {
      do {
        SHIPWAY_ASSIGN_OR_RETURN(AttributeText attribute, this->attribute(0, true));
        if (attribute.attribute.kind() == AttributeKind::kUndefined &&
            attribute.attribute.refers_to.empty())
          function.attributes.push_back(std::move(attribute.attribute.name));
        else
          function.attribute_defaults.push_back(std::move(attribute.attribute));
      } while (in_.accept(","));
      SHIPWAY_RETURN_IF_ERROR(in_.expect("]"));
    }
    if (in_.accept_word("imports")) {
      SHIPWAY_RETURN_IF_ERROR(in_.expect("["));
      do {
        SHIPWAY_RETURN_IF_ERROR(opset(function.opset_imports));
      } while (in_.accept(","));
      SHIPWAY_RETURN_IF_ERROR(in_.expect("]"));
    }
    const auto position = static_cast<int32_t>(model_.functions().size());
    SHIPWAY_RETURN_IF_ERROR(note_for({Entity::Kind::kFunction, position, {}}));
    in_.accept_word("graph");
    function.body = builder_.add_graph("");
    std::vector<Scope> outside;
    std::swap(outside, scopes_);  // a function sees no value from outside
    SHIPWAY_RETURN_IF_ERROR(graph(function.body, 0));
    std::swap(outside, scopes_);
    builder_.add_function(std::move(function));
    return Status::ok();
  }

  // ---- notes

  Result<std::optional<Annotation>> optional_note() {
    std::optional<Annotation> note;
    if (!in_.accept("!")) return note;
    SHIPWAY_RETURN_IF_ERROR(in_.expect("{"));
    note.emplace();
    if (in_.accept("}")) return note;
    do {
      const bool doc = in_.accept_word("doc");
      if (doc || in_.accept_word("unknown")) {
        SHIPWAY_RETURN_IF_ERROR(in_.expect("="));
        SHIPWAY_RETURN_IF_ERROR(quoted_into(doc ? note->doc_string : note->unknown_fields));
      } else if (in_.accept_word("metadata")) {
        SHIPWAY_RETURN_IF_ERROR(key_and_value(note->metadata));
      } else if (in_.accept_word("other")) {
        std::vector<std::pair<std::string, std::string>> entry;
        SHIPWAY_RETURN_IF_ERROR(key_and_value(entry));
        note->other.insert(std::move(entry[0]));
      } else {
        return in_.error_expected("doc, metadata, other or unknown");
      }
    } while (in_.accept(","));
    SHIPWAY_RETURN_IF_ERROR(in_.expect("}"));
    return note;
  }

  Status note_for(Entity entity) {
    SHIPWAY_ASSIGN_OR_RETURN(auto note, optional_note());
    if (note) builder_.annotate(std::move(entity)) = *std::move(note);
    return Status::ok();
  }

  // ---- values

  Result<Reference> reference(std::string_view what) {
    Reference ref;
    ref.position = in_.position();
    if (in_.accept_word("_")) {
      ref.omitted = true;
      return ref;
    }
    if (in_.peek() != '%') {
      SHIPWAY_ASSIGN_OR_RETURN(ref.name, in_.name(what));
    }
    ref.key = ref.name;
    if (in_.accept("%")) {
      SHIPWAY_ASSIGN_OR_RETURN(const int64_t number, in_.integer("a number after '%'"));
      ref.key += '\0' + std::to_string(number);
    }
    return ref;
  }

  /// name [: type] [note]
  Result<Definition> definition(std::string_view what) {
    Definition made;
    SHIPWAY_ASSIGN_OR_RETURN(made.reference, reference(what));
    if (made.reference.omitted) return made;
    if (in_.accept(":")) {
      SHIPWAY_ASSIGN_OR_RETURN(made.type, parse_type(in_, model_.dims()));
    }
    SHIPWAY_ASSIGN_OR_RETURN(made.note, optional_note());
    return made;
  }

  Result<ValueId> define(Definition& made) {
    if (made.reference.omitted) return ValueId{};
    Scope& scope = scopes_.back();
    const auto [place, is_new] = scope.values.try_emplace(made.reference.key);
    if (!is_new)
      return in_.error_at(made.reference.position,
                          "value " + quoted(made.reference.name) + " is made twice");
    Type type;
    if (const auto declared = scope.output_types.find(made.reference.key);
        declared != scope.output_types.end()) {
      if (made.type && !(*made.type == declared->second))
        return in_.error_at(
            made.reference.position,
            "value " + quoted(made.reference.name) + " has another type among the graph's outputs");
      type = std::move(declared->second);
    } else if (made.type) {
      type = *std::move(made.type);
    }
    place->second =
        builder_.add_value(scope.graph, std::move(made.reference.name), std::move(type));
    if (made.note)
      builder_.annotate({Entity::Kind::kValue, place->second.index, {}}) = *std::move(made.note);
    return place->second;
  }

  Result<ValueId> resolve(const Reference& ref) const {
    if (ref.omitted) return ValueId{};
    for (size_t i = scopes_.size(); i-- > 0;)
      if (const auto found = scopes_[i].values.find(ref.key); found != scopes_[i].values.end())
        return found->second;
    return in_.error_at(ref.position,
                        "value " + quoted(ref.name) + " is used before anything makes it");
  }

  Result<ValueId> used_value() {
    SHIPWAY_ASSIGN_OR_RETURN(const Reference ref, reference("the name of a value"));
    return resolve(ref);
  }

  // ---- graphs

  /// [name] [note] (inputs) -> (outputs) { statements }
  Status graph(GraphId id, int nesting) {
    if (nesting > kMaxNesting)
      return in_.error_at(in_.position(), "graphs are nested deeper than 100", StatusCode::kLimit);
    if (in_.peek() != '(' && in_.peek() != '!') {
      SHIPWAY_ASSIGN_OR_RETURN(std::string name, in_.name("the graph's name or '('"));
      builder_.set_graph_name(id, std::move(name));
    }
    SHIPWAY_RETURN_IF_ERROR(note_for({Entity::Kind::kGraph, id.index, {}}));
    scopes_.push_back({id, {}, {}});
    SHIPWAY_RETURN_IF_ERROR(in_.expect("("));
    if (!in_.accept(")")) {
      do {
        SHIPWAY_ASSIGN_OR_RETURN(Definition input, definition("the name of a graph input"));
        if (input.reference.omitted)
          return in_.error_at(input.reference.position, "a graph input needs a name");
        SHIPWAY_ASSIGN_OR_RETURN(const ValueId value, define(input));
        builder_.add_input(id, value);
      } while (in_.accept(","));
      SHIPWAY_RETURN_IF_ERROR(in_.expect(")"));
    }
    SHIPWAY_RETURN_IF_ERROR(in_.expect("->"));
    SHIPWAY_ASSIGN_OR_RETURN(const std::vector<Definition> outputs, graph_outputs());
    SHIPWAY_RETURN_IF_ERROR(in_.expect("{"));
    std::vector<PendingState> states;
    while (!in_.accept("}")) {
      if (in_.at_end()) return in_.error_expected("a statement or '}'");
      SHIPWAY_RETURN_IF_ERROR(statement(nesting, states));
    }
    for (const Definition& output : outputs) {
      SHIPWAY_ASSIGN_OR_RETURN(const ValueId value, resolve(output.reference));
      builder_.add_output(id, value);
      if (!output.type || model_.value(value).type() == *output.type) continue;
      if (model_.value(value).type().kind() != TypeKind::kUnknown)
        return in_.error_at(output.reference.position, "output " + quoted(output.reference.name) +
                                                           " has another type where it is made");
      builder_.set_type(value, *output.type);
    }
    for (PendingState& state : states) {
      SHIPWAY_ASSIGN_OR_RETURN(const ValueId input, resolve(state.input));
      SHIPWAY_ASSIGN_OR_RETURN(const ValueId output, resolve(state.output));
      builder_.add_state(id, {input, output, std::move(state.initial)});
    }
    scopes_.pop_back();
    return Status::ok();
  }

  Result<std::vector<Definition>> graph_outputs() {
    std::vector<Definition> outputs;
    SHIPWAY_RETURN_IF_ERROR(in_.expect("("));
    if (in_.accept(")")) return outputs;
    do {
      SHIPWAY_ASSIGN_OR_RETURN(outputs.emplace_back(), definition("the name of a graph output"));
      const Definition& output = outputs.back();
      if (output.reference.omitted)
        return in_.error_at(output.reference.position, "a graph output needs a name");
      if (output.note)
        return in_.error_at(output.reference.position, "the note belongs where the value is made");
      // An output that is an input has its type already.
      if (output.type && !scopes_.back().values.contains(output.reference.key))
        scopes_.back().output_types.try_emplace(output.reference.key, *output.type);
    } while (in_.accept(","));
    SHIPWAY_RETURN_IF_ERROR(in_.expect(")"));
    return outputs;
  }

  struct PendingState {
    Reference input, output;
    Tensor initial;
  };

  Status statement(int nesting, std::vector<PendingState>& states) {
    if (in_.peek_word() == "state") {
      const char after = in_.peek_after_word();
      if (after != '=' && after != ':' && after != ',' && after != '!' && after != '%')
        return state(states);
    }
    std::vector<Definition> made;
    if (in_.accept("(")) {  // a node without outputs
      SHIPWAY_RETURN_IF_ERROR(in_.expect(")"));
    } else {
      do {
        SHIPWAY_ASSIGN_OR_RETURN(made.emplace_back(), definition("the name of a value or '}'"));
      } while (in_.accept(","));
    }
    SHIPWAY_RETURN_IF_ERROR(in_.expect("="));
    if (elements_are_next(in_) || constant_is_next()) {
      if (made.size() != 1 || made[0].reference.omitted)
        return in_.error_at(in_.position(), "data goes into one named value");
      return initializer(made[0]);
    }
    return node(std::move(made), nesting);
  }

  Status state(std::vector<PendingState>& states) {
    in_.take_word();
    PendingState& pair = states.emplace_back();
    SHIPWAY_ASSIGN_OR_RETURN(pair.input, reference("the value that a state is read as"));
    SHIPWAY_RETURN_IF_ERROR(in_.expect("->"));
    SHIPWAY_ASSIGN_OR_RETURN(pair.output, reference("the value that a state is written by"));
    if (pair.input.omitted || pair.output.omitted)
      return in_.error_at(pair.input.position, "both sides of a state need a name");
    if (!in_.accept("=")) return Status::ok();
    SHIPWAY_ASSIGN_OR_RETURN(pair.initial, parse_tensor(in_, budget_));
    return Status::ok();
  }

  // ---- data

  bool constant_is_next() const {
    const char after = in_.peek_after_word();
    return in_.peek_word() == "constant" && after != '(' && after != '[' && after != ':' &&
           after != '.';
  }

  /// Gives data to a new value or to a graph input.
  Status initializer(Definition& made) {
    const Reference ref = made.reference;
    const auto known = scopes_.back().values.find(ref.key);
    const bool is_input = known != scopes_.back().values.end() &&
                          model_.value(known->second).is_input() &&
                          !model_.value(known->second).is_initializer() && !made.type;
    ValueId value;
    if (is_input) {
      value = known->second;
      if (made.note) return in_.error_at(ref.position, "the note belongs where the value is made");
    } else {
      SHIPWAY_ASSIGN_OR_RETURN(value, define(made));
    }
    const bool typed = made.type || is_input;
    Constant constant;
    if (in_.accept_word("constant") && !elements_are_next(in_)) {
      if (in_.peek_word() == "sparse") {
        SHIPWAY_ASSIGN_OR_RETURN(SparseTensor sparse, sparse_tensor());
        constant.sparse = std::make_shared<const SparseTensor>(std::move(sparse));
      } else {
        SHIPWAY_ASSIGN_OR_RETURN(constant.tensor, parse_tensor(in_, budget_));
        if (!typed && model_.value(value).type().kind() == TypeKind::kUnknown &&
            constant.tensor.is_defined())
          builder_.set_type(value, type_of(constant.tensor));
      }
    } else {
      const Type type = model_.value(value).type();
      const std::optional<Shape> shape = type.constant_shape();
      if (!type.is_tensor() || !shape)
        return in_.error_at(ref.position,
                            "value " + quoted(ref.name) +
                                " needs a type with sizes that are numbers, as in " +
                                "'w: float[2] = {1, 2}' or 'w = constant float[2] {1, 2}'");
      SHIPWAY_ASSIGN_OR_RETURN(constant.tensor, parse_elements(in_, type.dtype(), *shape, budget_));
    }
    if (in_.peek_word() == "external" && in_.peek_after_word() == '(') {
      SHIPWAY_ASSIGN_OR_RETURN(ExternalData external, this->external());
      constant.external = std::make_shared<const ExternalData>(std::move(external));
    }
    builder_.add_initializer(value, std::move(constant));
    return note_for({Entity::Kind::kInitializer, value.index, {}});
  }

  static Type type_of(const Tensor& tensor) {
    Dims dims;
    for (int64_t size : tensor.shape()) dims.push_back(size);
    return Type::tensor(tensor.dtype(), std::move(dims));
  }

  /// external("weights.bin", 4096, 8, "checksum"="...")
  Result<ExternalData> external() {
    ExternalData data;
    in_.take_word();
    SHIPWAY_RETURN_IF_ERROR(in_.expect("("));
    SHIPWAY_RETURN_IF_ERROR(quoted_into(data.location));
    SHIPWAY_RETURN_IF_ERROR(in_.expect(","));
    SHIPWAY_RETURN_IF_ERROR(integer_into(data.offset));
    SHIPWAY_RETURN_IF_ERROR(in_.expect(","));
    SHIPWAY_RETURN_IF_ERROR(integer_into(data.length));
    while (in_.accept(",")) SHIPWAY_RETURN_IF_ERROR(key_and_value(data.entries));
    SHIPWAY_RETURN_IF_ERROR(in_.expect(")"));
    return data;
  }

  /// sparse[3,4](float[2] {1, 2}, int64[2] {0, 5})
  Result<SparseTensor> sparse_tensor() {
    SparseTensor sparse;
    in_.take_word();
    SHIPWAY_RETURN_IF_ERROR(in_.expect("["));
    if (!in_.accept("]")) {
      do {
        SHIPWAY_ASSIGN_OR_RETURN(const int64_t size, in_.integer("the size of a tensor"));
        sparse.shape.push_back(size);
      } while (in_.accept(","));
      SHIPWAY_RETURN_IF_ERROR(in_.expect("]"));
    }
    SHIPWAY_RETURN_IF_ERROR(in_.expect("("));
    SHIPWAY_ASSIGN_OR_RETURN(sparse.values, parse_tensor(in_, budget_));
    SHIPWAY_RETURN_IF_ERROR(in_.expect(","));
    SHIPWAY_ASSIGN_OR_RETURN(sparse.indices, parse_tensor(in_, budget_));
    SHIPWAY_RETURN_IF_ERROR(in_.expect(")"));
    return sparse;
  }

  // ---- nodes

  /// operator [attributes] (inputs) [@name] [from [sources]] [note]
  Status node(std::vector<Definition> made, int nesting) {
    NodeSpec spec;
    std::vector<std::pair<std::string, Annotation>> attribute_notes;
    SHIPWAY_ASSIGN_OR_RETURN(OperatorName op, operator_name("an operator or data"));
    spec.domain = std::move(op.domain);
    spec.op_type = std::move(op.name);
    spec.overload = std::move(op.overload);
    if (in_.accept("[") && !in_.accept("]")) {
      do {
        SHIPWAY_ASSIGN_OR_RETURN(AttributeText attribute, this->attribute(nesting));
        if (attribute.note)
          attribute_notes.emplace_back(attribute.attribute.name, *std::move(attribute.note));
        spec.attributes.push_back(std::move(attribute.attribute));
      } while (in_.accept(","));
      if (!in_.accept("]")) return in_.error_expected("',' or ']' after an attribute");
    }
    SHIPWAY_RETURN_IF_ERROR(in_.expect("("));
    if (!in_.accept(")")) {
      do {
        SHIPWAY_ASSIGN_OR_RETURN(const ValueId input, used_value());
        spec.inputs.push_back(input);
      } while (in_.accept(","));
      if (!in_.accept(")")) return in_.error_expected("',' or ')' after an input");
    }
    if (in_.accept("@")) {
      SHIPWAY_ASSIGN_OR_RETURN(spec.name, in_.name("the node's name"));
    }
    std::optional<std::vector<SourceId>> sources;
    if (in_.peek_word() == "from" && in_.peek_after_word() == '[') {
      SHIPWAY_ASSIGN_OR_RETURN(sources, this->sources());
    }
    SHIPWAY_ASSIGN_OR_RETURN(auto note, optional_note());
    for (Definition& output : made) {
      SHIPWAY_ASSIGN_OR_RETURN(const ValueId value, define(output));
      spec.outputs.push_back(value);
    }
    SHIPWAY_ASSIGN_OR_RETURN(
        const NodeId id,
        builder_.add_node(scopes_.back().graph, std::move(spec), {}, std::move(sources)));
    if (note) builder_.annotate({Entity::Kind::kNode, id.index, {}}) = *std::move(note);
    for (auto& [name, text] : attribute_notes)
      builder_.annotate({Entity::Kind::kAttribute, id.index, name}) = std::move(text);
    return Status::ok();
  }

  Result<std::vector<SourceId>> sources() {
    std::vector<SourceId> ids;
    in_.take_word();
    SHIPWAY_RETURN_IF_ERROR(in_.expect("["));
    if (in_.accept("]")) return ids;
    do {
      SourceNode source;
      SHIPWAY_ASSIGN_OR_RETURN(OperatorName op, operator_name("an operator"));
      source.domain = std::move(op.domain);
      source.op_type = std::move(op.name);
      if (in_.accept("@")) {
        SHIPWAY_ASSIGN_OR_RETURN(source.name, in_.name("the source node's name"));
      }
      if (in_.peek() == '"') SHIPWAY_RETURN_IF_ERROR(quoted_into(source.location));
      std::string key =
          source.domain + '\0' + source.op_type + '\0' + source.name + '\0' + source.location;
      const auto [place, is_new] = source_ids_.try_emplace(std::move(key));
      if (is_new) place->second = builder_.add_source(std::move(source));
      ids.push_back(place->second);
    } while (in_.accept(","));
    SHIPWAY_RETURN_IF_ERROR(in_.expect("]"));
    return ids;
  }

  // ---- attributes

  /// name = value | name: kind = value | name: kind = @attribute | name: undefined, each with
  /// [note]
  /// `bare`: a name alone will do.
  Result<AttributeText> attribute(int nesting, bool bare = false) {
    AttributeText made;
    Attribute& attribute = made.attribute;
    SHIPWAY_ASSIGN_OR_RETURN(attribute.name, in_.name("an attribute's name"));
    std::optional<AttributeKind> kind;
    if (in_.accept(":")) {
      kind = attribute_kind(in_.peek_word());
      if (!kind) return in_.error_expected("an attribute's kind such as int, floats or tensor");
      in_.take_word();
    }
    if (in_.accept("=")) {
      const size_t start = in_.position();
      if (in_.accept("@")) {
        if (!kind)
          return in_.error_at(start, "a reference needs a kind, as in 'alpha: float = @alpha'");
        attribute.declared_kind = *kind;
        SHIPWAY_ASSIGN_OR_RETURN(attribute.refers_to,
                                 in_.name("the name of the function's attribute"));
      } else {
        SHIPWAY_ASSIGN_OR_RETURN(attribute.value, attribute_value(nesting));
        if (kind && !convert(attribute.value, *kind))
          return in_.error_at(start, "this value is of kind " +
                                         std::string(to_string(attribute.kind())) + ", not " +
                                         std::string(to_string(*kind)));
      }
    } else if (kind != AttributeKind::kUndefined && (kind || !bare)) {
      return in_.error_expected("'='");
    }
    SHIPWAY_ASSIGN_OR_RETURN(made.note, optional_note());
    return made;
  }

  /// True when the value has this kind, or could be given it: integers become floats, an empty list
  /// anything.
  static bool convert(AttributeValue& value, AttributeKind kind) {
    if (static_cast<AttributeKind>(value.index()) == kind) return true;
    if (const auto* number = std::get_if<int64_t>(&value);
        number && kind == AttributeKind::kFloat) {
      value = static_cast<float>(*number);
      return true;
    }
    const auto* ints = std::get_if<std::vector<int64_t>>(&value);
    if (ints && kind == AttributeKind::kFloats) {
      value = std::vector<float>(ints->begin(), ints->end());
      return true;
    }
    if (!ints || !ints->empty()) return false;
    switch (kind) {
      case AttributeKind::kStrings:
        value = std::vector<std::string>();
        return true;
      case AttributeKind::kTensors:
        value = std::vector<Tensor>();
        return true;
      case AttributeKind::kSparseTensors:
        value = std::vector<SparseTensor>();
        return true;
      case AttributeKind::kGraphs:
        value = std::vector<GraphId>();
        return true;
      case AttributeKind::kTypes:
        value = std::vector<Type>();
        return true;
      default:
        return false;
    }
  }

  Result<AttributeValue> attribute_value(int nesting) {
    if (!in_.accept("[")) return single_value(nesting);
    if (in_.accept("]")) return AttributeValue(std::vector<int64_t>());
    if (number_is_next()) return number_list();
    const size_t start = in_.position();
    SHIPWAY_ASSIGN_OR_RETURN(AttributeValue first, single_value(nesting));
    return std::visit(
        [&](auto& value) -> Result<AttributeValue> {
          using T = std::remove_reference_t<decltype(value)>;
          if constexpr (std::is_constructible_v<AttributeValue, std::vector<T>>) {
            std::vector<T> values;
            values.push_back(std::move(value));
            while (in_.accept(",")) {
              const size_t at = in_.position();
              SHIPWAY_ASSIGN_OR_RETURN(AttributeValue next, single_value(nesting));
              if (!std::holds_alternative<T>(next))
                return in_.error_at(at, "all elements of a list are of one kind");
              values.push_back(std::get<T>(std::move(next)));
            }
            if (!in_.accept("]")) return in_.error_expected("',' or ']' after an element");
            return AttributeValue(std::move(values));
          } else {
            return in_.error_at(start, "this cannot stand in a list");
          }
        },
        first);
  }

  bool number_is_next() const {
    const char c = in_.peek();
    const std::string_view word = in_.peek_word();
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || word == "inf" ||
           word == "nan";
  }
  static bool is_float_text(std::string_view token) {
    return token.find_first_not_of("+-0123456789") != std::string_view::npos;
  }

  /// Trees have lists of a million numbers, so these do not go through single values.
  Result<AttributeValue> number_list() {
    std::vector<int64_t> ints;
    std::vector<float> floats;
    bool is_float = false;
    do {
      SHIPWAY_ASSIGN_OR_RETURN(const AttributeValue number, number_value());
      if (const int64_t* integer = std::get_if<int64_t>(&number)) {
        if (is_float)
          floats.push_back(static_cast<float>(*integer));
        else
          ints.push_back(*integer);
      } else {
        if (!is_float) floats.assign(ints.begin(), ints.end());
        is_float = true;
        floats.push_back(std::get<float>(number));
      }
    } while (in_.accept(","));
    if (!in_.accept("]")) return in_.error_expected("',' or ']' after an element");
    return is_float ? AttributeValue(std::move(floats)) : AttributeValue(std::move(ints));
  }

  Result<AttributeValue> number_value() {
    Scanner ahead = in_;
    const std::string_view token = ahead.take_number();
    if (is_float_text(token)) {
      const std::optional<float> number = float_from_text(token);
      if (!number) return in_.error_expected("a number that fits a float");
      in_ = ahead;
      return AttributeValue(*number);
    }
    const std::optional<int64_t> number = parse_int(token);
    if (!number) return in_.error_expected("a number (integers have 64 bits)");
    in_ = ahead;
    return AttributeValue(*number);
  }

  Result<AttributeValue> single_value(int nesting) {
    if (number_is_next()) return number_value();
    if (in_.peek() == '"') {
      SHIPWAY_ASSIGN_OR_RETURN(std::string text, in_.quoted("a string"));
      return AttributeValue(std::move(text));
    }
    const std::string_view word = in_.peek_word();
    if (word == "graph") {
      in_.take_word();
      const GraphId id = builder_.add_graph("");
      SHIPWAY_RETURN_IF_ERROR(graph(id, nesting + 1));
      return AttributeValue(id);
    }
    if (word == "type") {
      in_.take_word();
      SHIPWAY_ASSIGN_OR_RETURN(Type type, parse_type(in_, model_.dims()));
      return AttributeValue(std::move(type));
    }
    if (word == "sparse") {
      SHIPWAY_ASSIGN_OR_RETURN(SparseTensor sparse, sparse_tensor());
      return AttributeValue(std::move(sparse));
    }
    if (word == "undefined" || dtype_from_name(word)) {
      SHIPWAY_ASSIGN_OR_RETURN(Tensor tensor, parse_tensor(in_, budget_));
      return AttributeValue(std::move(tensor));
    }
    return in_.error_expected("an attribute's value");
  }

  Scanner in_;
  Model model_;
  ModelBuilder builder_;
  TensorBudget budget_;
  std::vector<Scope> scopes_;
  std::unordered_map<std::string, SourceId> source_ids_;
};

}  // namespace

Result<Model> parse(std::string_view text, const ParseOptions& options) {
  try {
    return Parser(text, options).parse_model();
  } catch (const std::bad_alloc&) {
    return Status::out_of_memory("not enough memory to read this text of {} bytes", text.size());
  }
}

}  // namespace shipway
