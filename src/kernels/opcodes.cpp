// Facts about element-wise operations that hold for every instruction set.
#include <iterator>

#include "kernels/problems.h"

namespace shipway::kernels {

int argument_count(Opcode op) {
  if (op >= Opcode::kSelect) return 3;
  return op >= Opcode::kAdd ? 2 : 1;
}

bool preserves_zero_tail(Opcode op, float p, float q) {
  switch (op) {
    case Opcode::kCopy:
    case Opcode::kAbs:
    case Opcode::kNeg:
    case Opcode::kSign:
    case Opcode::kRelu:
    case Opcode::kLeakyRelu:
    case Opcode::kElu:
    case Opcode::kSelu:
    case Opcode::kCelu:
    case Opcode::kHardSwish:
    case Opcode::kSilu:
    case Opcode::kTanh:
    case Opcode::kErf:
    case Opcode::kGelu:
    case Opcode::kGeluTanh:
    case Opcode::kMish:
    case Opcode::kSoftsign:
    case Opcode::kSqrt:
    case Opcode::kSquare:
    case Opcode::kFloor:
    case Opcode::kCeil:
    case Opcode::kRound:
    case Opcode::kSin:
    case Opcode::kIsNan:
    case Opcode::kMul:
    case Opcode::kAnd:
    case Opcode::kPrelu:
      return true;
    case Opcode::kThresholdedRelu:
      return true;
    case Opcode::kClip:
      return p <= 0 && q >= 0;
    case Opcode::kAffine:
      return q == 0;
    case Opcode::kHardSigmoid:
      return q <= 0;
    case Opcode::kPowConstant:
      return p > 0;
    default:
      return false;  // Add keeps it only when both arguments are zero there: the caller knows that
  }
}

const char* to_string(Opcode op) {
  static constexpr const char* kNames[] = {"Copy",
                                           "Abs",
                                           "Neg",
                                           "Sign",
                                           "Relu",
                                           "LeakyRelu",
                                           "ThresholdedRelu",
                                           "Clip",
                                           "Affine",
                                           "Elu",
                                           "Selu",
                                           "Celu",
                                           "Sigmoid",
                                           "HardSigmoid",
                                           "HardSwish",
                                           "Silu",
                                           "Tanh",
                                           "Erf",
                                           "Gelu",
                                           "GeluTanh",
                                           "Mish",
                                           "Softplus",
                                           "Softsign",
                                           "Exp",
                                           "Log",
                                           "Sqrt",
                                           "Rsqrt",
                                           "Reciprocal",
                                           "Square",
                                           "PowConstant",
                                           "Floor",
                                           "Ceil",
                                           "Round",
                                           "Sin",
                                           "Cos",
                                           "Not",
                                           "IsNaN",
                                           "Add",
                                           "Sub",
                                           "Mul",
                                           "Div",
                                           "Min",
                                           "Max",
                                           "Pow",
                                           "Prelu",
                                           "Equal",
                                           "Less",
                                           "LessOrEqual",
                                           "Greater",
                                           "GreaterOrEqual",
                                           "And",
                                           "Or",
                                           "Xor",
                                           "Select",
                                           "MulAdd"};
  static_assert(std::size(kNames) == static_cast<size_t>(Opcode::kMulAdd) + 1);
  return kNames[static_cast<size_t>(op)];
}

}  // namespace shipway::kernels
