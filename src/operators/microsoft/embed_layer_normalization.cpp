// EmbedLayerNormalization of ONNX Runtime: the first layers of BERT, from ids to normalised
// embeddings.
//
// output = LayerNormalization(word[id] + position[place] + segment[kind])
#include "operators/body.h"

namespace shipway {
namespace {

constexpr size_t kIds = 0, kSegments = 1, kWords = 2, kPositions = 3, kSegmentEmbedding = 4,
                 kGamma = 5, kBeta = 6, kMask = 7, kPositionIds = 8;

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

Status expand_embed(NodeRewrite& rewrite) {
  const Node& node = rewrite.node();
  if (node.input(kSegments).is_valid() != node.input(kSegmentEmbedding).is_valid())
    return Status::invalid_model(
        "only one of inputs 'segment_ids' and 'segment_embedding' is given");
  ValueId places;
  if (node.input(kPositionIds).is_valid()) {
    places = rewrite.insert("Gather", {node.input(kPositions), node.input(kPositionIds)});
  } else {  // the first places, as many as the sequence is long
    const ValueId length =
        rewrite.insert("Shape", {node.input(kIds)}, {{"start", int64_t{1}}, {"end", int64_t{2}}});
    const ValueId zero = rewrite.add_constant("zero", Tensor::scalar(int64_t{0}));
    const ValueId one = rewrite.add_constant("one", Tensor::scalar(int64_t{1}));
    const ValueId counted =
        rewrite.insert("Range", {zero, rewrite.insert("Squeeze", {length}), one});
    places = rewrite.insert("Gather", {node.input(kPositions), counted});
  }
  const ValueId words = rewrite.insert("Gather", {node.input(kWords), node.input(kIds)});
  ValueId sum;
  if (node.input(kSegments).is_valid()) {
    const ValueId segments =
        rewrite.insert("Gather", {node.input(kSegmentEmbedding), node.input(kSegments)});
    sum = make_output(rewrite, 2, "Add", {rewrite.insert("Add", {words, places}), segments});
  } else {
    sum = make_output(rewrite, 2, "Add", {words, places});
  }
  make_output(rewrite, 0, "LayerNormalization", {sum, node.input(kGamma), node.input(kBeta)},
              {{"epsilon", rewrite.float_attribute("epsilon")}});
  return expand_mask(rewrite);
}

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

}  // namespace shipway
