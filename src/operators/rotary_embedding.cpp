// RotaryEmbedding: rotates pairs of features by an angle that grows with the position.
#include <algorithm>
#include <string>

#include "operators/reals.h"
#include "operators/shape_rules.h"

namespace shipway {

namespace {

Status evaluate_rotary_embedding(EvaluateContext& context) {
  const Tensor &input = context.input(0), &cosines = context.input(1), &sines = context.input(2);
  if (input.rank() != 3 && input.rank() != 4)
    return Status::invalid_argument("input 'X' is [{}], expected rank 3 or 4",
                                    to_string(input.shape()));
  // Rank 3 is [batch, sequence, heads * size], rank 4 [batch, heads, sequence, size].
  const bool has_heads = input.rank() == 4;
  const int64_t batch = input.dim(0), sequence = input.dim(has_heads ? 2 : 1);
  const int64_t heads = has_heads ? input.dim(1) : context.int_attribute("num_heads");
  if (heads < 1 || (!has_heads && input.dim(2) % heads != 0))
    return Status::invalid_argument(
        "attribute 'num_heads' is {}, expected a divisor of the last size of "
        "'X' [{}]",
        heads, to_string(input.shape()));
  const int64_t size = has_heads ? input.dim(3) : input.dim(2) / heads;
  int64_t rotated = context.int_attribute("rotary_embedding_dim");
  if (rotated == 0) rotated = size;
  if (rotated < 0 || rotated > size || rotated % 2 != 0)
    return Status::invalid_argument(
        "attribute 'rotary_embedding_dim' means {}, expected an even number up "
        "to {}",
        rotated, size);
  const bool has_positions = context.has_input(3);
  const int64_t half = rotated / 2;
  const Shape expected = has_positions ? Shape{cosines.rank() == 2 ? cosines.dim(0) : 0, half}
                                       : Shape{batch, sequence, half};
  if (cosines.shape() != expected || sines.shape() != expected)
    return Status::invalid_argument(
        "'cos_cache' is [{}] and 'sin_cache' [{}], expected [{}]", to_string(cosines.shape()),
        to_string(sines.shape()),
        has_positions ? "positions x " + std::to_string(half) : to_string(expected));
  std::vector<int64_t> positions;
  if (has_positions) {
    if (context.input(3).shape() != Shape{batch, sequence})
      return Status::invalid_argument("input 'position_ids' is [{}], expected [{}x{}]",
                                      to_string(context.input(3).shape()), batch, sequence);
    SHIPWAY_ASSIGN_OR_RETURN(positions, to_ints(context.input(3)));
    for (int64_t position : positions)
      if (position < 0 || position >= cosines.dim(0))
        return Status::invalid_argument("input 'position_ids' has the value {}, expected 0 to {}",
                                        position, cosines.dim(0) - 1);
  }
  SHIPWAY_ASSIGN_OR_RETURN(const Reals<double> x, Reals<double>::of(input));
  SHIPWAY_ASSIGN_OR_RETURN(const Reals<double> cos, Reals<double>::of(cosines));
  SHIPWAY_ASSIGN_OR_RETURN(const Reals<double> sin, Reals<double>::of(sines));
  SHIPWAY_ASSIGN_OR_RETURN(RealOutput<double> y,
                           RealOutput<double>::allocate(context, 0, input.dtype(), input.shape()));
  const bool interleaved = context.int_attribute("interleaved") != 0;
  for (int64_t n = 0; n < batch; ++n) {
    for (int64_t s = 0; s < sequence; ++s) {
      const int64_t step = n * sequence + s;
      const int64_t angle = (has_positions ? positions[static_cast<size_t>(step)] : step) * half;
      for (int64_t h = 0; h < heads; ++h) {
        const int64_t at = (has_heads ? (n * heads + h) * sequence + s : step * heads + h) * size;
        std::copy_n(x.data() + at, size, y.data() + at);
        for (int64_t i = 0; i < half; ++i) {
          const int64_t a = at + (interleaved ? 2 * i : i), b = interleaved ? a + 1 : a + half;
          y.data()[a] = cos[angle + i] * x[a] - sin[angle + i] * x[b];
          y.data()[b] = sin[angle + i] * x[a] + cos[angle + i] * x[b];
        }
      }
    }
  }
  return y.finish(context);
}

}  // namespace

const Operator& rotary_embedding_operator() {
  static const Operator definition{
      .name = "RotaryEmbedding",
      .summary = "Rotates pairs of features by an angle that grows with the position.",
      .versions = {{.since = 23,
                    .signature = "(X: T, cos_cache: T, sin_cache: T, position_ids?: M) -> (Y: T)",
                    .types = "T: float float16 bfloat16; M: int64",
                    .attributes =
                        "interleaved: int = 0; num_heads: int?; rotary_embedding_dim: int = 0"}},
      .infer = infer_same_as_first_input,
      .evaluate = evaluate_rotary_embedding,
  };
  return definition;
}

}  // namespace shipway
