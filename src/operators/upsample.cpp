// Upsample: enlarges by nearest neighbours or linear interpolation; Resize took its place.
#include "base/text.h"
#include "operators/downgrade_steps.h"
#include "operators/resize.h"
#include "operators/shape_rules.h"
#include "tensor/convert.h"

namespace shipway {

namespace {

Result<ResizeOptions> read_options(const AttributeReader& node) {
  ResizeOptions options{.coordinates = ResizeOptions::Coordinates::kAsymmetric,
                        .nearest = ResizeOptions::Nearest::kFloor};
  const std::string& mode = node.string_attribute("mode");
  if (mode == "linear" || mode == "bilinear")
    options.mode = ResizeOptions::Mode::kLinear;
  else if (mode != "nearest")
    return Status::invalid_model("attribute 'mode' is {}, expected nearest or linear",
                                 quoted(mode));
  return options;
}

Status infer_upsample(InferContext& context) {
  context.set_output_dtype(0, context.input_dtype(0));
  SHIPWAY_RETURN_IF_ERROR(read_options(context).status());
  const Dims* x = context.input_dims(0);
  if (!x) return Status::ok();
  Dims y(x->size());
  if (const Tensor* scales = context.input_constant(1)) {
    if (scales->element_count() != static_cast<int64_t>(x->size()))
      return Status::invalid_model("input 'scales' has {} elements, expected {}",
                                   scales->element_count(), x->size());
    SHIPWAY_ASSIGN_OR_RETURN(const std::vector<double> values, to_doubles(*scales));
    for (size_t i = 0; i < y.size(); ++i) {
      SHIPWAY_ASSIGN_OR_RETURN(y[i],
                               scaled_dim(context.dims(), (*x)[i], static_cast<float>(values[i])));
    }
  }
  context.set_output(0, context.input_dtype(0), std::move(y));
  return Status::ok();
}

Status evaluate_upsample(EvaluateContext& context) {
  SHIPWAY_ASSIGN_OR_RETURN(const ResizeOptions options, read_options(context));
  const Tensor& x = context.input(0);
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<double> scales, to_doubles(context.input(1)));
  if (scales.size() != x.shape().size())
    return Status::invalid_argument("input 'scales' has {} elements, expected {}", scales.size(),
                                    x.rank());
  std::vector<ResizeAxis> axes(scales.size());
  for (size_t i = 0; i < axes.size(); ++i) {
    axes[i] = {.axis = i, .scale = scales[i]};
    SHIPWAY_ASSIGN_OR_RETURN(axes[i].size, scaled_size(x.dim(i), static_cast<float>(scales[i])));
  }
  return resize(context, options, axes);
}

// Version 1 scaled the last two of four axes.
Status upgrade_1(NodeRewrite& rewrite) {
  const std::vector<float> scales{1, 1, rewrite.float_attribute("height_scale"),
                                  rewrite.float_attribute("width_scale")};
  if (rewrite.string_attribute("mode") == "bilinear")
    rewrite.set_attribute({"mode", std::string("linear")});
  rewrite.remove_attribute("height_scale");
  rewrite.remove_attribute("width_scale");
  rewrite.set_attribute({"scales", scales});
  return Status::ok();
}

Status upgrade_7(NodeRewrite& rewrite) {
  const std::span<const float> scales = rewrite.floats_attribute("scales");
  rewrite.set_input(1, rewrite.add_constant(
                           "scales", Tensor::from({static_cast<int64_t>(scales.size())}, scales)));
  rewrite.remove_attribute("scales");
  return Status::ok();
}

Status upgrade_9(NodeRewrite& rewrite) {
  const std::span<const ValueId> inputs = rewrite.node().inputs();
  const std::span<const Attribute> attributes = rewrite.node().attributes();
  rewrite.replace("Resize", {inputs.begin(), inputs.end()}, {attributes.begin(), attributes.end()});
  return Status::ok();
}

Status downgrade_9(NodeRewrite& rewrite) {
  const Tensor* scales = rewrite.input_constant(1);
  if (!scales) return Status::unsupported("input 1 ('scales') came with opset 9, and is computed");
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<double> factors, to_doubles(*scales));
  rewrite.set_attribute({"scales", std::vector<float>(factors.begin(), factors.end())});
  rewrite.set_input(1, {});
  return Status::ok();
}

Status downgrade_7(NodeRewrite& rewrite) {
  const std::span<const float> scales = rewrite.floats_attribute("scales");
  if (scales.size() != 4 || scales[0] != 1 || scales[1] != 1)
    return Status::unsupported(
        "attribute 'scales' came with opset 7; before, height and width only");
  rewrite.set_attribute({"height_scale", scales[2]});
  rewrite.set_attribute({"width_scale", scales[3]});
  rewrite.remove_attribute("scales");
  if (rewrite.string_attribute("mode") == "linear")
    rewrite.set_attribute({"mode", std::string("bilinear")});
  return Status::ok();
}

}  // namespace

const Operator& upsample_operator() {
  static const Operator definition{
      .name = "Upsample",
      .summary = "Enlarges by nearest neighbours or linear interpolation; Resize took its place.",
      .versions = {{.since = 1,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: floats int32 int64 bool",
                    .attributes =
                        "height_scale: float!; mode: string = 'nearest'; width_scale: float!",
                    .experimental = true,
                    .upgrade = upgrade_1},
                   {.since = 7,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: all_ir3",
                    .attributes = "mode: string = 'nearest'; scales: floats!",
                    .upgrade = upgrade_7,
                    .downgrade = downgrade_7},
                   {.since = 9,
                    .signature = "(X: T, scales: float) -> (Y: T)",
                    .types = "T: all_ir3",
                    .attributes = "mode: string = 'nearest'",
                    .upgrade = upgrade_9,
                    .downgrade = downgrade_9},
                   {.since = 10,
                    .signature = "(X: T, scales: float) -> (Y: T)",
                    .types = "T: all_ir3",
                    .attributes = "mode: string = 'nearest'",
                    .deprecated = true}},
      .infer = infer_upsample,
      .evaluate = evaluate_upsample,
  };
  return definition;
}

}  // namespace shipway
