// TIFF through libtiff. https://www.itu.int/itudoc/itu-t/com16/tiff-fx/docs/tiff6.pdf
#include <tiffio.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>

#include "base/text.h"
#include "image/codec.h"

namespace shipway {
namespace {

/// What libtiff reads from, and the first thing it complained of.
struct Source {
  std::span<const std::byte> bytes;
  size_t position = 0;
  std::string complaint;
};

tmsize_t read_bytes(thandle_t handle, void* to, tmsize_t size) {
  auto& source = *static_cast<Source*>(handle);
  const size_t left = source.bytes.size() - source.position;
  const size_t count = std::min(static_cast<size_t>(size), left);
  std::memcpy(to, source.bytes.data() + source.position, count);
  source.position += count;
  return static_cast<tmsize_t>(count);
}
tmsize_t refuse_write(thandle_t, void*, tmsize_t) { return -1; }
toff_t seek(thandle_t handle, toff_t offset, int whence) {
  auto& source = *static_cast<Source*>(handle);
  const size_t size = source.bytes.size();
  const size_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? source.position : size;
  // libtiff goes back by offsets that wrap around.
  source.position = std::min(base + static_cast<size_t>(offset), size);
  return source.position;
}
int close_nothing(thandle_t) { return 0; }
toff_t size_of(thandle_t handle) { return static_cast<Source*>(handle)->bytes.size(); }

int keep_error(TIFF*, void* data, const char*, const char* format, va_list arguments) {
  auto& source = *static_cast<Source*>(data);
  if (source.complaint.empty()) {
    char text[256];
    std::vsnprintf(text, sizeof text, format, arguments);
    source.complaint = text;
  }
  return 1;  // nothing is printed
}
int ignore_warning(TIFF*, void*, const char*, const char*, va_list) { return 1; }

using File = std::unique_ptr<TIFF, decltype(&TIFFClose)>;

File open(Source& source) {
  const std::unique_ptr<TIFFOpenOptions, decltype(&TIFFOpenOptionsFree)> options(
      TIFFOpenOptionsAlloc(), &TIFFOpenOptionsFree);
  if (!options) throw std::bad_alloc();
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), keep_error, &source);
  TIFFOpenOptionsSetWarningHandlerExtR(options.get(), ignore_warning, nullptr);
  // Directories of a hostile file may ask for any amount; a strip needs no more than its picture.
  TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), tmsize_t{1} << 30);
  // 'r' read, 'm' without mapping memory of its own.
  return {TIFFClientOpenExt("TIFF", "rm", &source, read_bytes, refuse_write, seek, close_nothing,
                            size_of, nullptr, nullptr, options.get()),
          &TIFFClose};
}

Status tiff_error(const Source& source) {
  return Status::invalid_argument(
      "TIFF: {}", source.complaint.empty() ? "damaged data" : quoted(source.complaint));
}

struct Layout {
  uint32_t width = 0, height = 0;
  uint16_t bits = 1, samples = 1, photometric = 0, planar = PLANARCONFIG_CONTIG;
  uint16_t sample_format = SAMPLEFORMAT_UINT, orientation = ORIENTATION_TOPLEFT;
  bool has_alpha = false, premultiplied = false;
};

Layout layout_of(TIFF* file) {
  Layout layout;
  TIFFGetField(file, TIFFTAG_IMAGEWIDTH, &layout.width);
  TIFFGetField(file, TIFFTAG_IMAGELENGTH, &layout.height);
  TIFFGetFieldDefaulted(file, TIFFTAG_BITSPERSAMPLE, &layout.bits);
  TIFFGetFieldDefaulted(file, TIFFTAG_SAMPLESPERPIXEL, &layout.samples);
  TIFFGetFieldDefaulted(file, TIFFTAG_PLANARCONFIG, &layout.planar);
  TIFFGetFieldDefaulted(file, TIFFTAG_SAMPLEFORMAT, &layout.sample_format);
  TIFFGetFieldDefaulted(file, TIFFTAG_ORIENTATION, &layout.orientation);
  TIFFGetField(file, TIFFTAG_PHOTOMETRIC, &layout.photometric);
  uint16_t extra = 0;
  const uint16_t* kinds = nullptr;
  if (TIFFGetFieldDefaulted(file, TIFFTAG_EXTRASAMPLES, &extra, &kinds) && extra > 0) {
    layout.premultiplied = kinds[0] == EXTRASAMPLE_ASSOCALPHA;
    layout.has_alpha = layout.premultiplied || kinds[0] == EXTRASAMPLE_UNASSALPHA;
  }
  return layout;
}

/// Samples that lie in the file as an Image holds them, row by row; nothing is lost.
template <typename T>
Status read_rows(TIFF* file, const Source& source, const Layout& layout, Image& image) {
  std::vector<T> row(static_cast<size_t>(layout.width) * layout.samples);
  if (static_cast<size_t>(TIFFScanlineSize(file)) != row.size() * sizeof(T))
    return Status::invalid_argument("TIFF: a row has {} bytes, {} pixels of {} samples need {}",
                                    TIFFScanlineSize(file), layout.width, layout.samples,
                                    row.size() * sizeof(T));
  const bool grey = layout.photometric != PHOTOMETRIC_RGB;
  const T flip = layout.photometric == PHOTOMETRIC_MINISWHITE ? static_cast<T>(~T{0}) : T{0};
  T* to = image.mutable_samples<T>().data();
  for (uint32_t y = 0; y < layout.height; ++y) {
    if (TIFFReadScanline(file, row.data(), y, 0) != 1) return tiff_error(source);
    for (const T* from = row.data(); from != row.data() + row.size(); from += layout.samples) {
      for (int64_t c = 0; c < std::min<int64_t>(image.channels, 3); ++c)
        *to++ = static_cast<T>(from[grey ? 0 : c] ^ flip);
      if (image.has_alpha()) *to++ = from[grey ? 1 : 3];
    }
  }
  return Status::ok();
}

/// Every other kind (palettes, few bits, YCbCr, CMYK, tiles, planes) by libtiff's own conversion
/// to 8 bits.
Status read_converted(TIFF* file, const Source& source, const Layout& layout, Image& image) {
  char reason[1024] = "";
  TIFFRGBAImage converter;
  if (!TIFFRGBAImageBegin(&converter, file, 1, reason))
    return Status::unsupported("TIFF: {}", quoted(std::string_view(reason)));
  const std::unique_ptr<TIFFRGBAImage, decltype(&TIFFRGBAImageEnd)> owner(&converter,
                                                                          &TIFFRGBAImageEnd);
  converter.req_orientation = converter.orientation;  // as stored: turned upright below
  std::vector<uint32_t> raster(static_cast<size_t>(layout.width) * layout.height);
  if (!TIFFRGBAImageGet(&converter, raster.data(), layout.width, layout.height))
    return tiff_error(source);
  uint8_t* to = image.mutable_samples<uint8_t>().data();
  for (const uint32_t pixel : raster) {
    const uint32_t alpha = TIFFGetA(pixel);
    const uint32_t colors[3] = {TIFFGetR(pixel), TIFFGetG(pixel), TIFFGetB(pixel)};
    for (int64_t c = 0; c < std::min<int64_t>(image.channels, 3); ++c) {
      const bool divide = image.has_alpha() && alpha != 0;  // libtiff multiplied by alpha
      *to++ = static_cast<uint8_t>(divide ? std::min(255u, (colors[c] * 255 + alpha / 2) / alpha)
                                          : colors[c]);
    }
    if (image.has_alpha()) *to++ = static_cast<uint8_t>(alpha);
  }
  return Status::ok();
}

}  // namespace

Result<Image> decode_tiff(std::span<const std::byte> bytes, const DecodeOptions& options) {
  Source source{bytes};
  const File file = open(source);
  if (!file) return tiff_error(source);
  const Layout layout = layout_of(file.get());
  SHIPWAY_RETURN_IF_ERROR(check_size(layout.width, layout.height, options.max_pixels));

  const bool grey =
      layout.photometric == PHOTOMETRIC_MINISBLACK || layout.photometric == PHOTOMETRIC_MINISWHITE;
  const int colors = grey ? 1 : 3;
  const bool as_stored =
      (layout.bits == 8 || layout.bits == 16) && layout.sample_format == SAMPLEFORMAT_UINT &&
      (grey || layout.photometric == PHOTOMETRIC_RGB) && layout.planar == PLANARCONFIG_CONTIG &&
      !TIFFIsTiled(file.get()) && layout.samples >= colors + (layout.has_alpha ? 1 : 0) &&
      !layout.premultiplied;
  const bool deep = as_stored && layout.bits == 16;
  const int channels = layout.has_alpha ? 4 : colors;
  SHIPWAY_ASSIGN_OR_RETURN(
      Image image, Image::allocate(layout.width, layout.height, channels,
                                   deep ? SampleDepth::k16 : SampleDepth::k8, options.max_pixels));
  SHIPWAY_RETURN_IF_ERROR(deep        ? read_rows<uint16_t>(file.get(), source, layout, image)
                          : as_stored ? read_rows<uint8_t>(file.get(), source, layout, image)
                                      : read_converted(file.get(), source, layout, image));
  return options.upright ? apply_orientation(std::move(image), layout.orientation)
                         : std::move(image);
}

}  // namespace shipway
