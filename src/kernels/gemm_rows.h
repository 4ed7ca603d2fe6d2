// The step that matrix product and plain convolution share: many rows of A against one panel.
#pragma once

#include <cstdint>

#include "kernels/tiles.h"

namespace shipway::kernels {

/// Runs `t` (its a, c, add, row_bias are those of the first row) over `rows` rows in tiles. The
/// panel is `width` columns wide, of which `columns` exist in c; where that is fewer, tiles are
/// made in a buffer so that nothing outside c and add is touched.
void run_row_tiles(const TileTable& tiles, TileArguments t, int64_t rows, int64_t width,
                   int64_t columns);

}  // namespace shipway::kernels
