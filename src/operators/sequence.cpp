// Sequences of tensors: make, look into, change, split and join.
#include <algorithm>

#include "operators/contents.h"
#include "operators/elements.h"
#include "operators/iterate.h"
#include "operators/operator.h"
#include "operators/shape_rules.h"

namespace shipway {

namespace {

const Type& element_type(const InferContext& context, size_t i) {
  static const Type unknown;
  const Type& type = context.input_type(i);
  return type.kind() == TypeKind::kSequence ? type.element() : unknown;
}

Result<const Sequence*> sequence_of(const EvaluateContext& context, size_t i) {
  const Sequence* sequence = context.input_value(i).sequence();
  if (!sequence)
    return Status::invalid_argument("input {} is {}, expected a sequence", i,
                                    to_string(context.input_value(i)));
  return sequence;
}

/// The position that input `i` says, from the front; `count` positions exist.
Result<size_t> position_of(const EvaluateContext& context, size_t i, size_t count) {
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t position, int_of(context.input(i), "position"));
  const auto size = static_cast<int64_t>(count);
  if (position < -size || position >= size)
    return Status::invalid_argument("input 'position' is {}, expected {} to {}", position, -size,
                                    size - 1);
  return static_cast<size_t>(position < 0 ? position + size : position);
}

Status infer_concat_from_sequence(InferContext& context) {
  const Type& element = element_type(context, 0);
  if (!element.dims()) {
    context.set_output_dtype(0, element.dtype());
    return Status::ok();
  }
  const bool is_new = context.int_attribute("new_axis") != 0;
  Dims dims = *element.dims();
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t axis,
                           normalize_axis(context.int_attribute("axis"),
                                          static_cast<int64_t>(dims.size()) + (is_new ? 1 : 0)));
  if (is_new) {
    dims.insert(dims.begin() + axis, Dim::unknown());
  } else {
    dims[static_cast<size_t>(axis)] = Dim::unknown();
  }
  context.set_output(0, element.dtype(), std::move(dims));
  return Status::ok();
}

Status evaluate_concat_from_sequence(EvaluateContext& context) {
  SHIPWAY_ASSIGN_OR_RETURN(const Sequence* sequence, sequence_of(context, 0));
  if (sequence->empty()) return Status::invalid_argument("the sequence is empty");
  const int64_t given_axis = context.int_attribute("axis");
  const int64_t new_axis = context.int_attribute("new_axis");
  if (new_axis != 0 && new_axis != 1)
    return Status::invalid_model("attribute 'new_axis' is {}, expected 0 or 1", new_axis);
  if (new_axis == 1) {
    Stack stack(given_axis);
    for (const RuntimeValue& value : *sequence) SHIPWAY_RETURN_IF_ERROR(stack.add(value));
    return stack.finish(context, 0, {});
  }
  const Tensor* first = (*sequence)[0].tensor();
  if (!first) return Status::invalid_argument("the sequence holds no tensors");
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t normal, normalize_axis(given_axis, first->rank()));
  const auto axis = static_cast<size_t>(normal);
  Shape shape = first->shape();
  shape[axis] = 0;
  for (const RuntimeValue& value : *sequence) {
    const Tensor* tensor = value.tensor();
    if (!tensor || tensor->dtype() != first->dtype() || tensor->rank() != first->rank())
      return Status::invalid_argument("the sequence holds {}, expected tensors like {}",
                                      to_string(value), to_string((*sequence)[0]));
    for (size_t i = 0; i < shape.size(); ++i)
      if (i != axis && tensor->dim(i) != shape[i])
        return Status::invalid_argument("an element has shape {}, expected {} except at axis {}",
                                        to_string(tensor->shape()), to_string(first->shape()),
                                        axis);
    shape[axis] += tensor->dim(axis);
  }
  SHIPWAY_ASSIGN_OR_RETURN(Elements y, Elements::output(context, 0, first->dtype(), shape));
  if (y.count() == 0) return y.finish(context, 0);
  int64_t outer = 1;
  for (size_t i = 0; i < axis; ++i) outer *= shape[i];
  const int64_t row = outer == 0 ? 0 : y.count() / outer;
  int64_t start = 0;
  for (const RuntimeValue& value : *sequence) {
    SHIPWAY_ASSIGN_OR_RETURN(const Elements x, Elements::of(*value.tensor()));
    const int64_t width = outer == 0 ? 0 : x.count() / outer;
    for (int64_t k = 0; k < outer; ++k) y.copy(k * row + start, x, k * width, width);
    start += width;
  }
  return y.finish(context, 0);
}

Status infer_sequence_at(InferContext& context) {
  context.set_output(0, element_type(context, 0));
  return Status::ok();
}

Status evaluate_sequence_at(EvaluateContext& context) {
  SHIPWAY_ASSIGN_OR_RETURN(const Sequence* sequence, sequence_of(context, 0));
  SHIPWAY_ASSIGN_OR_RETURN(const size_t position, position_of(context, 1, sequence->size()));
  context.set_output(0, (*sequence)[position]);
  return Status::ok();
}

Status infer_sequence_construct(InferContext& context) {
  Type element = context.input_type(0);
  for (size_t i = 1; i < context.input_count(); ++i)
    element = join_types(element, context.input_type(i));
  context.set_output(0, Type::sequence(std::move(element)));
  return Status::ok();
}

Status evaluate_sequence_construct(EvaluateContext& context) {
  Sequence sequence;
  for (size_t i = 0; i < context.input_count(); ++i) sequence.push_back(context.input_value(i));
  context.set_output(0, std::move(sequence));
  return Status::ok();
}

Status infer_sequence_empty(InferContext& context) {
  const int64_t number =
      context.has_attribute("dtype") ? context.int_attribute("dtype") : int64_t{1};
  if (!is_valid_dtype(number))
    return Status::invalid_model("attribute 'dtype' is {}, which is no dtype", number);
  context.set_output(0, Type::sequence(Type::tensor(static_cast<DType>(number))));
  return Status::ok();
}

Status evaluate_sequence_empty(EvaluateContext& context) {
  context.set_output(0, Sequence());
  return Status::ok();
}

Status infer_sequence_erase(InferContext& context) {
  context.set_output(0, context.input_type(0));
  return Status::ok();
}

Status evaluate_sequence_erase(EvaluateContext& context) {
  SHIPWAY_ASSIGN_OR_RETURN(const Sequence* sequence, sequence_of(context, 0));
  if (sequence->empty()) return Status::invalid_argument("the sequence is empty");
  size_t position = sequence->size() - 1;
  if (context.has_input(1)) {
    SHIPWAY_ASSIGN_OR_RETURN(position, position_of(context, 1, sequence->size()));
  }
  Sequence result = *sequence;
  result.erase(result.begin() + static_cast<std::ptrdiff_t>(position));
  context.set_output(0, std::move(result));
  return Status::ok();
}

Status infer_sequence_insert(InferContext& context) {
  const Type &element = element_type(context, 0), &tensor = context.input_type(1);
  // An empty sequence says nothing of shapes, and a Type cannot say that it is empty: only the
  // dtype is sure.
  Type joined = element.kind() == TypeKind::kUnknown ? Type::tensor(tensor.dtype())
                                                     : join_types(element, tensor);
  context.set_output(0, Type::sequence(std::move(joined)));
  return Status::ok();
}

Status evaluate_sequence_insert(EvaluateContext& context) {
  SHIPWAY_ASSIGN_OR_RETURN(const Sequence* sequence, sequence_of(context, 0));
  size_t position = sequence->size();
  if (context.has_input(2)) {
    SHIPWAY_ASSIGN_OR_RETURN(const int64_t given, int_of(context.input(2), "position"));
    const auto size = static_cast<int64_t>(sequence->size());
    if (given < -size || given > size)
      return Status::invalid_argument("input 'position' is {}, expected {} to {}", given, -size,
                                      size);
    position = static_cast<size_t>(given < 0 ? given + size : given);
  }
  Sequence result = *sequence;
  result.insert(result.begin() + static_cast<std::ptrdiff_t>(position), context.input_value(1));
  context.set_output(0, std::move(result));
  return Status::ok();
}

Status infer_sequence_length(InferContext& context) {
  context.set_output(0, DType::kInt64, {});
  return Status::ok();
}

Status evaluate_sequence_length(EvaluateContext& context) {
  SHIPWAY_ASSIGN_OR_RETURN(const Sequence* sequence, sequence_of(context, 0));
  context.set_output(0, Tensor::scalar(static_cast<int64_t>(sequence->size())));
  return Status::ok();
}

Status infer_split_to_sequence(InferContext& context) {
  const Dims* dims = context.input_dims(0);
  if (!dims) {
    context.set_output(0, Type::sequence(Type::tensor(context.input_dtype(0))));
    return Status::ok();
  }
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t axis, normalize_axis(context.int_attribute("axis"),
                                                              static_cast<int64_t>(dims->size())));
  Dims part = *dims;
  Dim& size = part[static_cast<size_t>(axis)];
  if (!context.has_input(1)) {
    if (context.int_attribute("keepdims") == 0) {
      part.erase(part.begin() + axis);
    } else {
      size = 1;
    }
  } else {
    // One size for all parts, if `split` says so and the last part is no shorter.
    const std::optional<std::vector<int64_t>> split = context.input_ints(1);
    const bool even = split && !split->empty() &&
                      std::all_of(split->begin(), split->end(),
                                  [&](int64_t length) { return length == (*split)[0]; }) &&
                      (*split)[0] > 0 && size.is_constant() && size.value() % (*split)[0] == 0;
    size = even ? Dim((*split)[0]) : Dim::unknown();
  }
  context.set_output(0, Type::sequence(Type::tensor(context.input_dtype(0), std::move(part))));
  return Status::ok();
}

/// How long each part is.
Result<std::vector<int64_t>> part_lengths(EvaluateContext& context, int64_t size) {
  std::vector<int64_t> lengths;
  if (!context.has_input(1)) return std::vector<int64_t>(static_cast<size_t>(size), 1);
  const Tensor& split = context.input(1);
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<int64_t> given, ints_of(split, "split"));
  if (split.rank() == 0) {
    if (given[0] < 1)
      return Status::invalid_argument("input 'split' is {}, expected 1 or more", given[0]);
    for (int64_t left = size; left > 0; left -= given[0])
      lengths.push_back(std::min(left, given[0]));
    return lengths;
  }
  int64_t left = size;
  for (int64_t length : given) {
    if (length < 0 || length > left)
      return Status::invalid_argument("input 'split' has the size {}, but {} are left", length,
                                      left);
    left -= length;
    lengths.push_back(length);
  }
  if (left != 0)
    return Status::invalid_argument("input 'split' does not add up to {}, the size of the axis",
                                    size);
  return lengths;
}

Status evaluate_split_to_sequence(EvaluateContext& context) {
  const Tensor& input = context.input(0);
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t normal,
                           normalize_axis(context.int_attribute("axis"), input.rank()));
  const auto axis = static_cast<size_t>(normal);
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<int64_t> lengths,
                           part_lengths(context, input.dim(axis)));
  const bool drops_axis = !context.has_input(1) && context.int_attribute("keepdims") == 0;
  SHIPWAY_ASSIGN_OR_RETURN(const Elements x, Elements::of(input));
  int64_t outer = x.count() == 0 ? 0 : 1, inner = 1;
  for (size_t i = 0; i < axis && outer > 0; ++i) outer *= input.dim(i);
  for (size_t i = axis + 1; i < input.shape().size() && outer > 0; ++i) inner *= input.dim(i);
  Sequence result;
  int64_t start = 0;
  for (int64_t length : lengths) {
    Shape shape = input.shape();
    shape[axis] = length;
    if (drops_axis) shape.erase(shape.begin() + normal);
    SHIPWAY_ASSIGN_OR_RETURN(Elements part, Elements::scratch(context, input.dtype(), shape));
    for (int64_t k = 0; k < outer; ++k)
      part.copy(k * length * inner, x, (k * input.dim(axis) + start) * inner, length * inner);
    SHIPWAY_ASSIGN_OR_RETURN(Tensor tensor, part.take_tensor());
    result.emplace_back(std::move(tensor));
    start += length;
  }
  context.set_output(0, std::move(result));
  return Status::ok();
}

}  // namespace

const Operator& concat_from_sequence_operator() {
  static const Operator definition{
      .name = "ConcatFromSequence",
      .summary = "Joins the tensors of a sequence along an existing or a new axis.",
      .versions = {{.since = 11,
                    .signature = "(input_sequence: S) -> (concat_result: T)",
                    .types = "S: seq(all_ir3); T: all_ir3",
                    .attributes = "axis: int!; new_axis: int = 0"}},
      .infer = infer_concat_from_sequence,
      .evaluate = evaluate_concat_from_sequence,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

const Operator& sequence_at_operator() {
  static const Operator definition{
      .name = "SequenceAt",
      .summary = "Takes one tensor out of a sequence.",
      .versions = {{.since = 11,
                    .signature = "(input_sequence: S, position: I) -> (tensor: T)",
                    .types = "S: seq(all_ir3); T: all_ir3; I: int32 int64"}},
      .infer = infer_sequence_at,
      .evaluate = evaluate_sequence_at,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

const Operator& sequence_construct_operator() {
  static const Operator definition{
      .name = "SequenceConstruct",
      .summary = "Makes a sequence of its inputs.",
      .versions = {{.since = 11,
                    .signature = "(inputs...: T) -> (output_sequence: S)",
                    .types = "T: all_ir3; S: seq(all_ir3)"}},
      .infer = infer_sequence_construct,
      .evaluate = evaluate_sequence_construct,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

const Operator& sequence_empty_operator() {
  static const Operator definition{
      .name = "SequenceEmpty",
      .summary = "A sequence without elements.",
      .versions = {{.since = 11,
                    .signature = "() -> (output: S)",
                    .types = "S: seq(all_ir3)",
                    .attributes = "dtype: int?"}},
      .infer = infer_sequence_empty,
      .evaluate = evaluate_sequence_empty,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

const Operator& sequence_erase_operator() {
  static const Operator definition{
      .name = "SequenceErase",
      .summary = "Removes one tensor from a sequence.",
      .versions = {{.since = 11,
                    .signature = "(input_sequence: S, position?: I) -> (output_sequence: S)",
                    .types = "S: seq(all_ir3); I: int32 int64"}},
      .infer = infer_sequence_erase,
      .evaluate = evaluate_sequence_erase,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

const Operator& sequence_insert_operator() {
  static const Operator definition{
      .name = "SequenceInsert",
      .summary = "Puts a tensor into a sequence.",
      .versions = {{.since = 11,
                    .signature =
                        "(input_sequence: S, tensor: T, position?: I) -> (output_sequence: S)",
                    .types = "T: all_ir3; S: seq(all_ir3); I: int32 int64"}},
      .infer = infer_sequence_insert,
      .evaluate = evaluate_sequence_insert,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

const Operator& sequence_length_operator() {
  static const Operator definition{
      .name = "SequenceLength",
      .summary = "Number of tensors in a sequence.",
      .versions = {{.since = 11,
                    .signature = "(input_sequence: S) -> (length: I)",
                    .types = "S: seq(all_ir3); I: int64"}},
      .infer = infer_sequence_length,
      .evaluate = evaluate_sequence_length,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

const Operator& split_to_sequence_operator() {
  static const Operator definition{
      .name = "SplitToSequence",
      .summary = "Cuts a tensor along one axis into a sequence.",
      .versions = {{.since = 11,
                    .signature = "(input: T, split?: I) -> (output_sequence: S)",
                    .types = "T: all_ir3; I: int32 int64; S: seq(all_ir3)",
                    .attributes = "axis: int = 0; keepdims: int = 1"},
                   {.since = 24,
                    .signature = "(input: T, split?: I) -> (output_sequence: S)",
                    .types = "T: all_ir4; I: int32 int64; S: seq(all_ir4)",
                    .attributes = "axis: int = 0; keepdims: int = 1"}},
      .infer = infer_split_to_sequence,
      .evaluate = evaluate_split_to_sequence,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
