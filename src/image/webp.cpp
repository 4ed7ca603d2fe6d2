// WebP through libwebp. https://developers.google.com/speed/webp/docs/riff_container
#include <webp/decode.h>
#include <webp/encode.h>

#include <string_view>

#include "base/byte_reader.h"
#include "image/codec.h"

namespace shipway {
namespace {

/// The EXIF chunk of the container, or nothing.
Result<std::span<const std::byte>> find_exif(std::span<const std::byte> file) {
  ByteReader reader(file);
  SHIPWAY_RETURN_IF_ERROR(reader.skip(12));  // "RIFF", size, "WEBP"
  while (!reader.at_end()) {
    SHIPWAY_ASSIGN_OR_RETURN(const uint32_t tag, reader.read<uint32_t>());
    SHIPWAY_ASSIGN_OR_RETURN(const uint32_t size, reader.read<uint32_t>());
    SHIPWAY_ASSIGN_OR_RETURN(const auto content, reader.bytes(size));
    if (tag == 0x46495845) return content;  // "EXIF"
    SHIPWAY_RETURN_IF_ERROR(reader.skip(size % 2));
  }
  return std::span<const std::byte>();
}

Status webp_error(VP8StatusCode code) {
  switch (code) {
    case VP8_STATUS_OUT_OF_MEMORY:
      return Status::out_of_memory("WebP: out of memory");
    case VP8_STATUS_NOT_ENOUGH_DATA:
      return Status::invalid_argument("WebP: the file ends early");
    case VP8_STATUS_UNSUPPORTED_FEATURE:
      return Status::unsupported("WebP: a feature that the decoder lacks");
    default:
      return Status::invalid_argument("WebP: damaged data (libwebp's code {})",
                                      static_cast<int>(code));
  }
}

/// A picture and a sink of libwebp, freed on every way out.
struct Encoding {
  WebPPicture picture{};
  WebPMemoryWriter writer{};
  Encoding() { WebPMemoryWriterInit(&writer); }
  Encoding(const Encoding&) = delete;
  Encoding& operator=(const Encoding&) = delete;
  ~Encoding() {
    WebPPictureFree(&picture);
    WebPMemoryWriterClear(&writer);
  }
};

}  // namespace

Result<Image> decode_webp(std::span<const std::byte> bytes, const DecodeOptions& options) {
  WebPBitstreamFeatures features{};
  const uint8_t* data = as_uint8(bytes.data());
  if (const VP8StatusCode code = WebPGetFeatures(data, bytes.size(), &features);
      code != VP8_STATUS_OK)
    return webp_error(code);
  if (features.has_animation)
    return Status::unsupported("WebP: an animation, a still picture is expected");
  SHIPWAY_ASSIGN_OR_RETURN(
      Image image, Image::allocate(features.width, features.height, features.has_alpha ? 4 : 3,
                                   SampleDepth::k8, options.max_pixels));
  WebPDecoderConfig config{};
  if (!WebPInitDecoderConfig(&config)) return Status::internal("WebP: headers and library differ");
  const auto samples = image.mutable_samples<uint8_t>();
  config.output.colorspace = image.has_alpha() ? MODE_RGBA : MODE_RGB;
  config.output.is_external_memory = 1;
  config.output.u.RGBA.rgba = samples.data();
  config.output.u.RGBA.stride = static_cast<int>(image.width * image.channels);
  config.output.u.RGBA.size = samples.size();
  const VP8StatusCode code = WebPDecode(data, bytes.size(), &config);
  WebPFreeDecBuffer(&config.output);
  if (code != VP8_STATUS_OK) return webp_error(code);
  const auto exif = find_exif(bytes);
  return apply_orientation(std::move(image),
                           options.upright && exif.is_ok() ? exif_orientation(*exif) : 1);
}

Result<std::vector<std::byte>> encode_webp(const Image& image, const EncodeOptions& options) {
  if (image.width > WEBP_MAX_DIMENSION || image.height > WEBP_MAX_DIMENSION)
    return Status::unsupported("WebP holds at most {} pixels a side, the picture has {} x {}",
                               WEBP_MAX_DIMENSION, image.width, image.height);
  if (image.channels == 1) {  // WebP knows colour only
    SHIPWAY_ASSIGN_OR_RETURN(const Image color, to_channels(image, 3));
    return encode_webp(color, options);
  }
  WebPConfig config{};
  Encoding encoding;
  if (!WebPConfigInit(&config) || !WebPPictureInit(&encoding.picture))
    return Status::internal("WebP: headers and library differ");
  if (options.webp == WebpMode::kLossless) {
    config.lossless = 1;
    config.exact = 1;     // keep the colours under transparent pixels
    config.quality = 75;  // effort
  } else {
    config.quality = static_cast<float>(options.quality);
  }
  WebPPicture& picture = encoding.picture;
  picture.use_argb = config.lossless;
  picture.width = static_cast<int>(image.width);
  picture.height = static_cast<int>(image.height);
  picture.writer = WebPMemoryWrite;
  picture.custom_ptr = &encoding.writer;
  const uint8_t* pixels = image.samples<uint8_t>().data();
  const int stride = static_cast<int>(image.width * image.channels);
  const int imported = image.has_alpha() ? WebPPictureImportRGBA(&picture, pixels, stride)
                                         : WebPPictureImportRGB(&picture, pixels, stride);
  if (!imported || !WebPEncode(&config, &picture)) {
    if (picture.error_code == VP8_ENC_ERROR_OUT_OF_MEMORY ||
        picture.error_code == VP8_ENC_ERROR_BITSTREAM_OUT_OF_MEMORY)
      return Status::out_of_memory("WebP: out of memory");
    return Status::invalid_argument("WebP: cannot encode (libwebp's code {})",
                                    static_cast<int>(picture.error_code));
  }
  const auto file = std::as_bytes(std::span(encoding.writer.mem, encoding.writer.size));
  return std::vector<std::byte>(file.begin(), file.end());
}

}  // namespace shipway
