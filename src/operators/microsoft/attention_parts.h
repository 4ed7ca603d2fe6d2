// What the attention operators of ONNX Runtime share: their bodies' pieces, in operators of
// ai.onnx. Heads are tensors [batch, heads, sequence, size].
#pragma once

#include <optional>

#include "operators/operator.h"

namespace shipway {

/// What a body attends with.
struct AttentionParts {
  ValueId query;                    // [batch, heads, sequence, size], not yet scaled
  ValueId key;                      // [batch, heads, total, size], what came before included
  ValueId value;                    // [batch, heads, total, value size]
  std::optional<ValueId> past_key;  // what came before, part of `key`
  std::vector<ValueId> biases;  // float32, added to the scores, each broadcast to [batch, heads,
                                // sequence, total]
  float scale = 1;
  size_t like = 0;            // the input whose dtype query, key and value have
  int64_t value_hidden = -1;  // heads times value size; -1: not known
};

/// An error unless attribute `name` is a number of heads that a model can have.
Status check_head_count(const AttributeReader& node, std::string_view name);

/// Output 0 = softmax(query key^T * scale + biases) value as [batch, sequence, heads * value size].
Status attend(NodeRewrite& rewrite, const AttentionParts& parts);

/// [batch, sequence, heads * size] as heads. `hidden` is heads * size, -1 when not known.
ValueId split_heads(NodeRewrite& rewrite, ValueId x, int64_t heads, int64_t hidden);

/// The columns from `begin` to `end` of a tensor's last axis.
ValueId slice_columns(NodeRewrite& rewrite, ValueId x, int64_t begin, int64_t end);

/// Mask `mask`, the int32 input number `i` of the node, as a bias of `parts`: attribute
/// 'mask_filter_value' where a key must not be looked at, 0 elsewhere. By its rank: the end of the
/// keys in each row of the batch [batch] (or first ends, then begins [2 batch]); 1 for keys that
/// count [batch, total] or [batch, sequence, total].
Status add_mask(NodeRewrite& rewrite, size_t i, AttentionParts& parts);

/// The bias that keeps a query from looking at keys after its own.
void add_causal_mask(NodeRewrite& rewrite, AttentionParts& parts);

/// Input `i` of the node as a bias of `parts`.
Status add_bias(NodeRewrite& rewrite, size_t i, AttentionParts& parts);

/// The number that axis `axis` of input `i` has, or nothing.
std::optional<int64_t> known_size(const NodeRewrite& rewrite, size_t i, size_t axis);

}  // namespace shipway
