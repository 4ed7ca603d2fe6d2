// The Gelu family of ONNX Runtime: what its optimiser makes of Erf, Tanh or Sigmoid and their
// neighbours.
#include "operators/microsoft/with_body.h"

namespace shipway {
namespace {

/// Gelu and its kin take a bias along the last axis, which changes no shape.
ValueId biased_input(NodeRewrite& rewrite) {
  const ValueId x = rewrite.node().input(0), bias = rewrite.node().input(1);
  return bias.is_valid() ? rewrite.insert("Add", {x, bias}) : x;
}

/// y = gelu(x + bias)
Status expand_gelu(NodeRewrite& rewrite) {
  rewrite.replace("Gelu", {biased_input(rewrite)});
  return Status::ok();
}

/// y = gelu(x + bias) with tanh in place of erf
Status expand_fast_gelu(NodeRewrite& rewrite) {
  rewrite.replace("Gelu", {biased_input(rewrite)}, {{"approximate", std::string("tanh")}});
  return Status::ok();
}

/// y = x sigmoid(alpha x)
Status expand_quick_gelu(NodeRewrite& rewrite) {
  rewrite.replace("Swish", {rewrite.node().input(0)},
                  {{"alpha", rewrite.float_attribute("alpha")}});
  return Status::ok();
}

Operator gelu_like(std::string name, std::string summary, std::string_view signature,
                   Schema::Rewrite body, std::string_view attributes = {}) {
  return microsoft_with_body(std::move(name), std::move(summary), signature, "T: floats bfloat16",
                             attributes, body);
}

}  // namespace

const Operator& microsoft_bias_gelu_operator() {
  static const Operator definition =
      gelu_like("BiasGelu", "Gelu of a tensor plus a bias along its last axis.",
                "(A: T, B: T) -> (C: T)", expand_gelu);
  return definition;
}

const Operator& microsoft_fast_gelu_operator() {
  static const Operator definition =
      gelu_like("FastGelu", "Gelu by tanh of a tensor plus a bias along its last axis.",
                "(X: T, bias?: T) -> (Y: T)", expand_fast_gelu);
  return definition;
}

const Operator& microsoft_gelu_operator() {
  static const Operator definition = gelu_like(
      "Gelu", "x times the Gaussian distribution function of x.", "(X: T) -> (Y: T)", expand_gelu);
  return definition;
}

const Operator& microsoft_quick_gelu_operator() {
  static const Operator definition =
      gelu_like("QuickGelu", "x times the sigmoid of alpha x.", "(X: T) -> (Y: T)",
                expand_quick_gelu, "alpha: float = 1.702");
  return definition;
}

}  // namespace shipway
