// Calls of a model's own functions become what the functions are made of.
#pragma once

#include <functional>

#include "shipway/model.h"

namespace shipway {

/// Replaces every call of a function of `model` in its graphs by a copy of the function's body,
/// calls inside the copies included, until none is left. Values that a call makes keep ids and
/// names; copies of what lies between are named after the call, and all new nodes count as made
/// from the call's sources. References to the function's attributes become the values that the call
/// gives, or the defaults, or nothing. The functions stay in the model.
///
/// Nodes are copied as they are: bodies must be written for the model's opsets (see
/// operators/upgrade.h). With `wanted`, calls of other functions stay. Nothing is changed, and the
/// error names them, when functions call each other in a circle, or come to more than two million
/// nodes; also when they call each other more than 100 deep.
Status inline_functions(Model& model, const std::function<bool(const Function&)>& wanted = {});

}  // namespace shipway
