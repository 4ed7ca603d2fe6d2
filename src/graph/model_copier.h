// ModelCopier: brings parts of one Model into another, under other names if wanted.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "graph/builder.h"

namespace shipway {

/// What is copied takes its annotations and sources along; tensors are shared. Both models must
/// outlive the copier. Graphs of the source must not be nested deeper than 100 (verify.h).
class ModelCopier {
 public:
  /// Gives things their names in the copy; null: the ones they have.
  struct Names {
    std::function<std::string(const Value&)> value;
    std::function<std::string(const Node&)> node;
    std::function<std::string(const Function&)> function;
  };
  /// Whether the target takes over the source's DimTable (it must have nothing of its own yet), or
  /// gets symbols of the same names.
  enum class DimTables : uint8_t { kTake, kJoin };

  ModelCopier(const Model& from, Model& to, DimTables dims, Names names = {});

  /// What the file says of itself, but not its graph.
  void copy_head();
  /// From now on `value` of the source is `copy`; data of its own it has none.
  void replace(ValueId value, ValueId copy) {
    values_[index(value)] = copy;
    replaced_.insert(value);
  }
  /// The copy of a value, made when first asked for, in the copy of its graph. Without its data.
  ValueId value(ValueId id);
  /// The same, and with its data.
  ValueId initializer(ValueId id);
  Status node(const Node& node);
  void state(const StatePair& state);
  /// Initializers, nodes and states of the main graph; its inputs and outputs are the caller's.
  Status main_graph();
  Status function(size_t position);
  /// Doc string and metadata of the main graph.
  void describe_main_graph();

 private:
  template <typename T>
  static size_t index(Id<T> id) {
    return static_cast<size_t>(id.index);
  }
  Status nodes(GraphId graph);
  Result<GraphId> subgraph(GraphId graph);
  Result<Attribute> attribute(const Attribute& attribute);
  Type type(const Type& type);
  Dim dim(Dim dim);
  SourceId source(SourceId id);
  void annotate(const Entity& from, Entity to);
  void annotate_attributes(int32_t from, int32_t to);

  const Model& from_;
  ModelBuilder to_;
  DimTables dim_tables_;
  Names names_;
  std::set<ValueId> replaced_;
  std::vector<ValueId> values_;    // by value of the source
  std::vector<GraphId> graphs_;    // by graph of the source
  std::vector<SourceId> sources_;  // by source node of the source
};

}  // namespace shipway
