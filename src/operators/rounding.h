// Rounding: what ONNX computes in several steps of a small float rounds at each of them.
#pragma once

#include "tensor/convert.h"

namespace shipway {

/// Values as a dtype would keep them: what is computed in a small float is rounded at every step.
class Rounding {
 public:
  explicit Rounding(DType dtype) : dtype_(dtype) {}
  /// As in ONNX's reference: sums of bfloat16 are kept in bfloat16, those of float16 in float32.
  bool keeps_sums() const { return dtype_ == DType::kBFloat16; }
  bool is_exact() const { return dtype_ == DType::kFloat64 || dtype_ == DType::kFloat32; }
  double operator()(double x) const {
    return is_exact() ? x : decode_float(dtype_, encode_float(dtype_, x, Saturate::kNo));
  }

 private:
  DType dtype_;
};

}  // namespace shipway
