// RoiAlign: samples given regions on a regular grid by bilinear interpolation and pools each bin.
#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>

#include "base/text.h"
#include "operators/downgrade_steps.h"
#include "operators/reals.h"
#include "operators/shape_rules.h"

namespace shipway {
namespace {

constexpr std::string_view kSignature = "(X: T1, rois: T1, batch_indices: T2) -> (Y: T1)";
constexpr std::string_view kAttributes =
    "coordinate_transformation_mode: string = 'half_pixel'; mode: string = 'avg'; "
    "output_height: int = 1; output_width: int = 1; sampling_ratio: int = 0; "
    "spatial_scale: float = 1.0";

struct Options {
  bool takes_maximum = false;
  bool half_pixel = true;
  int64_t height = 1, width = 1, sampling_ratio = 0;
  double scale = 1;
};

Result<Options> read_options(const AttributeReader& node) {
  Options options{.height = node.int_attribute("output_height"),
                  .width = node.int_attribute("output_width"),
                  .sampling_ratio = node.int_attribute("sampling_ratio"),
                  .scale = static_cast<double>(node.float_attribute("spatial_scale"))};
  const std::string &mode = node.string_attribute("mode"),
                    &coordinates = node.string_attribute("coordinate_transformation_mode");
  if (mode != "avg" && mode != "max")
    return Status::invalid_model("attribute 'mode' is {}, expected avg or max", quoted(mode));
  if (coordinates != "half_pixel" && coordinates != "output_half_pixel")
    return Status::invalid_model(
        "attribute 'coordinate_transformation_mode' is {}, expected half_pixel "
        "or output_half_pixel",
        quoted(coordinates));
  if (options.height < 1 || options.width < 1 || options.sampling_ratio < 0)
    return Status::invalid_model(
        "attributes 'output_height', 'output_width', 'sampling_ratio' are {}, "
        "{}, {}, expected at least 1, 1, 0",
        options.height, options.width, options.sampling_ratio);
  options.takes_maximum = mode == "max";
  options.half_pixel = coordinates == "half_pixel";
  return options;
}

Status infer_roi_align(InferContext& context) {
  SHIPWAY_ASSIGN_OR_RETURN(const Options options, read_options(context));
  const Dims *x = context.input_dims(0), *rois = context.input_dims(1),
             *batch = context.input_dims(2);
  Dim count;
  if (rois && !rois->empty()) count = rois->front();
  if (!count.is_constant() && batch && !batch->empty()) count = batch->front();
  context.set_output(0, context.input_dtype(0),
                     {count, x && x->size() > 1 ? (*x)[1] : Dim(), options.height, options.width});
  return Status::ok();
}

/// The four neighbours of a sample and their weights, as positions in a plane; all zero outside.
struct Sample {
  std::array<int64_t, 4> positions{};
  std::array<double, 4> weights{};

  Sample(double y, double x, int64_t height, int64_t width) {
    if (!(y >= -1 && y <= static_cast<double>(height) && x >= -1 &&
          x <= static_cast<double>(width)))
      return;
    const auto axis = [](double at, int64_t size) {
      at = std::clamp(at, 0.0, static_cast<double>(size - 1));
      const auto low = static_cast<int64_t>(at);
      return std::tuple(low, std::min(low + 1, size - 1), at - static_cast<double>(low));
    };
    const auto [top, bottom, ly] = axis(y, height);
    const auto [left, right, lx] = axis(x, width);
    positions = {top * width + left, top * width + right, bottom * width + left,
                 bottom * width + right};
    weights = {(1 - ly) * (1 - lx), (1 - ly) * lx, ly * (1 - lx), ly * lx};
  }
};

Status evaluate_roi_align(EvaluateContext& context) {
  SHIPWAY_ASSIGN_OR_RETURN(const Options options, read_options(context));
  const Tensor &input = context.input(0), &regions = context.input(1);
  if (input.rank() != 4 || regions.rank() != 2 || regions.dim(1) != 4 ||
      context.input(2).shape() != Shape{regions.dim(0)})
    return Status::invalid_argument(
        "'X' is [{}], 'rois' [{}], 'batch_indices' [{}], expected rank 4, four numbers and one "
        "index for "
        "each region",
        to_string(input.shape()), to_string(regions.shape()), to_string(context.input(2).shape()));
  const int64_t count = regions.dim(0), channels = input.dim(1);
  const int64_t height = input.dim(2), width = input.dim(3);
  SHIPWAY_ASSIGN_OR_RETURN(const Reals<double> x, Reals<double>::of(input));
  SHIPWAY_ASSIGN_OR_RETURN(const Reals<double> rois, Reals<double>::of(regions));
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<int64_t> batches, to_ints(context.input(2)));
  SHIPWAY_ASSIGN_OR_RETURN(
      RealOutput<double> out,
      RealOutput<double>::allocate(context, 0, input.dtype(),
                                   {count, channels, options.height, options.width}));
  if (out.size() > 0 && height * width == 0)
    return Status::invalid_argument("input 'X' is [{}], there is nothing to sample",
                                    to_string(input.shape()));
  const double shift = options.half_pixel ? 0.5 : 0;
  for (int64_t r = 0; r < count; ++r) {
    const int64_t batch = batches[static_cast<size_t>(r)];
    if (batch < 0 || batch >= input.dim(0))
      return Status::invalid_argument("input 'batch_indices' has the value {}, expected 0 to {}",
                                      batch, input.dim(0) - 1);
    const double left = rois[r * 4] * options.scale - shift,
                 top = rois[r * 4 + 1] * options.scale - shift;
    double roi_width = rois[r * 4 + 2] * options.scale - shift - left;
    double roi_height = rois[r * 4 + 3] * options.scale - shift - top;
    if (!options.half_pixel) {  // regions are one pixel at least
      roi_width = std::max(roi_width, 1.0);
      roi_height = std::max(roi_height, 1.0);
    }
    const double bin_height = roi_height / static_cast<double>(options.height);
    const double bin_width = roi_width / static_cast<double>(options.width);
    const auto samples = [&](double size) -> Result<int64_t> {
      if (options.sampling_ratio > 0) return options.sampling_ratio;
      if (!(size < 1e6))
        return Status::invalid_argument("region {} spans {} pixels a bin, expected less than 1e6",
                                        r, size);
      return std::max<int64_t>(0, static_cast<int64_t>(std::ceil(size)));
    };
    SHIPWAY_ASSIGN_OR_RETURN(const int64_t rows, samples(bin_height));
    SHIPWAY_ASSIGN_OR_RETURN(const int64_t columns, samples(bin_width));
    const auto number = static_cast<double>(std::max<int64_t>(rows * columns, 1));
    for (int64_t bin = 0; bin < options.height * options.width; ++bin) {
      SHIPWAY_RETURN_IF_ERROR(context.poll());
      std::vector<double> sums(static_cast<size_t>(channels), 0.0);
      bool first = true;
      for (int64_t i = 0; i < rows * columns; ++i) {
        const double y =
            top + static_cast<double>(bin / options.width) * bin_height +
            (static_cast<double>(i / columns) + 0.5) * bin_height / static_cast<double>(rows);
        const double at =
            left + static_cast<double>(bin % options.width) * bin_width +
            (static_cast<double>(i % columns) + 0.5) * bin_width / static_cast<double>(columns);
        const Sample sample(y, at, height, width);
        for (int64_t c = 0; c < channels; ++c) {
          const double* plane = x.data() + (batch * channels + c) * height * width;
          double& sum = sums[static_cast<size_t>(c)];
          std::array<double, 4> parts;
          for (size_t k = 0; k < 4; ++k) parts[k] = sample.weights[k] * plane[sample.positions[k]];
          if (options.takes_maximum) {  // of the weighted neighbours, not of their sums
            const double largest = *std::max_element(parts.begin(), parts.end());
            sum = first ? largest : std::max(sum, largest);
          } else {
            sum += parts[0] + parts[1] + parts[2] + parts[3];
          }
        }
        first = false;
      }
      for (int64_t c = 0; c < channels; ++c)
        out.data()[(r * channels + c) * options.height * options.width + bin] =
            options.takes_maximum ? sums[static_cast<size_t>(c)]
                                  : sums[static_cast<size_t>(c)] / number;
    }
  }
  return out.finish(context);
}

// Version 10 had no choice of coordinates: corners were not moved by half a pixel.
Status upgrade_10(NodeRewrite& rewrite) {
  rewrite.set_attribute({"coordinate_transformation_mode", std::string("output_half_pixel")});
  return Status::ok();
}

Status downgrade_16(NodeRewrite& rewrite) {
  const std::string& mode = rewrite.string_attribute("coordinate_transformation_mode");
  if (mode != "output_half_pixel")
    return Status::unsupported("attribute 'coordinate_transformation_mode' ({}) came with opset 16",
                               quoted(mode));
  rewrite.remove_attribute("coordinate_transformation_mode");
  return Status::ok();
}

}  // namespace

const Operator& roi_align_operator() {
  static const Operator definition{
      .name = "RoiAlign",
      .summary =
          "Samples given regions on a regular grid by bilinear interpolation and pools each bin.",
      .versions = {{.since = 10,
                    .signature = kSignature,
                    .types = "T1: floats; T2: int64",
                    .attributes =
                        "mode: string = 'avg'; output_height: int = 1; output_width: int = 1; "
                        "sampling_ratio: int = 0; spatial_scale: float = 1.0",
                    .upgrade = upgrade_10},
                   {.since = 16,
                    .signature = kSignature,
                    .types = "T1: floats; T2: int64",
                    .attributes = kAttributes,
                    .downgrade = downgrade_16},
                   {.since = 22,
                    .signature = kSignature,
                    .types = "T1: floats bfloat16; T2: int64",
                    .attributes = kAttributes}},
      .infer = infer_roi_align,
      .evaluate = evaluate_roi_align,
  };
  return definition;
}

}  // namespace shipway
