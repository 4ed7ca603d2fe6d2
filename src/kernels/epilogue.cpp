#include "kernels/epilogue.h"

#include <algorithm>
#include <limits>

#include "kernels/simd.h"

namespace shipway::kernels {
namespace {

bool limits(const EpilogueStep& step) {
  return step.op == Opcode::kRelu || step.op == Opcode::kClip;
}

}  // namespace

EpilogueForm epilogue_form(const Epilogue& epilogue) {
  EpilogueForm form;
  int step = 0;
  if (step < epilogue.step_count && epilogue.steps[0].op == Opcode::kAdd &&
      epilogue.steps[0].operand == OperandShape::kFull) {
    form.add = true;
    ++step;
  }
  if (step < epilogue.step_count && limits(epilogue.steps[step])) {
    const EpilogueStep& s = epilogue.steps[step++];
    form.clip = true;
    form.low = s.op == Opcode::kRelu ? 0 : s.p;
    form.high = s.op == Opcode::kRelu ? std::numeric_limits<float>::infinity() : s.q;
  }
  if (step < epilogue.step_count) form = EpilogueForm{.generic = true};
  return form;
}

bool preserves_zero_tail(const Epilogue& epilogue) {
  for (int i = 0; i < epilogue.step_count; ++i) {
    const EpilogueStep& step = epilogue.steps[i];
    // A full operand has a zero tail itself, so a sum or difference with it keeps the zero.
    const bool sum = step.op == Opcode::kAdd || step.op == Opcode::kSub;
    if (sum && step.operand == OperandShape::kFull) continue;
    if (step.operand_first || !preserves_zero_tail(step.op, step.p, step.q)) return false;
  }
  return true;
}

EpilogueForm blocked_epilogue_form(const Epilogue& epilogue) {
  return preserves_zero_tail(epilogue) ? epilogue_form(epilogue) : EpilogueForm{.generic = true};
}

EpilogueRunner::EpilogueRunner(const Epilogue& epilogue, Isa isa, const Views& views,
                               float* scratch)
    : epilogue_(epilogue), isa_(isa), scratch_(scratch) {
  size_t input = 3;
  for (int i = 0; i < epilogue.step_count; ++i) {
    if (epilogue.steps[i].operand == OperandShape::kNone) continue;
    operands_[i] = views.input(input++);
    if (epilogue.steps[i].operand == OperandShape::kScalar)
      std::fill_n(scratch + i * kRun, kRun, *operands_[i]);
  }
}

void EpilogueRunner::apply(float* y, int64_t n, int64_t offset, int64_t channel, int64_t lanes,
                           int64_t channels) {
  if (lanes > 0 && channel != prepared_channel_) {
    for (int i = 0; i < epilogue_.step_count; ++i) {
      if (epilogue_.steps[i].operand != OperandShape::kPerChannel) continue;
      float* repeated = scratch_ + i * kRun;
      for (int64_t c = 0; c < lanes; ++c)
        repeated[c] = channel + c < channels ? operands_[i][channel + c] : 0.0f;
      for (int64_t c = lanes; c < kRun; ++c) repeated[c] = repeated[c - lanes];
    }
    prepared_channel_ = channel;
  }
  const ElementwiseFunction* functions = elementwise_functions(isa_);
  for (int i = 0; i < epilogue_.step_count; ++i) {
    const EpilogueStep& step = epilogue_.steps[i];
    const float* operand = nullptr;
    switch (step.operand) {
      case OperandShape::kNone:
        break;
      case OperandShape::kScalar:
        operand = scratch_ + i * kRun;
        break;
      case OperandShape::kPerChannel:
        operand = lanes > 0 ? scratch_ + i * kRun : operands_[i] + channel;
        break;
      case OperandShape::kFull:
        operand = operands_[i] + offset;
        break;
    }
    functions[static_cast<size_t>(step.op)](step.operand_first ? operand : y,
                                            step.operand_first ? y : operand, nullptr, step.p,
                                            step.q, y, n);
  }
  if (lanes > 0 && channel + lanes > channels && !preserves_zero_tail(epilogue_))
    for (int64_t i = 0; i < n; i += lanes)
      for (int64_t c = channels - channel; c < lanes; ++c) y[i + c] = 0;
}

TileArguments blocked_tile(const EpilogueForm& form, const float* bias, int64_t channel,
                           int64_t width, int64_t channels, int64_t block_stride,
                           float* padded_bias) {
  TileArguments t;
  t.c_vector_stride = block_stride;
  t.clip = form.clip;
  t.low = form.low;
  t.high = form.high;
  if (!bias) return t;
  t.bias = bias + channel;
  if (channel + width > channels) {
    for (int64_t j = 0; j < width; ++j)
      padded_bias[j] = channel + j < channels ? bias[channel + j] : 0.0f;
    t.bias = padded_bias;
  }
  return t;
}

void EpilogueRunner::apply_blocked(float* y, const Rectangle& rectangle, int64_t channel,
                                   int64_t lanes, int64_t channels) {
  for (int64_t block = 0; block < rectangle.blocks; ++block)
    for (int64_t row = 0; row < rectangle.rows; ++row)
      for (int64_t i = 0; i < rectangle.row_floats; i += kRun) {
        const int64_t offset =
            rectangle.offset + block * rectangle.block_stride + row * rectangle.row_stride + i;
        apply(y + offset, std::min(rectangle.row_floats - i, kRun), offset, channel + block * lanes,
              lanes, channels);
      }
}

}  // namespace shipway::kernels
