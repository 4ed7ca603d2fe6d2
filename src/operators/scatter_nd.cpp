// ScatterND: writes or accumulates slices at positions that index tuples name.
#include "operators/indices.h"
#include "operators/operator.h"
#include "operators/scatter.h"

namespace shipway {
namespace {

constexpr std::string_view kSignature = "(data: T, indices: int64, updates: T) -> (output: T)";

Status evaluate_scatter_nd(EvaluateContext& context) {
  const Tensor &data = context.input(0), &indices = context.input(1), &updates = context.input(2);
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<int64_t> starts,
                           slice_starts(indices, data.shape(), 0));
  Shape expected(indices.shape().begin(), indices.shape().end() - 1);
  int64_t slice = 1;
  for (size_t i = static_cast<size_t>(indices.shape().back()); i < data.shape().size(); ++i) {
    expected.push_back(data.dim(i));
    slice *= data.dim(i);
  }
  if (updates.shape() != expected)
    return Status::invalid_argument("input 'updates' has shape {}, expected {}",
                                    to_string(updates.shape()), to_string(expected));
  std::vector<int64_t> positions;
  positions.reserve(static_cast<size_t>(updates.element_count()));
  for (int64_t start : starts)
    for (int64_t i = 0; i < slice; ++i) positions.push_back(start + i);
  return scatter_updates(context, positions, context.string_attribute("reduction"));
}

}  // namespace

const Operator& scatter_nd_operator() {
  static const Operator definition{
      .name = "ScatterND",
      .summary = "Writes or accumulates slices at positions that index tuples name.",
      .versions = {{.since = 11, .signature = kSignature, .types = "T: all_ir3"},
                   {.since = 13, .signature = kSignature, .types = "T: all_ir4"},
                   {.since = 16,
                    .signature = kSignature,
                    .types = "T: all_ir4",
                    .attributes = "reduction: string = 'none'"},
                   {.since = 18,
                    .signature = kSignature,
                    .types = "T: all_ir4",
                    .attributes = "reduction: string = 'none'",
                    .downgrade = refuse_max_and_min}},
      .infer = infer_scatter_elements,
      .evaluate = evaluate_scatter_nd,
      .accuracy = Accuracy::rounding(),
  };
  return definition;
}

}  // namespace shipway
