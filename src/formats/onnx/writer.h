// Model to ModelProto.
#pragma once

#include "formats/onnx/external_plan.h"
#include "formats/wire/protobuf.h"
#include "shipway/model.h"

namespace shipway {

/// The whole model as a message that borrows big tensors from `model`.
Result<MessageWriter> write_onnx_model(const Model& model, const ExternalPlan& external);

}  // namespace shipway
