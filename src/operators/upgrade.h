// Brings a Model from its own opsets to the newest, through the steps in each operator's file.
#pragma once

#include "operators/registry.h"
#include "shipway/model.h"

namespace shipway {

/// Every node of an operator that the registry knows becomes one of its newest version, step by
/// step; inserted nodes too. Values keep ids and names. opset_imports then name the newest opsets.
/// Nodes of operators that are not known stay as they are. Errors name the node and what its
/// version has that the newest cannot say.
Status upgrade(Model& model, const Registry& registry);

/// The newest opset of ai.onnx, ai.onnx.ml, ... that the built-in operators are written for; 0 for
/// others.
int64_t newest_opset(std::string_view domain);

}  // namespace shipway
