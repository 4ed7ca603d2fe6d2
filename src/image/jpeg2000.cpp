// JPEG 2000 (.jp2 and bare code streams) through OpenJPEG. ITU-T T.800
#include <openjpeg-2.5/openjpeg.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>

#include "base/text.h"
#include "image/codec.h"

namespace shipway {
namespace {

struct Source {
  std::span<const std::byte> bytes;
  size_t position = 0;
};

OPJ_SIZE_T read_bytes(void* to, OPJ_SIZE_T size, void* data) {
  auto& source = *static_cast<Source*>(data);
  const size_t count = std::min<size_t>(size, source.bytes.size() - source.position);
  if (count == 0) return static_cast<OPJ_SIZE_T>(-1);
  std::memcpy(to, source.bytes.data() + source.position, count);
  source.position += count;
  return count;
}
OPJ_OFF_T skip_bytes(OPJ_OFF_T size, void* data) {
  auto& source = *static_cast<Source*>(data);
  if (size < 0 || static_cast<size_t>(size) > source.bytes.size() - source.position) return -1;
  source.position += static_cast<size_t>(size);
  return size;
}
OPJ_BOOL seek(OPJ_OFF_T position, void* data) {
  auto& source = *static_cast<Source*>(data);
  if (position < 0 || static_cast<size_t>(position) > source.bytes.size()) return OPJ_FALSE;
  source.position = static_cast<size_t>(position);
  return OPJ_TRUE;
}

void keep_first(const char* text, void* complaint) {
  auto& kept = *static_cast<std::string*>(complaint);
  if (kept.empty()) kept.assign(text, std::strcspn(text, "\n"));
}
void ignore(const char*, void*) {}

/// What the decoder holds, freed on every way out.
struct Decoder {
  std::unique_ptr<opj_codec_t, decltype(&opj_destroy_codec)> codec{nullptr, &opj_destroy_codec};
  std::unique_ptr<opj_stream_t, decltype(&opj_stream_destroy)> stream{nullptr, &opj_stream_destroy};
  std::unique_ptr<opj_image_t, decltype(&opj_image_destroy)> image{nullptr, &opj_image_destroy};
  std::string complaint;

  Status error() const {
    return Status::invalid_argument("JPEG 2000: {}",
                                    complaint.empty() ? "damaged data" : quoted(complaint));
  }
};

/// A sample of `component` at a pixel of the picture, which may have more pixels than the
/// component, scaled to `bits` bits.
uint32_t sample_at(const opj_image_comp_t& component, int64_t x, int64_t y, int bits) {
  const int64_t column = std::min<int64_t>(x / component.dx, component.w - 1);
  const int64_t row = std::min<int64_t>(y / component.dy, component.h - 1);
  int64_t value = component.data[row * component.w + column];
  const int precision = static_cast<int>(component.prec);
  if (component.sgnd) value += int64_t{1} << (precision - 1);
  const int64_t largest = (int64_t{1} << precision) - 1;
  value = std::clamp<int64_t>(value, 0, largest);
  const int64_t wanted = (int64_t{1} << bits) - 1;
  return static_cast<uint32_t>(precision == bits ? value
                                                 : (value * wanted + largest / 2) / largest);
}

template <typename T>
void copy_pixels(const opj_image_t& from, Image& image) {
  constexpr int kBits = 8 * sizeof(T);
  constexpr double kLargest = (1u << kBits) - 1, kMiddle = 1u << (kBits - 1);
  const bool ycc = from.color_space == OPJ_CLRSPC_SYCC && image.channels >= 3;
  T* to = image.mutable_samples<T>().data();
  for (int64_t y = 0; y < image.height; ++y) {
    for (int64_t x = 0; x < image.width; ++x, to += image.channels) {
      // Grey with alpha has two components, the Image four channels.
      const bool grey_alpha = from.numcomps == 2;
      for (int64_t c = 0; c < image.channels; ++c) {
        const int64_t source = grey_alpha ? (c == 3 ? 1 : 0) : c;
        to[c] = static_cast<T>(sample_at(from.comps[source], x, y, kBits));
      }
      if (!ycc) continue;
      // JFIF 1.02: full-range ITU-R BT.601.
      const double luma = to[0], blue = to[1] - kMiddle, red = to[2] - kMiddle;
      const double rgb[3] = {luma + 1.402 * red, luma - 0.344136 * blue - 0.714136 * red,
                             luma + 1.772 * blue};
      for (int c = 0; c < 3; ++c) to[c] = static_cast<T>(std::clamp(rgb[c], 0.0, kLargest) + 0.5);
    }
  }
}

Status check_components(const opj_image_t& image) {
  if (image.numcomps < 1 || image.numcomps > 4)
    return Status::unsupported("JPEG 2000: {} components, 1 to 4 are read", image.numcomps);
  for (OPJ_UINT32 c = 0; c < image.numcomps; ++c) {
    const opj_image_comp_t& component = image.comps[c];
    if (component.prec < 1 || component.prec > 16)
      return Status::unsupported("JPEG 2000: component {} has {} bits, 1 to 16 are read", c,
                                 component.prec);
    if (component.dx < 1 || component.dy < 1 || component.w < 1 || component.h < 1)
      return Status::invalid_argument("JPEG 2000: component {} is empty", c);
  }
  return Status::ok();
}

}  // namespace

Result<Image> decode_jpeg2000(std::span<const std::byte> bytes, const DecodeOptions& options) {
  Source source{bytes};
  Decoder decoder;
  const bool bare = !bytes.empty() && bytes[0] == std::byte{0xff};
  decoder.codec.reset(opj_create_decompress(bare ? OPJ_CODEC_J2K : OPJ_CODEC_JP2));
  decoder.stream.reset(opj_stream_create(std::min<size_t>(bytes.size(), 1 << 20), OPJ_TRUE));
  if (!decoder.codec || !decoder.stream) throw std::bad_alloc();
  opj_stream_set_user_data(decoder.stream.get(), &source, nullptr);
  opj_stream_set_user_data_length(decoder.stream.get(), bytes.size());
  opj_stream_set_read_function(decoder.stream.get(), read_bytes);
  opj_stream_set_skip_function(decoder.stream.get(), skip_bytes);
  opj_stream_set_seek_function(decoder.stream.get(), seek);
  opj_set_error_handler(decoder.codec.get(), keep_first, &decoder.complaint);
  opj_set_warning_handler(decoder.codec.get(), ignore, nullptr);
  opj_set_info_handler(decoder.codec.get(), ignore, nullptr);

  opj_dparameters_t parameters;
  opj_set_default_decoder_parameters(&parameters);
  opj_image_t* header = nullptr;
  if (!opj_setup_decoder(decoder.codec.get(), &parameters) ||
      !opj_decoder_set_strict_mode(decoder.codec.get(), OPJ_TRUE) ||
      !opj_read_header(decoder.stream.get(), decoder.codec.get(), &header))
    return decoder.error();
  decoder.image.reset(header);
  SHIPWAY_RETURN_IF_ERROR(check_components(*header));
  const int64_t width = int64_t{header->x1} - header->x0, height = int64_t{header->y1} - header->y0;
  SHIPWAY_RETURN_IF_ERROR(check_size(width, height, options.max_pixels));
  if (!opj_decode(decoder.codec.get(), decoder.stream.get(), header) ||
      !opj_end_decompress(decoder.codec.get(), decoder.stream.get()))
    return decoder.error();
  SHIPWAY_RETURN_IF_ERROR(check_components(*header));  // a palette becomes components here
  OPJ_UINT32 precision = 0;
  for (OPJ_UINT32 c = 0; c < header->numcomps; ++c) {
    if (!header->comps[c].data) return decoder.error();
    precision = std::max(precision, header->comps[c].prec);
  }
  const int64_t channels = header->numcomps == 2 ? 4 : header->numcomps;
  SHIPWAY_ASSIGN_OR_RETURN(
      Image image,
      Image::allocate(width, height, channels, precision > 8 ? SampleDepth::k16 : SampleDepth::k8,
                      options.max_pixels));
  if (image.depth() == SampleDepth::k16)
    copy_pixels<uint16_t>(*header, image);
  else
    copy_pixels<uint8_t>(*header, image);
  return image;
}

}  // namespace shipway
