#include "shipway/restorer.h"

#include <algorithm>

#include "base/text.h"

namespace shipway {
namespace {

constexpr int64_t kWholePixels = 512 * 512;  // pictures up to this size run in one piece
constexpr int64_t kTile =
    384;  // activations of 64 channels at 3x: some 300 MB, the halo some 5 % of the work

/// A rectangle of a picture as a picture of its own.
Result<Image> crop(const Image& image, int64_t left, int64_t top, int64_t width, int64_t height) {
  SHIPWAY_ASSIGN_OR_RETURN(Image part,
                           Image::allocate(width, height, image.channels, image.depth()));
  part.order = image.order;
  std::visit(
      [&](auto& to) {
        const auto& from = std::get<std::decay_t<decltype(to)>>(image.pixels);
        for (int64_t y = 0; y < height; ++y) {
          const auto begin = from.begin() + ((top + y) * image.width + left) * image.channels;
          std::copy(begin, begin + width * image.channels, to.begin() + y * width * image.channels);
        }
      },
      part.pixels);
  return part;
}

/// Copies the rectangle at (from_left, from_top) of `part` to (left, top) of `image`.
void paste(const Image& part, int64_t from_left, int64_t from_top, int64_t width, int64_t height,
           Image& image, int64_t left, int64_t top) {
  std::visit(
      [&](auto& to) {
        const auto& from = std::get<std::decay_t<decltype(to)>>(part.pixels);
        for (int64_t y = 0; y < height; ++y) {
          const auto begin =
              from.begin() + ((from_top + y) * part.width + from_left) * part.channels;
          std::copy(begin, begin + width * part.channels,
                    to.begin() + ((top + y) * image.width + left) * image.channels);
        }
      },
      image.pixels);
}

class Restoration {
 public:
  Restoration(const Session& session, const RestoreOptions& options)
      : session_(session), options_(options) {}

  Result<Image> run_whole(const Image& image) {
    FloatOptions floats;
    floats.range = options_.range;
    floats.order = options_.order;
    floats.channels = image.channels;
    floats.mean = options_.mean;
    floats.std = options_.std;
    SHIPWAY_ASSIGN_OR_RETURN(Tensor input, image_to_tensor(image, floats));
    const NamedValue named{session_.inputs()[0].name, RuntimeValue(std::move(input))};
    SHIPWAY_ASSIGN_OR_RETURN(const std::vector<RuntimeValue> outputs,
                             session_.run({&named, 1}, {}, options_.run));
    const Tensor* output = outputs[0].tensor();
    if (!output)
      return Status::invalid_argument("output {} is no picture",
                                      quoted(session_.outputs()[0].name));
    return tensor_to_image(*output, floats, image.depth());
  }

  Result<Image> run_tiles(const Image& image, const Locality& local, int64_t tile, int64_t& tiles) {
    tile = std::max(local.alignment, tile / local.alignment * local.alignment);
    const int64_t across = (image.width + tile - 1) / tile, down = (image.height + tile - 1) / tile;
    tiles = across * down;
    Image result;
    for (int64_t index = 0; index < tiles; ++index) {
      const int64_t left = index % across * tile, top = index / across * tile;
      const int64_t right = std::min(left + tile, image.width),
                    bottom = std::min(top + tile, image.height);
      const int64_t x0 = std::max<int64_t>(0, left - local.halo),
                    y0 = std::max<int64_t>(0, top - local.halo);
      const int64_t x1 = std::min(image.width, right + local.halo),
                    y1 = std::min(image.height, bottom + local.halo);
      SHIPWAY_ASSIGN_OR_RETURN(const Image part, crop(image, x0, y0, x1 - x0, y1 - y0));
      SHIPWAY_ASSIGN_OR_RETURN(const Image enlarged, run_whole(part));
      if (enlarged.width != (x1 - x0) * local.scale || enlarged.height != (y1 - y0) * local.scale)
        return Status::internal("a tile of {} x {} became {} x {}, expected {} times as large",
                                x1 - x0, y1 - y0, enlarged.width, enlarged.height, local.scale);
      if (index == 0) {
        SHIPWAY_ASSIGN_OR_RETURN(
            result, Image::allocate(image.width * local.scale, image.height * local.scale,
                                    enlarged.channels, enlarged.depth(), int64_t{1} << 40));
        result.order = enlarged.order;
      }
      paste(enlarged, (left - x0) * local.scale, (top - y0) * local.scale,
            (right - left) * local.scale, (bottom - top) * local.scale, result, left * local.scale,
            top * local.scale);
      if (options_.on_progress) options_.on_progress(index + 1, tiles);
    }
    return result;
  }

 private:
  const Session& session_;
  const RestoreOptions& options_;
};

}  // namespace

Result<Image> restore(const Session& session, const Image& image, const RestoreOptions& options,
                      RestoreReport* report) {
  if (session.inputs().empty() || session.outputs().empty())
    return Status::invalid_argument("the model has no picture to take or to give");
  const Dims* dims = session.inputs()[0].type.dims();
  const int64_t channels = dims && dims->size() == 4 && (*dims)[1] == Dim(1) ? 1 : 3;
  SHIPWAY_ASSIGN_OR_RETURN(const Image colour, to_channels(image, channels));
  Restoration restoration(session, options);
  RestoreReport done;
  Image result;
  const bool wants_tiles =
      options.tile > 0 || (options.tile == 0 && image.width * image.height > kWholePixels);
  Result<Locality> local =
      wants_tiles ? prove_local(session.model()) : Status::unsupported("no tiles are wanted");
  if (wants_tiles && options.tile > 0 && !local.is_ok())
    return local.status().with_context("the picture cannot be cut into tiles");
  if (wants_tiles && !local.is_ok()) done.whole_because = local.status().message();
  if (wants_tiles && local.is_ok()) {
    done.locality = *local;
    SHIPWAY_ASSIGN_OR_RETURN(
        result,
        restoration.run_tiles(colour, *local, options.tile > 0 ? options.tile : kTile, done.tiles));
  } else {
    SHIPWAY_ASSIGN_OR_RETURN(result, restoration.run_whole(colour));
    if (options.on_progress) options.on_progress(1, 1);
  }
  if (image.channels == 1 && result.channels == 3) {
    SHIPWAY_ASSIGN_OR_RETURN(result, to_channels(result, 1));
  }
  if (image.has_alpha()) {
    SHIPWAY_ASSIGN_OR_RETURN(Image alpha, alpha_plane(image));
    SHIPWAY_ASSIGN_OR_RETURN(alpha, resize(alpha, result.width, result.height));
    SHIPWAY_ASSIGN_OR_RETURN(result, with_alpha(result, alpha));
  }
  if (report) *report = done;
  return result;
}

}  // namespace shipway
