// Support vector machines: SVMClassifier, SVMRegressor.
#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "operators/loops.h"
#include "operators/post_transform.h"

namespace shipway {
namespace {

/// How alike two rows of features are.
struct SimilarityFunction {
  enum class Kind : uint8_t { kLinear, kPolynomial, kRadial, kSigmoid } kind = Kind::kLinear;
  double gamma = 0, offset = 0, degree = 0;

  static Result<SimilarityFunction> of(const AttributeReader& attributes) {
    SimilarityFunction function;
    const std::string& name = attributes.string_attribute("kernel_type");
    if (name == "LINEAR")
      function.kind = Kind::kLinear;
    else if (name == "POLY")
      function.kind = Kind::kPolynomial;
    else if (name == "RBF")
      function.kind = Kind::kRadial;
    else if (name == "SIGMOID")
      function.kind = Kind::kSigmoid;
    else
      return Status::invalid_model(
          "attribute 'kernel_type' is {}, expected LINEAR, POLY, RBF or SIGMOID", quoted(name));
    const std::span<const float> params = attributes.floats_attribute("kernel_params");
    if (params.empty()) return function;
    if (params.size() != 3)
      return Status::invalid_model(
          "attribute 'kernel_params' has {} numbers, expected gamma, coef0, degree", params.size());
    function.gamma = params[0];
    function.offset = params[1];
    function.degree = params[2];
    return function;
  }

  double operator()(std::span<const double> x, const float* y) const {
    double sum = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      const double other = y[i];
      sum += kind == Kind::kRadial ? (x[i] - other) * (x[i] - other) : x[i] * other;
    }
    switch (kind) {
      case Kind::kLinear:
        return sum;
      case Kind::kPolynomial:
        return std::pow(gamma * sum + offset, degree);
      case Kind::kRadial:
        return std::exp(-gamma * sum);
      case Kind::kSigmoid:
        return std::tanh(gamma * sum + offset);
    }
    return sum;
  }
};

Status wrong_count(std::string_view attribute, size_t found, size_t expected) {
  return Status::invalid_model("attribute '{}' has {} numbers, expected {}", attribute, found,
                               expected);
}

// ----------------------------------------------------------------------------------------------
// SVMRegressor

Status infer_svm_regressor(InferContext& context) {
  const Dims* x = context.input_dims(0);
  context.set_output(0, DType::kFloat32, {!x ? Dim() : x->size() == 1 ? Dim(1) : (*x)[0], 1});
  return Status::ok();
}

Status evaluate_svm_regressor(EvaluateContext& context) {
  SHIPWAY_ASSIGN_OR_RETURN(const Samples samples, Samples::of(context));
  SHIPWAY_ASSIGN_OR_RETURN(const PostTransform post, read_post_transform(context));
  SHIPWAY_ASSIGN_OR_RETURN(SimilarityFunction similarity, SimilarityFunction::of(context));
  const std::span<const float> coefficients = context.floats_attribute("coefficients");
  const std::span<const float> rho = context.floats_attribute("rho");
  std::span<const float> vectors = context.floats_attribute("support_vectors");
  const int64_t supports = context.int_attribute("n_supports");
  if (rho.empty()) return wrong_count("rho", 0, 1);
  if (supports < 0)
    return Status::invalid_model("attribute 'n_supports' is {}, expected 0 or more", supports);
  const auto count = static_cast<size_t>(supports);
  if (count == 0) {  // the coefficients themselves are the one vector
    similarity.kind = SimilarityFunction::Kind::kLinear;
    vectors = coefficients;
    if (vectors.size() != samples.features)
      return wrong_count("coefficients", vectors.size(), samples.features);
  } else {
    if (coefficients.size() != count)
      return wrong_count("coefficients", coefficients.size(), count);
    if (vectors.size() / count != samples.features || vectors.size() % count != 0)
      return wrong_count("support_vectors", vectors.size(), samples.features * count);
  }
  std::vector<double> scores;
  for (size_t i = 0; i < samples.count; ++i) {
    SHIPWAY_RETURN_IF_ERROR(context.poll());
    double sum = count == 0 ? similarity(samples.row(i), vectors.data()) : 0;
    for (size_t k = 0; k < count; ++k)
      sum += static_cast<double>(coefficients[k]) *
             similarity(samples.row(i), vectors.data() + k * samples.features);
    sum += static_cast<double>(rho[0]);
    if (context.int_attribute("one_class") != 0) sum = sum > 0 ? 1 : -1;
    transform_scores(post, {&sum, 1});
    scores.push_back(sum);
  }
  return write_output(context, 0, DType::kFloat32, {static_cast<int64_t>(samples.count), 1},
                      scores);
}

// ----------------------------------------------------------------------------------------------
// SVMClassifier

/// Probabilities of k classes from those of each pair, `pairs` [k, k]: Wu, Lin and Weng (2004), as
/// libsvm iterates.
std::vector<double> couple_probabilities(size_t k, const std::vector<double>& pairs) {
  std::vector<double> q(k * k, 0.0), p(k, 1.0 / static_cast<double>(k)), qp(k);
  for (size_t t = 0; t < k; ++t) {
    for (size_t j = 0; j < k; ++j) {
      if (j == t) continue;
      q[t * k + t] += pairs[j * k + t] * pairs[j * k + t];
      q[t * k + j] = -pairs[j * k + t] * pairs[t * k + j];
    }
  }
  const size_t most = std::max<size_t>(100, k);
  for (size_t step = 0; step < most; ++step) {
    double pqp = 0, worst = 0;
    for (size_t t = 0; t < k; ++t) {
      qp[t] = 0;
      for (size_t j = 0; j < k; ++j) qp[t] += q[t * k + j] * p[j];
      pqp += p[t] * qp[t];
    }
    for (size_t t = 0; t < k; ++t) worst = std::max(worst, std::fabs(qp[t] - pqp));
    if (worst < 0.005 / static_cast<double>(k)) break;
    for (size_t t = 0; t < k; ++t) {
      const double change = (pqp - qp[t]) / q[t * k + t];
      p[t] += change;
      pqp = (pqp + change * (change * q[t * k + t] + 2 * qp[t])) / ((1 + change) * (1 + change));
      for (size_t j = 0; j < k; ++j) {
        qp[j] = (qp[j] + change * q[t * k + j]) / (1 + change);
        p[j] /= 1 + change;
      }
    }
  }
  return p;
}

/// A classifier with support vectors compares each pair of classes; one without has a linear
/// function per class.
struct Classifier {
  SimilarityFunction similarity;
  std::span<const float> coefficients, vectors, rho, prob_a, prob_b;
  std::vector<size_t> starts, counts;  // support vectors of each class
  size_t classes = 1, support = 0;

  static Result<Classifier> of(const AttributeReader& attributes, size_t classes, size_t features) {
    Classifier result;
    result.classes = std::max<size_t>(1, classes);
    SHIPWAY_ASSIGN_OR_RETURN(result.similarity, SimilarityFunction::of(attributes));
    result.coefficients = attributes.floats_attribute("coefficients");
    result.vectors = attributes.floats_attribute("support_vectors");
    result.rho = attributes.floats_attribute("rho");
    result.prob_a = attributes.floats_attribute("prob_a");
    result.prob_b = attributes.floats_attribute("prob_b");
    for (int64_t count : attributes.ints_attribute("vectors_per_class")) {
      if (count < 0 || static_cast<size_t>(count) > result.vectors.size())
        return Status::invalid_model(
            "attribute 'vectors_per_class' has the element {}, expected 0 to {}", count,
            result.vectors.size());
      result.starts.push_back(result.support);
      result.counts.push_back(static_cast<size_t>(count));
      result.support += static_cast<size_t>(count);
    }
    if (result.support == 0) {
      if (result.coefficients.size() != result.classes * features)
        return wrong_count("coefficients", result.coefficients.size(), result.classes * features);
      if (result.rho.empty()) return wrong_count("rho", 0, 1);
      result.similarity.kind = SimilarityFunction::Kind::kLinear;
      return result;
    }
    const size_t pairs = result.classes * (result.classes - 1) / 2;
    if (result.counts.size() != result.classes)
      return wrong_count("vectors_per_class", result.counts.size(), result.classes);
    if (result.vectors.size() != result.support * features)
      return wrong_count("support_vectors", result.vectors.size(), result.support * features);
    if (result.coefficients.size() != (result.classes - 1) * result.support)
      return wrong_count("coefficients", result.coefficients.size(),
                         (result.classes - 1) * result.support);
    if (result.rho.size() < pairs) return wrong_count("rho", result.rho.size(), pairs);
    if (!result.prob_a.empty() && (result.prob_a.size() < pairs || result.prob_b.size() < pairs))
      return wrong_count("prob_a' and 'prob_b",
                         std::min(result.prob_a.size(), result.prob_b.size()), pairs);
    return result;
  }

  bool has_probabilities() const { return support > 0 && !prob_a.empty(); }

  std::vector<double> linear_scores(std::span<const double> x) const {
    std::vector<double> scores;
    for (size_t k = 0; k < classes; ++k)
      scores.push_back(static_cast<double>(rho[0]) +
                       similarity(x, coefficients.data() + k * x.size()));
    return scores;
  }

  /// A score for every pair of classes; each gives one of the two a vote.
  std::vector<double> pair_scores(std::span<const double> x, std::vector<double>& votes) const {
    std::vector<double> alike, scores;
    for (size_t k = 0; k < support; ++k)
      alike.push_back(similarity(x, vectors.data() + k * x.size()));
    votes.assign(classes, 0.0);
    const auto weighted = [&](size_t row, size_t of_class) {
      double sum = 0;
      for (size_t k = starts[of_class]; k < starts[of_class] + counts[of_class]; ++k)
        sum += static_cast<double>(coefficients[row * support + k]) * alike[k];
      return sum;
    };
    for (size_t i = 0; i < classes; ++i) {
      for (size_t j = i + 1; j < classes; ++j) {
        const double score =
            static_cast<double>(rho[scores.size()]) + weighted(j - 1, i) + weighted(i, j);
        votes[score > 0 ? i : j] += 1;
        scores.push_back(score);
      }
    }
    return scores;
  }

  std::vector<double> probabilities(const std::vector<double>& scores) const {
    std::vector<double> pairs(classes * classes, 0.0);
    size_t pair = 0;
    for (size_t i = 0; i < classes; ++i) {
      for (size_t j = i + 1; j < classes; ++j, ++pair) {
        const double value = 1 - logistic(scores[pair] * static_cast<double>(prob_a[pair]) +
                                          static_cast<double>(prob_b[pair]));
        pairs[i * classes + j] = std::clamp(value, 1e-7, 1 - 1e-7);
        pairs[j * classes + i] = 1 - pairs[i * classes + j];
      }
    }
    return couple_probabilities(classes, pairs);
  }
};

Status infer_svm_classifier(InferContext& context) {
  infer_classes(context, Dim());
  return Status::ok();
}

Status evaluate_svm_classifier(EvaluateContext& context) {
  SHIPWAY_ASSIGN_OR_RETURN(const Samples samples, Samples::of(context));
  SHIPWAY_ASSIGN_OR_RETURN(const PostTransform post, read_post_transform(context));
  ClassLabels labels = ClassLabels::of(context);
  SHIPWAY_ASSIGN_OR_RETURN(const Classifier classifier,
                           Classifier::of(context, labels.size(), samples.features));
  if (classifier.rho.size() == 1 && labels.size() != 2) labels.ints.clear();
  std::vector<double> all_scores;
  std::vector<size_t> classes;
  for (size_t i = 0; i < samples.count; ++i) {
    SHIPWAY_RETURN_IF_ERROR(context.poll());
    std::vector<double> votes;
    std::vector<double> scores = classifier.support == 0
                                     ? classifier.linear_scores(samples.row(i))
                                     : classifier.pair_scores(samples.row(i), votes);
    if (classifier.has_probabilities()) scores = classifier.probabilities(scores);
    const std::vector<double>& decide = votes.empty() ? scores : votes;
    const auto best =
        static_cast<size_t>(std::max_element(decide.begin(), decide.end()) - decide.begin());
    classes.push_back(best);
    // With one rho, labels other than two mean nothing: the class is 1 where its score is positive.
    // ONNX does not say; this and the two scores below are what its reference and ONNX Runtime do.
    if (classifier.rho.size() == 1 && labels.size() != 2) classes.back() = decide[best] > 0 ? 1 : 0;
    const bool one = scores.size() == 1;
    if (!one || post == PostTransform::kLogistic || post == PostTransform::kProbit)
      transform_scores(post, scores);
    if (one && labels.size() == 2)
      scores.insert(scores.begin(), post == PostTransform::kNone ? -scores[0] : 1 - scores[0]);
    all_scores.insert(all_scores.end(), scores.begin(), scores.end());
  }
  return write_classes(context, labels, classes, all_scores);
}

}  // namespace

const Operator& svm_classifier_operator() {
  static const Operator definition{
      .domain = "ai.onnx.ml",
      .name = "SVMClassifier",
      .summary = "Support vector machine that tells classes apart.",
      .versions =
          {{.since = 1,
            .signature = "(X: T1) -> (Y: T2, Z: float)",
            .types = "T1: float int32 int64 double; T2: int64 string",
            .attributes =
                "classlabels_ints: ints?; classlabels_strings: strings?; coefficients: floats?; "
                "kernel_params: floats?; kernel_type: string = 'LINEAR'; "
                "post_transform: string = 'NONE'; prob_a: floats?; prob_b: floats?; rho: floats?; "
                "support_vectors: floats?; vectors_per_class: ints?"}},
      .infer = infer_svm_classifier,
      .evaluate = evaluate_svm_classifier,
  };
  return definition;
}

const Operator& svm_regressor_operator() {
  static const Operator definition{
      .domain = "ai.onnx.ml",
      .name = "SVMRegressor",
      .summary = "Support vector machine that predicts a number.",
      .versions =
          {{.since = 1,
            .signature = "(X: T) -> (Y: float)",
            .types = "T: float int32 int64 double",
            .attributes =
                "coefficients: floats?; kernel_params: floats?; kernel_type: string = 'LINEAR'; "
                "n_supports: int = 0; one_class: int = 0; post_transform: string = 'NONE'; "
                "rho: floats?; support_vectors: floats?"}},
      .infer = infer_svm_regressor,
      .evaluate = evaluate_svm_regressor,
  };
  return definition;
}

}  // namespace shipway
