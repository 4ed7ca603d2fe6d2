// BitCast: reads the same bits as another dtype.
#include "operators/operator.h"
#include "tensor/convert.h"

namespace shipway {

namespace {

Result<DType> target_dtype(const AttributeReader& node, DType from) {
  const int64_t number = node.int_attribute("to");
  if (!is_valid_dtype(number))
    return Status::invalid_model("attribute 'to' is {}, which is no dtype", number);
  const auto to = static_cast<DType>(number);
  if (from != DType::kUndefined && bit_width(from) != bit_width(to))
    return Status::invalid_model("attribute 'to' is {} of {} bits, but the input is {} of {}",
                                 to_string(to), bit_width(to), to_string(from), bit_width(from));
  if (from == DType::kString || to == DType::kString)
    return Status::invalid_model("strings have no bits to cast");
  return to;
}

Status infer_bit_cast(InferContext& context) {
  SHIPWAY_ASSIGN_OR_RETURN(const DType to, target_dtype(context, context.input_dtype(0)));
  if (const Dims* dims = context.input_dims(0)) {
    context.set_output(0, to, *dims);
  } else {
    context.set_output_dtype(0, to);
  }
  return Status::ok();
}

Status evaluate_bit_cast(EvaluateContext& context) {
  const Tensor& input = context.input(0);
  SHIPWAY_ASSIGN_OR_RETURN(const DType to, target_dtype(context, input.dtype()));
  SHIPWAY_ASSIGN_OR_RETURN(
      Tensor cast, Tensor::from_storage(to, input.shape(), input.storage(), input.byte_offset()));
  if (to == DType::kBool) {  // any bits but 0 mean true, and are stored as 1
    SHIPWAY_ASSIGN_OR_RETURN(const std::vector<uint64_t> bits, to_uints(input));
    SHIPWAY_ASSIGN_OR_RETURN(cast, from_uints(DType::kBool, input.shape(), bits));
  }
  context.set_output(0, std::move(cast));
  return Status::ok();
}

}  // namespace

const Operator& bit_cast_operator() {
  static const Operator definition{
      .name = "BitCast",
      .summary = "Reads the same bits as another dtype.",
      .versions =
          {{.since = 26,
            .signature = "(input: T1) -> (output: T2)",
            .types =
                "T1: numeric float8s complexes int4s int2s bool bfloat16 float4e2m1 float8e8m0; "
                "T2: numeric float8s complexes int4s int2s bool bfloat16 float4e2m1 float8e8m0",
            .attributes = "to: int!"}},
      .infer = infer_bit_cast,
      .evaluate = evaluate_bit_cast,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
