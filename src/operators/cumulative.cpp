// Running sums and products along an axis: CumSum, CumProd.
#include "operators/contents.h"
#include "operators/loops.h"
#include "operators/shape_rules.h"

namespace shipway {
namespace {

/// Running results along the axis of input 1, forwards or back, of the elements up to each one or
/// before it. Whole numbers wrap.
template <typename T, bool kProduct>
Status accumulate(EvaluateContext& context) {
  const Tensor& x = context.input(0);
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t given, int_of(context.input(1), "axis"));
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t axis, normalize_axis(given, x.rank(), "input 1 ('axis')"));
  const bool exclusive = context.int_attribute("exclusive") != 0;
  const bool reverse = context.int_attribute("reverse") != 0;
  const auto [outer, size, inner] = Lines::along(x.shape(), axis);
  SHIPWAY_ASSIGN_OR_RETURN(std::vector<T> values, read_elements<T>(x));
  if (!values.empty()) {
    for (int64_t line = 0; line < outer * inner; ++line) {
      T* first = values.data() + line / inner * size * inner + line % inner;
      T so_far = kProduct ? T{1} : T{0};
      for (int64_t k = 0; k < size; ++k) {
        T& value = first[(reverse ? size - 1 - k : k) * inner];
        const T next = kProduct ? so_far * value : so_far + value;
        value = exclusive ? so_far : next;
        so_far = next;
      }
    }
  }
  return write_output(context, 0, x.dtype(), x.shape(), values);
}

template <bool kProduct>
Status evaluate_cumulative(EvaluateContext& context) {
  return kind_of(context.input(0).dtype()) == DTypeKind::kFloat
             ? accumulate<double, kProduct>(context)
             : accumulate<uint64_t, kProduct>(context);
}

Status infer_cumulative(InferContext& context) {
  context.set_output(0, context.input_type(0));
  const std::optional<std::vector<int64_t>> axis = context.input_ints(1);
  if (!axis || axis->size() != 1 || !context.input_dims(0)) return Status::ok();
  return normalize_axis(axis->front(), static_cast<int64_t>(context.input_dims(0)->size()),
                        "input 1 ('axis')")
      .status();
}

constexpr std::string_view kTypes = "T: floats int32 int64 uint32 uint64 bfloat16; T2: int32 int64";

}  // namespace

const Operator& cum_prod_operator() {
  static const Operator definition{
      .name = "CumProd",
      .summary = "Running product along one axis.",
      .versions = {{.since = 26,
                    .signature = "(x: T, axis: T2) -> (y: T)",
                    .types = kTypes,
                    .attributes = "exclusive: int = 0; reverse: int = 0"}},
      .infer = infer_cumulative,
      .evaluate = evaluate_cumulative<true>,
  };
  return definition;
}

const Operator& cum_sum_operator() {
  static const Operator definition{
      .name = "CumSum",
      .summary = "Running sum along one axis.",
      .versions = {{.since = 11,
                    .signature = "(x: T, axis: T2) -> (y: T)",
                    .types = "T: float int32 int64 double uint32 uint64; T2: int32 int64",
                    .attributes = "exclusive: int = 0; reverse: int = 0"},
                   {.since = 14,
                    .signature = "(x: T, axis: T2) -> (y: T)",
                    .types = kTypes,
                    .attributes = "exclusive: int = 0; reverse: int = 0"}},
      .infer = infer_cumulative,
      .evaluate = evaluate_cumulative<false>,
  };
  return definition;
}

}  // namespace shipway
