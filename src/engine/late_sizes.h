// Sizes that no expression gives, found once the inputs' are numbers. Private to the engine.
#pragma once

#include <vector>

#include "engine/plan.h"
#include "operators/registry.h"

namespace shipway {

/// Inference makes up a symbol for a size that it cannot express: of two symbols that broadcast,
/// for one. When all other sizes are numbers, inferring the one node that brought the symbol tells
/// it; inferring the whole graph once more, which knows everything, takes a thousand times as long.
class LateSizes {
 public:
  /// `model` has inferred shapes; it and `registry` must outlive this.
  LateSizes(const Model& model, const Registry& registry, GraphId graph);
  /// Adds to `symbols` what follows from those that are there. Thread-safe.
  void add_to(SymbolSizes& symbols) const;

 private:
  const Model& model_;
  const Registry& registry_;
  std::vector<NodeId> nodes_;  // that bring such symbols, in order
};

}  // namespace shipway
