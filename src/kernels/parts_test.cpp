// The small decisions and sums that kernels share: layouts, groups, tiles, panels, epilogues, and
// what a problem asks for when nothing is said.
#include <gtest/gtest.h>

#include <limits>

#include "kernels/conv_band.h"
#include "kernels/epilogue.h"
#include "kernels/pack.h"
#include "kernels/testing/elementwise_cases.h"
#include "kernels/tile_choice.h"

namespace shipway::kernels {
namespace {

ConvProblem conv(int64_t in, int64_t out, int64_t group = 1) {
  return {.channels_in = in, .channels_out = out, .group = group};
}

/// The blocks of input and output, 0 for plain.
std::pair<int, int> layouts(const ConvProblem& problem, Isa isa = Isa::kAvx2) {
  const LayoutChoice choice = preferred_layouts(problem, isa);
  return {choice.input.block, choice.output.block};
}

TEST(PreferredLayouts, AreBlockedWhereBlocksAreHalfFull) {
  using Blocks = std::pair<int, int>;
  EXPECT_EQ(layouts(conv(3, 64)), Blocks(0, 8));
  EXPECT_EQ(layouts(conv(4, 64)), Blocks(0, 8)) << "a few channels are a first layer";
  EXPECT_EQ(layouts(conv(5, 64)), Blocks(8, 8));
  EXPECT_EQ(layouts(conv(7, 64), Isa::kAvx512), Blocks(0, 16));
  EXPECT_EQ(layouts(conv(8, 64), Isa::kAvx512), Blocks(16, 16));
  EXPECT_EQ(layouts(conv(64, 64), Isa::kScalar), Blocks(0, 0));
  EXPECT_EQ(layouts(conv(64, 4)), Blocks(0, 0)) << "few outputs have a kernel of their own";
  EXPECT_EQ(layouts(conv(64, 5)), Blocks(8, 8));
  ConvProblem strided = conv(64, 4);
  strided.strides[2] = 2;
  EXPECT_EQ(layouts(strided), Blocks(8, 8));
}

TEST(PreferredLayouts, ArePlainWithDepthAndWhereGroupsMakeNoBlocks) {
  using Blocks = std::pair<int, int>;
  ConvProblem deep = conv(64, 64);
  deep.kernel[0] = 2;
  EXPECT_EQ(layouts(deep), Blocks(0, 0));
  deep.kernel[0] = 1;
  deep.strides[0] = 2;
  EXPECT_EQ(layouts(deep), Blocks(0, 0));
  EXPECT_EQ(layouts(conv(7, 7, 7)), Blocks(8, 8)) << "depthwise";
  EXPECT_EQ(layouts(conv(1, 1)), Blocks(0, 0));
  EXPECT_EQ(layouts(conv(8, 16, 8)), Blocks(8, 8)) << "eight groups make a block";
  EXPECT_EQ(layouts(conv(3, 6, 3)), Blocks(0, 0));
  EXPECT_EQ(layouts(conv(6, 9, 3)), Blocks(0, 0));
}

TEST(PreferredLayouts, OfTransposedConvolutionsAreBlockedOnBothSidesOrNone) {
  using Blocks = std::pair<int, int>;
  const auto transposed = [](int64_t in, int64_t out, int64_t group) {
    ConvProblem problem = conv(in, out, group);
    problem.transposed = true;
    return layouts(problem);
  };
  EXPECT_EQ(transposed(4, 4, 1), Blocks(8, 8));
  EXPECT_EQ(transposed(3, 4, 1), Blocks(0, 0));
  EXPECT_EQ(transposed(4, 3, 1), Blocks(0, 0));
  EXPECT_EQ(transposed(12, 12, 3), Blocks(0, 0));
  EXPECT_EQ(transposed(16, 16, 4), Blocks(8, 8));
}

TEST(MergedGroups, AreTheFewestThatMakeWholeBlocks) {
  EXPECT_EQ(merged_groups(conv(5, 7), 8), 1);
  EXPECT_EQ(merged_groups(conv(64, 32, 2), 8), 1);
  EXPECT_EQ(merged_groups(conv(32, 32, 8), 8), 2);
  EXPECT_EQ(merged_groups(conv(32, 32, 8), 16), 4);
  EXPECT_EQ(merged_groups(conv(32, 64, 8), 8), 2) << "inputs decide";
  EXPECT_EQ(merged_groups(conv(64, 32, 8), 8), 2) << "outputs decide";
  EXPECT_EQ(merged_groups(conv(16, 16, 16), 8), 8);
  EXPECT_EQ(merged_groups(conv(12, 12, 3), 8), 0) << "two of three groups would";
  EXPECT_EQ(merged_groups(conv(6, 9, 3), 8), 0);
}

TEST(RowTiles, AreFewAndEven) {
  for (int64_t most = 1; most <= 14; ++most)
    for (int64_t rows = 0; rows <= 60; ++rows) {
      const RowTiles tiles(rows, most);
      EXPECT_TRUE(tiles.count * most >= rows && (tiles.count - 1) * most < rows);
      int64_t sum = 0;
      for (int64_t i = 0; i < tiles.count; ++i) {
        sum += tiles.rows(i);
        EXPECT_TRUE(tiles.rows(i) <= tiles.rows(0) && tiles.rows(0) - tiles.rows(i) <= 1);
        EXPECT_LE(tiles.rows(i), most);
      }
      EXPECT_EQ(sum, rows);
    }
}

TEST(Panels, HaveWholeVectorsAndFollowEachOther) {
  for (int32_t vector : {4, 8})
    for (int64_t n = 0; n <= 50; ++n) {
      const Panels panels{.n = n, .k = 3, .panel = 2 * vector, .vector = vector};
      int64_t columns = 0;
      for (int64_t i = 0; i < panels.count(); ++i) {
        EXPECT_EQ(panels.offset(i), columns * 3);
        EXPECT_TRUE(panels.width(i) == vector || panels.width(i) == 2 * vector);
        columns += panels.width(i);
      }
      EXPECT_TRUE(columns >= n && columns < n + vector);
      EXPECT_EQ(panels.floats(), columns * 3);
    }
}

TEST(PhaseTaps, ShareOutAKernel) {
  for (int64_t kernel = 1; kernel <= 7; ++kernel)
    for (int64_t stride = 1; stride <= 4; ++stride)
      for (int64_t dilation = 1; dilation <= 3; ++dilation) {
        std::vector<int64_t> counted(static_cast<size_t>(stride));
        for (int64_t k = 0; k < kernel; ++k) ++counted[static_cast<size_t>(k * dilation % stride)];
        for (int64_t phase = 0; phase < stride; ++phase)
          EXPECT_EQ(phase_taps(kernel, stride, dilation, phase),
                    counted[static_cast<size_t>(phase)]);
      }
}

Epilogue epilogue(std::initializer_list<EpilogueStep> steps) {
  Epilogue result;
  for (const EpilogueStep& step : steps) result.steps[result.step_count++] = step;
  return result;
}

TEST(EpilogueForm, TilesDoASumAndALimit) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const EpilogueStep add{Opcode::kAdd, OperandShape::kFull}, relu{Opcode::kRelu},
      clip{.op = Opcode::kClip, .p = -1, .q = 6}, gate{Opcode::kMul, OperandShape::kFull},
      shift{Opcode::kAdd, OperandShape::kPerChannel};
  struct Case {
    Epilogue epilogue;
    bool add, clip, generic;
    float low, high;
  };
  for (const Case& c : {Case{epilogue({}), false, false, false, 0, 0},
                        Case{epilogue({add}), true, false, false, 0, 0},
                        Case{epilogue({relu}), false, true, false, 0, kInfinity},
                        Case{epilogue({clip}), false, true, false, -1, 6},
                        Case{epilogue({add, relu}), true, true, false, 0, kInfinity},
                        Case{epilogue({add, clip}), true, true, false, -1, 6},
                        Case{epilogue({relu, add}), false, false, true, 0, 0},
                        Case{epilogue({add, add}), false, false, true, 0, 0},
                        Case{epilogue({gate}), false, false, true, 0, 0},
                        Case{epilogue({gate, relu}), false, false, true, 0, 0},
                        Case{epilogue({shift, relu}), false, false, true, 0, 0}}) {
    const EpilogueForm form = epilogue_form(c.epilogue);
    EXPECT_TRUE(form.add == c.add && form.clip == c.clip && form.generic == c.generic);
    EXPECT_TRUE(form.low == c.low && form.high == c.high);
  }
}

TEST(PreservesZeroTail, ExactlyWhereZeroGivesZero) {
  for (int i = 0; i <= static_cast<int>(Opcode::kIsNan); ++i) {
    const Opcode op = static_cast<Opcode>(i);
    for (const auto& [p, q] : {std::pair{1.0f, 0.0f},
                               {-1.0f, 1.0f},
                               {0.0f, 0.0f},
                               {0.5f, 2.0f},
                               {-2.0f, -1.0f},
                               {0.0f, 3.0f},
                               {-3.0f, 0.0f}}) {
      if (op == Opcode::kThresholdedRelu && p < 0) continue;  // unusual, and not worth a case
      EXPECT_EQ(preserves_zero_tail(op, p, q), testing::reference_opcode(op, 0, 0, 0, p, q) == 0)
          << to_string(op) << " " << p << " " << q;
    }
  }
  const EpilogueStep add{Opcode::kAdd, OperandShape::kFull}, sub{Opcode::kSub, OperandShape::kFull},
      shift{Opcode::kAdd, OperandShape::kPerChannel}, gate{Opcode::kMul, OperandShape::kFull},
      from{.op = Opcode::kMul, .operand = OperandShape::kFull, .operand_first = true},
      sigmoid{Opcode::kSigmoid}, relu{Opcode::kRelu};
  EXPECT_TRUE(preserves_zero_tail(epilogue({})));
  EXPECT_TRUE(preserves_zero_tail(epilogue({add, sub, gate, relu})));
  EXPECT_FALSE(preserves_zero_tail(epilogue({shift})));
  EXPECT_FALSE(preserves_zero_tail(epilogue({relu, from})));
  EXPECT_FALSE(preserves_zero_tail(epilogue({relu, sigmoid})));
}

TEST(ArgumentCount, IsOneTwoOrThree) {
  EXPECT_EQ(argument_count(Opcode::kCopy), 1);
  EXPECT_EQ(argument_count(Opcode::kIsNan), 1);
  EXPECT_EQ(argument_count(Opcode::kAdd), 2);
  EXPECT_EQ(argument_count(Opcode::kXor), 2);
  EXPECT_EQ(argument_count(Opcode::kSelect), 3);
  EXPECT_EQ(argument_count(Opcode::kMulAdd), 3);
}

TEST(Problems, AskForTheUsualWhenNothingIsSaid) {
  const Spatial ones{1, 1, 1}, zeros{0, 0, 0};
  const ConvProblem convolution;
  EXPECT_TRUE(!convolution.transposed && convolution.group == 1 && convolution.channels_in == 0 &&
              convolution.channels_out == 0);
  EXPECT_TRUE(convolution.kernel == ones && convolution.strides == ones &&
              convolution.dilations == ones);
  EXPECT_TRUE(convolution.input == Layout::plain() && convolution.output == Layout::plain());
  const ConvDims conv_dims;
  EXPECT_TRUE(conv_dims.batch == 1 && conv_dims.in == ones && conv_dims.out == ones &&
              conv_dims.pads == zeros);
  const PoolProblem pool;
  EXPECT_TRUE(pool.kind == PoolKind::kMax && !pool.global && pool.kernel == ones &&
              pool.strides == ones && pool.dilations == ones);
  const PoolDims pool_dims;
  EXPECT_TRUE(pool_dims.batch == 1 && pool_dims.channels == 1 && pool_dims.in == ones &&
              pool_dims.out == ones && pool_dims.pads == zeros && pool_dims.pads_end == zeros);
  const GemmProblem gemm;
  EXPECT_TRUE(!gemm.transpose_a && !gemm.transpose_b && !gemm.packed_b && gemm.n == -1 &&
              gemm.k == -1 && gemm.alpha == 1 && gemm.beta == 1);
  const GemmDims gemm_dims;
  EXPECT_TRUE(gemm_dims.m == 0 && gemm_dims.n == 0 && gemm_dims.k == 0 &&
              gemm_dims.a_row_stride == 0 && gemm_dims.b_row_stride == 0 &&
              gemm_dims.c_row_stride == 0 && gemm_dims.batch_rank == 0);
  const SoftmaxDims softmax;
  EXPECT_TRUE(softmax.outer == 1 && softmax.width == 1 && softmax.inner == 1 &&
              !SoftmaxProblem().logarithm);
  const NormProblem norm;
  EXPECT_TRUE(norm.epsilon == 1e-5f && norm.groups == 0 && !norm.has_residual);
  const NormDims norm_dims;
  EXPECT_TRUE(norm_dims.batch == 1 && norm_dims.channels == 1 && norm_dims.width == 1);
  const ReduceDims reduce;
  EXPECT_TRUE(reduce.kept0 == 1 && reduce.reduced0 == 1 && reduce.kept1 == 1 &&
              reduce.reduced1 == 1);
  const RecurrentProblem layer;
  EXPECT_TRUE(layer.directions == 1 && layer.input == 0 && layer.hidden == 0 &&
              !layer.first_reversed && !layer.batch_first && !layer.relu &&
              !layer.linear_before_reset && !layer.has_peepholes);
  EXPECT_TRUE(RecurrentDims().steps == 0 && RecurrentDims().batch == 0);
  const ResizeProblem resize;
  EXPECT_TRUE(resize.cubic_a == -0.75f && resize.extrapolation == 0 && !resize.exclude_outside &&
              !resize.antialias);
  const ResizeDims resize_dims;
  EXPECT_TRUE(resize_dims.outer == 1 && resize_dims.inner == 1 && resize_dims.in == ones &&
              resize_dims.out == ones);
  for (size_t i = 0; i < 3; ++i)
    EXPECT_TRUE(resize_dims.scales[i] == 1 && resize_dims.roi_begin[i] == 0 &&
                resize_dims.roi_end[i] == 1);
  EXPECT_EQ(StridedCopyProblem().element_size, 4);
  EXPECT_EQ(StridedCopyDims().rank, 0);
  const ReorderDims reorder;
  EXPECT_TRUE(reorder.batch == 1 && reorder.channels == 1 && reorder.spatial == 1);
  EXPECT_TRUE(ElementwiseDims().rank == 0 && ElementwiseProgram().input_count == 0 &&
              ElementwiseProgram().instruction_count == 0 &&
              ElementwiseProgram().output_count == 0);
  const EpilogueStep step;
  EXPECT_TRUE(step.op == Opcode::kCopy && step.operand == OperandShape::kNone &&
              !step.operand_first && step.p == 0 && step.q == 0);
  EXPECT_TRUE(!Epilogue().has_bias && Epilogue().step_count == 0);
}

}  // namespace
}  // namespace shipway::kernels
