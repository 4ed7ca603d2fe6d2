// The list of built-in operators. To add one, write its file and put its line here.
#include "operators/registry.h"

#include <algorithm>
#include <iterator>

#include "base/text.h"

namespace shipway {

// Domain, name and defining function, ordered by domain, then name (checked below). A list of
// macro calls, so that one line both declares the function and enters it.
// clang-format off
#define SHIPWAY_BUILT_IN_OPERATORS(X) \
  X("", "Abs", abs_operator) \
  X("", "Acos", acos_operator) \
  X("", "Acosh", acosh_operator) \
  X("", "Add", add_operator) \
  X("", "AffineGrid", affine_grid_operator) \
  X("", "And", and_operator) \
  X("", "ArgMax", arg_max_operator) \
  X("", "ArgMin", arg_min_operator) \
  X("", "Asin", asin_operator) \
  X("", "Asinh", asinh_operator) \
  X("", "Atan", atan_operator) \
  X("", "Atanh", atanh_operator) \
  X("", "Attention", attention_operator) \
  X("", "AveragePool", average_pool_operator) \
  X("", "BatchNormalization", batch_normalization_operator) \
  X("", "Bernoulli", bernoulli_operator) \
  X("", "BitCast", bit_cast_operator) \
  X("", "BitShift", bit_shift_operator) \
  X("", "BitwiseAnd", bitwise_and_operator) \
  X("", "BitwiseNot", bitwise_not_operator) \
  X("", "BitwiseOr", bitwise_or_operator) \
  X("", "BitwiseXor", bitwise_xor_operator) \
  X("", "BlackmanWindow", blackman_window_operator) \
  X("", "Cast", cast_operator) \
  X("", "CastLike", cast_like_operator) \
  X("", "CausalConvWithState", causal_conv_with_state_operator) \
  X("", "Ceil", ceil_operator) \
  X("", "Celu", celu_operator) \
  X("", "CenterCropPad", center_crop_pad_operator) \
  X("", "Clip", clip_operator) \
  X("", "Col2Im", col2im_operator) \
  X("", "Compress", compress_operator) \
  X("", "Concat", concat_operator) \
  X("", "ConcatFromSequence", concat_from_sequence_operator) \
  X("", "Constant", constant_operator) \
  X("", "ConstantOfShape", constant_of_shape_operator) \
  X("", "Conv", conv_operator) \
  X("", "ConvInteger", conv_integer_operator) \
  X("", "ConvTranspose", conv_transpose_operator) \
  X("", "Cos", cos_operator) \
  X("", "Cosh", cosh_operator) \
  X("", "CumProd", cum_prod_operator) \
  X("", "CumSum", cum_sum_operator) \
  X("", "DFT", dft_operator) \
  X("", "DeformConv", deform_conv_operator) \
  X("", "DepthToSpace", depth_to_space_operator) \
  X("", "DequantizeLinear", dequantize_linear_operator) \
  X("", "Det", det_operator) \
  X("", "Div", div_operator) \
  X("", "Dropout", dropout_operator) \
  X("", "DynamicQuantizeLinear", dynamic_quantize_linear_operator) \
  X("", "Einsum", einsum_operator) \
  X("", "Elu", elu_operator) \
  X("", "Equal", equal_operator) \
  X("", "Erf", erf_operator) \
  X("", "Exp", exp_operator) \
  X("", "Expand", expand_operator) \
  X("", "EyeLike", eye_like_operator) \
  X("", "Flatten", flatten_operator) \
  X("", "Floor", floor_operator) \
  X("", "GRU", gru_operator) \
  X("", "Gather", gather_operator) \
  X("", "GatherElements", gather_elements_operator) \
  X("", "GatherND", gather_nd_operator) \
  X("", "Gelu", gelu_operator) \
  X("", "Gemm", gemm_operator) \
  X("", "GlobalAveragePool", global_average_pool_operator) \
  X("", "GlobalLpPool", global_lp_pool_operator) \
  X("", "GlobalMaxPool", global_max_pool_operator) \
  X("", "Greater", greater_operator) \
  X("", "GreaterOrEqual", greater_or_equal_operator) \
  X("", "GridSample", grid_sample_operator) \
  X("", "GroupNormalization", group_normalization_operator) \
  X("", "HammingWindow", hamming_window_operator) \
  X("", "HannWindow", hann_window_operator) \
  X("", "HardSigmoid", hard_sigmoid_operator) \
  X("", "HardSwish", hard_swish_operator) \
  X("", "Hardmax", hardmax_operator) \
  X("", "Identity", identity_operator) \
  X("", "If", if_operator) \
  X("", "ImageDecoder", image_decoder_operator) \
  X("", "InstanceNormalization", instance_normalization_operator) \
  X("", "IsInf", is_inf_operator) \
  X("", "IsNaN", is_nan_operator) \
  X("", "LRN", lrn_operator) \
  X("", "LSTM", lstm_operator) \
  X("", "LayerNormalization", layer_normalization_operator) \
  X("", "LeakyRelu", leaky_relu_operator) \
  X("", "Less", less_operator) \
  X("", "LessOrEqual", less_or_equal_operator) \
  X("", "LinearAttention", linear_attention_operator) \
  X("", "Log", log_operator) \
  X("", "LogSoftmax", log_softmax_operator) \
  X("", "Loop", loop_operator) \
  X("", "LpNormalization", lp_normalization_operator) \
  X("", "LpPool", lp_pool_operator) \
  X("", "MatMul", matmul_operator) \
  X("", "MatMulInteger", matmul_integer_operator) \
  X("", "Max", max_operator) \
  X("", "MaxPool", max_pool_operator) \
  X("", "MaxRoiPool", max_roi_pool_operator) \
  X("", "MaxUnpool", max_unpool_operator) \
  X("", "Mean", mean_operator) \
  X("", "MeanVarianceNormalization", mean_variance_normalization_operator) \
  X("", "MelWeightMatrix", mel_weight_matrix_operator) \
  X("", "Min", min_operator) \
  X("", "Mish", mish_operator) \
  X("", "Mod", mod_operator) \
  X("", "Mul", mul_operator) \
  X("", "Multinomial", multinomial_operator) \
  X("", "Neg", neg_operator) \
  X("", "NegativeLogLikelihoodLoss", negative_log_likelihood_loss_operator) \
  X("", "NonMaxSuppression", non_max_suppression_operator) \
  X("", "NonZero", non_zero_operator) \
  X("", "Not", not_operator) \
  X("", "OneHot", one_hot_operator) \
  X("", "Optional", optional_operator) \
  X("", "OptionalGetElement", optional_get_element_operator) \
  X("", "OptionalHasElement", optional_has_element_operator) \
  X("", "Or", or_operator) \
  X("", "PRelu", prelu_operator) \
  X("", "Pad", pad_operator) \
  X("", "Pow", pow_operator) \
  X("", "QLinearConv", qlinear_conv_operator) \
  X("", "QLinearMatMul", qlinear_matmul_operator) \
  X("", "QuantizeLinear", quantize_linear_operator) \
  X("", "RMSNormalization", rms_normalization_operator) \
  X("", "RNN", rnn_operator) \
  X("", "RandomNormal", random_normal_operator) \
  X("", "RandomNormalLike", random_normal_like_operator) \
  X("", "RandomUniform", random_uniform_operator) \
  X("", "RandomUniformLike", random_uniform_like_operator) \
  X("", "Range", range_operator) \
  X("", "Reciprocal", reciprocal_operator) \
  X("", "ReduceL1", reduce_l1_operator) \
  X("", "ReduceL2", reduce_l2_operator) \
  X("", "ReduceLogSum", reduce_log_sum_operator) \
  X("", "ReduceLogSumExp", reduce_log_sum_exp_operator) \
  X("", "ReduceMax", reduce_max_operator) \
  X("", "ReduceMean", reduce_mean_operator) \
  X("", "ReduceMin", reduce_min_operator) \
  X("", "ReduceProd", reduce_prod_operator) \
  X("", "ReduceSum", reduce_sum_operator) \
  X("", "ReduceSumSquare", reduce_sum_square_operator) \
  X("", "RegexFullMatch", regex_full_match_operator) \
  X("", "Relu", relu_operator) \
  X("", "Reshape", reshape_operator) \
  X("", "Resize", resize_operator) \
  X("", "ReverseSequence", reverse_sequence_operator) \
  X("", "RoiAlign", roi_align_operator) \
  X("", "RotaryEmbedding", rotary_embedding_operator) \
  X("", "Round", round_operator) \
  X("", "STFT", stft_operator) \
  X("", "Scan", scan_operator) \
  X("", "Scatter", scatter_operator) \
  X("", "ScatterElements", scatter_elements_operator) \
  X("", "ScatterND", scatter_nd_operator) \
  X("", "Selu", selu_operator) \
  X("", "SequenceAt", sequence_at_operator) \
  X("", "SequenceConstruct", sequence_construct_operator) \
  X("", "SequenceEmpty", sequence_empty_operator) \
  X("", "SequenceErase", sequence_erase_operator) \
  X("", "SequenceInsert", sequence_insert_operator) \
  X("", "SequenceLength", sequence_length_operator) \
  X("", "SequenceMap", sequence_map_operator) \
  X("", "Shape", shape_operator) \
  X("", "Shrink", shrink_operator) \
  X("", "Sigmoid", sigmoid_operator) \
  X("", "Sign", sign_operator) \
  X("", "SimplifiedLayerNormalization", simplified_layer_normalization_operator) \
  X("", "Sin", sin_operator) \
  X("", "Sinh", sinh_operator) \
  X("", "Size", size_operator) \
  X("", "Slice", slice_operator) \
  X("", "Softmax", softmax_operator) \
  X("", "SoftmaxCrossEntropyLoss", softmax_cross_entropy_loss_operator) \
  X("", "Softplus", softplus_operator) \
  X("", "Softsign", softsign_operator) \
  X("", "SpaceToDepth", space_to_depth_operator) \
  X("", "Split", split_operator) \
  X("", "SplitToSequence", split_to_sequence_operator) \
  X("", "Sqrt", sqrt_operator) \
  X("", "Squeeze", squeeze_operator) \
  X("", "StringConcat", string_concat_operator) \
  X("", "StringNormalizer", string_normalizer_operator) \
  X("", "StringSplit", string_split_operator) \
  X("", "Sub", sub_operator) \
  X("", "Sum", sum_operator) \
  X("", "SwiGLU", swiglu_operator) \
  X("", "Swish", swish_operator) \
  X("", "Tan", tan_operator) \
  X("", "Tanh", tanh_operator) \
  X("", "TensorScatter", tensor_scatter_operator) \
  X("", "TfIdfVectorizer", tf_idf_vectorizer_operator) \
  X("", "ThresholdedRelu", thresholded_relu_operator) \
  X("", "Tile", tile_operator) \
  X("", "TopK", top_k_operator) \
  X("", "Transpose", transpose_operator) \
  X("", "Trilu", trilu_operator) \
  X("", "Unique", unique_operator) \
  X("", "Unsqueeze", unsqueeze_operator) \
  X("", "Upsample", upsample_operator) \
  X("", "Where", where_operator) \
  X("", "Xor", xor_operator) \
  X("ai.onnx.ml", "ArrayFeatureExtractor", array_feature_extractor_operator) \
  X("ai.onnx.ml", "Binarizer", binarizer_operator) \
  X("ai.onnx.ml", "CastMap", cast_map_operator) \
  X("ai.onnx.ml", "CategoryMapper", category_mapper_operator) \
  X("ai.onnx.ml", "DictVectorizer", dict_vectorizer_operator) \
  X("ai.onnx.ml", "FeatureVectorizer", feature_vectorizer_operator) \
  X("ai.onnx.ml", "Imputer", imputer_operator) \
  X("ai.onnx.ml", "LabelEncoder", label_encoder_operator) \
  X("ai.onnx.ml", "LinearClassifier", linear_classifier_operator) \
  X("ai.onnx.ml", "LinearRegressor", linear_regressor_operator) \
  X("ai.onnx.ml", "Normalizer", normalizer_operator) \
  X("ai.onnx.ml", "OneHotEncoder", one_hot_encoder_operator) \
  X("ai.onnx.ml", "SVMClassifier", svm_classifier_operator) \
  X("ai.onnx.ml", "SVMRegressor", svm_regressor_operator) \
  X("ai.onnx.ml", "Scaler", scaler_operator) \
  X("ai.onnx.ml", "TreeEnsemble", tree_ensemble_operator) \
  X("ai.onnx.ml", "TreeEnsembleClassifier", tree_ensemble_classifier_operator) \
  X("ai.onnx.ml", "TreeEnsembleRegressor", tree_ensemble_regressor_operator) \
  X("ai.onnx.ml", "ZipMap", zip_map_operator) \
  X("ai.onnx.preview", "FlexAttention", flex_attention_operator) \
  X("ai.onnx.preview.training", "Adagrad", adagrad_operator) \
  X("ai.onnx.preview.training", "Adam", adam_operator) \
  X("ai.onnx.preview.training", "Gradient", gradient_operator) \
  X("ai.onnx.preview.training", "Momentum", momentum_operator) \
  X("com.microsoft", "Attention", microsoft_attention_operator) \
  X("com.microsoft", "BiasAdd", microsoft_bias_add_operator) \
  X("com.microsoft", "BiasGelu", microsoft_bias_gelu_operator) \
  X("com.microsoft", "BiasSplitGelu", microsoft_bias_split_gelu_operator) \
  X("com.microsoft", "CDist", microsoft_cdist_operator) \
  X("com.microsoft", "DequantizeLinear", microsoft_dequantize_linear_operator) \
  X("com.microsoft", "DynamicQuantizeLSTM", microsoft_dynamic_quantize_lstm_operator) \
  X("com.microsoft", "DynamicQuantizeMatMul", microsoft_dynamic_quantize_matmul_operator) \
  X("com.microsoft", "EmbedLayerNormalization", microsoft_embed_layer_normalization_operator) \
  X("com.microsoft", "ExpandDims", microsoft_expand_dims_operator) \
  X("com.microsoft", "FastGelu", microsoft_fast_gelu_operator) \
  X("com.microsoft", "FusedConv", microsoft_fused_conv_operator) \
  X("com.microsoft", "FusedGemm", microsoft_fused_gemm_operator) \
  X("com.microsoft", "FusedMatMul", microsoft_fused_matmul_operator) \
  X("com.microsoft", "GatherBlockQuantized", microsoft_gather_block_quantized_operator) \
  X("com.microsoft", "GatherND", microsoft_gather_nd_operator) \
  X("com.microsoft", "Gelu", microsoft_gelu_operator) \
  X("com.microsoft", "GridSample", microsoft_grid_sample_operator) \
  X("com.microsoft", "GroupNorm", microsoft_group_norm_operator) \
  X("com.microsoft", "GroupQueryAttention", microsoft_group_query_attention_operator) \
  X("com.microsoft", "Inverse", microsoft_inverse_operator) \
  X("com.microsoft", "MatMulBnb4", microsoft_matmul_bnb4_operator) \
  X("com.microsoft", "MatMulIntegerToFloat", microsoft_matmul_integer_to_float_operator) \
  X("com.microsoft", "MatMulNBits", microsoft_matmul_nbits_operator) \
  X("com.microsoft", "MultiHeadAttention", microsoft_multi_head_attention_operator) \
  X("com.microsoft", "NhwcConv", microsoft_nhwc_conv_operator) \
  X("com.microsoft", "NhwcFusedConv", microsoft_nhwc_fused_conv_operator) \
  X("com.microsoft", "NhwcMaxPool", microsoft_nhwc_max_pool_operator) \
  X("com.microsoft", "Pad", microsoft_pad_operator) \
  X("com.microsoft", "QAttention", microsoft_qattention_operator) \
  X("com.microsoft", "QEmbedLayerNormalization", microsoft_qembed_layer_normalization_operator) \
  X("com.microsoft", "QGemm", microsoft_qgemm_operator) \
  X("com.microsoft", "QLinearAdd", microsoft_qlinear_add_operator) \
  X("com.microsoft", "QLinearAveragePool", microsoft_qlinear_average_pool_operator) \
  X("com.microsoft", "QLinearConcat", microsoft_qlinear_concat_operator) \
  X("com.microsoft", "QLinearConv", microsoft_qlinear_conv_operator) \
  X("com.microsoft", "QLinearGlobalAveragePool", microsoft_qlinear_global_average_pool_operator) \
  X("com.microsoft", "QLinearLeakyRelu", microsoft_qlinear_leaky_relu_operator) \
  X("com.microsoft", "QLinearMul", microsoft_qlinear_mul_operator) \
  X("com.microsoft", "QLinearReduceMean", microsoft_qlinear_reduce_mean_operator) \
  X("com.microsoft", "QLinearSigmoid", microsoft_qlinear_sigmoid_operator) \
  X("com.microsoft", "QLinearSoftmax", microsoft_qlinear_softmax_operator) \
  X("com.microsoft", "QLinearWhere", microsoft_qlinear_where_operator) \
  X("com.microsoft", "QuantizeLinear", microsoft_quantize_linear_operator) \
  X("com.microsoft", "QuickGelu", microsoft_quick_gelu_operator) \
  X("com.microsoft", "Range", microsoft_range_operator) \
  X("com.microsoft", "RotaryEmbedding", microsoft_rotary_embedding_operator) \
  X("com.microsoft", "SkipGroupNorm", microsoft_skip_group_norm_operator) \
  X("com.microsoft", "SkipLayerNormalization", microsoft_skip_layer_normalization_operator) \
  X("com.microsoft", "SkipSimplifiedLayerNormalization", microsoft_skip_simplified_layer_normalization_operator) \
  X("com.microsoft", "TransposeMatMul", microsoft_transpose_matmul_operator) \
  X("com.microsoft", "Trilu", microsoft_trilu_operator)
// clang-format on

#define SHIPWAY_DECLARE(domain, name, function) const Operator& function();
SHIPWAY_BUILT_IN_OPERATORS(SHIPWAY_DECLARE)
#undef SHIPWAY_DECLARE

namespace {

struct Entry {
  std::string_view domain;
  std::string_view name;
  const Operator& (*definition)();

  constexpr std::pair<std::string_view, std::string_view> key() const { return {domain, name}; }
};

#define SHIPWAY_ENTRY(domain, name, function) Entry{domain, name, function},
constexpr Entry kBuiltIn[] = {SHIPWAY_BUILT_IN_OPERATORS(SHIPWAY_ENTRY)};
#undef SHIPWAY_ENTRY

static_assert(std::is_sorted(std::begin(kBuiltIn), std::end(kBuiltIn),
                             [](const Entry& a, const Entry& b) { return a.key() < b.key(); }),
              "the list of operators must be ordered: find() searches it by halving");

using Key = std::pair<std::string_view, std::string_view>;

/// ONNX Runtime puts this one into ONNX's main domain.
bool is_added_to_onnx(const Key& key) { return key == Key("", "SimplifiedLayerNormalization"); }

}  // namespace

const Registry& Registry::built_in() {
  static const Registry registry;
  return registry;
}

const Registry& Registry::onnx() {
  static const Registry registry = [] {
    Registry only;
    only.only_onnx_ = true;
    return only;
  }();
  return registry;
}

/// Of the built-in operators' domains.
bool Registry::knows(std::string_view domain) const {
  return !only_onnx_ || domain.empty() || domain.starts_with("ai.onnx");
}

const Operator* Registry::find(std::string_view domain, std::string_view name) const {
  const Key key{normalized_domain(domain), name};
  if (!added_.empty()) {
    const auto added = added_.find({std::string(key.first), std::string(key.second)});
    if (added != added_.end()) return added->second.get();
  }
  const auto* entry = std::lower_bound(std::begin(kBuiltIn), std::end(kBuiltIn), key,
                                       [](const Entry& a, const Key& b) { return a.key() < b; });
  const bool found = entry != std::end(kBuiltIn) && entry->key() == key && knows(key.first) &&
                     !(only_onnx_ && is_added_to_onnx(key));
  return found ? &entry->definition() : nullptr;
}

Status Registry::add(Operator definition) {
  const std::string domain(normalized_domain(definition.domain));
  const std::string name(definition.name);
  if (name.empty()) return Status::invalid_argument("an operator needs a name");
  if (definition.versions.size() == 0)
    return Status::invalid_argument("operator {} needs at least one version", quoted(name));
  if (!definition.versions.errors().empty())
    return Status::invalid_argument("operator {}: {}", quoted(name), definition.versions.errors());
  const auto [place, added] = added_.try_emplace({domain, name});
  if (!added)
    return Status::invalid_argument("operator {} of domain {} was added before", quoted(name),
                                    quoted(domain));
  place->second = std::make_unique<const Operator>(std::move(definition));
  return Status::ok();
}

void Registry::for_each(const std::function<void(const Operator&)>& visit) const {
  auto added = added_.begin();
  for (const Entry& entry : kBuiltIn) {
    if (!knows(entry.domain) || (only_onnx_ && is_added_to_onnx(entry.key()))) continue;
    while (added != added_.end() && Key(added->first) < entry.key()) visit(*added++->second);
    if (added != added_.end() && Key(added->first) == entry.key()) {
      visit(*added++->second);
    } else {
      visit(entry.definition());
    }
  }
  for (; added != added_.end(); ++added) visit(*added->second);
}

}  // namespace shipway
