// Cases and plain loops of element-wise programs.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/testing/kernel_case.h"

namespace shipway::kernels::testing {

/// One operation in double, from the formulas of the ONNX operators.
inline double reference_opcode(Opcode op, double a, double b, double c, double p, double q) {
  const auto clip = [](double x, double low, double high) {
    return x < low ? low : x > high ? high : x;
  };
  const auto softplus = [](double x) {
    return std::max(x, 0.0) + std::log1p(std::exp(-std::fabs(x)));
  };
  switch (op) {
    case Opcode::kCopy:
      return a;
    case Opcode::kAbs:
      return std::fabs(a);
    case Opcode::kNeg:
      return -a;
    case Opcode::kSign:
      return std::isnan(a) ? a : (a > 0) - (a < 0);
    case Opcode::kRelu:
      return a < 0 ? 0 : a;
    case Opcode::kLeakyRelu:
      return a < 0 ? p * a : a;
    case Opcode::kThresholdedRelu:
      return a <= p ? 0 : a;
    case Opcode::kClip:
      return clip(a, p, q);
    case Opcode::kAffine:
      return p * a + q;
    case Opcode::kElu:
      return a < 0 ? p * std::expm1(a) : a;
    case Opcode::kSelu:
      return q * (a <= 0 ? p * std::expm1(a) : a);
    case Opcode::kCelu:
      return a < 0 ? p * std::expm1(a / p) : a;
    case Opcode::kSigmoid:
      return 1 / (1 + std::exp(-a));
    case Opcode::kHardSigmoid:
      return clip(p * a + q, 0, 1);
    case Opcode::kHardSwish:
      return a * clip(a / 6 + 0.5, 0, 1);
    case Opcode::kSilu:
      return a / (1 + std::exp(-p * a));
    case Opcode::kTanh:
      return std::tanh(a);
    case Opcode::kErf:
      return std::erf(a);
    case Opcode::kGelu:
      return 0.5 * a * (1 + std::erf(a / std::sqrt(2.0)));
    case Opcode::kGeluTanh:
      return 0.5 * a * (1 + std::tanh(std::sqrt(2 / M_PI) * (a + 0.044715 * a * a * a)));
    case Opcode::kMish:
      return a * std::tanh(softplus(a));
    case Opcode::kSoftplus:
      return softplus(a);
    case Opcode::kSoftsign:
      return a / (1 + std::fabs(a));
    case Opcode::kExp:
      return std::exp(a);
    case Opcode::kLog:
      return std::log(a);
    case Opcode::kSqrt:
      return std::sqrt(a);
    case Opcode::kRsqrt:
      return 1 / std::sqrt(a);
    case Opcode::kReciprocal:
      return 1 / a;
    case Opcode::kSquare:
      return a * a;
    case Opcode::kPowConstant:
      return std::pow(a, p);
    case Opcode::kFloor:
      return std::floor(a);
    case Opcode::kCeil:
      return std::ceil(a);
    case Opcode::kRound:
      return std::nearbyint(a);
    case Opcode::kSin:
      return std::sin(a);
    case Opcode::kCos:
      return std::cos(a);
    case Opcode::kNot:
      return a == 0;
    case Opcode::kIsNan:
      return std::isnan(a);
    case Opcode::kAdd:
      return a + b;
    case Opcode::kSub:
      return a - b;
    case Opcode::kMul:
      return a * b;
    case Opcode::kDiv:
      return a / b;
    case Opcode::kMin:
      return std::isnan(a) || std::isnan(b) ? NAN : std::min(a, b);
    case Opcode::kMax:
      return std::isnan(a) || std::isnan(b) ? NAN : std::max(a, b);
    case Opcode::kPow:
      return std::pow(a, b);
    case Opcode::kPrelu:
      return a < 0 ? a * b : a;
    case Opcode::kEqual:
      return a == b;
    case Opcode::kLess:
      return a < b;
    case Opcode::kLessOrEqual:
      return a <= b;
    case Opcode::kGreater:
      return a > b;
    case Opcode::kGreaterOrEqual:
      return a >= b;
    case Opcode::kAnd:
      return a != 0 && b != 0;
    case Opcode::kOr:
      return a != 0 || b != 0;
    case Opcode::kXor:
      return (a != 0) != (b != 0);
    case Opcode::kSelect:
      return a != 0 ? b : c;
    case Opcode::kMulAdd:
      return a * b + c;
  }
  return NAN;
}

/// A program of one instruction over `argument_count(op)` inputs.
inline ElementwiseProgram single_operation(Opcode op, float p = 0, float q = 0) {
  ElementwiseProgram program;
  program.input_count = static_cast<uint8_t>(argument_count(op));
  program.instruction_count = program.output_count = 1;
  program.instructions[0] = {op, {0, 1, 2}, p, q};
  program.outputs[0] = program.input_count;
  return program;
}

/// Contiguous dims of `sizes`; input i broadcasts along the dims whose bit is set in
/// `broadcast[i]`.
inline ElementwiseDims elementwise_dims(const ElementwiseProgram& program,
                                        const std::vector<int64_t>& sizes,
                                        const std::vector<uint32_t>& broadcast = {}) {
  ElementwiseDims dims;
  dims.rank = static_cast<int32_t>(sizes.size());
  const auto fill = [&](auto& strides, uint32_t mask) {
    int64_t stride = 1;
    for (int d = dims.rank - 1; d >= 0; --d) {
      const bool fixed = (mask >> d) & 1;
      strides[d] = fixed ? 0 : stride;
      if (!fixed) stride *= sizes[d];
    }
  };
  for (int d = 0; d < dims.rank; ++d) dims.sizes[d] = sizes[d];
  for (size_t i = 0; i < program.input_count; ++i)
    fill(dims.input_strides[i], i < broadcast.size() ? broadcast[i] : 0);
  for (size_t j = 0; j < program.output_count; ++j) fill(dims.output_strides[j], 0);
  return dims;
}

inline std::vector<KernelCase> elementwise_cases() {
  std::vector<KernelCase> cases;
  for (int i = 0; i <= static_cast<int>(Opcode::kMulAdd); ++i) {
    const Opcode op = static_cast<Opcode>(i);
    float p = 0.3f, q = 0.6f;
    if (op == Opcode::kPowConstant) p = 1.7f;
    const ElementwiseProgram program = single_operation(op, p, q);
    for (int64_t n : {1, 3, 4, 5, 15, 16, 17, 1500})
      cases.push_back({std::string(to_string(op)) + "_" + std::to_string(n), program,
                       elementwise_dims(program, {n})});
  }
  for (float power : {1.0f, 2.0f, 3.0f, -1.0f}) {
    const ElementwiseProgram program = single_operation(Opcode::kPowConstant, power);
    cases.push_back({"PowConstant_special", program, elementwise_dims(program, {33})});
  }
  const ElementwiseProgram add = single_operation(Opcode::kAdd),
                           select = single_operation(Opcode::kSelect);
  cases.push_back({"empty", add, elementwise_dims(add, {3, 0, 5})});
  cases.push_back({"scalar", add, elementwise_dims(add, {})});
  cases.push_back({"row_broadcast", add, elementwise_dims(add, {5, 7, 33}, {0, 0b011})});
  cases.push_back({"column_broadcast", add, elementwise_dims(add, {5, 7, 33}, {0, 0b100})});
  cases.push_back({"both_broadcast", add, elementwise_dims(add, {5, 7, 33}, {0b001, 0b110})});
  cases.push_back({"channel_of_blocked", add, elementwise_dims(add, {2, 3, 50, 16}, {0, 0b0101})});
  cases.push_back({"channel_of_plain", add, elementwise_dims(add, {2, 3, 700}, {0, 0b101})});
  cases.push_back(
      {"middle_of_six", add, elementwise_dims(add, {2, 3, 2, 5, 3, 4}, {0b101010, 0b010101})});
  cases.push_back({"scalar_operand", add, elementwise_dims(add, {2, 3, 700}, {0, 0b111})});
  cases.push_back({"select_broadcast", select, elementwise_dims(select, {9, 65}, {0b10, 0b01, 0})});
  cases.push_back({"large", add, elementwise_dims(add, {3, 70001})});
  ElementwiseDims transposed = elementwise_dims(add, {37, 29});
  transposed.input_strides[1] = {1, 37};
  cases.push_back({"transposed_operand", add, transposed});
  // x * sigmoid(x) + y, and the comparison of both as a bool: two outputs, values that live long, a
  // shared input.
  ElementwiseProgram chain;
  chain.input_count = 2;
  chain.instructions[0] = {Opcode::kSigmoid, {0}};
  chain.instructions[1] = {Opcode::kMul, {0, 2}};
  chain.instructions[2] = {Opcode::kAdd, {3, 1}};
  chain.instructions[3] = {Opcode::kGreater, {4, 2}};
  chain.instruction_count = 4;
  chain.output_count = 2;
  chain.outputs = {4, 5};
  chain.output_types[1] = ElementType::kBool;
  for (int64_t n : {5, 700})
    cases.push_back({"chain", chain, elementwise_dims(chain, {3, n}, {0, 0b01})});
  ElementwiseProgram masked = single_operation(Opcode::kSelect);
  masked.input_types[0] = ElementType::kBool;
  cases.push_back({"bool_mask", masked, elementwise_dims(masked, {3, 600}, {0b01, 0, 0b11})});
  return cases;
}

inline Instance elementwise_instance(const KernelCase& kernel_case, Random& random, bool expect) {
  const auto& program = std::get<ElementwiseProgram>(kernel_case.problem);
  const auto& dims = std::get<ElementwiseDims>(kernel_case.dims);
  const auto elements_of = [&](const auto& strides) {  // how far the strides reach
    int64_t last = 0;
    for (int d = 0; d < dims.rank; ++d) {
      if (dims.sizes[d] == 0) return int64_t{0};
      last += strides[d] * (dims.sizes[d] - 1);
    }
    return last + 1;
  };
  bool positive = false;  // keep logarithms, roots and powers where they are defined
  for (int i = 0; i < program.instruction_count; ++i) {
    const Opcode op = program.instructions[i].op;
    positive |= op == Opcode::kLog || op == Opcode::kSqrt || op == Opcode::kRsqrt ||
                op == Opcode::kPow || op == Opcode::kPowConstant || op == Opcode::kReciprocal ||
                op == Opcode::kDiv;
  }
  Instance instance;
  instance.tolerance = 2e-6;
  instance.magnitude =
      program.instruction_count > 1 ? 4 : 0.1;  // a chain may cancel terms of the inputs' size
  for (int i = 0; i < program.input_count; ++i) {
    Operand operand =
        input_operand(random.values(elements_of(dims.input_strides[i]), positive ? 0.1f : -4, 4));
    if (!positive)  // exact zeros, ties and equal values for the comparisons
      for (float& x : operand.values)
        if (random.next() % 4 == 0) x = std::round(x);
    operand.is_bool = program.input_types[i] == ElementType::kBool;
    if (operand.is_bool)
      for (float& x : operand.values) x = random.next() % 2 ? 1.0f : 0.0f;
    instance.inputs.push_back(operand);
  }
  int64_t total = 1;
  for (int d = 0; d < dims.rank; ++d) total *= dims.sizes[d];
  for (int j = 0; j < program.output_count; ++j) {
    Operand operand = output_operand(std::vector<double>(static_cast<size_t>(total)));
    operand.is_bool = program.output_types[j] == ElementType::kBool;
    instance.outputs.push_back(operand);
  }
  if (!expect) return instance;
  for (int64_t element = 0; element < total; ++element) {
    std::vector<double> values;
    std::vector<int64_t> index(static_cast<size_t>(dims.rank));
    for (int64_t d = dims.rank - 1, rest = element; d >= 0; --d) {
      index[static_cast<size_t>(d)] = rest % dims.sizes[static_cast<size_t>(d)];
      rest /= dims.sizes[static_cast<size_t>(d)];
    }
    for (size_t i = 0; i < program.input_count; ++i) {
      int64_t offset = 0;
      for (size_t d = 0; d < index.size(); ++d) offset += index[d] * dims.input_strides[i][d];
      values.push_back(instance.inputs[i].values[static_cast<size_t>(offset)]);
    }
    for (size_t i = 0; i < program.instruction_count; ++i) {
      const Instruction& step = program.instructions[i];
      const auto argument = [&](int j) {
        return j < argument_count(step.op) ? values[step.arguments[static_cast<size_t>(j)]] : 0.0;
      };
      values.push_back(
          reference_opcode(step.op, argument(0), argument(1), argument(2), step.p, step.q));
    }
    for (size_t j = 0; j < program.output_count; ++j)
      instance.outputs[j].expected[static_cast<size_t>(element)] = values[program.outputs[j]];
  }
  return instance;
}

}  // namespace shipway::kernels::testing
