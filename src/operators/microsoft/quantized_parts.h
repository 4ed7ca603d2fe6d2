// What the quantised operators of ONNX Runtime share: their bodies' pieces, in operators of
// ai.onnx.
#pragma once

#include "operators/operator.h"

namespace shipway {

/// x - zero as whole numbers kept as floats; `zero` may be left out (0) and broadcasts.
ValueId centred(NodeRewrite& rewrite, ValueId x, ValueId zero);

/// a b * scale * scale + bias. The factors are whole numbers kept as floats, which the kernels of
/// MatMul multiply; sums are exact up to 2^24 and rounded as floats are above.
struct QuantizedProduct {
  ValueId a, b;
  std::vector<ValueId> scales;
  ValueId bias;                   // may be left out
  DType dtype = DType::kFloat32;  // of scales, bias and the result
};
ValueId multiply_quantized(NodeRewrite& rewrite, const QuantizedProduct& product);

/// A tensor that one scale and one zero point (may be left out: 0) are for.
struct Quantized {
  ValueId x, scale, zero;
};
/// Inputs `x`, `x + 1` and `x + 2` of the node.
Quantized quantized_input(const NodeRewrite& rewrite, size_t x);
/// As floats.
ValueId dequantized(NodeRewrite& rewrite, const Quantized& tensor);
/// Output 0 = `x` in the numbers of `scale` and `zero`; without a zero point it is 0 in the dtype
/// of input `like`.
Status replace_by_quantized(NodeRewrite& rewrite, ValueId x, ValueId scale, ValueId zero,
                            size_t like);

/// An input with a single number as a scalar: ONNX Runtime takes [1] too.
ValueId as_scalar(NodeRewrite& rewrite, ValueId x);

/// The axes of a tensor of `rank`: batch, space ..., channels to batch, channels, space ..., and
/// back.
std::vector<int64_t> channels_to_front(int64_t rank);
std::vector<int64_t> channels_to_back(int64_t rank);

}  // namespace shipway
