// ModelProto to Model.
#pragma once

#include <optional>

#include "formats/wire/protobuf.h"
#include "shipway/model.h"

namespace shipway {

/// Reads a serialised ModelProto. Initializers borrow `bytes` where they can and keep `owner` alive
/// for it; a null owner makes them copies. `folder` is where external data lies (nothing: there is
/// none).
Result<Model> read_onnx_model(Bytes bytes, std::shared_ptr<const void> owner,
                              std::optional<std::string> folder);

/// True when `bytes` look like a ModelProto from the front: known fields with their wire types. A
/// cut-off file still does.
bool looks_like_onnx_model(Bytes bytes);

}  // namespace shipway
