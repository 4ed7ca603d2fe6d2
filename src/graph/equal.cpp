#include "graph/equal.h"

#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "base/text.h"
#include "graph/text_type.h"

namespace shipway {
namespace {

constexpr int kMaxNesting = 100;

class Comparison {
 public:
  Comparison(const Model& a, const Model& b, const CompareOptions& options)
      : a_(a),
        b_(b),
        options_(options),
        dims_(a.dims()),
        b_of_a_(a.value_count()),
        a_of_b_(b.value_count()) {}

  /// An empty text when equal.
  std::string run() {
    if (options_.head) head();
    if (a_.functions().size() != b_.functions().size()) return "the number of functions differs";
    for (size_t i = 0; i < a_.functions().size() && difference_.empty(); ++i) function(i);
    if (difference_.empty()) graphs(a_.main_graph(), b_.main_graph(), 0);
    note({Entity::Kind::kModel, 0, {}}, {Entity::Kind::kModel, 0, {}}, "the model");
    return std::move(difference_);
  }

 private:
  template <typename T>
  bool same(const T& x, const T& y, std::string_view what) {
    if (x == y) return true;
    return differ(what);
  }
  bool differ(std::string_view what) {
    if (difference_.empty())
      difference_ = where_ + std::string(what) + (what.ends_with('.') ? "" : " differ");
    return false;
  }

  void head() {
    same(a_.dialect, b_.dialect, "dialects");
    same(a_.ir_version, b_.ir_version, "IR versions");
    same(a_.opset_imports, b_.opset_imports, "opset imports");
    same(a_.producer_name, b_.producer_name, "producer names");
    same(a_.producer_version, b_.producer_version, "producer versions");
    same(a_.domain, b_.domain, "domains");
    same(a_.model_version, b_.model_version, "model versions");
    same(a_.doc_string, b_.doc_string, "doc strings");
    same(a_.metadata, b_.metadata, "metadata");
  }

  void function(size_t position) {
    const Function& f = a_.functions()[position];
    const Function& g = b_.functions()[position];
    where_ = "function " + quoted(f.name) + ": ";
    if (!same(f.domain, g.domain, "domains") || !same(f.name, g.name, "names") ||
        !same(f.overload, g.overload, "overloads") ||
        !same(f.opset_imports, g.opset_imports, "opset imports") ||
        !same(f.attributes, g.attributes, "required attributes"))
      return;
    if (!attributes(f.attribute_defaults, g.attribute_defaults, 0)) return;
    const Entity entity{Entity::Kind::kFunction, static_cast<int32_t>(position), {}};
    if (note(entity, entity, "function " + quoted(f.name))) graphs(f.body, g.body, 0);
  }

  bool note(const Entity& x, const Entity& y, const std::string& what) {
    if (!options_.annotations || (a_.annotations().empty() && b_.annotations().empty()))
      return true;
    static const Annotation kNone;
    const Annotation* found_x = a_.annotation(x);
    const Annotation* found_y = b_.annotation(y);
    const Annotation& m = found_x ? *found_x : kNone;
    const Annotation& n = found_y ? *found_y : kNone;
    return (m.doc_string == n.doc_string && m.metadata == n.metadata &&
            m.unknown_fields == n.unknown_fields && m.other == n.other) ||
           differ("annotations of " + what);
  }

  bool graphs(GraphId x, GraphId y, int nesting) {
    if (nesting > kMaxNesting) return differ("graphs are nested deeper than 100.");
    const Graph& g = a_.graph(x);
    const Graph& h = b_.graph(y);
    const bool is_main = x == a_.main_graph();
    if (options_.names && !same(g.name(), h.name(), "graph names")) return false;
    if (!note({Entity::Kind::kGraph, x.index, {}}, {Entity::Kind::kGraph, y.index, {}}, "a graph"))
      return false;
    if (!same(g.inputs().size(), h.inputs().size(), "numbers of graph inputs")) return false;
    for (size_t i = 0; i < g.inputs().size(); ++i)
      if (!define(g.inputs()[i], h.inputs()[i], is_main ? Kind::kNamed : Kind::kPlain))
        return false;
    if (!same(g.initializers().size(), h.initializers().size(), "numbers of initializers"))
      return false;
    for (size_t i = 0; i < g.initializers().size(); ++i) {
      const ValueId v = g.initializers()[i], w = h.initializers()[i];
      if (!(b_of_a_[index(v)].is_valid() ? use(v, w, "initializer") : define(v, w, Kind::kPlain)))
        return false;
      if (!constants(v, w)) return false;
    }
    auto other = b_.nodes(y).begin();
    const auto end = b_.nodes(y).end();
    for (const Node& node : a_.nodes(x)) {
      if (other == end) return differ("there is no counterpart of " + a_.describe(node.id()) + ".");
      if (!nodes(node, *other, nesting)) return false;
      ++other;
    }
    if (other != end) return differ("there is no counterpart of " + b_.describe(other->id()) + ".");
    if (!same(g.outputs().size(), h.outputs().size(), "numbers of graph outputs")) return false;
    for (size_t i = 0; i < g.outputs().size(); ++i) {
      const ValueId v = g.outputs()[i], w = h.outputs()[i];
      if (!use(v, w, "graph output")) return false;
      if (is_main && !value_names(v, w)) return false;
    }
    if (!same(g.states().size(), h.states().size(), "numbers of states")) return false;
    for (size_t i = 0; i < g.states().size(); ++i) {
      const StatePair& s = g.states()[i];
      const StatePair& t = h.states()[i];
      if (!use(s.input, t.input, "state input") || !use(s.output, t.output, "state output"))
        return false;
      if (!identical(s.initial, t.initial)) return differ("initial values of a state");
    }
    return true;
  }

  bool nodes(const Node& m, const Node& n, int nesting) {
    const std::string outside = std::move(where_);
    where_ = a_.describe(m.id()) + " and " + b_.describe(n.id()) + ": ";
    if (!same(m.op_type(), n.op_type(), "operators") || !same(m.domain(), n.domain(), "domains") ||
        !same(m.overload(), n.overload(), "overloads"))
      return false;
    if (options_.names && !same(m.name(), n.name(), "node names")) return false;
    if (!same(m.inputs().size(), n.inputs().size(), "numbers of inputs")) return false;
    for (size_t i = 0; i < m.inputs().size(); ++i)
      if (!use(m.inputs()[i], n.inputs()[i], "input")) return false;
    if (!attributes(m.attributes(), n.attributes(), nesting)) return false;
    for (const Attribute& attribute : m.attributes())
      if (!note({Entity::Kind::kAttribute, m.id().index, attribute.name},
                {Entity::Kind::kAttribute, n.id().index, attribute.name}, "an attribute"))
        return false;
    if (!note({Entity::Kind::kNode, m.id().index, {}}, {Entity::Kind::kNode, n.id().index, {}},
              "a node"))
      return false;
    if (options_.sources && !sources(m, n)) return false;
    if (!same(m.outputs().size(), n.outputs().size(), "numbers of outputs")) return false;
    for (size_t i = 0; i < m.outputs().size(); ++i) {
      const ValueId v = m.outputs()[i], w = n.outputs()[i];
      if (!same(v.is_valid(), w.is_valid(), "omitted outputs")) return false;
      if (v.is_valid() && !define(v, w, Kind::kPlain)) return false;
    }
    where_ = outside;
    return true;
  }

  bool sources(const Node& m, const Node& n) {
    if (!same(m.sources().size(), n.sources().size(), "numbers of source nodes")) return false;
    for (size_t i = 0; i < m.sources().size(); ++i) {
      const SourceNode& s = a_.source(m.sources()[i]);
      const SourceNode& t = b_.source(n.sources()[i]);
      if (s.name != t.name || s.domain != t.domain || s.op_type != t.op_type ||
          s.location != t.location)
        return differ("source nodes");
    }
    return true;
  }

  // ---- values

  enum class Kind : uint8_t { kPlain, kNamed };

  static size_t index(ValueId id) { return static_cast<size_t>(id.index); }

  bool value_names(ValueId v, ValueId w) {
    const std::string& name = a_.value(v).name();
    return name == b_.value(w).name() || differ("value " + quoted(name) + " is named " +
                                                quoted(b_.value(w).name()) + " in the other.");
  }

  bool define(ValueId v, ValueId w, Kind kind) {
    if (b_of_a_[index(v)].is_valid() || a_of_b_[index(w)].is_valid())
      return differ("value " + quoted(a_.value(v).name()) + " is made twice.");
    b_of_a_[index(v)] = w;
    a_of_b_[index(w)] = v;
    const Value& x = a_.value(v);
    const Value& y = b_.value(w);
    if ((options_.names || kind == Kind::kNamed) && !value_names(v, w)) return false;
    if ((options_.types || x.is_input()) && !types(x.type(), y.type()))
      return differ("value " + quoted(x.name()) + " is " + print_type(x.type(), a_.dims()) +
                    " and " + print_type(y.type(), b_.dims()) + ".");
    return note({Entity::Kind::kValue, v.index, {}}, {Entity::Kind::kValue, w.index, {}},
                "value " + quoted(x.name()));
  }

  bool use(ValueId v, ValueId w, std::string_view what) {
    const ValueId expected = v.is_valid() ? b_of_a_[index(v)] : ValueId{};
    if (w.is_valid() == v.is_valid() && (!v.is_valid() || (expected.is_valid() && expected == w)))
      return true;
    const std::string left = v.is_valid() ? quoted(a_.value(v).name()) : "left out";
    const std::string right = w.is_valid() ? quoted(b_.value(w).name()) : "left out";
    return differ(std::string(what) + " is " + left + " and " + right + ".");
  }

  bool constants(ValueId v, ValueId w) {
    const Constant& c = *a_.value(v).constant();
    const Constant& d = *b_.value(w).constant();
    const std::string name = quoted(a_.value(v).name());
    if (!identical(c.tensor, d.tensor)) return differ("data of initializer " + name);
    if ((c.sparse == nullptr) != (d.sparse == nullptr) ||
        (c.sparse && !equal(*c.sparse, *d.sparse)))
      return differ("sparse data of initializer " + name);
    if (!options_.annotations) return true;
    if ((c.external == nullptr) != (d.external == nullptr) ||
        (c.external &&
         (c.external->location != d.external->location ||
          c.external->offset != d.external->offset || c.external->length != d.external->length ||
          c.external->entries != d.external->entries)))
      return differ("external places of initializer " + name);
    return note({Entity::Kind::kInitializer, v.index, {}},
                {Entity::Kind::kInitializer, w.index, {}}, "initializer " + name);
  }

  // ---- types: the two models have a table of dims each

  bool types(const Type& x, const Type& y) {
    const Type* s = &x;
    const Type* t = &y;
    for (;; s = &s->element(), t = &t->element()) {
      if (s->kind() != t->kind() || s->dtype() != t->dtype() ||
          s->opaque_domain() != t->opaque_domain() || s->opaque_name() != t->opaque_name() ||
          (s->dims() == nullptr) != (t->dims() == nullptr))
        return false;
      if (s->dims() &&
          !std::equal(s->dims()->begin(), s->dims()->end(), t->dims()->begin(), t->dims()->end(),
                      [&](Dim m, Dim n) { return m == translated(n); }))
        return false;
      if (s->kind() != TypeKind::kSequence && s->kind() != TypeKind::kOptional &&
          s->kind() != TypeKind::kMap)
        return true;
    }
  }

  /// A dim of b in (a copy of) a's table.
  Dim translated(Dim dim) {
    if (!dim.is_expression()) return dim;
    const auto [place, is_new] = translations_.try_emplace(dim.id());
    if (!is_new) return place->second;
    for (Dim symbol : b_.dims().symbols(dim)) {
      const Dim own = dims_.symbol(b_.dims().symbol_name(symbol));
      if (dims_.range(own) != b_.dims().range(symbol)) return {};
    }
    const Result<Dim> parsed = parse_dim(print_dim(dim, b_.dims()), dims_);
    return place->second = parsed.is_ok() ? *parsed : Dim();
  }

  // ---- attributes

  bool attributes(std::span<const Attribute> x, std::span<const Attribute> y, int nesting) {
    if (!same(x.size(), y.size(), "numbers of attributes")) return false;
    for (size_t i = 0; i < x.size(); ++i) {
      const std::string name = "attribute " + quoted(x[i].name);
      if (x[i].name != y[i].name)
        return differ(name + " is " + quoted(y[i].name) + " in the other.");
      if (x[i].refers_to != y[i].refers_to || x[i].kind() != y[i].kind())
        return differ("kinds of " + name);
      if (x[i].refers_to.empty() && !std::visit(
                                        [&](const auto& value) {
                                          using T = std::decay_t<decltype(value)>;
                                          return equal(value, std::get<T>(y[i].value), nesting);
                                        },
                                        x[i].value))
        return differ("values of " + name);
    }
    return true;
  }

  static bool equal(const SparseTensor& x, const SparseTensor& y) {
    return identical(x.values, y.values) && identical(x.indices, y.indices) && x.shape == y.shape;
  }
  template <typename T>
  bool equal(const T& x, const T& y, int nesting) {
    if constexpr (std::is_same_v<T, float>)
      return std::memcmp(&x, &y, sizeof x) == 0;
    else if constexpr (std::is_same_v<T, Tensor>)
      return identical(x, y);
    else if constexpr (std::is_same_v<T, SparseTensor>)
      return equal(x, y);
    else if constexpr (std::is_same_v<T, GraphId>)
      return graphs(x, y, nesting + 1);
    else if constexpr (std::is_same_v<T, Type>)
      return types(x, y);
    else
      return x == y;
  }
  template <typename T>
  bool equal(const std::vector<T>& x, const std::vector<T>& y, int nesting) {
    return std::equal(x.begin(), x.end(), y.begin(), y.end(),
                      [&](const T& m, const T& n) { return equal(m, n, nesting); });
  }

  const Model& a_;
  const Model& b_;
  const CompareOptions& options_;
  DimTable dims_;
  std::unordered_map<int32_t, Dim> translations_;
  std::vector<ValueId> b_of_a_, a_of_b_;
  std::string where_, difference_;
};

}  // namespace

bool equal_models(const Model& a, const Model& b, std::string* difference,
                  const CompareOptions& options) {
  std::string found = Comparison(a, b, options).run();
  const bool equal = found.empty();
  if (difference) *difference = std::move(found);
  return equal;
}

}  // namespace shipway
