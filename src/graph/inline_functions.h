// Calls of a model's own functions become what the functions are made of.
#pragma once

#include "shipway/model.h"

namespace shipway {

/// Replaces every call of a function of `model` in its graphs by a copy of the function's body,
/// calls inside the copies included, until none is left. Values that a call makes keep ids and
/// names; copies of what lies between are named after the call, and all new nodes count as made
/// from the call's sources. References to the function's attributes become the values that the call
/// gives, or the defaults, or nothing. The functions stay in the model.
///
/// Nodes are copied as they are: bodies must be written for the model's opsets (see
/// operators/upgrade.h). An error when functions call each other more than 100 deep (as recursive
/// ones do) or more than ten million nodes would result.
Status inline_functions(Model& model);

}  // namespace shipway
