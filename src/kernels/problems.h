// What a kernel is asked to do: one *Problem* struct per kind with what a model fixes (attributes,
// weights' shapes, layouts), and one *Dims* struct with what one input shape adds. Plain data, no
// nodes, no tensors.
//
// A Problem never contains a free dim (batch, height, width, sequence length), so that the choice
// of kernel, packing recipe and layout made from it holds for every shape. Every struct is
// trivially copyable.
//
// Spatial arrays have three entries, depth height width; a lower rank uses the last ones and leaves
// the others at 1 (pads at 0). "Inputs" and "outputs" below give the order of the pointers in
// Views.
#pragma once

#include <array>
#include <cstdint>
#include <variant>

namespace shipway::kernels {

// ---------------------------------------------------------------- layouts

enum class LayoutKind : uint8_t {
  kPlain,           // N C D H W, as in ONNX
  kChannelBlocked,  // N ceil(C/block) D H W block; the channels that fill up the last block are
                    // zero
};
struct Layout {
  LayoutKind kind = LayoutKind::kPlain;
  uint8_t block = 0;  // 8 or 16 (4 under SSE4) when blocked, 0 when plain
  bool operator==(const Layout&) const = default;
  static constexpr Layout plain() { return {}; }
  static constexpr Layout blocked(int block) {
    return {LayoutKind::kChannelBlocked, static_cast<uint8_t>(block)};
  }
  constexpr bool is_blocked() const { return kind == LayoutKind::kChannelBlocked; }
};
/// Channels that a value of `channels` channels occupies in memory.
constexpr int64_t stored_channels(Layout layout, int64_t channels) {
  return layout.is_blocked() ? (channels + layout.block - 1) / layout.block * layout.block
                             : channels;
}

// ---------------------------------------------------------------- element-wise programs and
// epilogues

/// fp32 operations. a, b, c are the arguments; p, q the constants of the instruction.
enum class Opcode : uint8_t {
  // one argument
  kCopy,
  kAbs,
  kNeg,
  kSign,
  kRelu,
  kLeakyRelu /* a<0: p*a */,
  kThresholdedRelu /* a>p ? a : 0 */,
  kClip /* [p, q] */,
  kAffine /* p*a + q */,
  kElu /* p */,
  kSelu /* alpha p, gamma q */,
  kCelu /* p */,
  kSigmoid,
  kHardSigmoid /* clip(p*a + q, 0, 1) */,
  kHardSwish,
  kSilu /* a*sigmoid(p*a) */,
  kTanh,
  kErf,
  kGelu,
  kGeluTanh,
  kMish,
  kSoftplus,
  kSoftsign,
  kExp,
  kLog,
  kSqrt,
  kRsqrt,
  kReciprocal,
  kSquare,
  kPowConstant /* a^p */,
  kFloor,
  kCeil,
  kRound /* half to even */,
  kSin,
  kCos,
  kNot,
  kIsNan,
  // two
  kAdd,
  kSub,
  kMul,
  kDiv,
  kMin,
  kMax,
  kPow,
  kPrelu /* a<0: a*b */,
  kEqual,
  kLess,
  kLessOrEqual,
  kGreater,
  kGreaterOrEqual,
  kAnd,
  kOr,
  kXor,
  // three
  kSelect /* a!=0 ? b : c */,
  kMulAdd /* a*b + c */,
};
int argument_count(Opcode op);
/// True when the operation gives zero for zero arguments, so that it keeps the zero tail of a
/// blocked layout zero. For two or three arguments: when `a` is zero there, whatever the finite
/// others are.
bool preserves_zero_tail(Opcode op, float p, float q);
const char* to_string(Opcode op);

/// Element types in memory; programs compute in fp32 and convert at loads and stores (a bool is 0
/// or 1).
enum class ElementType : uint8_t { kFloat32, kBool };

/// One instruction in SSA form. Argument numbers below `input_count` are the program's inputs;
/// number `input_count + i` is the result of instruction i.
struct Instruction {
  Opcode op = Opcode::kCopy;
  std::array<uint8_t, 3> arguments{};
  float p = 0, q = 0;
};

/// A chain of element-wise operations run over cache-sized tiles, in one pass over memory.
/// Inputs: `input_count` pointers. Outputs: `output_count` pointers; output j is value
/// `outputs[j]`. An output may be the same memory as an input that has the same strides.
struct ElementwiseProgram {
  static constexpr int kMaxInputs = 8, kMaxInstructions = 32, kMaxOutputs = 4;
  uint8_t input_count = 0, instruction_count = 0, output_count = 0;
  std::array<ElementType, kMaxInputs> input_types{};
  std::array<ElementType, kMaxOutputs> output_types{};
  std::array<Instruction, kMaxInstructions> instructions{};
  std::array<uint8_t, kMaxOutputs> outputs{};
};
/// Strides in elements; 0 broadcasts. Any stride is right; 0 and 1 in the last dim are fast.
struct ElementwiseDims {
  static constexpr int kMaxRank = 6;
  int32_t rank = 0;
  std::array<int64_t, kMaxRank> sizes{};
  std::array<std::array<int64_t, kMaxRank>, ElementwiseProgram::kMaxInputs> input_strides{};
  std::array<std::array<int64_t, kMaxRank>, ElementwiseProgram::kMaxOutputs> output_strides{};
};

enum class OperandShape : uint8_t {
  kNone,
  kScalar,      // one value
  kPerChannel,  // one per output channel of a convolution, one per column of a GEMM
  kFull,        // shape, layout and strides of the output
};
/// y = op(y, operand) or, when `operand_first`, op(operand, y).
struct EpilogueStep {
  Opcode op = Opcode::kCopy;
  OperandShape operand = OperandShape::kNone;
  bool operand_first = false;
  float p = 0, q = 0;
};
/// What happens to a finished output tile before it leaves the cache: bias, then up to six steps.
/// Operands follow the kernel's own inputs in Views, in the order of the steps. Cheap forms
/// (nothing, relu, clip, add, add + relu, add + clip) run in registers, others through the
/// element-wise interpreter.
struct Epilogue {
  static constexpr int kMaxSteps = 6;
  bool has_bias = false;  // per channel or column, inputs[2]; when false inputs[2] is ignored
  uint8_t step_count = 0;
  std::array<EpilogueStep, kMaxSteps> steps{};
};

// ---------------------------------------------------------------- matrix product

/// C = epilogue(alpha * op(A) op(B) + beta * bias), batched and strided. Row-major.
/// Inputs: A, B (packed by KernelPlan::weights when `packed_b`), bias [n] or null, operands.
/// Output: C.
struct GemmProblem {
  bool transpose_a = false;  // A is stored [k][m]
  bool transpose_b = false;  // B is stored [n][k]
  bool packed_b =
      false;  // B is a constant, packed once; then n and k are known and B has no batch dims
  int64_t n = -1, k = -1;  // -1: free
  float alpha = 1, beta = 1;
  Epilogue epilogue;
};
struct GemmDims {
  static constexpr int kMaxBatchRank = 4;
  int64_t m = 0, n = 0, k = 0;
  int64_t a_row_stride = 0, b_row_stride = 0,
          c_row_stride = 0;  // of the stored matrices; columns have stride 1
  int32_t batch_rank = 0;
  std::array<int64_t, kMaxBatchRank> batch_sizes{}, a_batch_strides{}, b_batch_strides{},
      c_batch_strides{};
};

// ---------------------------------------------------------------- convolution and pooling

using Spatial = std::array<int64_t, 3>;  // depth, height, width

/// Conv and ConvTranspose. Weights as in ONNX: [out][in/group][k...], transposed
/// [in][out/group][k...]. Inputs: X, weights packed by KernelPlan::weights, bias or null, operands.
/// Output: Y.
struct ConvProblem {
  bool transposed = false;
  int64_t channels_in = 0, channels_out = 0, group = 1;
  Spatial kernel{1, 1, 1}, strides{1, 1, 1}, dilations{1, 1, 1};
  int64_t known_pixels = 0;  // height times width of the output where the model fixes them, else 0
  Layout input, output;
  Epilogue epilogue;
};
/// `pads` are those at the begin of each axis; what lies beyond the end follows from `out`.
struct ConvDims {
  int64_t batch = 1;
  Spatial in{1, 1, 1}, out{1, 1, 1}, pads{0, 0, 0};
};

enum class PoolKind : uint8_t { kMax, kAverage, kAverageCountPads };
/// Input: X. Output: Y, same layout. A global pool has `global` set and ignores kernel, strides and
/// dilations.
struct PoolProblem {
  PoolKind kind = PoolKind::kMax;
  bool global = false;
  Spatial kernel{1, 1, 1}, strides{1, 1, 1}, dilations{1, 1, 1};
  Layout layout;
};
/// pads_end matters to kAverageCountPads only: positions beyond it (ceil_mode) are not counted.
struct PoolDims {
  int64_t batch = 1, channels = 1;
  Spatial in{1, 1, 1}, out{1, 1, 1}, pads{0, 0, 0}, pads_end{0, 0, 0};
};

// ---------------------------------------------------------------- attention

/// y = softmax(scale * q k^T + mask) v in every head. Inputs: Q, K, V, mask or null. Output: Y.
struct AttentionProblem {
  float scale = 0;  // 0: 1 / sqrt(size)
};
/// Floats from one batch, head, row (position in the sequence) to the next; a row's elements lie
/// side by side.
struct HeadStrides {
  int64_t batch = 0, head = 0, row = 0;
};
/// `heads` of queries share `kv_heads` of keys and values in even groups. With `causal`, query i
/// sees keys up to i + offset. A query that sees nothing gives zeros.
struct AttentionDims {
  int64_t batch = 1, heads = 1, kv_heads = 1, queries = 0, keys = 0;
  int64_t size = 0, value_size = 0;  // of a query or key, of a value
  HeadStrides q, k, v, y;
  int64_t mask_batch = 0, mask_head = 0, mask_row = 0;  // strides; keys lie side by side
  bool causal = false;
  int64_t offset = 0;
};

// ---------------------------------------------------------------- rows: softmax, normalisation,
// reduction

/// y = exp(x - max) / sum over `width`, or its logarithm. Input: X. Output: Y (may be X).
struct SoftmaxProblem {
  bool logarithm = false;
};
/// X is [outer][width][inner].
struct SoftmaxDims {
  int64_t outer = 1, width = 1, inner = 1;
};

enum class NormKind : uint8_t {
  kLayer,  // over width; scale and bias have `width` entries
  kRms,    // the same without mean and bias
  kGroup,  // over channels/groups * width; scale and bias have `channels` entries (groups = 0: one
           // per channel)
  kBatch,  // inference: inputs X, scale, bias, mean, variance
};
/// Inputs: X, scale or null, bias or null (mean, variance). Outputs: Y (may be X); for kLayer and
/// kRms also residual sums when `has_residual`: x + residual is normalised, inputs[3] is the
/// residual, outputs[1] the sum or null.
struct NormProblem {
  NormKind kind = NormKind::kLayer;
  float epsilon = 1e-5f;
  int64_t groups = 0;
  bool has_residual = false;
};
/// X is [batch][channels][width]; kLayer and kRms: batch rows of `width`, channels = 1.
struct NormDims {
  int64_t batch = 1, channels = 1, width = 1;
};

enum class ReduceKind : uint8_t {
  kSum,
  kMean,
  kMax,
  kMin,
  kProd,
  kL1,
  kL2,
  kSumSquare,
  kLogSum,
  kLogSumExp
};
/// Input: X [kept0][reduced0][kept1][reduced1]. Output: Y [kept0][kept1]. Sums are kept in partial
/// sums of at most 8192 fp32 additions, these in double.
struct ReduceProblem {
  ReduceKind kind = ReduceKind::kSum;
};
struct ReduceDims {
  int64_t kept0 = 1, reduced0 = 1, kept1 = 1, reduced1 = 1;
};

// ---------------------------------------------------------------- recurrent layers

enum class RecurrentCell : uint8_t { kRnn, kGru, kLstm };
/// One RNN, GRU or LSTM layer as ONNX defines it, with its usual activations (sigmoid and tanh;
/// RNN: tanh or relu), whole sequences in every row of the batch, and no clipping. Inputs: X
/// [steps][batch][input], weights packed by KernelPlan::weights (from W, R, B and, with peepholes,
/// P, one after the other), initial h and c [directions][batch][hidden] or null. Outputs, each
/// possibly null: Y [steps][directions][batch][hidden], the last h and c. With `batch_first` X is
/// [batch][steps][input], Y [batch][steps][directions][hidden], and states are
/// [batch][directions][hidden].
struct RecurrentProblem {
  RecurrentCell cell = RecurrentCell::kLstm;
  int64_t directions = 1, input = 0, hidden = 0;
  bool first_reversed = false;  // the only direction runs from the last step to the first
  bool batch_first = false;
  bool relu = false;                 // RNN
  bool linear_before_reset = false;  // GRU
  bool has_peepholes = false;        // LSTM
};
struct RecurrentDims {
  int64_t steps = 0, batch = 0;
};

// ---------------------------------------------------------------- Resize

enum class ResizeMode : uint8_t { kNearest, kLinear, kCubic };
enum class CoordinateMode : uint8_t {
  kHalfPixel,
  kHalfPixelSymmetric,
  kPytorchHalfPixel,
  kAlignCorners,
  kAsymmetric,
  kTfHalfPixelForNn,
  kTfCropAndResize,
};
enum class NearestMode : uint8_t { kRoundPreferFloor, kRoundPreferCeil, kFloor, kCeil };
/// As ONNX Resize, over up to three axes. Input: X [outer][in...][inner]; output: Y
/// [outer][out...][inner]. A plain NCHW value has inner = 1, a blocked one inner = block.
struct ResizeProblem {
  ResizeMode mode = ResizeMode::kNearest;
  CoordinateMode coordinates = CoordinateMode::kHalfPixel;
  NearestMode nearest = NearestMode::kRoundPreferFloor;
  float cubic_a = -0.75f, extrapolation = 0;
  bool exclude_outside = false, antialias = false;
};
struct ResizeDims {
  int64_t outer = 1, inner = 1;
  Spatial in{1, 1, 1}, out{1, 1, 1};
  std::array<float, 3> scales{1, 1, 1};  // as given to the operator; not always out / in
  std::array<float, 3> roi_begin{0, 0, 0}, roi_end{1, 1, 1};
};

// ---------------------------------------------------------------- moving data

/// Copies elements of `element_size` 1, 2, 4, 8 or 16 bytes between strided views: Transpose,
/// Slice, Concat piece by piece, Expand, Split, the inside of Pad. Input: source. Output:
/// destination. They may not overlap.
struct StridedCopyProblem {
  int32_t element_size = 4;
};
/// Strides in elements; those of the source may be 0 or negative.
struct StridedCopyDims {
  static constexpr int kMaxRank = 8;
  int32_t rank = 0;
  std::array<int64_t, kMaxRank> sizes{}, source_strides{}, destination_strides{};
};

/// Between layouts, fp32. Input: X. Output: Y. With from == to (blocked) it clears the tail
/// channels of Y in place (the input is not read): for operations that do not preserve a zero tail.
struct ReorderProblem {
  Layout from, to;
};
struct ReorderDims {
  int64_t batch = 1, channels = 1, spatial = 1;
};

using Problem =
    std::variant<ElementwiseProgram, GemmProblem, ConvProblem, PoolProblem, SoftmaxProblem,
                 NormProblem, ReduceProblem, ResizeProblem, StridedCopyProblem, ReorderProblem,
                 RecurrentProblem, AttentionProblem>;
using Dims =
    std::variant<ElementwiseDims, GemmDims, ConvDims, PoolDims, SoftmaxDims, NormDims, ReduceDims,
                 ResizeDims, StridedCopyDims, ReorderDims, RecurrentDims, AttentionDims>;

}  // namespace shipway::kernels
