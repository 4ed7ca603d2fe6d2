// Convolution of any rank, group, stride, dilation and padding on plain layouts, and transposed
// convolution: a matrix product whose rows are output channels and whose columns are output pixels,
// gathered into panels piece by piece (never the whole im2col matrix).
//
// A transposed convolution is one ordinary convolution for each output phase: outputs o with (o +
// pad) % stride == r take only the taps k with k * dilation % stride == r, from input (o + pad - k
// * dilation) / stride, so nothing is multiplied by an inserted zero.
#include <algorithm>
#include <cstring>

#include "kernels/conv_band.h"
#include "kernels/epilogue.h"
#include "kernels/gemm_rows.h"
#include "kernels/pack.h"
#include "kernels/rows.h"
#include "kernels/sizes.h"
#include "kernels/tile_choice.h"

namespace shipway::kernels {
namespace {

constexpr int64_t kChunk = 384;       // tuned
constexpr int64_t kPanelsOfUnit = 4;  // tuned
constexpr int64_t kMostTaps = 64;     // of one axis in a table on the stack

struct State {
  ConvDims dims;
  EpilogueForm form;
  int64_t phases = 1, most_pixels = 0, pixel_units = 0, channel_units = 1, channels_of_unit = 1;
  int64_t chunk = 1, panel_offset = 0;
};
static_assert(sizeof(State) <= BoundKernel::kStateBytes);

/// One axis of one phase: output j (0 <= j < count) is position first + j * out_step and reads
/// input base[t] + j * in_step for tap t.
struct Axis {
  int64_t count = 0, first = 0, out_step = 1, in_step = 1, taps = 0;
  std::array<int64_t, kMostTaps> base;
};

Axis make_axis(const ConvProblem& problem, const ConvDims& d, size_t axis, int64_t phase) {
  Axis a;
  const int64_t stride = problem.strides[axis], dilation = problem.dilations[axis],
                pad = d.pads[axis];
  if (!problem.transposed) {
    a.count = d.out[axis];
    a.in_step = stride;
    for (int64_t k = 0; k < problem.kernel[axis]; ++k)
      a.base[static_cast<size_t>(a.taps++)] = k * dilation - pad;
    return a;
  }
  a.first = ((phase - pad) % stride + stride) % stride;
  a.out_step = stride;
  a.count = a.first < d.out[axis] ? (d.out[axis] - a.first + stride - 1) / stride : 0;
  for (int64_t k = 0; k < problem.kernel[axis]; ++k)
    if (k * dilation % stride == phase)
      a.base[static_cast<size_t>(a.taps++)] = (a.first + pad - k * dilation) / stride;
  return a;
}

/// Everything a run needs about one phase.
struct Phase {
  int64_t index = -1;
  Axis depth, height, width;
  int64_t pixels = 0, taps = 0;
  int64_t weights_offset = 0;  // of the phase in a group's packed weights
};

Phase make_phase(const ConvProblem& problem, const ConvDims& d, int64_t index) {
  Phase phase;
  phase.index = index;
  const int64_t rh = problem.transposed ? problem.strides[1] : 1,
                rw = problem.transposed ? problem.strides[2] : 1;
  phase.depth = make_axis(problem, d, 0, index / (rh * rw));
  phase.height = make_axis(problem, d, 1, index / rw % rh);
  phase.width = make_axis(problem, d, 2, index % rw);
  phase.pixels = phase.depth.count * phase.height.count * phase.width.count;
  phase.taps = phase.depth.taps * phase.height.taps * phase.width.taps;
  if (!problem.transposed) return phase;
  const int64_t per_tap =
      problem.channels_in / problem.group * (problem.channels_out / problem.group);
  for (int64_t before = 0; before < index; ++before) {
    int64_t taps = 1;
    const int64_t residues[] = {before / (rh * rw), before / rw % rh, before % rw};
    for (size_t axis = 0; axis < 3; ++axis)
      taps *= phase_taps(problem.kernel[axis], problem.strides[axis], problem.dilations[axis],
                         residues[axis]);
    phase.weights_offset += taps * per_tap;
  }
  return phase;
}

/// Row `k` (channel, tap) of the gathered matrix at pixels [begin, end), into panels of `panel`
/// columns, of which this is row `row` of `rows`.
void gather_row(const Phase& phase, const ConvDims& d, const float* channel, int64_t tap,
                int64_t begin, int64_t end, float* to, int64_t panel, int64_t rows) {
  const Axis &depth = phase.depth, &height = phase.height, &width = phase.width;
  const int64_t w_base = width.base[static_cast<size_t>(tap % width.taps)];
  const int64_t h_base = height.base[static_cast<size_t>(tap / width.taps % height.taps)];
  const int64_t d_base = depth.base[static_cast<size_t>(tap / (width.taps * height.taps))];
  for (int64_t pixel = begin; pixel < end;) {
    const int64_t column = pixel % width.count, line = pixel / width.count;
    const int64_t in_row = height.count ? line % height.count * height.in_step + h_base : 0;
    const int64_t in_slice = line / height.count * depth.in_step + d_base;
    // To the end of the image row, of the panel, or of the block.
    const int64_t at = (pixel - begin) % panel;
    const int64_t count = std::min({width.count - column, panel - at, end - pixel});
    float* target = to + (pixel - begin) / panel * panel * rows + at;
    pixel += count;
    if (in_row < 0 || in_row >= d.in[1] || in_slice < 0 || in_slice >= d.in[0]) {
      std::memset(target, 0, static_cast<size_t>(count) * sizeof(float));
      continue;
    }
    const float* source = channel + (in_slice * d.in[1] + in_row) * d.in[2];
    const int64_t first = w_base + column * width.in_step;
    if (width.in_step == 1) {
      const int64_t left = std::clamp<int64_t>(-first, 0, count);
      const int64_t copied = std::clamp<int64_t>(d.in[2] - (first + left), 0, count - left);
      std::memset(target, 0, static_cast<size_t>(left) * sizeof(float));
      if (copied > 0)
        std::memcpy(target + left, source + first + left,
                    static_cast<size_t>(copied) * sizeof(float));
      std::memset(target + left + copied, 0,
                  static_cast<size_t>(count - left - copied) * sizeof(float));
      continue;
    }
    for (int64_t i = 0; i < count; ++i) {
      const int64_t in_column = first + i * width.in_step;
      target[i] = in_column >= 0 && in_column < d.in[2] ? source[in_column] : 0.0f;
    }
  }
}

/// Where pixel `pixel` of a phase lies in its output plane.
int64_t output_position(const Phase& phase, const ConvDims& d, int64_t pixel) {
  const int64_t column = pixel % phase.width.count, line = pixel / phase.width.count;
  const int64_t row = line % phase.height.count, slice = line / phase.height.count;
  return ((phase.depth.first + slice * phase.depth.out_step) * d.out[1] + phase.height.first +
          row * phase.height.out_step) *
             d.out[2] +
         phase.width.first + column * phase.width.out_step;
}

void run_conv_plain(const BoundKernel& bound, const Views& views, Range part, void* scratch) {
  if (part.begin >= part.end) return;
  const State& state = bound.state<State>();
  const auto& problem = std::get<ConvProblem>(bound.plan->problem);
  const TileTable& tiles = tiles_for(bound.plan->isa);
  const ConvDims& d = state.dims;
  const int64_t panel = 2 * tiles.lanes, in_group = problem.channels_in / problem.group,
                out_group = problem.channels_out / problem.group;
  const int64_t in_plane = d.in[0] * d.in[1] * d.in[2], out_plane = d.out[0] * d.out[1] * d.out[2];
  const int64_t kernel_taps = problem.kernel[0] * problem.kernel[1] * problem.kernel[2];
  const float *x = views.input(0), *weights = views.input(1);
  const float* bias = problem.epilogue.has_bias ? views.input(2) : nullptr;
  const float* add = state.form.add ? views.input(3) : nullptr;
  float* y = views.output(0);
  auto* floats = static_cast<float*>(scratch);
  float* gathered = floats + state.panel_offset;
  EpilogueRunner epilogue(problem.epilogue, bound.plan->isa, views, floats);
  Phase phase;
  for (int64_t index = part.begin; index < part.end; ++index) {
    const int64_t channel_begin = index % state.channel_units * state.channels_of_unit;
    int64_t rest = index / state.channel_units;
    const int64_t pixel_begin = rest % state.pixel_units * kPanelsOfUnit * panel;
    rest /= state.pixel_units;
    if (phase.index != rest % state.phases) phase = make_phase(problem, d, rest % state.phases);
    rest /= state.phases;
    const int64_t group = rest % problem.group, image = rest / problem.group;
    const int64_t pixel_end = std::min(pixel_begin + kPanelsOfUnit * panel, phase.pixels);
    if (pixel_begin >= pixel_end) continue;
    const int64_t channel_end = std::min(channel_begin + state.channels_of_unit, out_group);
    const int64_t k_total = in_group * phase.taps,
                  panels = (pixel_end - pixel_begin + panel - 1) / panel;
    const float* image_group = x + (image * problem.channels_in + group * in_group) * in_plane;
    const int64_t plane_of_unit = image * problem.channels_out + group * out_group + channel_begin;
    const int64_t row_length = problem.transposed ? k_total : in_group * kernel_taps;
    const float* rows = weights + group * in_group * out_group * kernel_taps +
                        phase.weights_offset + channel_begin * row_length;
    const int64_t chunk = problem.transposed ? std::max<int64_t>(k_total, 1) : state.chunk;
    for (int64_t k_begin = 0; k_begin < std::max<int64_t>(k_total, 1); k_begin += chunk) {
      const int64_t k_end = std::min(k_begin + chunk, k_total);
      for (int64_t k = k_begin; k < k_end; ++k)
        gather_row(phase, d, image_group + k / phase.taps * in_plane, k % phase.taps, pixel_begin,
                   pixel_end, gathered + (k - k_begin) * panel, panel, k_end - k_begin);
      const Segment segment{0, k_end - k_begin};
      for (int64_t p = 0; p < panels; ++p) {
        const int64_t pixel = pixel_begin + p * panel, columns = std::min(panel, pixel_end - pixel);
        TileArguments t;
        t.segments = &segment;
        t.segment_count = 1;
        t.accumulate = k_begin > 0;
        t.finish = k_end == k_total;
        t.clip = state.form.clip;
        t.low = state.form.low;
        t.high = state.form.high;
        t.a = rows + k_begin;
        t.a_row_stride = row_length;
        t.b = gathered + p * panel * (k_end - k_begin);
        t.row_bias = bias ? bias + group * out_group + channel_begin : nullptr;
        if (!problem.transposed) {
          const int64_t offset = plane_of_unit * out_plane + pixel;
          t.c = y + offset;
          t.c_row_stride = out_plane;
          t.add = add ? add + offset : nullptr;
          run_row_tiles(tiles, t, channel_end - channel_begin, panel, columns);
          continue;
        }
        // Pixels of a phase lie apart in the output: a tile is made in a buffer and dealt out.
        float buffer[TileTable::kMaxRows * 32];
        std::array<int64_t, 32> positions;
        for (int64_t i = 0; i < columns; ++i)
          positions[static_cast<size_t>(i)] = output_position(phase, d, pixel + i);
        t.c = buffer;
        t.c_row_stride = panel;
        const RowTiles split(channel_end - channel_begin, tiles.max_rows);
        for (int64_t i = 0, channel = 0; i < split.count; ++i) {
          const int64_t count = split.rows(i);
          run_row_tiles(tiles, t, count, panel, panel);
          for (int64_t r = 0; r < count; ++r)
            for (int64_t j = 0; j < columns; ++j)
              y[(plane_of_unit + channel + r) * out_plane + positions[static_cast<size_t>(j)]] =
                  buffer[r * panel + j];
          t.a += count * row_length;
          if (t.row_bias) t.row_bias += count;
          channel += count;
        }
      }
    }
    if (!state.form.generic) continue;
    for (int64_t channel = channel_begin; channel < channel_end; ++channel)
      for (int64_t pixel = pixel_begin; pixel < pixel_end; pixel += EpilogueRunner::kRun) {
        const int64_t offset =
            (image * problem.channels_out + group * out_group + channel) * out_plane + pixel;
        epilogue.apply(y + offset, std::min(pixel_end - pixel, EpilogueRunner::kRun), offset,
                       group * out_group + channel, 1, problem.channels_out);
      }
  }
}

}  // namespace

Prepared prepare_conv_plain(const Problem& problem, Isa) {
  const auto& conv = std::get<ConvProblem>(problem);
  if (conv.input.is_blocked() || conv.output.is_blocked())
    return Prepared::refuse(RefusalCode::kLayout, "input and output are plain");
  if (conv.group < 1 || conv.channels_in % conv.group != 0 || conv.channels_out % conv.group != 0)
    return Prepared::refuse(RefusalCode::kGroup, "groups that do not divide the channels");
  for (int64_t size : conv.kernel)
    if (size > kMostTaps)
      return Prepared::refuse(RefusalCode::kShape, "more than 64 taps along an axis");
  KernelPlan plan;
  if (conv.transposed) {
    const EpilogueForm form = epilogue_form(conv.epilogue);
    if (form.generic || form.add)
      return Prepared::refuse(RefusalCode::kEpilogue,
                              "a transposed convolution ends in bias, relu or clip only");
    plan.weights = transpose_recipe(conv);
  }
  return {plan, {}};
}

Result<BoundKernel> bind_conv_plain(const KernelPlan& plan, const Dims& dims) {
  const auto& problem = std::get<ConvProblem>(plan.problem);
  SHIPWAY_RETURN_IF_ERROR(check_conv_dims(problem, std::get<ConvDims>(dims)));
  const TileTable& tiles = tiles_for(plan.isa);
  const int64_t panel = 2 * tiles.lanes;
  BoundKernel bound;
  bound.run = run_conv_plain;
  State& state = bound.state<State>();
  state = {};
  state.dims = std::get<ConvDims>(dims);
  if (!problem.transposed) state.dims = flatten_pointwise(problem, state.dims);
  const ConvDims& d = state.dims;
  state.form = epilogue_form(problem.epilogue);
  const auto count = [&](size_t axis) {  // outputs of the largest phase
    const int64_t stride = problem.transposed ? problem.strides[axis] : 1;
    return parts_of(d.out[axis], stride);
  };
  if (problem.transposed)
    state.phases = problem.strides[0] * problem.strides[1] * problem.strides[2];
  state.most_pixels = count(0) * count(1) * count(2);
  const int64_t pixels_of_unit = kPanelsOfUnit * panel,
                out_group = problem.channels_out / problem.group;
  state.pixel_units = parts_of(state.most_pixels, pixels_of_unit);
  // Gathering is repeated for every unit of channels: divide them only where there are few pixels.
  const int64_t units = d.batch * problem.group * state.phases * state.pixel_units;
  state.channels_of_unit =
      units >= 8
          ? out_group
          : std::min<int64_t>(out_group, std::max<int64_t>(8 * tiles.max_rows, out_group / 8));
  state.channel_units = out_group == 0 ? 0 : parts_of(out_group, state.channels_of_unit);
  bound.parts = units * state.channel_units;
  const int64_t k = problem.channels_in / problem.group * problem.kernel[0] * problem.kernel[1] *
                    problem.kernel[2];
  state.chunk = std::max<int64_t>(1, std::min(k, kChunk));
  state.panel_offset = whole_lines(EpilogueRunner::scratch_floats(problem.epilogue));
  bound.scratch_bytes =
      (state.panel_offset + pixels_of_unit * (problem.transposed ? k : state.chunk)) *
      static_cast<int64_t>(sizeof(float));
  bound.cost = conv_cost(problem, d, 8.0 * static_cast<double>(tiles.lanes));  // tuned
  return bound;
}

LayoutChoice preferred_layouts(const ConvProblem& problem, Isa isa) {
  const int lanes = channel_block(isa);
  const LayoutChoice plain{Layout::plain(), Layout::plain()};
  if (lanes == 0 || problem.kernel[0] != 1 || problem.strides[0] != 1) return plain;
  const Layout blocked = Layout::blocked(lanes);
  if (problem.transposed) {  // blocks that are mostly empty would waste too much on both sides
    const bool wide = problem.channels_in * 2 >= lanes && problem.channels_out * 2 >= lanes;
    return wide && merged_groups(problem, lanes) > 0 ? LayoutChoice{blocked, blocked} : plain;
  }
  if (problem.group == problem.channels_in && problem.channels_out == problem.channels_in &&
      problem.group > 1)
    return {blocked, blocked};
  const int64_t in = problem.channels_in / problem.group,
                out = problem.channels_out / problem.group;
  if (problem.group > 1)
    return merged_groups(problem, lanes) > 0 ? LayoutChoice{blocked, blocked} : plain;
  if (out <= 4 && problem.strides[2] == 1) return plain;
  // A block that is mostly empty wastes more than short runs of k cost.
  return {in * 2 >= lanes && in > 4 ? blocked : Layout::plain(), blocked};
}

}  // namespace shipway::kernels
