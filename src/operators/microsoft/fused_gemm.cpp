// FusedGemm of ONNX Runtime: a matrix product of Gemm's form with an activation behind it.
#include "operators/body.h"
#include "operators/microsoft/fused_activation.h"

namespace shipway {
namespace {

/// The numbers of the activation that the node gives, in order.
std::vector<float> activation_parameters(const AttributeReader& node) {
  std::vector<float> parameters;
  for (const char* name : {"activation_alpha", "activation_beta", "activation_gamma"})
    if (node.has_attribute(name)) parameters.push_back(node.float_attribute(name));
  return parameters;
}

Status expand_fused_gemm(NodeRewrite& rewrite) {
  const Node& node = rewrite.node();
  std::vector<Attribute> attributes;
  for (const Attribute& attribute : node.attributes())
    if (!attribute.name.starts_with("activation")) attributes.push_back(attribute);
  const std::vector<ValueId> inputs(node.inputs().begin(), node.inputs().end());
  return replace_by_activation(rewrite, rewrite.insert("Gemm", inputs, std::move(attributes)),
                               rewrite.string_attribute("activation"),
                               activation_parameters(rewrite));
}

}  // namespace

const Operator& microsoft_fused_gemm_operator() {
  static const Operator definition{
      .domain = "com.microsoft",
      .name = "FusedGemm",
      .summary = "Gemm, then an activation.",
      .versions = {{.since = 1,
                    .signature = "(A: T, B: T, C?: T) -> (Y: T)",
                    .types = "T: floats uint32 uint64 int32 int64",
                    .attributes =
                        "activation: string?; activation_alpha: float?; activation_beta: float?; "
                        "activation_gamma: float?; alpha: float = 1.0; beta: float = 1.0; "
                        "transA: int = 0; transB: int = 0",
                    .upgrade = expand_fused_gemm}},
      .infer = infer_by_body,
      .evaluate = evaluate_by_body,
  };
  return definition;
}

}  // namespace shipway
