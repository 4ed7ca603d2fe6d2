// What the parts of the ONNX checker share: where they are, what they have found, and the file's
// messages as fields.
#pragma once

#include <deque>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "formats/wire/protobuf.h"
#include "operators/registry.h"
#include "shipway/checker.h"

namespace shipway::onnx_check {

/// A place in the model, as a chain outwards; becomes text only when a problem is found there.
struct Where {
  const Where* outer = nullptr;
  std::string_view what;  // "node", "graph", "initializer", ...
  std::string_view name;
  std::string_view op_type;  // of a node
  int64_t index = -1;        // stands in for a name that is empty

  std::string text() const;
};

/// Problems in the order they were found.
class Problems {
 public:
  template <typename... Args>
  void add(const Where& where, std::string_view pattern, const Args&... arguments) {
    if (++count_ <= kMaxInWords)
      texts_.push_back(where.text() + format_message(pattern, {FormatArg(arguments)...}));
  }
  void add(const Status& status) {
    if (++count_ <= kMaxInWords) texts_.push_back(status.message());
  }
  bool empty() const { return count_ == 0; }
  Status status() const;

 private:
  static constexpr size_t kMaxInWords = 20;
  size_t count_ = 0;
  std::vector<std::string> texts_;
};

/// Names that are visible at some point of a graph; those of the graphs around it by `outer`.
struct Scope {
  const Scope* outer = nullptr;
  std::unordered_set<std::string_view> names;

  bool has_here(std::string_view name) const { return names.contains(name); }
  bool has(std::string_view name) const {
    for (const Scope* scope = this; scope; scope = scope->outer)
      if (scope->has_here(name)) return true;
    return false;
  }
};

/// Negative sizes that value infos declare: name, then axis and size. onnx means them as they
/// stand.
using NegativeSizes = std::unordered_map<std::string_view, std::vector<std::pair<size_t, int64_t>>>;

using OpsetImports = std::unordered_map<std::string_view, int>;

/// The checker of one model. The messages have been found well-formed, so that reading their fields
/// cannot fail.
class Checker {
 public:
  explicit Checker(const CheckOptions& options)
      : options_(options),
        registry_(options.registry ? *options.registry : Registry::onnx()),
        folder_(options.external_data_folder.value_or("")) {}

  // check_model.cpp
  void check_model(Bytes message);
  // check_functions.cpp
  void check_functions(const std::vector<Bytes>& functions);
  void check_function_calls(const std::vector<Bytes>& functions);
  // check_graph.cpp
  void check_graph(Bytes message, const Scope* outer, const Where& where, bool is_main);
  /// A node's inputs must be visible, the node right in itself, its outputs new.
  void check_node_in_scope(Bytes message, Scope& scope, const Where& where, int64_t index,
                           bool in_function);
  // check_values.cpp
  void check_value_info(Bytes message, const Where& where, bool is_main);
  /// What value infos, inputs and outputs of a graph declare must fit its initializers.
  void check_initializers_as_declared(Bytes graph, const Where& where);
  /// Names that a graph declares with element types that do not exist.
  std::unordered_set<std::string_view> values_of_unknown_dtype(Bytes graph);
  // check_tensor.cpp
  void check_tensor(Bytes message, const Where& where);
  void check_sparse_tensor(Bytes message, const Where& where);
  // check_external.cpp
  void check_external_location(std::string_view location, const Where& where);

  Problems& problems() { return problems_; }
  const NegativeSizes& negative_sizes() const { return negative_sizes_; }

 private:
  struct Node;
  struct Attribute;
  void check_node(const Node& node, const Scope& scope, const Where& where);
  void check_attribute(const Attribute& attribute, const Scope& scope, const Where& where);
  void check_declared_form(const Node& node, const std::vector<Attribute>& attributes,
                           const Schema& schema, const Where& where);
  void check_function(Bytes message, const OpsetImports& model_imports);
  void check_opset_compatibility(const Node& node, const OpsetImports& model_imports,
                                 const Where& where);
  void collect_calls(Bytes body, uint32_t node_field,
                     const std::unordered_map<std::string, size_t>& functions,
                     std::vector<size_t>& calls);
  Node read_node(Bytes message);
  Attribute read_attribute(Bytes message);
  const Schema* schema(std::string_view domain, std::string_view op_type, int opset) const;
  OpsetImports read_imports(Bytes message, uint32_t field, const Where& where);

  /// A message that stands twice where only one belongs counts as the two joined, as protobuf has
  /// it.
  Bytes joined(std::optional<Bytes> first, Bytes second);

  const CheckOptions& options_;
  const Registry& registry_;
  std::filesystem::path folder_;
  int64_t ir_version_ = 0;
  OpsetImports imports_;                         // of the model, or of the function being checked
  const OpsetImports* model_imports_ = nullptr;  // while a function is checked
  bool is_main_graph_ = true;                    // false inside subgraphs
  Problems problems_;
  NegativeSizes negative_sizes_;
  std::deque<std::string> joined_;
};

/// The fields of a NodeProto.
struct Checker::Node {
  std::vector<std::string_view> inputs, outputs;
  std::string_view name, op_type, domain, overload;
  std::vector<Bytes> attributes;
};

/// The fields of an AttributeProto.
struct Checker::Attribute {
  std::string_view name, ref_attr_name;
  bool has_ref_attr_name = false;
  AttributeKind kind = AttributeKind::kUndefined;  // what `type` says
  bool has_type = false;
  std::vector<AttributeKind> held;  // kinds of the value fields that are there, each once
  std::optional<Bytes> tensor, graph, sparse_tensor;
  std::vector<Bytes> tensors, graphs, sparse_tensors;

  bool holds(AttributeKind kind_of_value) const;
};

/// The second part of a full check, of a model that is right in form: every operator must take the
/// types of its inputs, and what follows from them must agree with what the file declares.
void check_types(const Model& model, const Registry& registry, const NegativeSizes& negative_sizes,
                 Problems& problems);

}  // namespace shipway::onnx_check
