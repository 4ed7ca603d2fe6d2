// Random numbers: normal, uniform, Bernoulli, multinomial.
#include <algorithm>
#include <cmath>

#include "operators/loops.h"
#include "operators/random_state.h"
#include "operators/shape_rules.h"

namespace shipway {
namespace {

/// The attribute `dtype`, else `otherwise`.
Result<DType> chosen_dtype(const AttributeReader& context, DType otherwise) {
  const int64_t number = context.int_attribute("dtype");
  if (number == 0) return otherwise;
  if (!is_valid_dtype(number))
    return Status::invalid_model("attribute 'dtype' is {}, which is no dtype", number);
  return static_cast<DType>(number);
}

/// Output 0 of `shape`, each element draw(random numbers).
template <typename Draw>
Status fill(EvaluateContext& context, DType dtype, const Shape& shape, Draw&& draw) {
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t count, element_count(shape));
  SHIPWAY_RETURN_IF_ERROR(
      context.allocate(dtype, shape).status());  // the run's limits, before anything is drawn
  RandomState random = RandomState::of(context);
  std::vector<double> values(static_cast<size_t>(count));
  for (double& value : values) value = draw(random);
  return write_output(context, 0, dtype, shape, values);
}

struct Normal {
  double mean, scale;
  explicit Normal(const AttributeReader& context)
      : mean(context.float_attribute("mean")), scale(context.float_attribute("scale")) {}
  double operator()(RandomState& random) const { return random.normal() * scale + mean; }
};
struct Uniform {
  double low, high;
  explicit Uniform(const AttributeReader& context)
      : low(context.float_attribute("low")), high(context.float_attribute("high")) {}
  double operator()(RandomState& random) const { return random.uniform() * (high - low) + low; }
};

Result<Shape> shape_attribute(const AttributeReader& context) {
  const std::span<const int64_t> sizes = context.ints_attribute("shape");
  Shape shape;
  for (int64_t size : sizes) shape.push_back(size);
  SHIPWAY_RETURN_IF_ERROR(element_count(shape).status().with_context("attribute 'shape'"));
  return shape;
}

template <typename Draw>
Status evaluate_shaped(EvaluateContext& context) {
  SHIPWAY_ASSIGN_OR_RETURN(const DType dtype, chosen_dtype(context, DType::kFloat32));
  SHIPWAY_ASSIGN_OR_RETURN(const Shape shape, shape_attribute(context));
  return fill(context, dtype, shape, Draw(context));
}

template <typename Draw>
Status evaluate_like(EvaluateContext& context) {
  SHIPWAY_ASSIGN_OR_RETURN(const DType dtype, chosen_dtype(context, context.input(0).dtype()));
  return fill(context, dtype, context.input(0).shape(), Draw(context));
}

Status infer_shaped(InferContext& context) {
  SHIPWAY_ASSIGN_OR_RETURN(const DType dtype, chosen_dtype(context, DType::kFloat32));
  SHIPWAY_ASSIGN_OR_RETURN(const Shape shape, shape_attribute(context));
  context.set_output(0, dtype, to_dims(shape));
  return Status::ok();
}

Status infer_like(InferContext& context) {
  SHIPWAY_ASSIGN_OR_RETURN(const DType dtype, chosen_dtype(context, context.input_dtype(0)));
  const Dims* dims = context.input_dims(0);
  dims ? context.set_output(0, dtype, *dims) : context.set_output_dtype(0, dtype);
  return Status::ok();
}

/// 1 with the probability that the input says.
Status evaluate_bernoulli(EvaluateContext& context) {
  SHIPWAY_ASSIGN_OR_RETURN(const DType dtype, chosen_dtype(context, context.input(0).dtype()));
  SHIPWAY_ASSIGN_OR_RETURN(std::vector<double> values, to_doubles(context.input(0)));
  RandomState random = RandomState::of(context);
  for (double& value : values) {
    if (!(value >= 0 && value <= 1))
      return Status::invalid_argument("input 0 has the element {}, expected a probability", value);
    value = random.uniform() < value ? 1 : 0;
  }
  return write_output(context, 0, dtype, context.input(0).shape(), values);
}

/// For each row of unnormalised log probabilities, `sample_size` class numbers, by inverting the
/// running sum.
Status evaluate_multinomial(EvaluateContext& context) {
  const Tensor& x = context.input(0);
  const int64_t samples = context.int_attribute("sample_size");
  if (x.rank() != 2 || x.dim(1) == 0)
    return Status::invalid_argument("input 0 has shape {}, expected [batch, classes]",
                                    to_string(x.shape()));
  if (samples < 1)
    return Status::invalid_model("attribute 'sample_size' is {}, expected at least 1", samples);
  SHIPWAY_ASSIGN_OR_RETURN(const DType dtype, chosen_dtype(context, DType::kInt32));
  const Shape shape{x.dim(0), samples};
  SHIPWAY_RETURN_IF_ERROR(context.allocate(dtype, shape).status());
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<double> scores, to_doubles(x));
  RandomState random = RandomState::of(context);
  std::vector<int64_t> results;
  const auto classes = static_cast<size_t>(x.dim(1));
  std::vector<double> running(classes);
  for (size_t row = 0; row < scores.size(); row += classes) {
    SHIPWAY_RETURN_IF_ERROR(context.poll());
    const double* score = scores.data() + row;
    const double largest = *std::max_element(score, score + classes);
    double sum = 0;
    for (size_t k = 0; k < classes; ++k) running[k] = sum += std::exp(score[k] - largest);
    for (int64_t i = 0; i < samples; ++i) {
      const auto found = std::upper_bound(running.begin(), running.end(), random.uniform() * sum);
      results.push_back(
          std::min<int64_t>(found - running.begin(), static_cast<int64_t>(classes) - 1));
    }
  }
  return write_output(context, 0, dtype, shape, results);
}

Status infer_multinomial(InferContext& context) {
  SHIPWAY_ASSIGN_OR_RETURN(const DType dtype, chosen_dtype(context, DType::kInt32));
  const Dims* dims = context.input_dims(0);
  if (dims && dims->size() != 2)
    return Status::invalid_model("input 0 has rank {}, expected [batch, classes]", dims->size());
  context.set_output(0, dtype, {dims ? (*dims)[0] : Dim(), context.int_attribute("sample_size")});
  return Status::ok();
}

constexpr std::string_view kRandomNormalAttributesSince1 =
    "dtype: int = 1; mean: float = 0.0; scale: float = 1.0; seed: float?; shape: ints!";
constexpr std::string_view kRandomNormalLikeAttributesSince1 =
    "dtype: int?; mean: float = 0.0; scale: float = 1.0; seed: float?";
constexpr std::string_view kRandomUniformAttributesSince1 =
    "dtype: int = 1; high: float = 1.0; low: float = 0.0; seed: float?; shape: ints!";
constexpr std::string_view kRandomUniformLikeAttributesSince1 =
    "dtype: int?; high: float = 1.0; low: float = 0.0; seed: float?";

}  // namespace

const Operator& bernoulli_operator() {
  static const Operator definition{
      .name = "Bernoulli",
      .summary = "Draws 0 or 1 for every element, which gives the probability of a 1.",
      .versions = {{.since = 15,
                    .signature = "(input: T1) -> (output: T2)",
                    .types = "T1: floats; T2: numeric bool bfloat16",
                    .attributes = "dtype: int?; seed: float?"},
                   {.since = 22,
                    .signature = "(input: T1) -> (output: T2)",
                    .types = "T1: floats bfloat16; T2: numeric bool bfloat16",
                    .attributes = "dtype: int?; seed: float?"}},
      .infer = infer_like,
      .evaluate = evaluate_bernoulli,
      .accuracy = Accuracy::random(),
  };
  return definition;
}

const Operator& multinomial_operator() {
  static const Operator definition{
      .name = "Multinomial",
      .summary = "Draws class numbers from rows of unnormalised log probabilities.",
      .versions = {{.since = 7,
                    .signature = "(input: T1) -> (output: T2)",
                    .types = "T1: floats; T2: int32 int64",
                    .attributes = "dtype: int = 6; sample_size: int = 1; seed: float?"},
                   {.since = 22,
                    .signature = "(input: T1) -> (output: T2)",
                    .types = "T1: floats bfloat16; T2: int32 int64",
                    .attributes = "dtype: int = 6; sample_size: int = 1; seed: float?"}},
      .infer = infer_multinomial,
      .evaluate = evaluate_multinomial,
      .accuracy = Accuracy::random(),
  };
  return definition;
}

const Operator& random_normal_operator() {
  static const Operator definition{
      .name = "RandomNormal",
      .summary = "Normally distributed numbers in a given shape.",
      .versions = {{.since = 1,
                    .signature = "() -> (output: T)",
                    .types = "T: floats",
                    .attributes = kRandomNormalAttributesSince1},
                   {.since = 22,
                    .signature = "() -> (output: T)",
                    .types = "T: floats bfloat16",
                    .attributes = kRandomNormalAttributesSince1}},
      .infer = infer_shaped,
      .evaluate = evaluate_shaped<Normal>,
      .accuracy = Accuracy::random(),
  };
  return definition;
}

const Operator& random_normal_like_operator() {
  static const Operator definition{
      .name = "RandomNormalLike",
      .summary = "Normally distributed numbers in the shape of a tensor.",
      .versions = {{.since = 1,
                    .signature = "(input: T1) -> (output: T2)",
                    .types = "T1: all_ir3; T2: floats",
                    .attributes = kRandomNormalLikeAttributesSince1},
                   {.since = 22,
                    .signature = "(input: T1) -> (output: T2)",
                    .types = "T1: all_ir4; T2: floats bfloat16",
                    .attributes = kRandomNormalLikeAttributesSince1}},
      .infer = infer_like,
      .evaluate = evaluate_like<Normal>,
      .accuracy = Accuracy::random(),
  };
  return definition;
}

const Operator& random_uniform_operator() {
  static const Operator definition{
      .name = "RandomUniform",
      .summary = "Evenly distributed numbers in a given shape.",
      .versions = {{.since = 1,
                    .signature = "() -> (output: T)",
                    .types = "T: floats",
                    .attributes = kRandomUniformAttributesSince1},
                   {.since = 22,
                    .signature = "() -> (output: T)",
                    .types = "T: floats bfloat16",
                    .attributes = kRandomUniformAttributesSince1}},
      .infer = infer_shaped,
      .evaluate = evaluate_shaped<Uniform>,
      .accuracy = Accuracy::random(),
  };
  return definition;
}

const Operator& random_uniform_like_operator() {
  static const Operator definition{
      .name = "RandomUniformLike",
      .summary = "Evenly distributed numbers in the shape of a tensor.",
      .versions = {{.since = 1,
                    .signature = "(input: T1) -> (output: T2)",
                    .types = "T1: all_ir3; T2: floats",
                    .attributes = kRandomUniformLikeAttributesSince1},
                   {.since = 22,
                    .signature = "(input: T1) -> (output: T2)",
                    .types = "T1: all_ir4; T2: floats bfloat16",
                    .attributes = kRandomUniformLikeAttributesSince1}},
      .infer = infer_like,
      .evaluate = evaluate_like<Uniform>,
      .accuracy = Accuracy::random(),
  };
  return definition;
}

}  // namespace shipway
