// CenterCropPad: crops or zero-pads around the centre to a wanted size.
#include <algorithm>

#include "operators/contents.h"
#include "operators/elements.h"
#include "operators/loops.h"
#include "operators/operator.h"

namespace shipway {

namespace {

/// The axes that `shape` speaks of: attribute `axes`, or all.
Result<std::vector<int64_t>> axes_of(const AttributeReader& node, int64_t rank) {
  if (node.has_attribute("axes"))
    return normalize_axes(node.ints_attribute("axes"), rank, "attribute 'axes'");
  std::vector<int64_t> axes;
  for (int64_t axis = 0; axis < rank; ++axis) axes.push_back(axis);
  return axes;
}

Status infer_center_crop_pad(InferContext& context) {
  const Dims* dims = context.input_dims(0);
  if (!dims) {
    context.set_output_dtype(0, context.input_dtype(0));
    return Status::ok();
  }
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<int64_t> axes,
                           axes_of(context, static_cast<int64_t>(dims->size())));
  SHIPWAY_ASSIGN_OR_RETURN(const std::optional<Dims> sizes, sizes_of_input(context, 1, "shape"));
  if (sizes && sizes->size() != axes.size())
    return Status::invalid_model("input 'shape' has {} values, expected {}", sizes->size(),
                                 axes.size());
  Dims result = *dims;
  for (size_t i = 0; i < axes.size(); ++i)
    result[static_cast<size_t>(axes[i])] = sizes ? (*sizes)[i] : Dim::unknown();
  context.set_output(0, context.input_dtype(0), std::move(result));
  return Status::ok();
}

/// Of an odd number of elements to drop or add, the end gets one more.
Status evaluate_center_crop_pad(EvaluateContext& context) {
  const Tensor& input = context.input(0);
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<int64_t> axes, axes_of(context, input.rank()));
  SHIPWAY_ASSIGN_OR_RETURN(const Shape sizes, shape_of(context.input(1), "shape"));
  if (sizes.size() != axes.size())
    return Status::invalid_argument("input 'shape' has {} values, expected {}", sizes.size(),
                                    axes.size());
  const Shape from_strides = strides_of(input.shape());
  Shape shape = input.shape(), kept = input.shape();
  for (size_t i = 0; i < axes.size(); ++i) shape[static_cast<size_t>(axes[i])] = sizes[i];
  SHIPWAY_ASSIGN_OR_RETURN(const Elements x, Elements::of(input));
  SHIPWAY_ASSIGN_OR_RETURN(Elements y, Elements::output(context, 0, input.dtype(), shape));
  const Shape to_strides = strides_of(shape);
  int64_t from = 0, to = 0;
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    kept[axis] = std::min(input.dim(axis), shape[axis]);
    from += (input.dim(axis) - kept[axis]) / 2 * from_strides[axis];
    to += (shape[axis] - kept[axis]) / 2 * to_strides[axis];
  }
  y.clear();
  y.copy_strided(kept, to, to_strides, x, from, from_strides);
  return y.finish(context, 0);
}

}  // namespace

const Operator& center_crop_pad_operator() {
  static const Operator definition{
      .name = "CenterCropPad",
      .summary = "Crops or zero-pads around the centre to a wanted size.",
      .versions = {{.since = 18,
                    .signature = "(input_data: T, shape: Tind) -> (output_data: T)",
                    .types = "T: all_ir4; Tind: int32 int64",
                    .attributes = "axes: ints?"}},
      .infer = infer_center_crop_pad,
      .evaluate = evaluate_center_crop_pad,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
