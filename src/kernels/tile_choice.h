// Choosing micro-kernels: the table of an instruction set, and an even division of rows into tiles.
#pragma once

#include <cstdint>

#include "base/cpu.h"
#include "kernels/sizes.h"
#include "kernels/tiles.h"

namespace shipway::kernels {

/// Not for kScalar, which has none.
inline const TileTable& tiles_for(Isa isa) {
  return isa == Isa::kAvx512 ? tiles_avx512() : isa == Isa::kAvx2 ? tiles_avx2() : tiles_sse4();
}

/// `rows` in the fewest tiles of at most `most`, as even as they go: 49 = 13 + 12 + 12 + 12, never
/// 14 + 14 + 14 + 7.
struct RowTiles {
  int64_t count, least, larger;  // the first `larger` tiles have least + 1 rows
  RowTiles(int64_t rows, int64_t most)
      : count(parts_of(rows, most)),
        least(count ? rows / count : 0),
        larger(count ? rows % count : 0) {}
  int64_t rows(int64_t i) const { return least + (i < larger); }
};

}  // namespace shipway::kernels
