// NonMaxSuppression: keeps the best boxes and drops those that overlap them too much.
#include "operators/operator.h"

namespace shipway {
namespace {

constexpr std::string_view kSignature =
    "(boxes: float, scores: float, max_output_boxes_per_class?: int64, "
    "iou_threshold?: float, score_threshold?: float) -> (selected_indices: int64)";

}  // namespace

const Operator& non_max_suppression_operator() {
  static const Operator definition{
      .name = "NonMaxSuppression",
      .summary = "Keeps the best boxes and drops those that overlap them too much.",
      .versions =
          {{.since = 10, .signature = kSignature, .attributes = "center_point_box: int = 0"},
           {.since = 11, .signature = kSignature, .attributes = "center_point_box: int = 0"}},
  };
  return definition;
}

}  // namespace shipway
