#include "operators/space_blocks.h"

#include "operators/elements.h"
#include "operators/loops.h"

namespace shipway {
namespace {

struct BlockAttributes {
  int64_t size = 1;
  bool depth_first =
      true;  // DCR: channels are [block row, block column, depth]; CRD: depth comes first
};

Result<BlockAttributes> block_attributes(const AttributeReader& node) {
  BlockAttributes block{.size = node.int_attribute("blocksize")};
  const std::string& mode = node.string_attribute("mode");
  if (mode != "DCR" && mode != "CRD")
    return Status::invalid_model("attribute 'mode' is '{}', expected DCR or CRD", mode);
  block.depth_first = mode == "DCR";
  if (block.size < 1 || block.size > INT32_MAX)
    return Status::invalid_model("attribute 'blocksize' is {}, expected 1 or more", block.size);
  return block;
}

Status infer_blocks(InferContext& context, bool to_space) {
  SHIPWAY_ASSIGN_OR_RETURN(const BlockAttributes block, block_attributes(context));
  const Dims* dims = context.input_dims(0);
  if (dims && dims->size() != 4)
    return Status::invalid_model("input 'input' has rank {}, expected 4", dims->size());
  Dims result(4);
  if (dims) {
    DimTable& table = context.dims();
    const int64_t area = block.size * block.size;
    result[0] = (*dims)[0];
    result[1] = to_space ? table.floordiv((*dims)[1], area) : table.mul((*dims)[1], area);
    for (size_t axis = 2; axis < 4; ++axis)
      result[axis] = to_space ? table.mul((*dims)[axis], block.size)
                              : table.floordiv((*dims)[axis], block.size);
  }
  context.set_output(0, context.input_dtype(0), std::move(result));
  return Status::ok();
}

Status evaluate_blocks(EvaluateContext& context, bool to_space) {
  SHIPWAY_ASSIGN_OR_RETURN(const BlockAttributes block, block_attributes(context));
  const Tensor& input = context.input(0);
  if (input.rank() != 4)
    return Status::invalid_argument("input 'input' has rank {}, expected 4", input.rank());
  const int64_t size = block.size;
  const auto divides = [&](size_t axis, int64_t divisor) -> Status {
    if (input.dim(axis) % divisor == 0) return Status::ok();
    return Status::invalid_argument("input 'input' has size {} at axis {}, no multiple of {}",
                                    input.dim(axis), axis, divisor);
  };
  if (to_space) {
    SHIPWAY_RETURN_IF_ERROR(divides(1, size * size));
  } else {
    SHIPWAY_RETURN_IF_ERROR(divides(2, size));
    SHIPWAY_RETURN_IF_ERROR(divides(3, size));
  }
  // Of the deep side: [batch, depth * size * size, rows, columns].
  const int64_t batch = input.dim(0),
                depth = to_space ? input.dim(1) / (size * size) : input.dim(1);
  const int64_t rows = to_space ? input.dim(2) : input.dim(2) / size;
  const int64_t columns = to_space ? input.dim(3) : input.dim(3) / size;
  const Shape deep = {batch, depth * size * size, rows, columns};
  const Shape wide = {batch, depth, rows * size, columns * size};
  // Walked as batch, depth, row, row in block, column, column in block: the order of the wide side.
  const Shape walked = {batch, depth, rows, size, columns, size};
  const int64_t plane = rows * columns;
  const int64_t depth_step = block.depth_first ? plane : size * size * plane;
  const int64_t row_step = block.depth_first ? size * depth * plane : size * plane;
  const int64_t column_step = block.depth_first ? depth * plane : plane;
  const Shape deep_strides = {
      size * size * depth * plane, depth_step, columns, row_step, 1, column_step};
  const Shape wide_strides = strides_of(walked);
  SHIPWAY_ASSIGN_OR_RETURN(const Elements x, Elements::of(input));
  SHIPWAY_ASSIGN_OR_RETURN(Elements y,
                           Elements::output(context, 0, input.dtype(), to_space ? wide : deep));
  if (to_space) {
    y.copy_strided(walked, 0, wide_strides, x, 0, deep_strides);
  } else {
    y.copy_strided(walked, 0, deep_strides, x, 0, wide_strides);
  }
  return y.finish(context, 0);
}

}  // namespace

Status infer_depth_to_space(InferContext& context) { return infer_blocks(context, true); }
Status evaluate_depth_to_space(EvaluateContext& context) { return evaluate_blocks(context, true); }
Status infer_space_to_depth(InferContext& context) { return infer_blocks(context, false); }
Status evaluate_space_to_depth(EvaluateContext& context) { return evaluate_blocks(context, false); }

}  // namespace shipway
