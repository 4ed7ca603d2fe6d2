// EmbedLayerNormalization of ONNX Runtime: the first layers of BERT, from ids to normalised
// embeddings, with floats or quantised tables.
//
// output = LayerNormalization(word[id] + position[place] + segment[kind])
#include "operators/body.h"
#include "operators/microsoft/quantized_parts.h"

namespace shipway {
namespace {

constexpr size_t kIds = 0, kSegments = 1, kWords = 2, kPositions = 3, kSegmentEmbedding = 4,
                 kGamma = 5, kBeta = 6, kMask = 7, kPositionIds = 8;
constexpr size_t kNone = 100;  // no output of a node

/// How many tokens of each row count: those that the mask marks with 1, none without a mask.
Status expand_mask(NodeRewrite& rewrite) {
  const Node& node = rewrite.node();
  if (!node.output(1).is_valid()) return Status::ok();
  if (!node.input(kMask).is_valid()) {
    const ValueId batch = rewrite.insert("Shape", {node.input(kIds)}, {{"end", int64_t{1}}});
    SHIPWAY_ASSIGN_OR_RETURN(Tensor zero, Tensor::zeros(DType::kInt32, {1}));
    make_output(rewrite, 1, "ConstantOfShape", {batch}, {{"value", std::move(zero)}});
    return Status::ok();
  }
  const ValueId one = rewrite.add_constant("one", Tensor::scalar(int32_t{1}));
  const ValueId counts = rewrite.insert("Cast", {rewrite.insert("Equal", {node.input(kMask), one})},
                                        {{"to", static_cast<int64_t>(DType::kInt32)}});
  make_output(rewrite, 1, "ReduceSum", {counts, rewrite.add_ints("axes", std::vector<int64_t>{1})},
              {{"keepdims", int64_t{0}}});
  return Status::ok();
}

/// The rows of input `table` at `places`. A quantised one has its scale six inputs later, its zero
/// point eleven.
ValueId look_up(NodeRewrite& rewrite, size_t table, ValueId places, bool is_quantized) {
  const Node& node = rewrite.node();
  const ValueId rows = rewrite.insert("Gather", {node.input(table), places});
  if (!is_quantized) return rows;
  return dequantized(rewrite, {rows, node.input(table + 6), node.input(table + 11)});
}

Status expand(NodeRewrite& rewrite, bool is_quantized) {
  const Node& node = rewrite.node();
  if (node.input(kSegments).is_valid() != node.input(kSegmentEmbedding).is_valid())
    return Status::invalid_model(
        "only one of inputs 'segment_ids' and 'segment_embedding' is given");
  if (is_quantized && node.input(kSegments).is_valid() &&
      !node.input(kSegmentEmbedding + 6).is_valid())
    return Status::invalid_model(
        "input 'segment_embedding' is given without 'segment_embedding_scale'");
  ValueId places = is_quantized ? ValueId{} : node.input(kPositionIds);
  if (!places.is_valid()) {  // the first ones, as many as the sequence is long
    const ValueId length =
        rewrite.insert("Shape", {node.input(kIds)}, {{"start", int64_t{1}}, {"end", int64_t{2}}});
    const ValueId zero = rewrite.add_constant("zero", Tensor::scalar(int64_t{0}));
    const ValueId one = rewrite.add_constant("one", Tensor::scalar(int64_t{1}));
    places = rewrite.insert("Range", {zero, rewrite.insert("Squeeze", {length}), one});
  }
  const ValueId at = look_up(rewrite, kPositions, places, is_quantized);
  const ValueId words = look_up(rewrite, kWords, node.input(kIds), is_quantized);
  const size_t sum_output = is_quantized ? kNone : 2;
  ValueId sum;
  if (node.input(kSegments).is_valid()) {
    const ValueId segments =
        look_up(rewrite, kSegmentEmbedding, node.input(kSegments), is_quantized);
    sum = make_output(rewrite, sum_output, "Add", {rewrite.insert("Add", {words, at}), segments});
  } else {
    sum = make_output(rewrite, sum_output, "Add", {words, at});
  }
  const auto parameter = [&](size_t i) {
    if (!is_quantized) return node.input(i);
    return dequantized(rewrite, {node.input(i), node.input(i + 6), node.input(i + 11)});
  };
  make_output(rewrite, 0, "LayerNormalization", {sum, parameter(kGamma), parameter(kBeta)},
              {{"epsilon", rewrite.float_attribute("epsilon")}});
  return expand_mask(rewrite);
}

Status expand_embed(NodeRewrite& rewrite) { return expand(rewrite, false); }
Status expand_quantized_embed(NodeRewrite& rewrite) { return expand(rewrite, true); }

}  // namespace

const Operator& microsoft_embed_layer_normalization_operator() {
  static const Operator definition{
      .domain = "com.microsoft",
      .name = "EmbedLayerNormalization",
      .summary = "Sums embeddings of words, places and segments, then LayerNormalization.",
      .versions = {{.since = 1,
                    .signature =
                        "(input_ids: T1, segment_ids?: T1, word_embedding: T, position_embedding: "
                        "T, segment_embedding?: T, gamma: T, beta: T, mask?: T1, position_ids?: "
                        "T1) -> (output: T, mask_index?: T1, embedding_sum?: T)",
                    .types = "T: float float16; T1: int32",
                    .attributes = "epsilon: float = 1e-12; mask_index_type: int?",
                    .upgrade = expand_embed}},
      .infer = infer_by_body,
      .evaluate = evaluate_by_body,
  };
  return definition;
}

const Operator& microsoft_qembed_layer_normalization_operator() {
  static const Operator definition{
      .domain = "com.microsoft",
      .name = "QEmbedLayerNormalization",
      .summary = "EmbedLayerNormalization of quantised embeddings.",
      .versions = {{.since = 1,
                    .signature =
                        "(input_ids: T1, segment_ids?: T1, word_embedding_quant: T2, "
                        "position_embedding_quant: T2, segment_embedding?: T2, gamma_quant: T2, "
                        "beta_quant: T2, mask?: T1, word_embedding_scale: T, "
                        "position_embedding_scale: T, segment_embedding_scale?: T, gamma_scale: T, "
                        "beta_scale: T, word_embedding_zero_point: T2, "
                        "position_embedding_zero_point: T2, segment_embedding_zero_point?: T2, "
                        "gamma_zero_point: T2, beta_zero_point: T2) -> (layernorm_out: T, "
                        "mask_index_out: T1)",
                    .types = "T: float; T1: int32; T2: int8 uint8",
                    .attributes = "epsilon: float = 1e-12",
                    .upgrade = expand_quantized_embed}},
      .infer = infer_by_body,
      .evaluate = evaluate_by_body,
  };
  return definition;
}

}  // namespace shipway
