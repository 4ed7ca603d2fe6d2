// Weights in the order in which kernels read them.
#include "kernels/pack.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "kernels/winograd.h"

namespace shipway::kernels {
namespace {

/// {out, in per group, taps, group, block, panel, vector, merged, transposed}, read back from a
/// recipe.
struct ConvShape {
  int64_t out, in, taps, group;
  int32_t block, panel, vector, merged;
  bool transposed;  // the source is [in][out per group][taps]
  Panels panels() const { return {out / group * merged, in * merged * taps, panel, vector}; }
  int64_t packed_groups() const { return group / merged; }
};
ConvShape conv_shape(const PackRecipe& recipe) {
  const auto& p = recipe.parameters;
  return {p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7], p[8] != 0};
}

/// k runs over blocks of input channels, in each over taps, in each over the block's channels;
/// block 0: over channels, then taps.
void pack_conv(const ConvShape& shape, const float* source, float* destination) {
  const Panels panels = shape.panels();
  const int64_t block = shape.block == 0 ? 1 : shape.block;
  const int64_t in_merged = shape.in * shape.merged, out_per_group = shape.out / shape.group;
  for (int64_t g = 0; g < shape.packed_groups(); ++g) {
    for (int64_t p = 0; p < panels.count(); ++p) {
      const int64_t width = panels.width(p);
      for (int64_t begin = 0; begin < in_merged; begin += block) {
        const int64_t end = std::min(begin + block, in_merged);
        for (int64_t tap = 0; tap < shape.taps; ++tap) {
          for (int64_t channel = begin; channel < end; ++channel, destination += width) {
            for (int64_t j = 0; j < width; ++j) {
              const int64_t out = p * shape.panel + j;  // of these merged groups
              const bool connected = out < panels.n && out / out_per_group == channel / shape.in;
              const int64_t row =
                  shape.transposed ? (g * in_merged + channel) * out_per_group + out % out_per_group
                                   : (g * panels.n + out) * shape.in + channel % shape.in;
              destination[j] = connected ? source[row * shape.taps + tap] : 0.0f;
            }
          }
        }
      }
    }
  }
}

void pack_depthwise(int64_t channels, int64_t taps, int64_t block, const float* source,
                    float* destination) {
  for (int64_t begin = 0; begin < channels; begin += block)
    for (int64_t tap = 0; tap < taps; ++tap, destination += block)
      for (int64_t c = 0; c < block; ++c)
        destination[c] = begin + c < channels ? source[(begin + c) * taps + tap] : 0.0f;
}

/// [group][phase][out][in][taps of the phase] from [in][out / group][taps].
void pack_transposed(const PackRecipe& recipe, const float* source, float* destination) {
  const auto& p = recipe.parameters;
  const int64_t in_per_group = p[0] / p[2], out = p[1], group = p[2];
  const int64_t taps = int64_t{p[3]} * p[4] * p[5];
  const auto in_phase = [&](int axis, int64_t k, int64_t phase) {
    return k * p[9 + axis] % p[6 + axis] == phase;
  };
  for (int64_t g = 0; g < group; ++g)
    for (int64_t phase = 0; phase < int64_t{p[6]} * p[7] * p[8]; ++phase) {
      const int64_t pd = phase / (int64_t{p[7]} * p[8]), ph = phase / p[8] % p[7],
                    pw = phase % p[8];
      for (int64_t o = 0; o < out; ++o)
        for (int64_t i = 0; i < in_per_group; ++i)
          for (int64_t d = 0; d < p[3]; ++d)
            for (int64_t h = 0; h < p[4]; ++h)
              for (int64_t w = 0; w < p[5]; ++w)
                if (in_phase(0, d, pd) && in_phase(1, h, ph) && in_phase(2, w, pw))
                  *destination++ =
                      source[((g * in_per_group + i) * out + o) * taps + (d * p[4] + h) * p[5] + w];
    }
}

/// G g G^T of every filter: panel by panel [position][in][width]. In double, rounded once.
void pack_winograd(const Panels& panels, const float* source, float* destination) {
  using namespace winograd;
  constexpr int kTaps = 3, kMostColumns = 32;
  const int64_t position_stride = panels.k;
  for (int64_t p = 0; p < panels.count(); ++p) {
    const int64_t width = panels.width(p),
                  columns = std::min<int64_t>(panels.n - p * panels.panel, width);
    float* target = destination + panels.offset(p) * kPositions;
    for (int64_t i = 0; i < panels.k; ++i, target += width) {
      double g[kTaps][kTaps][kMostColumns] = {}, rows[kInput][kTaps][kMostColumns];
      for (int64_t j = 0; j < columns; ++j) {
        const float* taps = source + ((p * panels.panel + j) * panels.k + i) * kTaps * kTaps;
        for (int tap = 0; tap < kTaps * kTaps; ++tap) g[tap / kTaps][tap % kTaps][j] = taps[tap];
      }
      for (int u = 0; u < kInput; ++u)
        for (int w = 0; w < kTaps; ++w)
          for (int j = 0; j < kMostColumns; ++j)
            rows[u][w][j] = kG[u][0] * g[0][w][j] + kG[u][1] * g[1][w][j] + kG[u][2] * g[2][w][j];
      for (int u = 0; u < kInput; ++u)
        for (int v = 0; v < kInput; ++v) {
          float* to = target + (u * kInput + v) * position_stride * width;
          for (int64_t j = 0; j < width; ++j)
            to[j] = static_cast<float>(kG[v][0] * rows[u][0][j] + kG[v][1] * rows[u][1][j] +
                                       kG[v][2] * rows[u][2][j]);
        }
    }
  }
}

/// B's second half belongs to the state's product, but only GRU's candidate with
/// linear_before_reset needs it apart; `apart` says so.
void pack_recurrent(const RecurrentWeights& shape, bool apart, const float* source,
                    float* destination) {
  const int64_t rows = shape.gates() * shape.hidden, panel = 2 * shape.lanes;
  const float *w = source, *r = w + shape.directions * rows * shape.input,
              *b = r + shape.directions * rows * shape.hidden, *p = b + shape.directions * 2 * rows;
  for (int64_t direction = 0; direction < shape.directions; ++direction) {
    std::fill_n(destination, shape.floats(), 0.0f);
    for (int64_t gate = 0; gate < shape.gates(); ++gate) {
      for (int64_t unit = 0; unit < shape.hidden; ++unit) {
        const int64_t row = gate * shape.hidden + unit, column = shape.column(gate, unit);
        const int64_t first = column / panel * panel, lane = column % panel;
        const auto pack_row = [&](const float* from, int64_t k, float* to) {
          for (int64_t i = 0; i < k; ++i) to[first * k + i * panel + lane] = from[row * k + i];
        };
        pack_row(w, shape.input, destination + shape.input_matrix());
        pack_row(r, shape.hidden, destination + shape.state_matrix());
        const bool own = apart && gate == 2;
        destination[shape.bias() + column] = own ? b[row] : b[row] + b[rows + row];
        destination[shape.state_bias() + column] = own ? b[rows + row] : 0.0f;
      }
    }
    if (shape.has_peepholes)
      for (int64_t gate = 0; gate < 3; ++gate)
        std::copy_n(p + gate * shape.hidden, shape.hidden,
                    destination + shape.peepholes() + gate * shape.padded());
    w += rows * shape.input;
    r += rows * shape.hidden;
    b += 2 * rows;
    p += 3 * shape.hidden;
    destination += shape.floats();
  }
}

}  // namespace

RecurrentWeights recurrent_weights(const PackRecipe& recipe) {
  const auto& p = recipe.parameters;
  return {static_cast<RecurrentCell>(p[0]), p[1], p[2], p[3], p[4], p[5] != 0};
}

PackRecipe recurrent_recipe(const RecurrentProblem& problem, int lanes) {
  return {PackKind::kRecurrent,
          {static_cast<int32_t>(problem.cell), static_cast<int32_t>(problem.directions),
           static_cast<int32_t>(problem.hidden), static_cast<int32_t>(problem.input), lanes,
           problem.has_peepholes, problem.linear_before_reset}};
}

PackRecipe gemm_recipe(int64_t n, int64_t k, bool transposed, int panel, int vector) {
  return {PackKind::kGemmPanels,
          {static_cast<int32_t>(n), static_cast<int32_t>(k), transposed, panel, vector}};
}

PackRecipe conv_recipe(const ConvProblem& problem, int block, int panel, int vector, int merged) {
  const int64_t taps = problem.kernel[0] * problem.kernel[1] * problem.kernel[2];
  return {PackKind::kConvPanels,
          {static_cast<int32_t>(problem.channels_out),
           static_cast<int32_t>(problem.channels_in / problem.group), static_cast<int32_t>(taps),
           static_cast<int32_t>(problem.group), block, panel, vector, merged, problem.transposed}};
}

PackRecipe winograd_recipe(const ConvProblem& problem, int panel, int vector) {
  return {PackKind::kWinograd,
          {static_cast<int32_t>(problem.channels_out), static_cast<int32_t>(problem.channels_in),
           panel, vector}};
}

PackRecipe depthwise_recipe(int64_t channels, int64_t taps, int block) {
  return {PackKind::kDepthwise,
          {static_cast<int32_t>(channels), static_cast<int32_t>(taps), block}};
}

PackRecipe transpose_recipe(const ConvProblem& problem) {
  PackRecipe recipe{PackKind::kTransposeRows,
                    {static_cast<int32_t>(problem.channels_in),
                     static_cast<int32_t>(problem.channels_out / problem.group),
                     static_cast<int32_t>(problem.group)}};
  for (size_t axis = 0; axis < 3; ++axis) {
    recipe.parameters[3 + axis] = static_cast<int32_t>(problem.kernel[axis]);
    recipe.parameters[6 + axis] = static_cast<int32_t>(problem.strides[axis]);
    recipe.parameters[9 + axis] = static_cast<int32_t>(problem.dilations[axis]);
  }
  return recipe;
}

void pack_panels(const Panels& panels, const float* source, int64_t row_stride,
                 int64_t column_stride, float* destination) {
  for (int64_t p = 0; p < panels.count(); ++p) {
    const int64_t width = panels.width(p),
                  columns = std::min<int64_t>(panels.n - p * panels.panel, width);
    const float* first = source + p * panels.panel * column_stride;
    float* target = destination + panels.offset(p);
    if (column_stride == 1) {
      for (int64_t i = 0; i < panels.k; ++i, target += width) {
        std::memcpy(target, first + i * row_stride, static_cast<size_t>(columns) * sizeof(float));
        std::fill(target + columns, target + width, 0.0f);
      }
      continue;
    }
    // Columns are the long direction of the source: blocks of rows, so that lines of both sides
    // stay in L1.
    constexpr int64_t kRows = 16;
    for (int64_t begin = 0; begin < panels.k; begin += kRows) {
      const int64_t end = std::min(begin + kRows, panels.k);
      for (int64_t j = 0; j < width; ++j)
        for (int64_t i = begin; i < end; ++i)
          target[i * width + j] = j < columns ? first[i * row_stride + j * column_stride] : 0.0f;
    }
  }
}

int64_t packed_size(const PackRecipe& recipe) {
  const auto& p = recipe.parameters;
  const auto bytes = [](int64_t floats) { return floats * static_cast<int64_t>(sizeof(float)); };
  switch (recipe.kind) {
    case PackKind::kNone:
      return 0;
    case PackKind::kGemmPanels:
      return bytes(Panels{p[0], p[1], p[3], p[4]}.floats());
    case PackKind::kConvPanels:
      return bytes(conv_shape(recipe).panels().floats() * conv_shape(recipe).packed_groups());
    case PackKind::kDepthwise:
      return bytes((int64_t{p[0]} + p[2] - 1) / p[2] * p[2] * p[1]);
    case PackKind::kTransposeRows:
      return bytes(int64_t{p[0]} * p[1] * p[3] * p[4] * p[5]);
    case PackKind::kWinograd:
      return bytes(Panels{p[0], p[1], p[2], p[3]}.floats() * winograd::kPositions);
    case PackKind::kRecurrent:
      return bytes(int64_t{p[1]} * recurrent_weights(recipe).floats());
  }
  return 0;
}

void pack(const PackRecipe& recipe, const float* source, void* destination) {
  const auto& p = recipe.parameters;
  auto* floats = static_cast<float*>(destination);
  switch (recipe.kind) {
    case PackKind::kNone:
      return;
    case PackKind::kGemmPanels:
      return pack_panels({p[0], p[1], p[3], p[4]}, source, p[2] ? 1 : p[0], p[2] ? p[1] : 1,
                         floats);
    case PackKind::kConvPanels:
      return pack_conv(conv_shape(recipe), source, floats);
    case PackKind::kDepthwise:
      return pack_depthwise(p[0], p[1], p[2], source, floats);
    case PackKind::kTransposeRows:
      return pack_transposed(recipe, source, floats);
    case PackKind::kWinograd:
      return pack_winograd({p[0], p[1], p[2], p[3]}, source, floats);
    case PackKind::kRecurrent:
      return pack_recurrent(recurrent_weights(recipe), p[6] != 0, source, floats);
  }
}

void unpack(const PackRecipe& recipe, const void* packed, std::span<float> source) {
  // Packing moves values and computes nothing: packing their numbers tells where each one went.
  std::vector<uint32_t> numbers(source.size()),
      places(static_cast<size_t>(packed_size(recipe)) / sizeof(uint32_t));
  std::iota(numbers.begin(), numbers.end(), 1);  // 0: padding
  pack(recipe, reinterpret_cast<const float*>(numbers.data()), places.data());
  const auto* values = static_cast<const float*>(packed);
  for (size_t i = 0; i < places.size(); ++i)
    if (places[i] != 0) source[places[i] - 1] = values[i];
}

}  // namespace shipway::kernels
