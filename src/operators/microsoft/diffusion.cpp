// Operators that ONNX Runtime's optimiser writes for image generators: sums and gates around
// products, and group normalisation with the channels last.
#include "operators/downgrade_steps.h"
#include "operators/microsoft/quantized_parts.h"
#include "operators/microsoft/with_body.h"

namespace shipway {
namespace {

/// Y = X + bias + skip
Status expand_bias_add(NodeRewrite& rewrite) {
  const Node& node = rewrite.node();
  const ValueId biased = rewrite.insert("Add", {node.input(0), node.input(1)});
  rewrite.replace("Add", {biased, node.input(2)});
  return Status::ok();
}

/// Y = a gelu(b), where a and b are the halves of X + bias along the last axis
Status expand_bias_split_gelu(NodeRewrite& rewrite) {
  const Node& node = rewrite.node();
  const Dims* dims = rewrite.input_type(0).dims();
  if (!dims || dims->empty() || !dims->back().is_constant())
    return Status::unsupported("the last size of input 0 is not known before the run");
  const int64_t width = dims->back().value();
  if (width % 2 != 0)
    return Status::invalid_model("the last size of input 0 is {}, expected two halves", width);
  const ValueId x = rewrite.insert("Add", {node.input(0), node.input(1)});
  const auto half = [&](int64_t begin) {
    const auto list = [&](const char* name, int64_t value) {
      return rewrite.add_ints(name, std::vector<int64_t>{value});
    };
    return rewrite.insert(
        "Slice", {x, list("starts", begin), list("ends", begin + width / 2), list("axes", -1)});
  };
  const ValueId a = half(0);
  rewrite.replace("Mul", {a, rewrite.insert("Gelu", {half(width / 2)})});
  return Status::ok();
}

/// Output 0 = swish or nothing of the normalised `x`, whose channels stand where attribute
/// 'channels_last' says.
Status normalize_groups(NodeRewrite& rewrite, ValueId x) {
  const Node& node = rewrite.node();
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t rank, known_rank(rewrite, 0));
  SHIPWAY_ASSIGN_OR_RETURN(const DType dtype, known_dtype(rewrite, 0));
  const auto like_x = [&](ValueId parameter) {
    return rewrite.insert("Cast", {parameter}, {{"to", static_cast<int64_t>(dtype)}});
  };
  const bool channels_last = rewrite.int_attribute("channels_last") != 0;
  if (channels_last) x = rewrite.insert("Transpose", {x}, {{"perm", channels_to_front(rank)}});
  ValueId y =
      rewrite.insert("GroupNormalization", {x, like_x(node.input(1)), like_x(node.input(2))},
                     {{"num_groups", rewrite.int_attribute("groups")},
                      {"epsilon", rewrite.float_attribute("epsilon")}});
  if (channels_last) y = rewrite.insert("Transpose", {y}, {{"perm", channels_to_back(rank)}});
  const bool is_active = rewrite.int_attribute("activation") != 0;
  make_output(rewrite, 0, is_active ? "Swish" : "Identity", {y});
  return Status::ok();
}

Status expand_group_norm(NodeRewrite& rewrite) {
  return normalize_groups(rewrite, rewrite.node().input(0));
}

/// The sum with the skip connection, which may be one row of channels, and a bias is output 1.
Status expand_skip_group_norm(NodeRewrite& rewrite) {
  const Node& node = rewrite.node();
  if (rewrite.int_attribute("channels_last") == 0)
    return Status::unsupported("attribute 'channels_last' is 0, which is not computed");
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t skip_rank, known_rank(rewrite, 3));
  ValueId skip = node.input(3);
  if (skip_rank == 2)
    skip =
        rewrite.insert("Unsqueeze", {skip, rewrite.add_ints("axes", std::vector<int64_t>{1, 2})});
  ValueId x = node.input(0);
  if (node.input(4).is_valid()) x = rewrite.insert("Add", {x, node.input(4)});
  return normalize_groups(rewrite, make_output(rewrite, 1, "Add", {x, skip}));
}

constexpr std::string_view kGroupNormAttributes =
    "activation: int!; channels_last: int = 1; epsilon: float = 1e-05; groups: int!";

}  // namespace

const Operator& microsoft_bias_add_operator() {
  static const Operator definition = microsoft_with_body(
      "BiasAdd", "Sum of a tensor, a bias along its last axis, and a skip connection.",
      "(X: T, bias: T, skip: T) -> (Y: T)", "T: float16 float", {}, expand_bias_add);
  return definition;
}

const Operator& microsoft_bias_split_gelu_operator() {
  static const Operator definition = microsoft_with_body(
      "BiasSplitGelu", "Half of a biased tensor times Gelu of the other half.",
      "(X: T, bias: T) -> (Y: T)", "T: float16 float", {}, expand_bias_split_gelu);
  return definition;
}

const Operator& microsoft_group_norm_operator() {
  static const Operator definition = microsoft_with_body(
      "GroupNorm", "GroupNormalization with the channels last, then Swish or nothing.",
      "(X: T, gamma: M, beta: M) -> (Y: T)", "T: float16 float; M: float16 float",
      kGroupNormAttributes, expand_group_norm);
  return definition;
}

const Operator& microsoft_skip_group_norm_operator() {
  static const Operator definition = microsoft_with_body(
      "SkipGroupNorm", "GroupNorm of a tensor plus its skip connection and a bias.",
      "(X: T, gamma: M, beta: M, skip: T, bias?: T) -> (Y: T, S?: T)",
      "T: float16 float; M: float16 float", kGroupNormAttributes, expand_skip_group_norm);
  return definition;
}

}  // namespace shipway
