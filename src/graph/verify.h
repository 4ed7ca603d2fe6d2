// verify: whether a Model's data structure holds together.
#pragma once

#include "shipway/model.h"

namespace shipway {

/// Checks what every part of Shipway relies on, whatever the operators mean (that is the checker's
/// question): ids and removal; the list of each graph's nodes; that producers and outputs, uses and
/// inputs, captures and subgraphs name each other; that each value is made once, before it is used
/// and where its user can see it; that every graph inside belongs to one node and is at most 100
/// deep; that initializers have the type they declare; that names are unique in a graph and
/// attributes on a node; state pairs. Linear. The error (kInvalidModel) names the first thing that
/// is wrong.
Status verify(const Model& model);

}  // namespace shipway
