// MaxRoiPool: largest element of each bin of given regions.
#include <algorithm>
#include <cmath>
#include <limits>

#include "operators/reals.h"
#include "operators/shape_rules.h"

namespace shipway {

namespace {

Status infer_max_roi_pool(InferContext& context) {
  context.set_output_dtype(0, context.input_dtype(0));
  const Dims *x = context.input_dims(0), *rois = context.input_dims(1);
  const std::span<const int64_t> pooled = context.ints_attribute("pooled_shape");
  if (pooled.size() != 2 || pooled[0] < 1 || pooled[1] < 1)
    return Status::invalid_model("attribute 'pooled_shape' is {}, expected two sizes of at least 1",
                                 to_string(Shape(pooled)));
  context.set_output(0, context.input_dtype(0),
                     {rois && !rois->empty() ? rois->front() : Dim(),
                      x && x->size() > 1 ? (*x)[1] : Dim(), pooled[0], pooled[1]});
  return Status::ok();
}

Status evaluate_max_roi_pool(EvaluateContext& context) {
  const Tensor &input = context.input(0), &regions = context.input(1);
  const std::span<const int64_t> pooled = context.ints_attribute("pooled_shape");
  if (pooled.size() != 2 || pooled[0] < 1 || pooled[1] < 1)
    return Status::invalid_model("attribute 'pooled_shape' is {}, expected two sizes of at least 1",
                                 to_string(Shape(pooled)));
  if (input.rank() != 4 || regions.rank() != 2 || regions.dim(1) != 5)
    return Status::invalid_argument(
        "'X' is [{}] and 'rois' [{}], expected rank 4, and five numbers for "
        "each region",
        to_string(input.shape()), to_string(regions.shape()));
  const int64_t count = regions.dim(0), channels = input.dim(1);
  const int64_t height = input.dim(2), width = input.dim(3);
  SHIPWAY_ASSIGN_OR_RETURN(const Reals<double> x, Reals<double>::of(input));
  SHIPWAY_ASSIGN_OR_RETURN(const Reals<double> rois, Reals<double>::of(regions));
  SHIPWAY_ASSIGN_OR_RETURN(RealOutput<double> y,
                           RealOutput<double>::allocate(context, 0, input.dtype(),
                                                        {count, channels, pooled[0], pooled[1]}));
  const auto scale = static_cast<double>(context.float_attribute("spatial_scale"));
  const auto corner = [&](int64_t i) {  // half away from zero, within what pictures can have
    return static_cast<int64_t>(std::round(std::clamp(rois[i] * scale, -1e9, 1e9)));
  };
  double* out = y.data();
  for (int64_t r = 0; r < count; ++r) {
    const double batch = rois[r * 5];
    if (!(batch >= 0 && batch < static_cast<double>(input.dim(0))))
      return Status::invalid_argument("region {} is of picture {}, expected 0 to {}", r, batch,
                                      input.dim(0) - 1);
    const int64_t left = corner(r * 5 + 1), top = corner(r * 5 + 2);
    const double bin_height =
        static_cast<double>(std::max<int64_t>(corner(r * 5 + 4) - top + 1, 1)) /
        static_cast<double>(pooled[0]);
    const double bin_width =
        static_cast<double>(std::max<int64_t>(corner(r * 5 + 3) - left + 1, 1)) /
        static_cast<double>(pooled[1]);
    const auto bounds = [](int64_t bin, double size, int64_t start, int64_t end) {
      const auto low = static_cast<int64_t>(std::floor(static_cast<double>(bin) * size));
      const auto high = static_cast<int64_t>(std::ceil(static_cast<double>(bin + 1) * size));
      return std::pair(std::clamp<int64_t>(low + start, 0, end),
                       std::clamp<int64_t>(high + start, 0, end));
    };
    for (int64_t c = 0; c < channels; ++c) {
      const double* plane =
          x.data() + (static_cast<int64_t>(batch) * channels + c) * height * width;
      for (int64_t i = 0; i < pooled[0]; ++i) {
        const auto [first_row, last_row] = bounds(i, bin_height, top, height);
        for (int64_t j = 0; j < pooled[1]; ++j) {
          const auto [first, last] = bounds(j, bin_width, left, width);
          double best = -std::numeric_limits<double>::infinity();
          for (int64_t row = first_row; row < last_row; ++row)
            for (int64_t column = first; column < last; ++column)
              best = std::max(best, plane[row * width + column]);
          *out++ = first_row < last_row && first < last ? best : 0;
        }
      }
    }
    SHIPWAY_RETURN_IF_ERROR(context.poll());
  }
  return y.finish(context);
}

}  // namespace

const Operator& max_roi_pool_operator() {
  static const Operator definition{
      .name = "MaxRoiPool",
      .summary = "Largest element of each bin of given regions.",
      .versions = {{.since = 1,
                    .signature = "(X: T, rois: T) -> (Y: T)",
                    .types = "T: floats",
                    .attributes = "pooled_shape: ints!; spatial_scale: float = 1.0"},
                   {.since = 22,
                    .signature = "(X: T, rois: T) -> (Y: T)",
                    .types = "T: floats bfloat16",
                    .attributes = "pooled_shape: ints!; spatial_scale: float = 1.0"}},
      .infer = infer_max_roi_pool,
      .evaluate = evaluate_max_roi_pool,
  };
  return definition;
}

}  // namespace shipway
