// Tile: repeats a tensor along its axes.
#include "base/checked.h"
#include "operators/contents.h"
#include "operators/elements.h"
#include "operators/loops.h"
#include "operators/operator.h"
#include "tensor/convert.h"

namespace shipway {

namespace {

Status infer_tile(InferContext& context) {
  const Dims* dims = context.input_dims(0);
  SHIPWAY_ASSIGN_OR_RETURN(const std::optional<Dims> repeats,
                           sizes_of_input(context, 1, "repeats"));
  if (!dims) {
    if (repeats) {
      context.set_output(0, context.input_dtype(0), Dims(repeats->size()));
    } else {
      context.set_output_dtype(0, context.input_dtype(0));
    }
    return Status::ok();
  }
  Dims result(dims->size());
  if (repeats) {
    if (repeats->size() != dims->size())
      return Status::invalid_model("input 'repeats' has {} values, expected {}, the rank",
                                   repeats->size(), dims->size());
    for (size_t i = 0; i < dims->size(); ++i)
      result[i] = context.dims().mul((*dims)[i], (*repeats)[i]);
  }
  const bool is_list = result.size() == 1;
  context.set_output(0, context.input_dtype(0), std::move(result));
  const std::optional<Contents> elements = context.input_contents(0);
  if (!is_list || !elements || !repeats || !(*repeats)[0].is_constant() ||
      (*repeats)[0].value() > kMaxFollowed)
    return Status::ok();
  Contents tiled;
  for (int64_t i = 0; i < (*repeats)[0].value(); ++i)
    if (static_cast<int64_t>(tiled.size()) <= kMaxFollowed)
      tiled.insert(tiled.end(), elements->begin(), elements->end());
  follow_elements(context, 0, context.input_dtype(0), std::move(tiled));
  return Status::ok();
}

Status evaluate_tile(EvaluateContext& context) {
  const Tensor& data = context.input(0);
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<int64_t> repeats,
                           ints_of(context.input(1), "repeats"));
  if (static_cast<int64_t>(repeats.size()) != data.rank())
    return Status::invalid_argument("input 'repeats' has {} values, expected {}, the rank",
                                    repeats.size(), data.rank());
  // Every axis becomes two: which repetition, and where in it.
  const Shape from = strides_of(data.shape());
  Shape shape, pairs, strides;
  for (size_t i = 0; i < repeats.size(); ++i) {
    if (repeats[i] < 0)
      return Status::invalid_argument("input 'repeats' has the negative number {}", repeats[i]);
    const std::optional<int64_t> size = checked_mul(data.dim(i), repeats[i]);
    if (!size) return Status::invalid_argument("input 'repeats' makes axis {} too long", i);
    shape.push_back(*size);
    pairs.push_back(repeats[i]);
    pairs.push_back(data.dim(i));
    strides.push_back(0);
    strides.push_back(from[i]);
  }
  SHIPWAY_ASSIGN_OR_RETURN(const Elements x, Elements::of(data));
  SHIPWAY_ASSIGN_OR_RETURN(Elements y, Elements::output(context, 0, data.dtype(), shape));
  y.copy_strided(pairs, 0, strides_of(pairs), x, 0, strides);
  return y.finish(context, 0);
}

/// Version 1 repeated one axis, and both numbers were inputs of the data's dtype.
Status one_axis_to_repeats(NodeRewrite& rewrite) {
  const Tensor* tiles = rewrite.input_constant(1);
  const Tensor* axis = rewrite.input_constant(2);
  const Dims* dims = rewrite.input_type(0).dims();
  if (!tiles || !axis || !dims)
    return Status::unsupported(
        "inputs 'tiles' and 'axis' of version 1 must be constant and the rank of 'input' declared");
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t count, int_of(*tiles, "tiles"));
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t index, int_of(*axis, "axis"));
  std::vector<int64_t> repeats(dims->size(), 1);
  if (index < 0 || index >= static_cast<int64_t>(repeats.size()))
    return Status::invalid_model("input 'axis' is {}, expected 0 to {}", index,
                                 static_cast<int64_t>(repeats.size()) - 1);
  repeats[static_cast<size_t>(index)] = count;
  rewrite.set_input(1, rewrite.add_ints("repeats", repeats));
  rewrite.set_input(2, {});
  return Status::ok();
}

}  // namespace

const Operator& tile_operator() {
  static const Operator definition{
      .name = "Tile",
      .summary = "Repeats a tensor along its axes.",
      .versions = {{.since = 1,
                    .signature = "(input: T, tiles: T, axis: T) -> (output: T)",
                    .types = "T: floats; T1: int64",
                    .upgrade = one_axis_to_repeats},
                   {.since = 6,
                    .signature = "(input: T, repeats: T1) -> (output: T)",
                    .types = "T: all_ir3; T1: int64"},
                   {.since = 13,
                    .signature = "(input: T, repeats: T1) -> (output: T)",
                    .types = "T: all_ir4; T1: int64"}},
      .infer = infer_tile,
      .evaluate = evaluate_tile,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
