// What sessions and plan files share on the way from a model to something that runs. Private to the
// engine.
#pragma once

#include "engine/plan_format.h"
#include "operators/registry.h"
#include "shipway/session.h"

namespace shipway {

/// legalize -> optimise, as `options` say. Shapes are inferred afterwards.
Status prepare_model(Model& model, const Registry& registry, const SessionOptions& options);

/// The optimised model of a plan file; its tensors lie in the file.
Result<Model> parse_plan(const PlanFile& file);

}  // namespace shipway
