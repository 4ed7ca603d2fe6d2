// MultiHeadAttention of ONNX Runtime: attention on queries, keys and values that are projected
// already, in the layouts that its optimiser leaves them in.
#include <cmath>

#include "operators/body.h"
#include "operators/downgrade_steps.h"
#include "operators/microsoft/attention_parts.h"

namespace shipway {
namespace {

constexpr size_t kQuery = 0, kKey = 1, kValue = 2, kBias = 3, kMask = 4, kAttentionBias = 5,
                 kPastKey = 6, kPastValue = 7;

/// How keys and values come.
enum class Layout : uint8_t {
  kQueryKeyValue,  // all in the query: [batch, sequence, heads, 3, size]
  kKeyValue,       // both in the key: [batch, total, heads, 2, size]
  kFlat,           // [batch, total, heads * size] each
  kHeads,          // [batch, heads, total, size] each
};

Result<Layout> layout_of(size_t query_rank, std::optional<size_t> key_rank, bool has_value) {
  if (query_rank == 5 && !key_rank) return Layout::kQueryKeyValue;
  if (query_rank == 3 && key_rank == 5 && !has_value) return Layout::kKeyValue;
  if (query_rank == 3 && key_rank == 3 && has_value) return Layout::kFlat;
  if (query_rank == 3 && key_rank == 4 && has_value) return Layout::kHeads;
  return Status::invalid_model(
      "'query' has rank {}, 'key' {}, and 'value' is {}: no layout of this operator", query_rank,
      key_rank ? "rank " + std::to_string(*key_rank) : "is left out",
      has_value ? "given" : "left out");
}

/// Part `part` of axis 3 of a tensor [batch, sequence, heads, parts, size], as heads.
ValueId packed_heads(NodeRewrite& rewrite, ValueId x, int64_t part) {
  const ValueId index = rewrite.add_constant("part", Tensor::scalar(part));
  const ValueId one = rewrite.insert("Gather", {x, index}, {{"axis", int64_t{3}}});
  return rewrite.insert("Transpose", {one}, {{"perm", std::vector<int64_t>{0, 2, 1, 3}}});
}

struct Hidden {
  int64_t query = -1, key = -1, value = -1;  // features of all heads; -1: not known
};

/// [batch, sequence, hidden] of input `i` plus its part of the bias, as heads.
Result<ValueId> flat_heads(NodeRewrite& rewrite, size_t i, int64_t begin, int64_t hidden) {
  const Node& node = rewrite.node();
  ValueId x = node.input(i);
  if (node.input(kBias).is_valid()) {
    if (hidden < 0)
      return Status::unsupported("the last size of input {} is not known before the run", i);
    x = rewrite.insert("Add",
                       {x, slice_columns(rewrite, node.input(kBias), begin, begin + hidden)});
  }
  return split_heads(rewrite, x, rewrite.int_attribute("num_heads"), hidden);
}

/// Queries, keys and values as heads.
Result<AttentionParts> read_parts(NodeRewrite& rewrite, Layout layout) {
  const Node& node = rewrite.node();
  const int64_t heads = rewrite.int_attribute("num_heads");
  AttentionParts parts;
  Hidden hidden;
  if (layout == Layout::kQueryKeyValue) {
    if (const auto size = known_size(rewrite, kQuery, 4))
      hidden = {heads * *size, heads * *size, heads * *size};
    if (node.input(kBias).is_valid())
      return Status::unsupported("a bias with packed queries, keys and values is not computed");
    parts.query = packed_heads(rewrite, node.input(kQuery), 0);
    parts.key = packed_heads(rewrite, node.input(kQuery), 1);
    parts.value = packed_heads(rewrite, node.input(kQuery), 2);
  } else {
    hidden.query = known_size(rewrite, kQuery, 2).value_or(-1);
    hidden.key = hidden.value = hidden.query;
    if (layout == Layout::kFlat) hidden.value = known_size(rewrite, kValue, 2).value_or(-1);
    if (layout == Layout::kHeads)
      hidden.value = known_size(rewrite, kValue, 3) ? heads * *known_size(rewrite, kValue, 3) : -1;
    SHIPWAY_ASSIGN_OR_RETURN(parts.query, flat_heads(rewrite, kQuery, 0, hidden.query));
    if (layout == Layout::kFlat) {
      SHIPWAY_ASSIGN_OR_RETURN(parts.key, flat_heads(rewrite, kKey, hidden.query, hidden.key));
      SHIPWAY_ASSIGN_OR_RETURN(
          parts.value, flat_heads(rewrite, kValue, hidden.query + hidden.key, hidden.value));
    } else if (layout == Layout::kKeyValue) {
      parts.key = packed_heads(rewrite, node.input(kKey), 0);
      parts.value = packed_heads(rewrite, node.input(kKey), 1);
    } else {
      parts.key = node.input(kKey);
      parts.value = node.input(kValue);
    }
  }
  for (int64_t size : {hidden.query, hidden.value})
    if (size >= 0 && size % heads != 0)
      return Status::invalid_model("{} heads (attribute 'num_heads') do not divide {} features",
                                   heads, size);
  if (hidden.query < 0)
    return Status::unsupported("the size of a query is not known before the run");
  const float scale = rewrite.float_attribute("scale");
  parts.scale = scale != 0 ? scale : 1 / std::sqrt(static_cast<float>(hidden.query / heads));
  parts.value_hidden = hidden.value;
  return parts;
}

Status expand_multi_head(NodeRewrite& rewrite) {
  const Node& node = rewrite.node();
  SHIPWAY_RETURN_IF_ERROR(check_head_count(rewrite, "num_heads"));
  for (size_t i : {size_t{8}, size_t{9}})
    if (node.input(i).is_valid())
      return Status::unsupported("input '{}' is not computed", rewrite.schema().inputs[i].name);
  if (node.output(3).is_valid()) return Status::unsupported("output 'qk' is not computed");
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t query_rank, known_rank(rewrite, kQuery));
  std::optional<size_t> key_rank;
  if (node.input(kKey).is_valid()) {
    SHIPWAY_ASSIGN_OR_RETURN(const int64_t rank, known_rank(rewrite, kKey));
    key_rank = static_cast<size_t>(rank);
  }
  SHIPWAY_ASSIGN_OR_RETURN(const Layout layout, layout_of(static_cast<size_t>(query_rank), key_rank,
                                                          node.input(kValue).is_valid()));
  SHIPWAY_ASSIGN_OR_RETURN(AttentionParts parts, read_parts(rewrite, layout));
  if (node.input(kPastKey).is_valid() != node.input(kPastValue).is_valid())
    return Status::invalid_model("only one of inputs 'past_key' and 'past_value' is given");
  // Present keys and values are the heads as they are, with what came before in front.
  const std::vector<Attribute> along{{"axis", int64_t{2}}};
  if (node.input(kPastKey).is_valid()) parts.past_key = node.input(kPastKey);
  for (const auto& [part, past, output] :
       {std::tuple{&parts.key, kPastKey, size_t{1}}, {&parts.value, kPastValue, size_t{2}}}) {
    if (node.input(past).is_valid())
      *part = make_output(rewrite, output, "Concat", {node.input(past), *part}, along);
    else if (node.output(output).is_valid())
      *part = make_output(rewrite, output, "Identity", {*part});
  }
  if (node.input(kMask).is_valid()) SHIPWAY_RETURN_IF_ERROR(add_mask(rewrite, kMask, parts));
  if (rewrite.int_attribute("unidirectional") != 0) add_causal_mask(rewrite, parts);
  if (node.input(kAttentionBias).is_valid())
    SHIPWAY_RETURN_IF_ERROR(add_bias(rewrite, kAttentionBias, parts));
  return attend(rewrite, parts);
}

}  // namespace

const Operator& microsoft_multi_head_attention_operator() {
  static const Operator definition{
      .domain = "com.microsoft",
      .name = "MultiHeadAttention",
      .summary = "Attention of many heads on projected queries, keys and values.",
      .versions = {{.since = 1,
                    .signature =
                        "(query: T, key?: T, value?: T, bias?: T, key_padding_mask?: M, "
                        "attention_bias?: T, past_key?: T, past_value?: T, past_sequence_length?: "
                        "M, cache_indirection?: M) -> (output: T, present_key?: T, present_value?: "
                        "T, qk?: QK)",
                    .types = "T: float float16 bfloat16; QK: float float16 bfloat16; M: int32",
                    .attributes = "mask_filter_value: float?; num_heads: int!; scale: float?; "
                                  "unidirectional: int = 0",
                    .upgrade = expand_multi_head}},
      .infer = infer_by_body,
      .evaluate = evaluate_by_body,
  };
  return definition;
}

}  // namespace shipway
