// AffineGrid: makes the sampling positions that GridSample reads from, one affine map per picture.
#include "operators/contents.h"
#include "operators/loops.h"
#include "operators/reals.h"
#include "operators/shape_rules.h"

namespace shipway {

namespace {

Status infer_affine_grid(InferContext& context) {
  context.set_output_dtype(0, context.input_dtype(0));
  SHIPWAY_ASSIGN_OR_RETURN(const std::optional<Dims> size, sizes_of_input(context, 1, "size"));
  if (!size) return Status::ok();
  if (size->size() != 4 && size->size() != 5)
    return Status::invalid_model("input 'size' has {} elements, expected 4 or 5", size->size());
  Dims grid{(*size)[0]};
  for (size_t i = 2; i < size->size(); ++i) grid.push_back((*size)[i]);
  grid.push_back(static_cast<int64_t>(size->size()) - 2);
  context.set_output(0, context.input_dtype(0), std::move(grid));
  return Status::ok();
}

/// Where element i of an axis of `size` lies between -1 and 1.
double position(int64_t i, int64_t size, bool align_corners) {
  if (align_corners)
    return size == 1 ? 0 : 2.0 * static_cast<double>(i) / static_cast<double>(size - 1) - 1;
  return (2.0 * static_cast<double>(i) + 1) / static_cast<double>(size) - 1;
}

Status evaluate_affine_grid(EvaluateContext& context) {
  const Tensor& theta = context.input(0);
  SHIPWAY_ASSIGN_OR_RETURN(const Shape size, shape_of(context.input(1), "size"));
  if (size.size() != 4 && size.size() != 5)
    return Status::invalid_argument("input 'size' has {} elements, expected 4 or 5", size.size());
  const auto rank = static_cast<int64_t>(size.size()) - 2;
  if (theta.shape() != Shape{size[0], rank, rank + 1})
    return Status::invalid_argument("input 'theta' is [{}], expected [{}]",
                                    to_string(theta.shape()),
                                    to_string(Shape{size[0], rank, rank + 1}));
  SHIPWAY_ASSIGN_OR_RETURN(const Reals<double> t, Reals<double>::of(theta));
  Shape shape{size[0]};
  for (size_t i = 2; i < size.size(); ++i) shape.push_back(size[i]);
  shape.push_back(rank);
  SHIPWAY_ASSIGN_OR_RETURN(RealOutput<double> grid,
                           RealOutput<double>::allocate(context, 0, theta.dtype(), shape));
  const bool align_corners = context.int_attribute("align_corners") != 0;
  const Shape spatial(std::span<const int64_t>(size.data() + 2, static_cast<size_t>(rank)));
  double* out = grid.data();
  for (int64_t n = 0; n < size[0]; ++n) {
    const double* rows = t.data() + n * rank * (rank + 1);
    for (StridedWalk walk(spatial, {}); !walk.done(); walk.next()) {
      for (int64_t row = 0; row < rank; ++row) {
        double sum = rows[row * (rank + 1) + rank];
        for (int64_t axis = 0; axis < rank; ++axis) {  // the grid names the last axis first
          const auto own = static_cast<size_t>(rank - 1 - axis);
          sum += rows[row * (rank + 1) + axis] *
                 position(walk.index()[own], spatial[own], align_corners);
        }
        *out++ = sum;
      }
    }
  }
  return grid.finish(context);
}

}  // namespace

const Operator& affine_grid_operator() {
  static const Operator definition{
      .name = "AffineGrid",
      .summary =
          "Makes the sampling positions that GridSample reads from, one affine map per picture.",
      .versions = {{.since = 20,
                    .signature = "(theta: T1, size: T2) -> (grid: T1)",
                    .types = "T1: floats bfloat16; T2: int64",
                    .attributes = "align_corners: int = 0"}},
      .infer = infer_affine_grid,
      .evaluate = evaluate_affine_grid,
  };
  return definition;
}

}  // namespace shipway
