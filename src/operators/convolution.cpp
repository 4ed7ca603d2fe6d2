#include "operators/convolution.h"

#include <algorithm>

#include "operators/shape_rules.h"

namespace shipway {

Status infer_convolution(InferContext& context, size_t x_input, size_t w_input, DType dtype) {
  context.set_output_dtype(0, dtype);
  const Dims *x = context.input_dims(x_input), *w = context.input_dims(w_input);
  const int64_t group = context.int_attribute("group");
  if (group < 1)
    return Status::invalid_model("attribute 'group' is {}, expected at least 1", group);
  if (!x) return Status::ok();
  if (x->size() < 3)
    return Status::invalid_model(
        "input 'X' has rank {}, expected at least 3: batch, channels, space", x->size());
  if (w && w->size() != x->size())
    return Status::invalid_model("input 'W' has rank {}, expected {} as 'X' has", w->size(),
                                 x->size());
  const size_t rank = x->size() - 2;
  std::vector<int64_t> kernel;
  for (size_t i = 0; w && i < rank && (*w)[i + 2].is_constant(); ++i)
    kernel.push_back((*w)[i + 2].value());
  const bool kernel_known = kernel.size() == rank || context.has_attribute("kernel_shape");
  if (kernel.size() != rank) kernel.clear();
  SHIPWAY_ASSIGN_OR_RETURN(const Windows windows, read_windows(context, rank, kernel));
  if (w && (*w)[1].is_constant() && (*x)[1].is_constant() &&
      (*w)[1].value() * group != (*x)[1].value())
    return Status::invalid_model("'X' has {} channels, but {} groups of {} go into 'W'",
                                 (*x)[1].value(), group, (*w)[1].value());
  Dims y{(*x)[0], w ? (*w)[0] : Dim()};
  for (size_t i = 0; i < rank; ++i) {
    y.push_back(kernel_known ? windows.output_dim(context.dims(), i, (*x)[i + 2]) : Dim());
    if (y.back().is_constant() && y.back().value() < 0)
      return Status::invalid_model(
          "a window spans {} elements along spatial axis {}, more than the "
          "input with its pads",
          windows.extent(i), i);
  }
  context.set_output(0, dtype, std::move(y));
  return Status::ok();
}

Result<Convolution> read_convolution(const EvaluateContext& context, size_t x_input,
                                     size_t w_input) {
  const Tensor &x = context.input(x_input), &w = context.input(w_input);
  if (x.rank() < 3 || w.rank() != x.rank())
    return Status::invalid_argument("'X' is [{}] and 'W' is [{}], expected one rank of at least 3",
                                    to_string(x.shape()), to_string(w.shape()));
  const int64_t group = context.int_attribute("group");
  if (group < 1 || w.dim(1) != x.dim(1) / group || x.dim(1) % group != 0 || w.dim(0) % group != 0)
    return Status::invalid_argument(
        "'X' [{}] and 'W' [{}] do not fit {} groups: expected input channels / groups as axis 1 of "
        "'W' "
        "and filters that groups divide",
        to_string(x.shape()), to_string(w.shape()), group);
  const auto rank = static_cast<size_t>(x.rank() - 2);
  const std::span<const int64_t> size(x.shape().data() + 2, rank);
  SHIPWAY_ASSIGN_OR_RETURN(Windows windows,
                           read_windows(context, rank, {w.shape().data() + 2, rank}));
  SHIPWAY_ASSIGN_OR_RETURN(const Shape placed, windows.place_on(size));
  Shape shape{x.dim(0), w.dim(0)};
  shape.append(placed);
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t count, element_count(shape));
  return Convolution{shape, count,          x.dim(1),
                     group, windows.taps(), WindowRows(windows, size, placed)};
}

namespace {

/// sums[f][j] += w[f * w_step] * x[j * stride] for kFilters filters at once.
template <int kFilters, typename T>
void add_products(const T* __restrict x, int64_t stride, const T* w, int64_t w_step,
                  double* __restrict sums, int64_t sums_step, int64_t count) {
  double weights[kFilters];
  for (int f = 0; f < kFilters; ++f) weights[f] = static_cast<double>(w[f * w_step]);
  if (stride == 1) {
    for (int64_t j = 0; j < count; ++j)
      for (int f = 0; f < kFilters; ++f)
        sums[f * sums_step + j] += weights[f] * static_cast<double>(x[j]);
  } else {
    for (int64_t j = 0; j < count; ++j)
      for (int f = 0; f < kFilters; ++f)
        sums[f * sums_step + j] += weights[f] * static_cast<double>(x[j * stride]);
  }
}

// Sums of a stretch of an output row are kept this long at most, to stay in the first cache.
constexpr int64_t kStretch = 512;
constexpr int64_t kFiltersAtOnce = 4;

}  // namespace

template <typename T>
Status convolve(const EvaluateContext& context, const Convolution& convolution, const T* x,
                const T* w, std::span<const double> bias, T* y) {
  WindowRows rows = convolution.rows;
  const Shape& shape = convolution.shape;
  if (convolution.output_count == 0) return Status::ok();
  const int64_t channels = convolution.channels / convolution.group;
  const int64_t filters = shape[1] / convolution.group;
  const int64_t taps = convolution.taps;
  const int64_t filter_size = channels * taps;
  std::vector<double> sums(static_cast<size_t>(kFiltersAtOnce * kStretch));
  for (int64_t sample = 0; sample < shape[0]; ++sample) {
    for (int64_t row = 0; row < rows.row_count(); ++row) {
      SHIPWAY_RETURN_IF_ERROR(context.poll());
      const std::span<const WindowRows::Tap> row_taps = rows.taps_of(row);
      for (int64_t filter = 0, step = 0; filter < shape[1]; filter += step) {
        const int64_t first_channel = filter / filters * channels;
        step = (filters - filter % filters) >= kFiltersAtOnce ? kFiltersAtOnce : 1;
        for (int64_t begin = 0; begin < rows.row_length(); begin += kStretch) {
          const int64_t end = std::min(begin + kStretch, rows.row_length());
          for (int64_t f = 0; f < step; ++f)
            std::fill_n(sums.begin() + f * kStretch, end - begin,
                        bias[static_cast<size_t>(filter + f)]);
          for (int64_t c = 0; c < channels; ++c) {
            const T* plane =
                x + (sample * convolution.channels + first_channel + c) * rows.input_size();
            const T* weights = w + filter * filter_size + c * taps;
            for (const WindowRows::Tap& tap : row_taps) {
              const T* weight = weights + tap.tap;
              for (const WindowRows::Column& column : rows.columns()) {
                const int64_t from = std::max(begin, column.begin);
                const int64_t count = std::min(end, column.end) - from;
                if (count > 0) {
                  const T* source = plane + tap.start + from * rows.stride() + column.shift;
                  double* into = sums.data() + (from - begin);
                  if (step == kFiltersAtOnce)
                    add_products<kFiltersAtOnce>(source, rows.stride(), weight, filter_size, into,
                                                 kStretch, count);
                  else
                    add_products<1>(source, rows.stride(), weight, filter_size, into, kStretch,
                                    count);
                }
                ++weight;
              }
            }
          }
          for (int64_t f = 0; f < step; ++f) {
            T* out =
                y + (sample * shape[1] + filter + f) * rows.output_size() + row * rows.row_length();
            for (int64_t j = begin; j < end; ++j)
              out[j] = static_cast<T>(sums[static_cast<size_t>(f * kStretch + j - begin)]);
          }
        }
      }
    }
  }
  return Status::ok();
}

template Status convolve(const EvaluateContext&, const Convolution&, const float*, const float*,
                         std::span<const double>, float*);
template Status convolve(const EvaluateContext&, const Convolution&, const double*, const double*,
                         std::span<const double>, double*);

}  // namespace shipway
