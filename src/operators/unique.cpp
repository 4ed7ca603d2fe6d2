// Unique: distinct elements or slices, with first positions, inverse and counts.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "operators/elements.h"
#include "operators/loops.h"
#include "operators/operator.h"
#include "operators/shape_rules.h"

namespace shipway {
namespace {

constexpr std::string_view kSignature =
    "(X: T) -> (Y: T, indices?: int64, inverse_indices?: int64, counts?: int64)";

Status infer_unique(InferContext& context) {
  const Dims* dims = context.input_dims(0);
  const Dim count = context.dims().fresh();
  if (!context.has_attribute("axis")) {
    context.set_output(0, context.input_dtype(0), {count});
  } else if (!dims) {
    context.set_output_dtype(0, context.input_dtype(0));
  } else {
    SHIPWAY_ASSIGN_OR_RETURN(
        const int64_t axis,
        normalize_axis(context.int_attribute("axis"), static_cast<int64_t>(dims->size())));
    Dims result = *dims;
    result[static_cast<size_t>(axis)] = count;
    context.set_output(0, context.input_dtype(0), std::move(result));
  }
  context.set_output(1, DType::kInt64, {count});
  Dim inputs;
  if (dims && !context.has_attribute("axis")) inputs = context.dims().product(*dims);
  if (dims && context.has_attribute("axis")) {
    SHIPWAY_ASSIGN_OR_RETURN(
        const int64_t axis,
        normalize_axis(context.int_attribute("axis"), static_cast<int64_t>(dims->size())));
    inputs = (*dims)[static_cast<size_t>(axis)];
  }
  context.set_output(2, DType::kInt64, {inputs});
  context.set_output(3, DType::kInt64, {count});
  return Status::ok();
}

/// Negative, zero or positive, as a stands before, with or after b. NaN stands last and equals NaN.
template <typename T>
int order(const T& a, const T& b) {
  if constexpr (std::is_same_v<T, std::complex<double>>) {
    const int real = order(a.real(), b.real());
    return real != 0 ? real : order(a.imag(), b.imag());
  } else {
    if constexpr (std::is_same_v<T, double>)
      if (std::isnan(a) || std::isnan(b)) return static_cast<int>(std::isnan(a)) - std::isnan(b);
    return a < b ? -1 : b < a ? 1 : 0;
  }
}

/// The distinct slices along the axis, in the order of the output.
struct Groups {
  std::vector<int64_t> first;    // where each slice is first
  std::vector<int64_t> inverse;  // of each slice of the input: its number
  std::vector<int64_t> counts;
};

/// Slices are [outer, inner] elements at distance `size * inner` and 1.
template <typename T>
Result<Groups> group(EvaluateContext& context, int64_t outer, int64_t size, int64_t inner) {
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<T> values, read_elements<T>(context.input(0)));
  const auto compare = [&](int64_t a, int64_t b) {
    if (values.empty()) return 0;
    for (int64_t k = 0; k < outer; ++k)
      for (int64_t i = 0; i < inner; ++i) {
        const int result = order(values[static_cast<size_t>((k * size + a) * inner + i)],
                                 values[static_cast<size_t>((k * size + b) * inner + i)]);
        if (result != 0) return result;
      }
    return 0;
  };
  std::vector<int64_t> sorted(static_cast<size_t>(size));
  std::iota(sorted.begin(), sorted.end(), int64_t{0});
  std::stable_sort(sorted.begin(), sorted.end(),
                   [&](int64_t a, int64_t b) { return compare(a, b) < 0; });
  Groups groups;
  groups.inverse.resize(sorted.size());
  for (size_t i = 0; i < sorted.size(); ++i) {
    if (i == 0 || compare(sorted[i - 1], sorted[i]) != 0) {
      groups.first.push_back(sorted[i]);
      groups.counts.push_back(0);
    }
    groups.inverse[static_cast<size_t>(sorted[i])] = static_cast<int64_t>(groups.first.size()) - 1;
    ++groups.counts.back();
  }
  if (context.int_attribute("sorted") != 0) return groups;
  // In the order in which the input has them.
  std::vector<size_t> by_place(groups.first.size()), new_number(groups.first.size());
  std::iota(by_place.begin(), by_place.end(), size_t{0});
  std::sort(by_place.begin(), by_place.end(),
            [&](size_t a, size_t b) { return groups.first[a] < groups.first[b]; });
  Groups result{.inverse = std::move(groups.inverse)};
  for (size_t i = 0; i < by_place.size(); ++i) {
    new_number[by_place[i]] = i;
    result.first.push_back(groups.first[by_place[i]]);
    result.counts.push_back(groups.counts[by_place[i]]);
  }
  for (int64_t& number : result.inverse)
    number = static_cast<int64_t>(new_number[static_cast<size_t>(number)]);
  return result;
}

Status evaluate_unique(EvaluateContext& context) {
  const Tensor& x = context.input(0);
  int64_t outer = 1, size = x.element_count(), inner = 1;
  Shape shape = {0};
  size_t axis = 0;
  if (context.has_attribute("axis")) {
    SHIPWAY_ASSIGN_OR_RETURN(const int64_t normal,
                             normalize_axis(context.int_attribute("axis"), x.rank()));
    axis = static_cast<size_t>(normal);
    shape = x.shape();
    size = x.dim(axis);
    if (x.element_count() > 0) {
      for (size_t i = 0; i < axis; ++i) outer *= x.dim(i);
      for (size_t i = axis + 1; i < shape.size(); ++i) inner *= x.dim(i);
    }
  }
  Groups groups;
  SHIPWAY_RETURN_IF_ERROR(visit_compute_type(x.dtype(), [&]<typename T>(T) -> Status {
    SHIPWAY_ASSIGN_OR_RETURN(groups, group<T>(context, outer, size, inner));
    return Status::ok();
  }));
  shape[axis] = static_cast<int64_t>(groups.first.size());
  SHIPWAY_ASSIGN_OR_RETURN(const Elements from, Elements::of(x));
  SHIPWAY_ASSIGN_OR_RETURN(Elements y, Elements::output(context, 0, x.dtype(), shape));
  int64_t to = 0;
  for (int64_t k = 0; k < outer && y.count() > 0; ++k)
    for (int64_t first : groups.first) {
      y.copy(to, from, (k * size + first) * inner, inner);
      to += inner;
    }
  SHIPWAY_RETURN_IF_ERROR(y.finish(context, 0));
  if (context.has_output(1)) context.set_output(1, Tensor::vector(groups.first));
  if (context.has_output(2)) context.set_output(2, Tensor::vector(groups.inverse));
  if (context.has_output(3)) context.set_output(3, Tensor::vector(groups.counts));
  return Status::ok();
}

}  // namespace

const Operator& unique_operator() {
  static const Operator definition{
      .name = "Unique",
      .summary = "Distinct elements or slices, with first positions, inverse and counts.",
      .versions = {{.since = 11,
                    .signature = kSignature,
                    .types = "T: all_ir3",
                    .attributes = "axis: int?; sorted: int = 1"},
                   {.since = 28,
                    .signature = kSignature,
                    .types = "T: all_ir4",
                    .attributes = "axis: int?; sorted: int = 1"}},
      .infer = infer_unique,
      .evaluate = evaluate_unique,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
