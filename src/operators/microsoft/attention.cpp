// Attention of ONNX Runtime (com.microsoft, not ai.onnx): self-attention with its projection
// inside, of floats and of quantised tensors.
//
// Q K V = input weights + bias, side by side; output = softmax(Q K^T * scale + mask) V
#include <array>
#include <cmath>

#include "operators/body.h"
#include "operators/microsoft/attention_parts.h"
#include "operators/microsoft/quantized_parts.h"

namespace shipway {
namespace {

/// Columns of Q, K and V in the weights.
using HiddenSizes = std::array<int64_t, 3>;

Result<HiddenSizes> read_hidden_sizes(const NodeRewrite& rewrite) {
  const std::span<const int64_t> given = rewrite.ints_attribute("qkv_hidden_sizes");
  HiddenSizes sizes{};
  if (given.size() == 3) {
    std::copy(given.begin(), given.end(), sizes.begin());
  } else if (!given.empty()) {
    return Status::invalid_model("attribute 'qkv_hidden_sizes' has {} values, expected 3",
                                 given.size());
  } else {
    const std::optional<int64_t> columns = known_size(rewrite, 1, 1);
    if (!columns) return Status::unsupported("the number of columns of input 1 is not known");
    if (*columns % 3 != 0)
      return Status::invalid_model("input 1 has {} columns, expected three equal parts", *columns);
    sizes.fill(*columns / 3);
  }
  SHIPWAY_RETURN_IF_ERROR(check_head_count(rewrite, "num_heads"));
  const int64_t heads = rewrite.int_attribute("num_heads");
  constexpr int64_t kMost = int64_t{1} << 31;  // so that three fit in an int64
  for (int64_t size : sizes)
    if (size < 1 || size > kMost || size % heads != 0)
      return Status::invalid_model(
          "{} heads (attribute 'num_heads') do not divide {} features of Q, K or V", heads, size);
  if (sizes[0] != sizes[1])
    return Status::invalid_model("Q has {} features, but K {}", sizes[0], sizes[1]);
  return sizes;
}

/// From Q, K and V [batch, sequence, hidden] on: heads, what came before, masks, the attention.
Status attend_to_itself(NodeRewrite& rewrite, std::array<ValueId, 3> projected,
                        const HiddenSizes& sizes, size_t mask_input, size_t past_input,
                        AttentionParts parts) {
  const Node& node = rewrite.node();
  if (rewrite.int_attribute("do_rotary") != 0)
    return Status::unsupported(
        "attribute 'do_rotary' is not computed; rotate with RotaryEmbedding");
  if (rewrite.int_attribute("past_present_share_buffer") != 0)
    return Status::unsupported("attribute 'past_present_share_buffer' is not computed");
  const int64_t heads = rewrite.int_attribute("num_heads");
  parts.query = split_heads(rewrite, projected[0], heads, sizes[0]);
  parts.key = split_heads(rewrite, projected[1], heads, sizes[1]);
  parts.value = split_heads(rewrite, projected[2], heads, sizes[2]);
  parts.value_hidden = sizes[2];
  const float scale = rewrite.float_attribute("scale");
  parts.scale = scale != 0 ? scale : 1 / std::sqrt(static_cast<float>(sizes[0] / heads));
  if (const ValueId past = node.input(past_input); past.is_valid()) {
    const auto half = [&](int64_t i) {
      const ValueId index = rewrite.add_constant("half", Tensor::scalar(i));
      return rewrite.insert("Gather", {past, index}, {{"axis", int64_t{0}}});
    };
    const std::vector<Attribute> along{{"axis", int64_t{2}}};
    parts.past_key = half(0);
    parts.key = rewrite.insert("Concat", {*parts.past_key, parts.key}, along);
    parts.value = rewrite.insert("Concat", {half(1), parts.value}, along);
  }
  if (node.output(1).is_valid()) {
    const ValueId axes = rewrite.add_ints("axes", std::vector<int64_t>{0});
    make_output(rewrite, 1, "Concat",
                {rewrite.insert("Unsqueeze", {parts.key, axes}),
                 rewrite.insert("Unsqueeze", {parts.value, axes})},
                {{"axis", int64_t{0}}});
  }
  if (node.input(mask_input).is_valid())
    SHIPWAY_RETURN_IF_ERROR(add_mask(rewrite, mask_input, parts));
  if (rewrite.int_attribute("unidirectional") != 0) add_causal_mask(rewrite, parts);
  return attend(rewrite, parts);
}

Status expand_attention(NodeRewrite& rewrite) {
  const Node& node = rewrite.node();
  if (node.input(6).is_valid())
    return Status::unsupported("input 'past_sequence_length' is not computed");
  SHIPWAY_ASSIGN_OR_RETURN(const HiddenSizes sizes, read_hidden_sizes(rewrite));
  std::array<ValueId, 3> projected;
  int64_t begin = 0;
  for (size_t i = 0; i < 3; ++i) {  // constant weights are cut once, not in every run
    const int64_t end = begin + sizes[i];
    const ValueId weights = slice_columns(rewrite, node.input(1), begin, end);
    projected[i] = rewrite.insert("MatMul", {node.input(0), weights});
    if (node.input(2).is_valid())
      projected[i] =
          rewrite.insert("Add", {projected[i], slice_columns(rewrite, node.input(2), begin, end)});
    begin = end;
  }
  AttentionParts parts;
  if (node.input(5).is_valid()) SHIPWAY_RETURN_IF_ERROR(add_bias(rewrite, 5, parts));
  return attend_to_itself(rewrite, projected, sizes, 3, 4, std::move(parts));
}

Status expand_qattention(NodeRewrite& rewrite) {
  const Node& node = rewrite.node();
  SHIPWAY_ASSIGN_OR_RETURN(const HiddenSizes sizes, read_hidden_sizes(rewrite));
  SHIPWAY_ASSIGN_OR_RETURN(const DType dtype, known_dtype(rewrite, 2));
  const ValueId all =
      multiply_quantized(rewrite, {.a = centred(rewrite, node.input(0), node.input(6)),
                                   .b = centred(rewrite, node.input(1), node.input(7)),
                                   .scales = {node.input(3), node.input(4)},
                                   .bias = node.input(2),
                                   .dtype = dtype});
  std::array<ValueId, 3> projected;
  for (size_t i = 0; i < 3; ++i)
    projected[i] = slice_columns(rewrite, all, static_cast<int64_t>(i) * sizes[0],
                                 static_cast<int64_t>(i + 1) * sizes[0]);
  AttentionParts parts;
  parts.like = 2;
  return attend_to_itself(rewrite, projected, sizes, 5, 8, std::move(parts));
}

}  // namespace

const Operator& microsoft_attention_operator() {
  static const Operator definition{
      .domain = "com.microsoft",
      .name = "Attention",
      .summary = "Self-attention with the projection to queries, keys and values inside.",
      .versions = {{.since = 1,
                    .signature = "(input: T, weights: T, bias?: T, mask_index?: M, past?: T, "
                                 "attention_bias?: T, past_sequence_length?: M) -> (output: T, "
                                 "present?: T)",
                    .types = "T: float float16 bfloat16; M: int32",
                    .attributes =
                        "do_rotary: int?; mask_filter_value: float?; num_heads: int!; "
                        "past_present_share_buffer: int?; qkv_hidden_sizes: ints?; "
                        "rotary_embedding_dim: int?; scale: float?; unidirectional: int = 0",
                    .upgrade = expand_attention}},
      .infer = infer_by_body,
      .evaluate = evaluate_by_body,
  };
  return definition;
}

const Operator& microsoft_qattention_operator() {
  static const Operator definition{
      .domain = "com.microsoft",
      .name = "QAttention",
      .summary = "Self-attention whose projection multiplies quantised tensors.",
      .versions = {{.since = 1,
                    .signature =
                        "(input: T1, weight: T2, bias: T3, input_scale: T3, weight_scale: T3, "
                        "mask_index?: T4, input_zero_point?: T1, weight_zero_point?: T2, past?: "
                        "T3) -> (output: T3, present?: T3)",
                    .types = "T1: int8 uint8; T2: int8 uint8; T3: float float16; T4: int32",
                    .attributes = "do_rotary: int?; mask_filter_value: float?; num_heads: int!; "
                                  "past_present_share_buffer: int?; scale: float?; "
                                  "unidirectional: int = 0",
                    .upgrade = expand_qattention}},
      .infer = infer_by_body,
      .evaluate = evaluate_by_body,
  };
  return definition;
}

}  // namespace shipway
