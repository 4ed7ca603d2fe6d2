// Whether two Models say the same, whatever ids their parts have.
#pragma once

#include <string>

#include "shipway/model.h"

namespace shipway {

struct CompareOptions {
  bool names =
      true;  // of values and nodes; those of the main graph's inputs and outputs always count
  bool types = true;    // of values made by nodes, and of initializers
  bool head = true;     // opsets, producer, metadata, ...; functions always count
  bool sources = true;  // which source nodes each node stands for
  bool annotations = true;

  /// The same computation: what the test of a pass asks for.
  static CompareOptions computation() {
    return {.names = false, .types = false, .head = false, .sources = false, .annotations = false};
  }
};

/// True when both hold equal nodes in the same order, wired alike, with equal data (bit by bit).
/// Otherwise `difference` (if given) gets a sentence about the first one found. `path` and ids do
/// not count. Linear.
bool equal_models(const Model& a, const Model& b, std::string* difference = nullptr,
                  const CompareOptions& options = {});

}  // namespace shipway
