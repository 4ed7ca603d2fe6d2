// ImageDecoder: decodes a compressed picture file to pixels.
#include <algorithm>

#include "base/text.h"
#include "operators/operator.h"
#include "shipway/image.h"

namespace shipway {

namespace {

Status infer_image_decoder(InferContext& context) {
  const std::string& format = context.string_attribute("pixel_format");
  if (format != "RGB" && format != "BGR" && format != "Grayscale")
    return Status::invalid_model("attribute 'pixel_format' is {}, expected RGB, BGR or Grayscale",
                                 quoted(format));
  context.set_output(0, DType::kUInt8, {Dim(), Dim(), format == "Grayscale" ? 1 : 3});
  return Status::ok();
}

/// The picture in 8 bits, with the channels and in the order that `pixel_format` names.
Result<Image> decode(std::span<const std::byte> file, const std::string& pixel_format) {
  // ONNX's reference reads the pixels as stored; the orientation is a remark for viewers.
  SHIPWAY_ASSIGN_OR_RETURN(Image image, decode_image(file, {.upright = false}));
  SHIPWAY_ASSIGN_OR_RETURN(image, to_depth(image, SampleDepth::k8));
  SHIPWAY_ASSIGN_OR_RETURN(image, to_channels(image, pixel_format == "Grayscale" ? 1 : 3));
  return to_order(image, pixel_format == "BGR" ? ChannelOrder::kBgr : ChannelOrder::kRgb);
}

/// "If it can't decode for any reason, it will return an empty matrix" (ONNX): [0, 0, channels].
/// Only the limits of this machine are errors.
Status evaluate_image_decoder(EvaluateContext& context) {
  const Tensor& file = context.input(0);
  const std::string& format = context.string_attribute("pixel_format");
  const auto image = decode(std::as_bytes(file.as<uint8_t>()), format);
  const StatusCode code = image.status().code();
  if (code == StatusCode::kLimit || code == StatusCode::kOutOfMemory) return image.status();
  const Shape shape = image.is_ok() ? Shape{image->height, image->width, image->channels}
                                    : Shape{0, 0, format == "Grayscale" ? 1 : 3};
  SHIPWAY_ASSIGN_OR_RETURN(Tensor output, context.allocate_output(0, DType::kUInt8, shape));
  if (image.is_ok())
    std::ranges::copy(image->samples<uint8_t>(), output.mutable_as<uint8_t>().begin());
  return Status::ok();
}

}  // namespace

const Operator& image_decoder_operator() {
  static const Operator definition{
      .name = "ImageDecoder",
      .summary = "Decodes a compressed picture file to pixels.",
      .versions = {{.since = 20,
                    .signature = "(encoded_stream: T1) -> (image: T2)",
                    .types = "T1: uint8; T2: uint8",
                    .attributes = "pixel_format: string = 'RGB'"}},
      .infer = infer_image_decoder,
      .evaluate = evaluate_image_decoder,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
