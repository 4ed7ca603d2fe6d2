// MatMul: matrix product over the last two axes; the leading ones broadcast.
#include "operators/matmul_loops.h"

namespace shipway {
namespace {

Status infer(InferContext& context) { return infer_matmul(context, 0, 1, context.input_dtype(0)); }

template <typename T>
Status multiply(EvaluateContext& context) {
  SHIPWAY_ASSIGN_OR_RETURN(const MatMulShape shape,
                           MatMulShape::of(context.input(0).shape(), context.input(1).shape()));
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t count, shape.output_count());
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<T> a, read_elements<T>(context.input(0)));
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<T> b, read_elements<T>(context.input(1)));
  std::vector<T> c(static_cast<size_t>(count));
  SHIPWAY_RETURN_IF_ERROR(multiply_stacks(context, shape, a.data(), b.data(), c.data()));
  return write_output(context, 0, context.input(0).dtype(), shape.output, c);
}

Status evaluate(EvaluateContext& context) {
  return kind_of(context.input(0).dtype()) == DTypeKind::kFloat ? multiply<double>(context)
                                                                : multiply<uint64_t>(context);
}

}  // namespace

const Operator& matmul_operator() {
  static const Operator definition{
      .name = "MatMul",
      .summary = "Matrix product over the last two axes; the leading ones broadcast.",
      .versions = {{.since = 1, .signature = "(A: T, B: T) -> (Y: T)", .types = "T: floats"},
                   {.since = 9,
                    .signature = "(A: T, B: T) -> (Y: T)",
                    .types = "T: floats int32 int64 uint32 uint64"},
                   {.since = 13,
                    .signature = "(A: T, B: T) -> (Y: T)",
                    .types = "T: floats int32 int64 uint32 uint64 bfloat16"}},
      .infer = infer,
      .evaluate = evaluate,
  };
  return definition;
}

}  // namespace shipway
