// What several `upgrade` steps do.
#pragma once

#include "operators/operator.h"

namespace shipway {

/// The list of integers of an attribute becomes a 1-D int64 constant at input `input`; nothing to
/// do without one.
inline Status move_ints_to_input(NodeRewrite& rewrite, std::string_view attribute, size_t input) {
  if (!rewrite.has_attribute(attribute)) return Status::ok();
  rewrite.set_input(input,
                    rewrite.add_ints(std::string(attribute), rewrite.ints_attribute(attribute)));
  rewrite.remove_attribute(attribute);
  return Status::ok();
}

/// Attributes that said how memory may be reused (opset 5 and before) meant nothing for the result.
inline Status drop_consumed_inputs(NodeRewrite& rewrite) {
  if (rewrite.has_attribute("consumed_inputs")) rewrite.remove_attribute("consumed_inputs");
  return Status::ok();
}

}  // namespace shipway
