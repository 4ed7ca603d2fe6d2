// NonMaxSuppression: keeps the best boxes and drops those that overlap them too much.
#include <algorithm>
#include <limits>
#include <numeric>

#include "operators/contents.h"
#include "operators/operator.h"
#include "tensor/convert.h"

namespace shipway {
namespace {

constexpr std::string_view kSignature =
    "(boxes: float, scores: float, max_output_boxes_per_class?: int64, "
    "iou_threshold?: float, score_threshold?: float) -> (selected_indices: int64)";

Status infer_non_max_suppression(InferContext& context) {
  context.set_output(0, DType::kInt64, {context.dims().fresh(), 3});
  return Status::ok();
}

struct Box {
  float top = 0, left = 0, bottom = 0, right = 0;
  float area() const { return (bottom - top) * (right - left); }
};

/// Corners in either order, or centre and size.
Box read_box(const float* values, bool is_centred) {
  if (is_centred) {
    const float half_width = values[2] / 2, half_height = values[3] / 2;
    return {values[1] - half_height, values[0] - half_width, values[1] + half_height,
            values[0] + half_width};
  }
  return {std::min(values[0], values[2]), std::min(values[1], values[3]),
          std::max(values[0], values[2]), std::max(values[1], values[3])};
}

/// Do the boxes share more than `threshold` of what they cover together?
bool overlap(const Box& a, const Box& b, float threshold) {
  const float height = std::min(a.bottom, b.bottom) - std::max(a.top, b.top);
  const float width = std::min(a.right, b.right) - std::max(a.left, b.left);
  if (height <= 0 || width <= 0 || a.area() <= 0 || b.area() <= 0) return false;
  const float shared = height * width;
  return shared / (a.area() + b.area() - shared) > threshold;
}

Result<float> float_of(EvaluateContext& context, size_t i, float otherwise) {
  if (!context.has_input(i) || context.input(i).element_count() == 0) return otherwise;
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<double> values, to_doubles(context.input(i)));
  return static_cast<float>(values[0]);
}

Status evaluate_non_max_suppression(EvaluateContext& context) {
  const Tensor &boxes = context.input(0), &scores = context.input(1);
  if (boxes.rank() != 3 || boxes.dim(2) != 4)
    return Status::invalid_argument("input 'boxes' has shape {}, expected [batches, boxes, 4]",
                                    to_string(boxes.shape()));
  if (scores.rank() != 3 || scores.dim(0) != boxes.dim(0) || scores.dim(2) != boxes.dim(1))
    return Status::invalid_argument("input 'scores' has shape {}, expected [{}, classes, {}]",
                                    to_string(scores.shape()), boxes.dim(0), boxes.dim(1));
  int64_t most = 0;
  if (context.has_input(2) && context.input(2).element_count() > 0) {
    SHIPWAY_ASSIGN_OR_RETURN(most, int_of(context.input(2), "max_output_boxes_per_class"));
  }
  SHIPWAY_ASSIGN_OR_RETURN(const float overlap_limit, float_of(context, 3, 0));
  SHIPWAY_ASSIGN_OR_RETURN(const float least_score,
                           float_of(context, 4, -std::numeric_limits<float>::infinity()));
  const bool has_least_score = context.has_input(4);
  const int64_t batches = boxes.dim(0), count = boxes.dim(1), classes = scores.dim(1);
  const std::span<const float> box_values = boxes.as<float>(), score_values = scores.as<float>();
  const bool is_centred = context.int_attribute("center_point_box") != 0;

  std::vector<int64_t> selected;
  std::vector<Box> candidates(static_cast<size_t>(count));
  for (int64_t batch = 0; batch < batches; ++batch) {
    for (int64_t i = 0; i < count; ++i)
      candidates[static_cast<size_t>(i)] =
          read_box(&box_values[static_cast<size_t>((batch * count + i) * 4)], is_centred);
    for (int64_t category = 0; category < classes; ++category) {
      const std::span<const float> score = score_values.subspan(
          static_cast<size_t>((batch * classes + category) * count), static_cast<size_t>(count));
      std::vector<int64_t> order;
      for (int64_t i = 0; i < count; ++i)
        if (!has_least_score || score[static_cast<size_t>(i)] > least_score) order.push_back(i);
      std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
        return score[static_cast<size_t>(a)] > score[static_cast<size_t>(b)];
      });
      std::vector<int64_t> kept;
      for (int64_t i : order) {
        if (static_cast<int64_t>(kept.size()) >= most) break;
        SHIPWAY_RETURN_IF_ERROR(context.poll());
        const Box& box = candidates[static_cast<size_t>(i)];
        const bool is_covered = std::any_of(kept.begin(), kept.end(), [&](int64_t other) {
          return overlap(box, candidates[static_cast<size_t>(other)], overlap_limit);
        });
        if (!is_covered) kept.push_back(i);
      }
      for (int64_t i : kept) selected.insert(selected.end(), {batch, category, i});
    }
  }
  context.set_output(0, Tensor::from<int64_t>({static_cast<int64_t>(selected.size() / 3), 3},
                                              std::span<const int64_t>(selected)));
  return Status::ok();
}

}  // namespace

const Operator& non_max_suppression_operator() {
  static const Operator definition{
      .name = "NonMaxSuppression",
      .summary = "Keeps the best boxes and drops those that overlap them too much.",
      .versions =
          {{.since = 10, .signature = kSignature, .attributes = "center_point_box: int = 0"},
           {.since = 11, .signature = kSignature, .attributes = "center_point_box: int = 0"}},
      .infer = infer_non_max_suppression,
      .evaluate = evaluate_non_max_suppression,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
