// Brings a Model to newer opsets, through the steps in each operator's file.
#pragma once

#include <span>
#include <string>
#include <utility>

#include "operators/registry.h"
#include "shipway/model.h"
#include "shipway/opset.h"

namespace shipway {

/// Every node of an operator that the registry knows becomes one of its newest version, step by
/// step; inserted nodes too. Values keep ids and names. opset_imports then name the newest opsets.
/// Nodes of operators that are not known stay as they are. Errors name the node and what its
/// version has that the newest cannot say.
Status upgrade(Model& model, const Registry& registry);

/// The same up to these opsets, by domain ("" is ai.onnx). Nodes of other domains, and of opsets
/// that are not older, stay as they are. Imports and IR version are left to the caller.
Status upgrade_to(Model& model, std::span<const std::pair<std::string, int64_t>> targets,
                  const Registry& registry);

/// By GraphId::index: the function whose body the graph is part of, or null.
std::vector<const Function*> functions_of_graphs(const Model& model);

}  // namespace shipway
