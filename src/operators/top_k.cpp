// TopK: the k largest or smallest elements along an axis, with their positions.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "operators/contents.h"
#include "operators/downgrade_steps.h"
#include "operators/elements.h"
#include "operators/loops.h"
#include "operators/operator.h"
#include "operators/shape_rules.h"

namespace shipway {
namespace {

constexpr std::string_view kSignature = "(X: T, K: int64) -> (Values: T, Indices: I)";

Status infer_top_k(InferContext& context) {
  const Dims* dims = context.input_dims(0);
  if (!dims) {
    context.set_output_dtype(0, context.input_dtype(0));
    context.set_output_dtype(1, DType::kInt64);
    return Status::ok();
  }
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t axis, normalize_axis(context.int_attribute("axis"),
                                                              static_cast<int64_t>(dims->size())));
  Dims result = *dims;
  Dim& size = result[static_cast<size_t>(axis)];
  const std::optional<Contents> k = context.input_contents(1);
  const Dim wanted = k && k->size() == 1 ? (*k)[0] : Dim::unknown();
  if (wanted.is_constant() && wanted.value() < 0)
    return Status::invalid_model("input 'K' is {}, expected 0 or more", wanted.value());
  if (wanted.is_constant() && size.is_constant() && wanted.value() > size.value())
    return Status::invalid_model("input 'K' is {}, but axis {} has size {}", wanted.value(), axis,
                                 size.value());
  size = wanted;
  context.set_output(0, context.input_dtype(0), result);
  context.set_output(1, DType::kInt64, std::move(result));
  return Status::ok();
}

/// Does a stand before b? NaN counts as the largest number. Of equal ones the first in the input
/// stands first.
template <typename T>
bool stands_before(T a, T b, bool largest) {
  if constexpr (std::is_same_v<T, double>) {
    if (std::isnan(a) || std::isnan(b))
      return largest ? std::isnan(a) && !std::isnan(b) : !std::isnan(a) && std::isnan(b);
  }
  return largest ? a > b : a < b;
}

/// The positions in X of all values of the output; and each one's index along the axis.
template <typename T>
Status choose(EvaluateContext& context, size_t axis, int64_t k, std::vector<int64_t>& sources,
              std::span<int64_t> indices) {
  const Tensor& x = context.input(0);
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<T> values, read_elements<T>(x));
  const bool largest = context.int_attribute("largest") != 0;
  int64_t outer = 1, inner = 1;
  for (size_t i = 0; i < axis; ++i) outer *= x.dim(i);
  for (size_t i = axis + 1; i < x.shape().size(); ++i) inner *= x.dim(i);
  const int64_t size = x.dim(axis);
  std::vector<int64_t> order(static_cast<size_t>(size));
  for (int64_t i = 0; i < outer; ++i) {
    SHIPWAY_RETURN_IF_ERROR(context.poll());
    for (int64_t j = 0; j < inner; ++j) {
      const int64_t start = i * size * inner + j;
      const auto value = [&](int64_t at) {
        return values[static_cast<size_t>(start + at * inner)];
      };
      std::iota(order.begin(), order.end(), int64_t{0});
      std::partial_sort(order.begin(), order.begin() + k, order.end(), [&](int64_t a, int64_t b) {
        if (stands_before(value(a), value(b), largest)) return true;
        return !stands_before(value(b), value(a), largest) && a < b;
      });
      for (int64_t n = 0; n < k; ++n) {
        const auto to = static_cast<size_t>((i * k + n) * inner + j);
        indices[to] = order[static_cast<size_t>(n)];
        sources[to] = start + indices[to] * inner;
      }
    }
  }
  return Status::ok();
}

Status evaluate_top_k(EvaluateContext& context) {
  const Tensor& x = context.input(0);
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t normal,
                           normalize_axis(context.int_attribute("axis"), x.rank()));
  const auto axis = static_cast<size_t>(normal);
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t k, int_of(context.input(1), "K"));
  if (k < 0 || k > x.dim(axis))
    return Status::invalid_argument("input 'K' is {}, expected 0 to {}, the size of axis {}", k,
                                    x.dim(axis), axis);
  Shape shape = x.shape();
  shape[axis] = k;
  SHIPWAY_ASSIGN_OR_RETURN(Tensor indices, context.allocate_output(1, DType::kInt64, shape));
  std::vector<int64_t> sources(static_cast<size_t>(indices.element_count()));
  if (sources.empty()) return context.allocate_output(0, x.dtype(), shape).status();
  SHIPWAY_RETURN_IF_ERROR(visit_compute_type(x.dtype(), [&]<typename T>(T) -> Status {
    if constexpr (std::is_same_v<T, std::string> || std::is_same_v<T, std::complex<double>>) {
      return Status::unsupported("{} has no order", to_string(x.dtype()));
    } else {
      return choose<T>(context, axis, k, sources, indices.mutable_as<int64_t>());
    }
  }));
  SHIPWAY_ASSIGN_OR_RETURN(const Elements from, Elements::of(x));
  SHIPWAY_ASSIGN_OR_RETURN(Elements values, Elements::output(context, 0, x.dtype(), shape));
  values.take(from, sources);
  return values.finish(context, 0);
}

Status count_to_input(NodeRewrite& rewrite) {
  const int64_t k = rewrite.int_attribute("k");
  rewrite.set_input(1, rewrite.add_ints("k", std::span(&k, 1)));
  rewrite.remove_attribute("k");
  return Status::ok();
}

// The smallest are the largest of -x; the order of unsorted results was never promised.
Status downgrade_11(NodeRewrite& rewrite) {
  SHIPWAY_RETURN_IF_ERROR(axis_from_front(rewrite));
  if (rewrite.has_attribute("sorted")) rewrite.remove_attribute("sorted");
  if (rewrite.int_attribute("largest") != 0) return Status::ok();
  return Status::unsupported("attribute 'largest' (0) came with opset 11");
}
Status input_to_count(NodeRewrite& rewrite) {
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<int64_t> k, constant_ints(rewrite, 1, "K"));
  if (k.size() != 1) return Status::invalid_model("input 1 ('K') has {} elements", k.size());
  rewrite.set_attribute({"k", k[0]});
  rewrite.set_input(1, {});
  return Status::ok();
}

}  // namespace

const Operator& top_k_operator() {
  static const Operator definition{
      .name = "TopK",
      .summary = "The k largest or smallest elements along an axis, with their positions.",
      .versions = {{.since = 1,
                    .signature = "(X: T) -> (Values: T, Indices: I)",
                    .types = "T: floats; I: int64",
                    .attributes = "axis: int = -1; k: int!",
                    .upgrade = count_to_input},
                   {.since = 10,
                    .signature = kSignature,
                    .types = "T: floats; I: int64",
                    .attributes = "axis: int = -1",
                    .downgrade = input_to_count},
                   {.since = 11,
                    .signature = kSignature,
                    .types = "T: numeric; I: int64",
                    .attributes = "axis: int = -1; largest: int = 1; sorted: int = 1",
                    .downgrade = downgrade_11},
                   {.since = 24,
                    .signature = kSignature,
                    .types = "T: numeric bfloat16; I: int64",
                    .attributes = "axis: int = -1; largest: int = 1; sorted: int = 1"}},
      .infer = infer_top_k,
      .evaluate = evaluate_top_k,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
