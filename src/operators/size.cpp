// Size: number of elements of a tensor.
#include "operators/operator.h"

namespace shipway {

namespace {

Status infer_size(InferContext& context) {
  context.set_output(0, DType::kInt64, {});
  if (const Dims* dims = context.input_dims(0))
    context.set_output_contents(0, {context.dims().product(*dims)});
  return Status::ok();
}

Status evaluate_size(EvaluateContext& context) {
  context.set_output(0, Tensor::scalar(context.input(0).element_count()));
  return Status::ok();
}

}  // namespace

const Operator& size_operator() {
  static const Operator definition{
      .name = "Size",
      .summary = "Number of elements of a tensor.",
      .versions =
          {{.since = 1, .signature = "(data: T) -> (size: T1)", .types = "T: all_ir3; T1: int64"},
           {.since = 13, .signature = "(data: T) -> (size: T1)", .types = "T: all_ir4; T1: int64"},
           {.since = 19, .signature = "(data: T) -> (size: T1)", .types = "T: all_ir9; T1: int64"},
           {.since = 21, .signature = "(data: T) -> (size: T1)", .types = "T: all_ir10; T1: int64"},
           {.since = 23, .signature = "(data: T) -> (size: T1)", .types = "T: all_ir11; T1: int64"},
           {.since = 24, .signature = "(data: T) -> (size: T1)", .types = "T: all_ir12; T1: int64"},
           {.since = 25,
            .signature = "(data: T) -> (size: T1)",
            .types = "T: all_ir13; T1: int64"}},
      .infer = infer_size,
      .evaluate = evaluate_size,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
