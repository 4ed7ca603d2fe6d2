// ModelProto to Model.
#pragma once

#include <optional>

#include "formats/wire/protobuf.h"
#include "shipway/model.h"

namespace shipway {

class MappedFile;

/// Reads a serialised ModelProto. Initializers borrow `bytes` where they can and keep `owner` alive
/// for it; a null owner makes them copies. `folder` is where external data lies (nothing: there is
/// none). `file` is the owner when that is a mapped file: pages of initializers that are not needed
/// any more can then be given back (Storage::rest).
Result<Model> read_onnx_model(Bytes bytes, std::shared_ptr<const void> owner,
                              std::optional<std::string> folder, const MappedFile* file = nullptr);

/// True when `bytes` look like a ModelProto from the front: known fields with their wire types. A
/// cut-off file still does.
bool looks_like_onnx_model(Bytes bytes);

}  // namespace shipway
