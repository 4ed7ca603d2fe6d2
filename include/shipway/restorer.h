// Restorer: picture in, picture out (super-resolution, denoising), for pictures of any size.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "shipway/image.h"
#include "shipway/session.h"

namespace shipway {

/// What a graph proves of itself: that every output pixel depends on input pixels near it only, so
/// that a large picture may be computed tile by tile.
struct Locality {
  int64_t scale = 1;      // output pixels per input pixel, along both axes
  int64_t halo = 0;       // input pixels around a tile that its output depends on
  int64_t alignment = 1;  // tiles begin at multiples of it (strides inside the graph)
};

/// The Locality of a model with one image input [N, C, H, W] (H and W dynamic) and one image
/// output; types must be inferred. An error names the node that looks at the whole picture, or what
/// else is in the way.
Result<Locality> prove_local(const Model& model);

struct RestoreOptions {
  /// Input pixels along a tile's edge, without halo. 0: pictures above 512 x 512 pixels are cut
  /// into tiles of 384 when the graph allows it (else the report says why not); -1: never cut.
  int64_t tile = 0;
  ValueRange range = ValueRange::k0To255;
  ChannelOrder order = ChannelOrder::kRgb;
  std::vector<float> mean, std;
  /// Called after each tile with the number done and of all.
  std::function<void(int64_t done, int64_t total)> on_progress;
  RunOptions run;
};

/// How a picture was computed.
struct RestoreReport {
  int64_t tiles = 1;
  Locality locality;          // when tiles > 1
  std::string whole_because;  // why a large picture was not cut into tiles
};

/// Runs `session`, whose model takes one picture, on `image`. Grey pictures are given to colour
/// models as three equal channels and come back grey; alpha is resized apart (bicubic) and put
/// back. 16-bit pictures stay 16-bit. The result is the same with and without tiles, to one level
/// of 255. Memory: the pictures, and one tile's run.
Result<Image> restore(const Session& session, const Image& image,
                      const RestoreOptions& options = {}, RestoreReport* report = nullptr);

}  // namespace shipway
