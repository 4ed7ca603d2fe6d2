// Random numbers: normal, uniform, Bernoulli, multinomial.
#include "operators/operator.h"

namespace shipway {
namespace {

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
  };
  return definition;
}

}  // namespace shipway
