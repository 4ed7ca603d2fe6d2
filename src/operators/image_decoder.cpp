// ImageDecoder: decodes a compressed picture file to pixels.
#include "base/text.h"
#include "operators/operator.h"

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
  };
  return definition;
}

}  // namespace shipway
