// Is a file protobuf of ONNX's messages at all, down to the last nested one?
#pragma once

#include "formats/wire/protobuf.h"

namespace shipway {

/// Walks all messages of a serialised ModelProto: every key, length and number must be whole, and
/// messages may lie 100 deep, as protobuf itself allows. Afterwards each message can be read
/// without looking for errors again.
Status check_well_formed_onnx(Bytes model);

}  // namespace shipway
