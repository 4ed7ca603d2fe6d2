// RotaryEmbedding of ONNX Runtime: ai.onnx's, with positions that may be one offset for all, and
// heads that the caches tell.
#include "operators/body.h"
#include "operators/downgrade_steps.h"
#include "operators/microsoft/attention_parts.h"

namespace shipway {
namespace {

constexpr size_t kInput = 0, kPositions = 1, kCosines = 2, kSines = 3;

/// Heads of a flat input: given, or as many as go into it with two features for each cosine.
Result<int64_t> head_count(const NodeRewrite& rewrite) {
  const int64_t given = rewrite.int_attribute("num_heads");
  if (given > 0) return given;
  const std::optional<int64_t> features = known_size(rewrite, kInput, 2),
                               cosines = known_size(rewrite, kCosines, 1);
  if (!features || !cosines)
    return Status::unsupported("the number of heads does not follow before the run");
  if (*cosines < 1 || *features % (2 * *cosines) != 0)
    return Status::invalid_model("heads of {} features do not divide the {} of 'input'",
                                 2 * *cosines, *features);
  return *features / (2 * *cosines);
}

/// Positions [batch, sequence], from an offset that counts from the first place on.
ValueId counted_positions(NodeRewrite& rewrite, int64_t rank) {
  const ValueId x = rewrite.node().input(kInput);
  const int64_t place = rank == 4 ? 2 : 1;
  const auto number = [&](int64_t value) {
    return rewrite.add_constant("number", Tensor::scalar(value));
  };
  const ValueId length = rewrite.insert("Shape", {x}, {{"start", place}, {"end", place + 1}});
  const ValueId batch = rewrite.insert("Shape", {x}, {{"end", int64_t{1}}});
  const ValueId counted =
      rewrite.insert("Range", {number(0), rewrite.insert("Squeeze", {length}), number(1)});
  const ValueId moved = rewrite.insert("Add", {counted, rewrite.node().input(kPositions)});
  return rewrite.insert("Expand",
                        {moved, rewrite.insert("Concat", {batch, length}, {{"axis", int64_t{0}}})});
}

Status expand_rotary_embedding(NodeRewrite& rewrite) {
  const Node& node = rewrite.node();
  if (rewrite.has_attribute("scale") && rewrite.float_attribute("scale") != 1)
    return Status::unsupported("attribute 'scale' is not computed");
  if (rewrite.int_attribute("is_packed_batching") != 0)
    return Status::unsupported("attribute 'is_packed_batching' is not computed");
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t rank, known_rank(rewrite, kInput));
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t positions_rank, known_rank(rewrite, kPositions));
  std::vector<Attribute> attributes{
      {"interleaved", rewrite.int_attribute("interleaved")},
      {"rotary_embedding_dim", rewrite.int_attribute("rotary_embedding_dim")}};
  if (rank == 3) {
    SHIPWAY_ASSIGN_OR_RETURN(const int64_t heads, head_count(rewrite));
    attributes.push_back({"num_heads", heads});
  }
  const ValueId positions =
      positions_rank == 2 ? node.input(kPositions) : counted_positions(rewrite, rank);
  rewrite.replace("RotaryEmbedding",
                  {node.input(kInput), node.input(kCosines), node.input(kSines), positions},
                  std::move(attributes));
  return Status::ok();
}

}  // namespace

const Operator& microsoft_rotary_embedding_operator() {
  static const Operator definition{
      .domain = "com.microsoft",
      .name = "RotaryEmbedding",
      .summary = "Rotates pairs of features by an angle that grows with the position.",
      .versions = {{.since = 1,
                    .signature = "(input: T, position_ids: M, cos_cache: T, sin_cache: T) -> "
                                 "(output: T)",
                    .types = "T: float float16 bfloat16; M: int64",
                    .attributes = "interleaved: int?; is_packed_batching: int?; num_heads: int?; "
                                  "rotary_embedding_dim: int?; scale: float?",
                    .upgrade = expand_rotary_embedding}},
      .infer = infer_by_body,
      .evaluate = evaluate_by_body,
  };
  return definition;
}

}  // namespace shipway
