// Epilogues to try, and what they do to one output, in double.
#pragma once

#include "kernels/testing/elementwise_cases.h"

namespace shipway::kernels::testing {

struct NamedEpilogue {
  const char* name;
  Epilogue epilogue;
};

inline std::vector<NamedEpilogue> epilogue_cases() {
  const auto make = [](bool bias, std::initializer_list<EpilogueStep> steps) {
    Epilogue epilogue;
    epilogue.has_bias = bias;
    for (const EpilogueStep& step : steps) epilogue.steps[epilogue.step_count++] = step;
    return epilogue;
  };
  const EpilogueStep relu{Opcode::kRelu}, clip{.op = Opcode::kClip, .p = -0.5f, .q = 0.75f},
      silu{.op = Opcode::kSilu, .p = 1};
  const EpilogueStep add{Opcode::kAdd, OperandShape::kFull};
  return {{"none", {}},
          {"bias", make(true, {})},
          {"bias_relu", make(true, {relu})},
          {"bias_clip", make(true, {clip})},
          {"bias_add_relu", make(true, {add, relu})},
          {"add", make(false, {add})},
          {"bias_silu", make(true, {silu})},
          {"sigmoid", make(false, {{Opcode::kSigmoid}})},  // does not keep a zero tail
          {"bias_relu_add", make(true, {relu, add})},
          {"gate_relu", make(true, {{Opcode::kMul, OperandShape::kFull}, relu})},
          {"relu_scale_shift", make(false, {relu,
                                            {Opcode::kMul, OperandShape::kPerChannel},
                                            {Opcode::kAdd, OperandShape::kPerChannel},
                                            {Opcode::kAdd, OperandShape::kScalar}})},
          {"scale_gate",
           make(true,
                {{Opcode::kMul, OperandShape::kPerChannel},
                 {Opcode::kMul, OperandShape::kFull},
                 {.op = Opcode::kSub, .operand = OperandShape::kScalar, .operand_first = true}})}};
}

/// Operands of an epilogue as the inputs after the third; `full` has the output's size.
inline void add_epilogue_operands(Instance& instance, const Epilogue& epilogue, int64_t channels,
                                  int64_t full, std::optional<Operand::Channels> shape,
                                  Random& random) {
  if (epilogue.has_bias) {
    instance.inputs.push_back(input_operand(random.values(channels)));
  } else {
    instance.inputs.push_back(absent_operand());
  }
  for (int i = 0; i < epilogue.step_count; ++i) {
    const OperandShape operand = epilogue.steps[static_cast<size_t>(i)].operand;
    if (operand == OperandShape::kNone) continue;
    const int64_t size = operand == OperandShape::kScalar       ? 1
                         : operand == OperandShape::kPerChannel ? channels
                                                                : full;
    instance.inputs.push_back(input_operand(random.values(size)));
    if (operand == OperandShape::kFull) instance.inputs.back().channels = shape;
  }
}

/// The steps on one value; `index` is its position in a full operand. The bias is not among them.
inline double apply_reference(const Instance& instance, const Epilogue& epilogue, double y,
                              int64_t channel, int64_t index) {
  size_t input = 3;
  for (int i = 0; i < epilogue.step_count; ++i) {
    const EpilogueStep& step = epilogue.steps[static_cast<size_t>(i)];
    double operand = 0;
    if (step.operand != OperandShape::kNone) {
      const std::vector<float>& values = instance.inputs[input++].values;
      const int64_t at = step.operand == OperandShape::kScalar       ? 0
                         : step.operand == OperandShape::kPerChannel ? channel
                                                                     : index;
      operand = values[static_cast<size_t>(at)];
    }
    y = step.operand_first ? reference_opcode(step.op, operand, y, 0, step.p, step.q)
                           : reference_opcode(step.op, y, operand, 0, step.p, step.q);
  }
  return y;
}

}  // namespace shipway::kernels::testing
