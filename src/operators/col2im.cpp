// Col2Im: adds columns of blocks back into the picture they were cut from.
#include "operators/contents.h"
#include "operators/loops.h"
#include "operators/operator.h"
#include "tensor/convert.h"

namespace shipway {

namespace {

/// Values per axis, `otherwise` for each without the attribute.
Result<std::vector<int64_t>> per_axis(const AttributeReader& node, std::string_view name,
                                      size_t count, int64_t otherwise, int64_t least) {
  std::vector<int64_t> values(count, otherwise);
  if (!node.has_attribute(name)) return values;
  const std::span<const int64_t> given = node.ints_attribute(name);
  if (given.size() != count)
    return Status::invalid_model("attribute '{}' has {} values, expected {}", name, given.size(),
                                 count);
  for (int64_t value : given)
    if (value < least || value > INT32_MAX)
      return Status::invalid_model("attribute '{}' has the value {}, expected {} or more", name,
                                   value, least);
  values.assign(given.begin(), given.end());
  return values;
}

Status infer_col2im(InferContext& context) {
  const Dims* dims = context.input_dims(0);
  SHIPWAY_ASSIGN_OR_RETURN(const std::optional<Dims> image,
                           sizes_of_input(context, 1, "image_shape"));
  SHIPWAY_ASSIGN_OR_RETURN(const std::optional<Dims> block,
                           sizes_of_input(context, 2, "block_shape"));
  if (!image) {
    context.set_output_dtype(0, context.input_dtype(0));
    return Status::ok();
  }
  if (dims && dims->size() != 3)
    return Status::invalid_model("input 'input' has rank {}, expected 3", dims->size());
  Dims result = {dims ? (*dims)[0] : Dim::unknown(),
                 dims && block ? context.dims().floordiv((*dims)[1], context.dims().product(*block))
                               : Dim::unknown()};
  result.append(*image);
  context.set_output(0, context.input_dtype(0), std::move(result));
  return Status::ok();
}

/// Column l of [N, C * block, L] is the block at window l; what falls on one pixel adds up.
template <typename T>
Status add_blocks(EvaluateContext& context) {
  const Tensor& input = context.input(0);
  SHIPWAY_ASSIGN_OR_RETURN(const Shape image, shape_of(context.input(1), "image_shape"));
  SHIPWAY_ASSIGN_OR_RETURN(const Shape block, shape_of(context.input(2), "block_shape"));
  const size_t axes = image.size();
  if (block.size() != axes)
    return Status::invalid_argument("input 'block_shape' has {} values, expected {}", block.size(),
                                    axes);
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<int64_t> dilations,
                           per_axis(context, "dilations", axes, 1, 1));
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<int64_t> pads,
                           per_axis(context, "pads", 2 * axes, 0, 0));
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<int64_t> strides,
                           per_axis(context, "strides", axes, 1, 1));
  Shape windows;
  for (size_t i = 0; i < axes; ++i) {
    const int64_t room = image[i] + pads[i] + pads[axes + i] - (dilations[i] * (block[i] - 1) + 1);
    if (room < 0 || block[i] < 1)
      return Status::invalid_argument("a block of size {} does not fit axis {} of size {}",
                                      block[i], i, image[i]);
    windows.push_back(room / strides[i] + 1);
  }
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t block_size, element_count(block));
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t window_count, element_count(windows));
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t image_size, element_count(image));
  if (input.rank() != 3 || input.dim(1) % block_size != 0 || input.dim(2) != window_count)
    return Status::invalid_argument("input 'input' has shape {}, expected [N, C*{}, {}]",
                                    to_string(input.shape()), block_size, window_count);
  const int64_t planes = input.dim(0) * (input.dim(1) / block_size);
  Shape shape = {input.dim(0), input.dim(1) / block_size};
  shape.append(image);
  SHIPWAY_RETURN_IF_ERROR(context.allocate(input.dtype(), shape).status());  // within the limits?
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<T> values, read_elements<T>(input));
  std::vector<T> result(static_cast<size_t>(planes * image_size));
  // Place in the image of every element of a plane of columns; -1: in the padding.
  std::vector<int64_t> places;
  places.reserve(static_cast<size_t>(block_size * window_count));
  const Shape image_strides = strides_of(image);
  for (StridedWalk in_block(block, {}); !in_block.done(); in_block.next())
    for (StridedWalk window(windows, {}); !window.done(); window.next()) {
      int64_t place = 0;
      for (size_t i = 0; i < axes && place >= 0; ++i) {
        const int64_t at =
            window.index()[i] * strides[i] - pads[i] + in_block.index()[i] * dilations[i];
        place = at < 0 || at >= image[i] ? -1 : place + at * image_strides[i];
      }
      places.push_back(place);
    }
  for (int64_t plane = 0; plane < planes; ++plane) {
    SHIPWAY_RETURN_IF_ERROR(context.poll());
    const T* from = values.data() + plane * block_size * window_count;
    T* to = result.data() + plane * image_size;
    for (size_t i = 0; i < places.size(); ++i)
      if (places[i] >= 0) to[places[i]] += from[i];
  }
  return write_output(context, 0, input.dtype(), shape, result);
}

Status evaluate_col2im(EvaluateContext& context) {
  const DType dtype = context.input(0).dtype();
  return visit_compute_type(dtype, [&]<typename T>(T) -> Status {
    if constexpr (std::is_same_v<T, std::string>) {
      return Status::unsupported("strings cannot be added");
    } else {
      return add_blocks<T>(context);
    }
  });
}

}  // namespace

const Operator& col2im_operator() {
  static const Operator definition{
      .name = "Col2Im",
      .summary = "Adds columns of blocks back into the picture they were cut from.",
      .versions = {{.since = 18,
                    .signature =
                        "(input: T, image_shape: int64, block_shape: int64) -> (output: T)",
                    .types = "T: all_ir4",
                    .attributes = "dilations: ints?; pads: ints?; strides: ints?"}},
      .infer = infer_col2im,
      .evaluate = evaluate_col2im,
      .accuracy = Accuracy::rounding(),
  };
  return definition;
}

}  // namespace shipway
