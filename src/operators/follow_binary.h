// Following the elements of small integer tensors through operators that work element by element.
#pragma once

#include "operators/operator.h"

namespace shipway {

/// Elements of output 0 = f(...f(input 0, input 1)..., input n), where the elements of all inputs
/// (rank 0 or 1) are followed; a single one broadcasts. Says nothing otherwise.
template <typename F>
void follow_elementwise(InferContext& context, F&& f) {
  std::optional<Contents> result = context.input_contents(0);
  if (!result) return;
  for (size_t i = 1; i < context.input_count(); ++i) {
    const std::optional<Contents> other = context.input_contents(i);
    if (!other) return;
    if (result->size() == 1) result->resize(other->size(), result->front());
    if (other->size() != 1 && other->size() != result->size()) return;
    for (size_t k = 0; k < result->size(); ++k)
      (*result)[k] = f(context.dims(), (*result)[k], (*other)[other->size() == 1 ? 0 : k]);
  }
  context.set_output_contents(0, std::move(*result));
}

}  // namespace shipway
