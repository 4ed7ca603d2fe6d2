// What Loop and Scan share: state that changes its shape, and outputs stacked over the iterations.
#pragma once

#include <optional>
#include <vector>

#include "operators/operator.h"

namespace shipway {

/// Types of everything a body yields when it is run again and again.
struct BodyTypes {
  std::vector<Type>
      states;  // what is true of a state before the first, between and after the last iteration
  std::vector<Type> others;  // of one iteration
};

/// Infers `body`, whose inputs are `leading`, the states (first of the types `initial`),
/// `trailing`, and whose outputs are `skipped_outputs` others, the states, and more. Sizes of a
/// state that an iteration changes become unknown, until nothing changes any more.
Result<BodyTypes> infer_body(InferContext& context, GraphId body, std::span<const Type> leading,
                             std::vector<Type> initial, std::span<const Type> trailing,
                             size_t skipped_outputs);

/// Tensors of one dtype and shape as slices of one tensor along a new axis.
class Stack {
 public:
  /// `axis` counts axes of the result; `prepend` puts later ones first.
  explicit Stack(int64_t axis = 0, bool prepend = false) : axis_(axis), prepend_(prepend) {}
  Status add(const RuntimeValue& value);
  /// Makes it output `i`. Without any slice its type is what `slice` (a declared type) says,
  /// unknown sizes being 0.
  Status finish(EvaluateContext& context, size_t i, const Type& slice) const;

 private:
  int64_t axis_;
  bool prepend_;
  std::vector<Tensor> slices_;
};

}  // namespace shipway
