// ImageDecoder: decodes a compressed picture file to pixels.
#include "operators/operator.h"

namespace shipway {

const Operator& image_decoder_operator() {
  static const Operator definition{
      .name = "ImageDecoder",
      .summary = "Decodes a compressed picture file to pixels.",
      .versions = {{.since = 20,
                    .signature = "(encoded_stream: T1) -> (image: T2)",
                    .types = "T1: uint8; T2: uint8",
                    .attributes = "pixel_format: string = 'RGB'"}},
  };
  return definition;
}

}  // namespace shipway
