// Opsets: which version of ONNX's operators a Model is written in, and how it gets into another.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "shipway/model.h"
#include "shipway/status.h"

namespace shipway {

class Registry;

/// The newest opset of ai.onnx ("" too), ai.onnx.ml, ... that the built-in operators are written
/// for (those of onnx 1.23); 0 for domains that are not ONNX's.
int64_t newest_opset(std::string_view domain);

/// The IR version of the onnx release that brought this opset of ai.onnx.
int64_t ir_version_of_opset(int64_t opset);

/// From this IR version on an initializer need not be an input as well.
inline constexpr int64_t kInitializersStandAlone = 4;

/// Writes `model` in another opset of ai.onnx, newer or older, meaning the same: every node, in
/// every subgraph and function body, becomes one (or several) of the versions that `opset` has.
/// Values keep ids and names, graph inputs and outputs keep their types. Constants that nothing
/// uses afterwards are dropped. The IR version grows where the opset is newer and came with a newer
/// one, and stays otherwise.
///
/// kUnsupported when the opset cannot say what a node does; the message lists all such nodes, each
/// with what stands in the way, and the oldest opset that could say everything. kInvalidArgument
/// for an opset that does not exist here. On any error the model is unchanged.
///
/// `registry`: the operators to know; null: the built-in ones. Nodes of others stay as they are.
Status convert_opset(Model& model, int64_t opset, const Registry* registry = nullptr);

/// The same for several domains at once: ("", 13), ("ai.onnx.ml", 2). Those not named stay.
Status convert_opsets(Model& model, std::span<const std::pair<std::string, int64_t>> targets,
                      const Registry* registry = nullptr);

/// Sets the IR version. Below 4 every initializer of the main graph becomes an input too, as those
/// versions ask (inputs without data come first); from 4 on nothing else changes.
void set_ir_version(Model& model, int64_t ir_version);

}  // namespace shipway
