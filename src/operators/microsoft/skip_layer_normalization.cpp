// Normalisations of ONNX Runtime: layer and root-mean-square normalisation, alone and of a sum of a
// tensor, its skip connection and a bias.
#include "operators/body.h"
#include "operators/downgrade_steps.h"

namespace shipway {
namespace {

// ---------------------------------------------------------------- of a sum

enum class Kind : uint8_t { kLayer, kRootMeanSquare };

/// y = normalise(input + skip + bias) * gamma + beta
Status expand_skip_normalization(NodeRewrite& rewrite, Kind kind) {
  const Node& node = rewrite.node();
  const size_t bias = kind == Kind::kLayer ? 4 : 3;
  ValueId x = node.input(0);
  if (node.input(bias).is_valid()) x = rewrite.insert("Add", {x, node.input(bias)});
  const ValueId sum = make_output(rewrite, 3, "Add", {x, node.input(1)});
  const std::vector<Attribute> attributes{{"epsilon", rewrite.float_attribute("epsilon")}};
  if (kind == Kind::kRootMeanSquare) {
    if (node.output(1).is_valid() || node.output(2).is_valid())
      return Status::unsupported("mean and inverse deviation are not computed");
    make_output(rewrite, 0, "RMSNormalization", {sum, node.input(2)}, attributes);
    return Status::ok();
  }
  std::vector<ValueId> inputs{sum, node.input(2)};
  if (node.input(3).is_valid()) inputs.push_back(node.input(3));
  std::vector<ValueId> outputs{node.output(0)};
  if (node.output(1).is_valid() || node.output(2).is_valid()) {
    outputs.push_back(node.output(1));
    outputs.push_back(node.output(2));
  }
  rewrite.replace("LayerNormalization", inputs, attributes, "", outputs);
  return Status::ok();
}

Status expand_skip_layer(NodeRewrite& rewrite) {
  return expand_skip_normalization(rewrite, Kind::kLayer);
}
Status expand_skip_simplified(NodeRewrite& rewrite) {
  return expand_skip_normalization(rewrite, Kind::kRootMeanSquare);
}

// ---------------------------------------------------------------- alone

/// y = x * inverse * scale, inverse = 1 / sqrt(mean(x * x) + epsilon) over the axes from `axis` on
Status expand_simplified(NodeRewrite& rewrite) {
  const Node& node = rewrite.node();
  const float epsilon = rewrite.float_attribute("epsilon");
  if (node.output(1).is_valid()) {
    SHIPWAY_ASSIGN_OR_RETURN(const std::vector<int64_t> axes, trailing_axes(rewrite));
    const std::vector<Attribute> to_float{{"to", static_cast<int64_t>(DType::kFloat32)}};
    const ValueId x = rewrite.insert("Cast", {node.input(0)}, to_float);
    const ValueId mean = rewrite.insert(
        "ReduceMean", {rewrite.insert("Mul", {x, x}), rewrite.add_ints("axes", axes)});
    const ValueId root = rewrite.insert(
        "Sqrt",
        {rewrite.insert("Add", {mean, rewrite.add_constant("epsilon", Tensor::scalar(epsilon))})});
    make_output(rewrite, 1, "Reciprocal", {root});
  }
  make_output(rewrite, 0, "RMSNormalization", {node.input(0), node.input(1)},
              {{"axis", rewrite.int_attribute("axis")},
               {"epsilon", epsilon},
               {"stash_type", rewrite.int_attribute("stash_type")}});
  return Status::ok();
}

}  // namespace

const Operator& simplified_layer_normalization_operator() {
  static const Operator definition{
      .name = "SimplifiedLayerNormalization",
      .summary = "ONNX Runtime's older name of RMSNormalization.",
      .versions = {{.since = 1,
                    .signature = "(X: T, scale: V) -> (Y: V, inv_std_var?: U)",
                    .types = "T: floats bfloat16; U: float double; V: floats bfloat16",
                    .attributes = "axis: int = -1; epsilon: float = 1e-05; stash_type: int = 1",
                    .upgrade = expand_simplified}},
      .infer = infer_by_body,
      .evaluate = evaluate_by_body,
  };
  return definition;
}

const Operator& microsoft_skip_layer_normalization_operator() {
  static const Operator definition{
      .domain = "com.microsoft",
      .name = "SkipLayerNormalization",
      .summary = "LayerNormalization of a tensor plus its skip connection and a bias.",
      .versions = {{.since = 1,
                    .signature = "(input: T, skip: T, gamma: T, beta?: T, bias?: T) -> (output: T, "
                                 "mean?: U, inv_std_var?: U, input_skip_bias_sum?: T)",
                    .types = "T: floats bfloat16; U: float",
                    .attributes = "epsilon: float = 1e-12",
                    .upgrade = expand_skip_layer}},
      .infer = infer_by_body,
      .evaluate = evaluate_by_body,
  };
  return definition;
}

const Operator& microsoft_skip_simplified_layer_normalization_operator() {
  static const Operator definition{
      .domain = "com.microsoft",
      .name = "SkipSimplifiedLayerNormalization",
      .summary = "RMSNormalization of a tensor plus its skip connection and a bias.",
      .versions = {{.since = 1,
                    .signature = "(input: T, skip: T, gamma: T, bias?: T) -> (output: T, mean?: U, "
                                 "inv_std_var?: U, input_skip_bias_sum?: T)",
                    .types = "T: floats bfloat16; U: float",
                    .attributes = "epsilon: float = 1e-12",
                    .upgrade = expand_skip_simplified}},
      .infer = infer_by_body,
      .evaluate = evaluate_by_body,
  };
  return definition;
}

}  // namespace shipway
