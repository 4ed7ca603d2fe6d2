// Drawings of graphs.
#pragma once

#include <string>

#include "shipway/model.h"

namespace shipway {

struct SvgOptions {
  /// Graphs with more nodes are refused: nobody could read them.
  int64_t max_nodes = 3000;
};

/// The main graph as an SVG picture, top to bottom: inputs, nodes with operator and main
/// attributes, outputs; edges carry the types of their values, inferred where the file says none.
/// Constants stand inside the node that uses them. Text from the file is escaped.
Result<std::string> draw_svg(const Model& model, const SvgOptions& options = {});

}  // namespace shipway
