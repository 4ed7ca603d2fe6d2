// What classifiers and regressors of ai.onnx.ml do to their scores: the attribute `post_transform`.
#pragma once

#include <span>
#include <vector>

#include "operators/operator.h"

namespace shipway {

enum class PostTransform : uint8_t { kNone, kSoftmax, kLogistic, kSoftmaxZero, kProbit };

/// From the attribute `post_transform`.
Result<PostTransform> read_post_transform(const AttributeReader& attributes);
/// The scores of one sample, in place.
void transform_scores(PostTransform post, std::span<double> scores);
double logistic(double x);
/// The inverse of the normal distribution's integral, by the approximation that ONNX's reference
/// uses.
double probit(double p);

/// The labels of a classifier: attributes classlabels_strings or classlabels_ints.
struct ClassLabels {
  std::vector<std::string> strings;
  std::vector<int64_t> ints;
  size_t size() const { return std::max(strings.size(), ints.size()); }
  static ClassLabels of(const AttributeReader& attributes);
  DType dtype() const { return strings.empty() ? DType::kInt64 : DType::kString; }
};
/// Outputs 0 (labels by number, [samples]) and 1 (scores, [samples, n], float).
Status write_classes(EvaluateContext& context, const ClassLabels& labels,
                     const std::vector<size_t>& classes, const std::vector<double>& scores);
/// Their types; `scores`: columns of output 1.
void infer_classes(InferContext& context, Dim scores);

/// Input 0 as rows of features: [samples, features]; a vector is one sample.
struct Samples {
  std::vector<double> values;
  size_t count = 0, features = 0;
  std::span<const double> row(size_t i) const { return {values.data() + i * features, features}; }
  static Result<Samples> of(const EvaluateContext& context);
};

}  // namespace shipway
