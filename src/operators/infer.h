// Shape inference: the type of every value of a Model, symbolic where sizes are.
#pragma once

#include <functional>

#include "operators/registry.h"
#include "shipway/model.h"

namespace shipway {

/// onnx infers less of some operators than follows, and files that declare wrong shapes pass its
/// checker.
enum class Belief : uint8_t {
  kWhatFollows,    // a declaration that contradicts it is wrong
  kDeclaredRank,   // except where a rank follows, but none of its sizes
  kDeclaredShape,  // only the dtype follows
};

struct InferOptions {
  /// An operator that refuses its inputs, or a result that contradicts what the file declares, is
  /// an error; otherwise the outputs of that node stay as declared.
  bool strict = true;
  /// Follow the elements of small integer tensors (Shape -> Gather -> Concat -> Reshape).
  bool follow_contents = true;
  /// What to believe of a node's outputs where the file declares something else; null: always what
  /// follows.
  std::function<Belief(const Node&)> belief = {};
  /// For running: a shape that follows from the graph counts where the file declares another
  /// (exporters leave wrong ones behind, and such files run elsewhere), and what an operator of a
  /// subgraph refuses is left to the run, since that branch may not be taken. Element types must
  /// agree all the same.
  bool graph_wins = false;
  /// The graph to begin with, whose inputs are as typed; invalid: the main graph. For running a
  /// subgraph with sizes that are known by then: set the types of captured values beforehand.
  GraphId graph = {};
  /// When set, what `strict` would refuse goes here, node by node, and inference goes on.
  std::function<void(NodeId, const Status&)> on_problem = {};
};

/// Sets the types of all values of `model`, whose nodes must be of the newest versions (see
/// upgrade.h). Sizes without a name become fresh symbols, so that equal ones stay recognisable.
/// Nodes of unknown operators are passed over. One pass over the nodes in order, subgraphs through
/// their owners.
Status infer_shapes(Model& model, const Registry& registry, const InferOptions& options = {});

/// As infer_shapes, but with these types for inputs of the main graph (by value id), for a run or a
/// user's `--shape`.
Status infer_shapes_for(Model& model, const Registry& registry,
                        std::span<const std::pair<ValueId, Type>> inputs,
                        const InferOptions& options = {});

/// Both together where they agree, the more precise of each part; an error names what contradicts.
Result<Type> merge_types(const Type& declared, const Type& inferred, const DimTable& dims);

/// The elements of small integer values as followed in the last inference; kept by who needs them
/// (passes).
using ContentsMap = std::vector<std::shared_ptr<const std::vector<Dim>>>;  // by ValueId::index
Result<ContentsMap> infer_shapes_and_contents(Model& model, const Registry& registry,
                                              const InferOptions& options = {});

}  // namespace shipway
