// MaxUnpool: puts pooled maxima back at the positions they came from, zeros elsewhere.
#include <algorithm>

#include "operators/contents.h"
#include "operators/elements.h"
#include "operators/loops.h"
#include "operators/shape_rules.h"
#include "operators/windows.h"

namespace shipway {
namespace {

constexpr std::string_view kSignature = "(X: T1, I: T2, output_shape?: T2) -> (output: T1)";
constexpr std::string_view kAttributes = "kernel_shape: ints!; pads: ints?; strides: ints?";

/// The size that the pooled axis had at least.
Dim unpooled(DimTable& dims, const Windows& windows, size_t axis, Dim size) {
  const int64_t rest = windows.kernel[axis] - windows.strides[axis] - windows.pads_begin[axis] -
                       windows.pads_end[axis];
  return dims.add(dims.mul(size, windows.strides[axis]), rest);
}

Status infer_max_unpool(InferContext& context) {
  context.set_output_dtype(0, context.input_dtype(0));
  const Dims* x = context.input_dims(0);
  if (x && x->size() < 3)
    return Status::invalid_model("input 'X' has rank {}, expected at least 3", x->size());
  if (context.has_input(2)) {
    SHIPWAY_ASSIGN_OR_RETURN(std::optional<Dims> sizes, sizes_of_input(context, 2, "output_shape"));
    if (sizes)
      context.set_output(0, context.input_dtype(0), std::move(*sizes));
    else if (x)
      context.set_output(0, context.input_dtype(0), Dims(x->size()));
    return Status::ok();
  }
  if (!x) return Status::ok();
  SHIPWAY_ASSIGN_OR_RETURN(const Windows windows, read_windows(context, x->size() - 2));
  Dims y = *x;
  for (size_t i = 0; i < windows.rank(); ++i)
    y[i + 2] = unpooled(context.dims(), windows, i, (*x)[i + 2]);
  context.set_output(0, context.input_dtype(0), std::move(y));
  return Status::ok();
}

Status evaluate_max_unpool(EvaluateContext& context) {
  const Tensor &x = context.input(0), &indices = context.input(1);
  if (x.rank() < 3 || indices.shape() != x.shape())
    return Status::invalid_argument(
        "'X' is [{}] and 'I' [{}], expected one shape of rank 3 or more", to_string(x.shape()),
        to_string(indices.shape()));
  SHIPWAY_ASSIGN_OR_RETURN(const Windows windows, read_windows(context, x.shape().size() - 2));
  Shape inner = x.shape();  // what the indices count in
  DimTable dims;
  for (size_t i = 0; i < windows.rank(); ++i)
    inner[i + 2] = unpooled(dims, windows, i, x.dim(i + 2)).value();
  Shape shape = inner;
  if (context.has_input(2)) {
    SHIPWAY_ASSIGN_OR_RETURN(shape, shape_of(context.input(2), "output_shape"));
  }
  bool fits = shape.size() == inner.size();
  for (size_t i = 0; fits && i < shape.size(); ++i) fits = shape[i] >= inner[i] && inner[i] >= 0;
  if (!fits)
    return Status::invalid_argument("the output would be [{}], expected at least [{}]",
                                    to_string(shape), to_string(inner));
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t count, element_count(inner));
  SHIPWAY_ASSIGN_OR_RETURN(const Elements from, Elements::of(x));
  SHIPWAY_ASSIGN_OR_RETURN(Elements to, Elements::output(context, 0, x.dtype(), shape));
  to.clear();
  const Shape strides = strides_of(shape);
  const std::span<const int64_t> positions = indices.as<int64_t>();
  for (int64_t k = 0; k < from.count(); ++k) {
    int64_t rest = positions[static_cast<size_t>(k)];
    if (rest < 0 || rest >= count)
      return Status::invalid_argument("input 'I' has the value {}, expected 0 to {}", rest,
                                      count - 1);
    int64_t at = 0;
    for (size_t axis = inner.size(); axis-- > 0; rest /= inner[axis])
      at += rest % inner[axis] * strides[axis];
    to.copy(at, from, k);
  }
  return to.finish(context, 0);
}

}  // namespace

const Operator& max_unpool_operator() {
  static const Operator definition{
      .name = "MaxUnpool",
      .summary = "Puts pooled maxima back at the positions they came from, zeros elsewhere.",
      .versions = {{.since = 9,
                    .signature = kSignature,
                    .types = "T1: floats; T2: int64",
                    .attributes = kAttributes},
                   {.since = 11,
                    .signature = kSignature,
                    .types = "T1: floats; T2: int64",
                    .attributes = kAttributes},
                   {.since = 22,
                    .signature = kSignature,
                    .types = "T1: floats bfloat16; T2: int64",
                    .attributes = kAttributes}},
      .infer = infer_max_unpool,
      .evaluate = evaluate_max_unpool,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
