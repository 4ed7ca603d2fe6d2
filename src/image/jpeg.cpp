// JPEG through libjpeg-turbo.
//
// libjpeg reports errors by a callback that must not return, so it leaves by longjmp. Functions
// that call setjmp therefore hold no object with a destructor: buffers are made outside, and each
// phase is a function of its own.
#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstdio>
#include <cstdlib>

// clang-format off: jpeglib.h needs <cstdio>, jerror.h needs jpeglib.h
#include <jerror.h>
#include <jpeglib.h>
// clang-format on

#include "image/codec.h"

namespace shipway {
namespace {

struct ErrorHandler {
  jpeg_error_mgr manager;  // first: libjpeg hands a pointer to it back
  std::jmp_buf escape;
  bool ended_early;     // data ran out, fakes were given
  bool pixels_missing;  // and pixels were made up from nothing
  bool too_many_scans;
};

ErrorHandler& handler_of(j_common_ptr info) { return *reinterpret_cast<ErrorHandler*>(info->err); }

[[noreturn]] void on_error(j_common_ptr info) { std::longjmp(handler_of(info).escape, 1); }

void on_message(j_common_ptr info, int level) {
  if (level >= 0) return;  // a trace
  ErrorHandler& handler = handler_of(info);
  if (handler.manager.msg_code == JWRN_JPEG_EOF) handler.ended_early = true;
  if (handler.manager.msg_code == JWRN_HIT_MARKER) handler.pixels_missing = true;
}

void install(ErrorHandler& handler) {
  jpeg_std_error(&handler.manager);
  handler.manager.error_exit = on_error;
  handler.manager.emit_message = on_message;
}

Status jpeg_error(j_common_ptr info) {
  ErrorHandler& handler = handler_of(info);
  if (handler.too_many_scans) return Status::limit("JPEG: too many scans");
  if (handler.manager.msg_code == JERR_OUT_OF_MEMORY)
    return Status::out_of_memory("JPEG: out of memory");
  std::array<char, JMSG_LENGTH_MAX> text{};
  handler.manager.format_message(info, text.data());
  return Status::invalid_argument("JPEG: {}", text.data());
}

/// A progressive file of a few kB can ask for thousands of passes over a huge picture.
void limit_scans(j_common_ptr info) {
  constexpr int kMaxScans = 500;
  if (reinterpret_cast<j_decompress_ptr>(info)->input_scan_number <= kMaxScans) return;
  handler_of(info).too_many_scans = true;
  on_error(info);
}

struct Decoder {
  jpeg_decompress_struct info{};
  ErrorHandler errors{};
  jpeg_progress_mgr progress{};

  Decoder() {
    install(errors);
    info.err = &errors.manager;
    progress.progress_monitor = limit_scans;
  }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
  ~Decoder() { jpeg_destroy_decompress(&info); }
  j_common_ptr common() { return reinterpret_cast<j_common_ptr>(&info); }
};

/// False on an error. Afterwards width, height and output colours are known.
bool read_header(Decoder& decoder, const unsigned char* bytes, unsigned long size) {
  if (setjmp(decoder.errors.escape) != 0) return false;
  jpeg_decompress_struct& info = decoder.info;
  jpeg_create_decompress(&info);
  info.progress = &decoder.progress;
  jpeg_mem_src(&info, bytes, size);
  jpeg_save_markers(&info, JPEG_APP0 + 1, 0xFFFF);  // EXIF
  jpeg_read_header(&info, TRUE);
  if (info.jpeg_color_space == JCS_GRAYSCALE) {
    info.out_color_space = JCS_GRAYSCALE;
  } else if (info.jpeg_color_space == JCS_CMYK || info.jpeg_color_space == JCS_YCCK) {
    info.out_color_space = JCS_CMYK;
  } else {
    info.out_color_space = JCS_RGB;
  }
  jpeg_calc_output_dimensions(&info);
  return true;
}

/// False on an error. `row_size` bytes a row.
bool read_rows(Decoder& decoder, unsigned char* rows, size_t row_size) {
  if (setjmp(decoder.errors.escape) != 0) return false;
  jpeg_decompress_struct& info = decoder.info;
  jpeg_start_decompress(&info);
  while (info.output_scanline < info.output_height) {
    JSAMPROW row = rows + info.output_scanline * row_size;
    jpeg_read_scanlines(&info, &row, 1);
  }
  return true;  // what follows the last row does not matter: cameras append previews and more
}

/// Of a file without its end marker: whether more is missing. The marker alone is harmless, and
/// common.
bool misses_data(const Decoder& decoder) {
  const jpeg_decompress_struct& info = decoder.info;
  if (decoder.errors.pixels_missing) return true;
  if (!info.progressive_mode) return info.comps_in_scan < info.num_components;  // a scan for each
  // coef_bits: how many low bits of a coefficient are still to come, -1 for all of them.
  for (int component = 0; component < info.num_components; ++component)
    for (int i = 0; i < DCTSIZE2; ++i)
      if (info.coef_bits == nullptr || info.coef_bits[component][i] != 0) return true;
  return false;
}

/// Adobe stores inverted CMYK, so that a sample is the light that passes: R = C * K / 255, rounded.
Image cmyk_to_rgb(const std::vector<uint8_t>& cmyk, Image image) {
  uint8_t* rgb = std::get<std::vector<uint8_t>>(image.pixels).data();
  for (size_t i = 0; i + 3 < cmyk.size(); i += 4)
    for (size_t channel = 0; channel < 3; ++channel) {
      const unsigned product = unsigned{cmyk[i + channel]} * cmyk[i + 3];
      *rgb++ = static_cast<uint8_t>((product + 127) / 255);
    }
  return image;
}

int orientation_of(const jpeg_decompress_struct& info) {
  constexpr size_t kShortestExif = 14;
  for (auto* marker = info.marker_list; marker != nullptr; marker = marker->next) {
    const auto block = std::as_bytes(std::span(marker->data, marker->data_length));
    if (marker->marker != JPEG_APP0 + 1 || block.size() < kShortestExif) continue;
    if (marker->data[0] == 'E' && marker->data[1] == 'x') return exif_orientation(block);
  }
  return 1;
}

struct Encoder {
  jpeg_compress_struct info{};
  ErrorHandler errors{};
  unsigned char* file = nullptr;
  unsigned long file_size = 0;

  Encoder() {
    install(errors);
    info.err = &errors.manager;
  }
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;
  ~Encoder() {
    jpeg_destroy_compress(&info);
    std::free(file);
  }
};

/// False on an error. The file is then in `encoder`.
bool write_rows(Encoder& encoder, const Image& image, const uint8_t* pixels,
                const EncodeOptions& options) {
  if (setjmp(encoder.errors.escape) != 0) return false;
  jpeg_compress_struct& info = encoder.info;
  jpeg_create_compress(&info);
  jpeg_mem_dest(&info, &encoder.file, &encoder.file_size);
  info.image_width = static_cast<JDIMENSION>(image.width);
  info.image_height = static_cast<JDIMENSION>(image.height);
  info.input_components = static_cast<int>(image.channels);
  info.in_color_space = image.channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, options.quality, TRUE);
  info.optimize_coding = TRUE;
  if (options.jpeg_chroma == ChromaSubsampling::k444) {
    info.comp_info[0].h_samp_factor = 1;
    info.comp_info[0].v_samp_factor = 1;
  }
  jpeg_start_compress(&info, TRUE);
  while (info.next_scanline < info.image_height) {
    JSAMPROW row = const_cast<JSAMPROW>(
        pixels + info.next_scanline * static_cast<size_t>(image.width * image.channels));
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  return true;
}

}  // namespace

Result<Image> decode_jpeg(std::span<const std::byte> bytes, const DecodeOptions& options) {
  Decoder decoder;
  if (!read_header(decoder, as_uint8(bytes.data()), bytes.size()))
    return jpeg_error(decoder.common());
  const int64_t width = decoder.info.output_width, height = decoder.info.output_height;
  const bool grey = decoder.info.out_color_space == JCS_GRAYSCALE;
  const bool cmyk = decoder.info.out_color_space == JCS_CMYK;
  SHIPWAY_ASSIGN_OR_RETURN(Image image, Image::allocate(width, height, grey ? 1 : 3,
                                                        SampleDepth::k8, options.max_pixels));
  std::vector<uint8_t> inks(cmyk ? static_cast<size_t>(width * height) * 4 : 0);
  uint8_t* rows = cmyk ? inks.data() : std::get<std::vector<uint8_t>>(image.pixels).data();
  if (!read_rows(decoder, rows, static_cast<size_t>(width) * (grey ? 1 : cmyk ? 4 : 3)))
    return jpeg_error(decoder.common());
  if (decoder.errors.ended_early && misses_data(decoder))
    return Status::invalid_argument("JPEG: the file ends early, pixels are missing");
  if (cmyk) image = cmyk_to_rgb(inks, std::move(image));
  return apply_orientation(std::move(image), options.upright ? orientation_of(decoder.info) : 1);
}

Result<std::vector<std::byte>> encode_jpeg(const Image& image, const EncodeOptions& options) {
  if (image.width > JPEG_MAX_DIMENSION || image.height > JPEG_MAX_DIMENSION)
    return Status::unsupported("JPEG holds at most {} pixels a side, the picture has {} x {}",
                               static_cast<int64_t>(JPEG_MAX_DIMENSION), image.width, image.height);
  Encoder encoder;
  if (!write_rows(encoder, image, image.samples<uint8_t>().data(), options))
    return jpeg_error(reinterpret_cast<j_common_ptr>(&encoder.info));
  const auto file = std::as_bytes(std::span(encoder.file, encoder.file_size));
  return std::vector<std::byte>(file.begin(), file.end());
}

}  // namespace shipway
