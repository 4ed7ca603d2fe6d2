// Shape rules that many operators share, for their `infer` functions.
#pragma once

#include "operators/operator.h"

namespace shipway {

/// Output 0 has the type of input 0 (elements followed too).
Status infer_same_as_first_input(InferContext& context);
/// Output 0 has the type of input 0, but other elements.
Status infer_type_of_first_input(InferContext& context);
/// Output 0 has the broadcast shape of all inputs and the dtype of input 0.
Status infer_broadcast(InferContext& context);
/// As infer_broadcast, but the output is bool.
Status infer_broadcast_to_bool(InferContext& context);

/// Numpy's broadcasting of two shapes; an error names the axis and both sizes. Where one side is
/// symbolic and the other a number greater than 1, the number wins (the other can only be it or 1).
Result<Dims> broadcast_dims(const Dims& a, const Dims& b, DimTable& dims);

/// `axis` counted from the front: -rank <= axis < rank (or <= rank with `past_end`), else an error
/// that names `what`.
Result<int64_t> normalize_axis(int64_t axis, int64_t rank,
                               std::string_view what = "attribute 'axis'", bool past_end = false);

/// Windows along one axis: (size + pads - ((kernel - 1) * dilation + 1)) / stride + 1, rounded down
/// or up. With `ceil` a last window that would start in the end padding does not count (ONNX since
/// AveragePool-19 / MaxPool-22).
Dim window_count(DimTable& dims, Dim size, int64_t kernel, int64_t stride, int64_t dilation,
                 int64_t pad_begin, int64_t pad_end, bool ceil = false);

/// What two types have in common: sizes in which they differ become unknown, and so does the rank.
/// For values that are one or the other: of two branches, of the first and the next iteration.
Type join_types(const Type& a, const Type& b);

/// The sizes of a constant Shape as Dims.
Dims to_dims(const Shape& shape);

}  // namespace shipway
