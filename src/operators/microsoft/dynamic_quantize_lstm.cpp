// DynamicQuantizeLSTM of ONNX Runtime: an LSTM with 8-bit weights.
//
// Its own implementation rounds the inputs of every product to 8 bits too; the body does not, and
// so is nearer to the LSTM that was quantised.
#include "operators/body.h"
#include "operators/microsoft/quantized_parts.h"

namespace shipway {
namespace {

/// Weights [directions, inputs, gates] with scales and zero points for each direction, or for each
/// gate of it, as LSTM takes them: [directions, gates, inputs].
Result<ValueId> weights(NodeRewrite& rewrite, size_t w, size_t scale) {
  const Node& node = rewrite.node();
  const Dims* dims = rewrite.input_type(scale).dims();
  if (!dims || dims->empty() || dims->size() > 2)
    return Status::unsupported("the rank of input {} is not known before the run", scale);
  const std::vector<int64_t> axes =
      dims->size() == 1 ? std::vector<int64_t>{1, 2} : std::vector<int64_t>{1};
  const auto along_gates = [&](ValueId x) {
    return rewrite.insert("Unsqueeze", {x, rewrite.add_ints("axes", axes)});
  };
  const ValueId numbers = centred(rewrite, node.input(w), along_gates(node.input(scale + 1)));
  const ValueId scaled = rewrite.insert("Mul", {numbers, along_gates(node.input(scale))});
  return rewrite.insert("Transpose", {scaled}, {{"perm", std::vector<int64_t>{0, 2, 1}}});
}

Status expand_dynamic_quantize_lstm(NodeRewrite& rewrite) {
  const Node& node = rewrite.node();
  SHIPWAY_ASSIGN_OR_RETURN(const ValueId w, weights(rewrite, 1, 8));
  SHIPWAY_ASSIGN_OR_RETURN(const ValueId r, weights(rewrite, 2, 10));
  std::vector<ValueId> inputs{node.input(0), w, r};
  for (size_t i = 3; i < 8; ++i) inputs.push_back(node.input(i));
  while (inputs.back() == ValueId{}) inputs.pop_back();
  rewrite.replace("LSTM", std::move(inputs), {node.attributes().begin(), node.attributes().end()});
  return Status::ok();
}

}  // namespace

const Operator& microsoft_dynamic_quantize_lstm_operator() {
  static const Operator definition{
      .domain = "com.microsoft",
      .name = "DynamicQuantizeLSTM",
      .summary = "LSTM with weights of 8-bit numbers.",
      .versions = {{.since = 1,
                    .signature = "(X: T, W: T2, R: T2, B?: T, sequence_lens?: T1, initial_h?: T, "
                                 "initial_c?: T, P?: T, W_scale: T, W_zero_point: T2, R_scale: T, "
                                 "R_zero_point: T2) -> (Y?: T, Y_h?: T, Y_c?: T)",
                    .types = "T: float; T1: int32; T2: uint8 int8",
                    .attributes =
                        "activation_alpha: floats?; activation_beta: floats?; activations: "
                        "strings?; clip: float?; direction: string = 'forward'; hidden_size: int?; "
                        "input_forget: int = 0",
                    .upgrade = expand_dynamic_quantize_lstm}},
      .infer = infer_by_body,
      .evaluate = evaluate_by_body,
  };
  return definition;
}

}  // namespace shipway
