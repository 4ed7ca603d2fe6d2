// TensorScatter: writes new steps into a key/value cache at a position per sample.
#include "operators/contents.h"
#include "operators/elements.h"
#include "operators/operator.h"
#include "operators/shape_rules.h"
#include "tensor/convert.h"

namespace shipway {

namespace {

Status infer_tensor_scatter(InferContext& context) {
  context.set_output(0, context.input_type(0));
  return Status::ok();
}

/// Along `axis`, update t of batch b goes to write_indices[b] + t; in mode "circular" modulo the
/// size of the cache.
Status evaluate_tensor_scatter(EvaluateContext& context) {
  const Tensor &cache = context.input(0), &update = context.input(1);
  const std::string& mode = context.string_attribute("mode");
  if (mode != "linear" && mode != "circular")
    return Status::invalid_model("attribute 'mode' is '{}', expected linear or circular", mode);
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t normal,
                           normalize_axis(context.int_attribute("axis"), cache.rank()));
  const auto axis = static_cast<size_t>(normal);
  if (axis == 0) return Status::invalid_model("attribute 'axis' is the batch axis");
  Shape expected = cache.shape();
  if (update.rank() == cache.rank()) expected[axis] = update.dim(axis);
  if (update.shape() != expected || update.dtype() != cache.dtype())
    return Status::invalid_argument("input 'update' is {}[{}], but 'past_cache' is {}[{}]",
                                    to_string(update.dtype()), to_string(update.shape()),
                                    to_string(cache.dtype()), to_string(cache.shape()));
  const int64_t size = cache.dim(axis), length = update.dim(axis), batches = cache.dim(0);
  std::vector<int64_t> starts(static_cast<size_t>(batches), 0);
  if (context.has_input(2)) {
    SHIPWAY_ASSIGN_OR_RETURN(starts, ints_of(context.input(2), "write_indices"));
    if (static_cast<int64_t>(starts.size()) != batches)
      return Status::invalid_argument("input 'write_indices' has {} values, expected {}",
                                      starts.size(), batches);
  }
  const bool is_circular = mode == "circular";
  for (int64_t start : starts)
    if (start < 0 || (is_circular ? start >= size && size > 0 : start > size - length))
      return Status::invalid_argument(
          "input 'write_indices' has the value {}: {} updates do not fit a cache of size {}", start,
          length, size);
  if (is_circular && length > size)
    return Status::invalid_argument("{} updates do not fit a cache of size {}", length, size);
  SHIPWAY_ASSIGN_OR_RETURN(Elements y, Elements::output_copy(context, 0, cache));
  SHIPWAY_ASSIGN_OR_RETURN(const Elements x, Elements::of(update));
  if (x.count() == 0) return y.finish(context, 0);
  int64_t outer = 1, inner = 1;  // outer: axes between batch and `axis`
  for (size_t i = 1; i < axis; ++i) outer *= cache.dim(i);
  for (size_t i = axis + 1; i < cache.shape().size(); ++i) inner *= cache.dim(i);
  for (int64_t b = 0; b < batches; ++b)
    for (int64_t k = 0; k < outer; ++k)
      for (int64_t t = 0; t < length; ++t) {
        const int64_t at = (starts[static_cast<size_t>(b)] + t) % size;
        const int64_t row = b * outer + k;
        y.copy((row * size + at) * inner, x, (row * length + t) * inner, inner);
      }
  return y.finish(context, 0);
}

}  // namespace

const Operator& tensor_scatter_operator() {
  static const Operator definition{
      .name = "TensorScatter",
      .summary = "Writes new steps into a key/value cache at a position per sample.",
      .versions = {{.since = 24,
                    .signature =
                        "(past_cache: T, update: T, write_indices?: int64) -> (present_cache: T)",
                    .types = "T: all_ir12",
                    .attributes = "axis: int = -2; mode: string = 'linear'"}},
      .infer = infer_tensor_scatter,
      .evaluate = evaluate_tensor_scatter,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
