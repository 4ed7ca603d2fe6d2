// Linear models: LinearClassifier, LinearRegressor.
#include <algorithm>

#include "operators/loops.h"
#include "operators/post_transform.h"

namespace shipway {
namespace {

/// scores[sample, k] = sum over features of x * coefficients[k, feature] + intercepts[k]
Result<std::vector<double>> linear_scores(const AttributeReader& attributes, const Samples& samples,
                                          size_t functions) {
  const std::span<const float> coefficients = attributes.floats_attribute("coefficients");
  const std::span<const float> intercepts = attributes.floats_attribute("intercepts");
  if (functions == 0 || coefficients.size() != functions * samples.features)
    return Status::invalid_argument(
        "attribute 'coefficients' has {} numbers, expected {} features for each of {} scores",
        coefficients.size(), samples.features, functions);
  if (!intercepts.empty() && intercepts.size() != functions)
    return Status::invalid_model("attribute 'intercepts' has {} numbers, expected {}",
                                 intercepts.size(), functions);
  std::vector<double> scores;
  for (size_t i = 0; i < samples.count; ++i) {
    const std::span<const double> row = samples.row(i);
    for (size_t k = 0; k < functions; ++k) {
      double sum = intercepts.empty() ? 0 : static_cast<double>(intercepts[k]);
      for (size_t f = 0; f < row.size(); ++f)
        sum += row[f] * static_cast<double>(coefficients[k * row.size() + f]);
      scores.push_back(sum);
    }
  }
  return scores;
}

Status infer_linear_classifier(InferContext& context) {
  infer_classes(context,
                static_cast<int64_t>(std::max<size_t>(1, ClassLabels::of(context).size())));
  return Status::ok();
}

/// Two classes may have one score: it is that of the second, and its complement that of the first.
/// ONNX does not say more; this is what ONNX Runtime does.
Status evaluate_linear_classifier(EvaluateContext& context) {
  SHIPWAY_ASSIGN_OR_RETURN(const Samples samples, Samples::of(context));
  SHIPWAY_ASSIGN_OR_RETURN(const PostTransform post, read_post_transform(context));
  const ClassLabels labels = ClassLabels::of(context);
  const size_t functions =
      context.floats_attribute("coefficients").size() / std::max<size_t>(1, samples.features);
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<double> raw,
                           linear_scores(context, samples, functions));
  std::vector<double> scores;
  std::vector<size_t> classes;
  for (size_t i = 0; i < samples.count; ++i) {
    std::vector<double> row(raw.begin() + static_cast<std::ptrdiff_t>(i * functions),
                            raw.begin() + static_cast<std::ptrdiff_t>((i + 1) * functions));
    if (functions == 1 && labels.size() == 2) {
      classes.push_back(row[0] > 0 ? 1 : 0);
      if (post == PostTransform::kLogistic || post == PostTransform::kProbit)
        transform_scores(post, row);
      scores.insert(scores.end(), {1 - row[0], row[0]});
      continue;
    }
    transform_scores(post, row);
    if (row.size() > 1) {
      classes.push_back(
          static_cast<size_t>(std::max_element(row.begin(), row.end()) - row.begin()));
    } else {  // one class: its label, or nothing (a number past the labels)
      const double threshold = post == PostTransform::kNone ? 0 : 0.5;
      const bool yes = row[0] >= threshold;
      classes.push_back(labels.size() == 0 ? (yes ? 1 : 0) : yes ? 0 : labels.size());
    }
    scores.insert(scores.end(), row.begin(), row.end());
  }
  return write_classes(context, labels, classes, scores);
}

Status infer_linear_regressor(InferContext& context) {
  const Dims* x = context.input_dims(0);
  context.set_output(0, DType::kFloat32,
                     {!x               ? Dim()
                      : x->size() == 1 ? Dim(1)
                                       : (*x)[0],
                      context.int_attribute("targets")});
  return Status::ok();
}

Status evaluate_linear_regressor(EvaluateContext& context) {
  SHIPWAY_ASSIGN_OR_RETURN(const Samples samples, Samples::of(context));
  SHIPWAY_ASSIGN_OR_RETURN(const PostTransform post, read_post_transform(context));
  const int64_t targets = context.int_attribute("targets");
  if (targets < 1)
    return Status::invalid_model("attribute 'targets' is {}, expected at least 1", targets);
  const auto functions = static_cast<size_t>(targets);
  SHIPWAY_ASSIGN_OR_RETURN(std::vector<double> scores, linear_scores(context, samples, functions));
  for (size_t i = 0; i < samples.count; ++i)
    transform_scores(post, {scores.data() + i * functions, functions});
  return write_output(context, 0, DType::kFloat32, {static_cast<int64_t>(samples.count), targets},
                      scores);
}

}  // namespace

const Operator& linear_classifier_operator() {
  static const Operator definition{
      .domain = "ai.onnx.ml",
      .name = "LinearClassifier",
      .summary = "Class scores as linear functions of the features, and the best class.",
      .versions =
          {{.since = 1,
            .signature = "(X: T1) -> (Y: T2, Z: float)",
            .types = "T1: float int32 int64 double; T2: int64 string",
            .attributes =
                "classlabels_ints: ints?; classlabels_strings: strings?; coefficients: floats!; "
                "intercepts: floats?; multi_class: int = 0; post_transform: string = 'NONE'"}},
      .infer = infer_linear_classifier,
      .evaluate = evaluate_linear_classifier,
  };
  return definition;
}

const Operator& linear_regressor_operator() {
  static const Operator definition{
      .domain = "ai.onnx.ml",
      .name = "LinearRegressor",
      .summary = "Linear functions of the features.",
      .versions =
          {{.since = 1,
            .signature = "(X: T) -> (Y: float)",
            .types = "T: float int32 int64 double",
            .attributes =
                "coefficients: floats?; intercepts: floats?; post_transform: string = 'NONE'; "
                "targets: int = 1"}},
      .infer = infer_linear_regressor,
      .evaluate = evaluate_linear_regressor,
  };
  return definition;
}

}  // namespace shipway
