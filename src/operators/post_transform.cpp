#include "operators/post_transform.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/text.h"
#include "operators/loops.h"

namespace shipway {

Result<PostTransform> read_post_transform(const AttributeReader& attributes) {
  const std::string& name = attributes.string_attribute("post_transform");
  if (name == "NONE") return PostTransform::kNone;
  if (name == "SOFTMAX") return PostTransform::kSoftmax;
  if (name == "LOGISTIC") return PostTransform::kLogistic;
  if (name == "SOFTMAX_ZERO") return PostTransform::kSoftmaxZero;
  if (name == "PROBIT") return PostTransform::kProbit;
  return Status::invalid_model(
      "attribute 'post_transform' is {}, expected NONE, SOFTMAX, LOGISTIC, SOFTMAX_ZERO or PROBIT",
      quoted(name));
}

double logistic(double x) { return 1 / (1 + std::exp(-x)); }

double probit(double p) {
  const double x = 2 * p - 1;
  const double log = std::log((1 - x) * (1 + x));
  const double a = 2 / (std::numbers::pi * 0.147) + 0.5 * log;
  const double root = std::sqrt(-a + std::sqrt(a * a - log / 0.147));
  return std::copysign(1.41421356 * root, x);
}

void transform_scores(PostTransform post, std::span<double> scores) {
  if (post == PostTransform::kNone || scores.empty()) return;
  if (post == PostTransform::kLogistic || post == PostTransform::kProbit) {
    for (double& score : scores)
      score = post == PostTransform::kProbit ? probit(score) : logistic(score);
    return;
  }
  // SOFTMAX_ZERO gives scores of zero no share: they stay next to nothing.
  const double largest = *std::max_element(scores.begin(), scores.end());
  double sum = 0;
  for (double& score : scores) {
    const bool counts = post == PostTransform::kSoftmax || std::fabs(score) > 1e-7;
    score = counts ? std::exp(score - largest) : score * std::exp(-largest);
    sum += score;
  }
  for (double& score : scores) score = sum == 0 ? 0.5 : score / sum;
}

ClassLabels ClassLabels::of(const AttributeReader& attributes) {
  const auto strings = attributes.strings_attribute("classlabels_strings");
  const auto ints = attributes.ints_attribute("classlabels_ints");
  return {{strings.begin(), strings.end()}, {ints.begin(), ints.end()}};
}

Status write_classes(EvaluateContext& context, const ClassLabels& labels,
                     const std::vector<size_t>& classes, const std::vector<double>& scores) {
  const auto samples = static_cast<int64_t>(classes.size());
  if (labels.strings.empty()) {
    std::vector<int64_t> numbers;
    for (size_t label : classes)
      numbers.push_back(label < labels.ints.size() ? labels.ints[label]
                                                   : static_cast<int64_t>(label));
    SHIPWAY_RETURN_IF_ERROR(write_output(context, 0, DType::kInt64, {samples}, numbers));
  } else {
    std::vector<std::string> names;
    for (size_t label : classes)
      names.push_back(label < labels.strings.size() ? labels.strings[label] : std::string());
    SHIPWAY_RETURN_IF_ERROR(write_output(context, 0, DType::kString, {samples}, names));
  }
  if (!context.has_output(1)) return Status::ok();
  const int64_t columns = samples == 0 ? 0 : static_cast<int64_t>(scores.size()) / samples;
  return write_output(context, 1, DType::kFloat32, {samples, columns}, scores);
}

void infer_classes(InferContext& context, Dim scores) {
  const Dims* x = context.input_dims(0);
  const Dim samples = !x ? Dim() : x->size() == 1 ? Dim(1) : (*x)[0];
  context.set_output(0, ClassLabels::of(context).dtype(), {samples});
  context.set_output(1, DType::kFloat32, {samples, scores});
}

Result<Samples> Samples::of(const EvaluateContext& context) {
  const Tensor& x = context.input(0);
  if (x.rank() != 1 && x.rank() != 2)
    return Status::invalid_argument("input 0 has shape {}, expected [samples, features]",
                                    to_string(x.shape()));
  Samples samples;
  SHIPWAY_ASSIGN_OR_RETURN(samples.values, to_doubles(x));
  samples.count = x.rank() == 1 ? 1 : static_cast<size_t>(x.dim(0));
  samples.features = static_cast<size_t>(x.shape().back());
  return samples;
}

}  // namespace shipway
