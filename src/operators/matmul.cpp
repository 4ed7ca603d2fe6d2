// MatMul: matrix product over the last two axes; the leading ones broadcast.
#include "operators/matmul_loops.h"
#include "operators/reals.h"

namespace shipway {
namespace {

Status infer(InferContext& context) { return infer_matmul(context, 0, 1, context.input_dtype(0)); }

template <typename T, typename Sum>
Status multiply(EvaluateContext& context, const MatMulShape& shape, const T* a, const T* b) {
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t count, shape.output_count());
  std::vector<Sum> c(static_cast<size_t>(count));
  SHIPWAY_RETURN_IF_ERROR(multiply_stacks(context, shape, a, b, c.data()));
  return write_output(context, 0, context.input(0).dtype(), shape.output, c);
}

Status evaluate(EvaluateContext& context) {
  const Tensor &a = context.input(0), &b = context.input(1);
  SHIPWAY_ASSIGN_OR_RETURN(const MatMulShape shape, MatMulShape::of(a.shape(), b.shape()));
  if (kind_of(a.dtype()) == DTypeKind::kFloat)
    return visit_real_type(a.dtype(), [&](auto type) -> Status {
      using T = decltype(type);
      SHIPWAY_ASSIGN_OR_RETURN(const Reals<T> x, Reals<T>::of(a));
      SHIPWAY_ASSIGN_OR_RETURN(const Reals<T> y, Reals<T>::of(b));
      return multiply<T, double>(context, shape, x.data(), y.data());
    });
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<uint64_t> x, to_uints(a));
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<uint64_t> y, to_uints(b));
  return multiply<uint64_t, uint64_t>(context, shape, x.data(), y.data());
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
