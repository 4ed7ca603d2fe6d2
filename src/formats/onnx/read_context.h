// The reader's parts, which call each other: a graph holds nodes, a node attributes, an attribute
// graphs.
#pragma once

#include <unordered_map>

#include "formats/onnx/kept.h"
#include "graph/builder.h"

namespace shipway {

/// What a name means at the place that has been read up to.
struct NamedValue {
  ValueId value;
  bool is_defined =
      false;  // an input, initializer or node output has claimed it; else it has only been used
};

/// The names that are visible in one graph; those of the graphs around it by `outer`. Keys are
/// views of the file.
struct NameScope {
  GraphId graph;
  NameScope* outer = nullptr;
  int depth = 1;
  std::unordered_map<std::string_view, NamedValue> names;
};

/// Who defines a name, for the report of duplicates: a node, or what is said by `what`.
struct Definer {
  std::string_view what;
  const NodeSpec* node = nullptr;
};

struct ReadAttribute {
  Attribute attribute;
  std::optional<Annotation> kept;
};

class OnnxReadContext {
 public:
  static constexpr int kMaxGraphDepth = 100;

  OnnxReadContext(Model& model, Bytes file, TensorSource source)
      : builder_(model), model_(model), origin_(file.data()), source_(std::move(source)) {}

  /// graph_reader.cpp: fills a graph that exists and is empty. `outer` is null for the main graph.
  Status read_graph(Bytes message, GraphId graph, NameScope* outer);
  /// node_reader.cpp
  Status read_node(Bytes message, NameScope& scope);
  Result<ReadAttribute> read_attribute(Bytes message, NameScope& scope);
  /// function_reader.cpp
  Status read_function(Bytes message);

  /// opset_import entries, as the model and functions have them.
  Status read_opset_import(const FieldReader& field,
                           std::vector<std::pair<std::string, int64_t>>& imports,
                           kept::Keeper& keeper);

  void annotate(Entity entity, std::optional<Annotation> kept) {
    if (kept) builder_.annotate(std::move(entity)) = std::move(*kept);
  }

  /// The same for a graph, which may have a note already.
  void annotate_graph(GraphId graph, std::optional<Annotation> kept);

  // Names.
  /// The value that a use of `name` means; one without a producer when nothing visible has that
  /// name yet.
  ValueId use_value(std::string_view name, NameScope& scope);
  /// The value that an input, initializer or node output named `name` makes: the one used before,
  /// or a new one.
  ValueId define_value(std::string_view name, NameScope& scope, Definer definer);
  /// The value that an initializer gives data to: an input of that name (overridable), or one it
  /// defines.
  ValueId initialized_value(std::string_view name, NameScope& scope, const Type& type);

  // ValueInfoProto.
  Status describe_value(ValueId value, Bytes message);
  bool is_described(ValueId value) const {
    return static_cast<size_t>(value.index) < described_.size() &&
           described_[static_cast<size_t>(value.index)];
  }
  Result<std::string_view> name_of_value_info(Bytes message) const;
  Status read_value_infos(const std::vector<Bytes>& messages, NameScope& scope,
                          kept::Keeper& keeper);

  ModelBuilder& builder() { return builder_; }
  Model& model() { return model_; }
  const std::byte* origin() const { return origin_; }
  const TensorSource& source() const { return source_; }

 private:
  Status read_initializer(Bytes message, NameScope& scope);
  Status read_sparse_initializer(Bytes message, NameScope& scope);
  Status read_outputs(const std::vector<Bytes>& messages, NameScope& scope, kept::Keeper& keeper);
  Status read_attribute_value(FieldReader& field, int64_t type, NameScope& scope,
                              Attribute& attribute, kept::Keeper& keeper);
  Result<Tensor> read_attribute_tensor(Bytes message, const std::string& prefix,
                                       kept::Keeper& keeper);
  Result<SparseTensor> read_sparse(Bytes message, const std::string& prefix, kept::Keeper& keeper,
                                   std::string_view* name);
  Result<GraphId> read_subgraph(Bytes message, NameScope& scope);
  Result<Type> read_attribute_type(Bytes message, const std::string& key, kept::Keeper& keeper);

  ModelBuilder builder_;
  Model& model_;
  const std::byte* origin_;
  TensorSource source_;
  std::vector<bool> described_;  // by value id: it has had a ValueInfoProto
};

}  // namespace shipway
