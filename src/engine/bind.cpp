// Binding: concrete sizes for every step of a Plan, and places in memory for every value.
#include "engine/bind.h"

#include <algorithm>
#include <limits>

#include "base/checked.h"
#include "base/text.h"
#include "operators/loops.h"

namespace shipway {
namespace {

using kernels::Layout;

/// Steps that one thread finishes sooner than a second one could help.
constexpr double kParallelNanoseconds = 20'000;

/// The logical shapes of a step's values; null where there is no value.
struct StepShapes {
  std::vector<const Shape*> inputs, outputs;
};

int64_t product(const Shape& shape, size_t first, size_t last) {
  int64_t result = 1;
  for (size_t i = first; i < last; ++i) result *= shape[i];
  return result;
}

class Binder {
 public:
  Binder(const Plan& plan, const Step& step, const std::vector<const Shape*>& value_shapes)
      : plan_(plan), step_(step), value_shapes_(value_shapes) {
    for (int32_t v : step.inputs)
      shapes_.inputs.push_back(v < 0 ? nullptr : value_shapes[static_cast<size_t>(v)]);
    for (int32_t v : step.outputs)
      shapes_.outputs.push_back(v < 0 ? nullptr : value_shapes[static_cast<size_t>(v)]);
  }

  Result<kernels::Dims> dims(BoundStep& bound) {
    switch (step_.rule.kind) {
      case BindRule::Kind::kElementwise:
        return elementwise();
      case BindRule::Kind::kGemm:
        return gemm();
      case BindRule::Kind::kMatMul:
        return matmul();
      case BindRule::Kind::kConv:
        return conv();
      case BindRule::Kind::kPool:
        return pool();
      case BindRule::Kind::kSoftmax:
        return softmax();
      case BindRule::Kind::kNorm:
        return norm();
      case BindRule::Kind::kReduce:
        return reduce();
      case BindRule::Kind::kResize:
        return resize();
      case BindRule::Kind::kTranspose:
        return transpose();
      case BindRule::Kind::kConcatPiece:
        return concat_piece(bound);
      case BindRule::Kind::kSlicePiece:
        return slice_piece(bound);
      case BindRule::Kind::kExpand:
        return expand();
      case BindRule::Kind::kReorder:
        return reorder();
      case BindRule::Kind::kRecurrent:
        return recurrent();
      case BindRule::Kind::kAttention:
        return attention();
    }
    return Status::internal("unknown bind rule");
  }

 private:
  const Shape& input(size_t i) const { return *shapes_.inputs[i]; }
  const Shape& output() const { return *shapes_.outputs[0]; }
  const LoweredValue& input_value(size_t i) const {
    return plan_.values[static_cast<size_t>(step_.inputs[i])];
  }
  const LoweredValue& output_value() const {
    return plan_.values[static_cast<size_t>(step_.outputs[0])];
  }
  const std::vector<int64_t>& numbers() const { return step_.rule.numbers; }

  // numbers: none. Axes that every operand walks alike are merged, so that most programs have one
  // or two.
  Result<kernels::Dims> elementwise() {
    const auto& program = std::get<kernels::ElementwiseProgram>(step_.plan.problem);
    const Shape out = physical_shape(output(), output_value().layout);
    const size_t operands = program.input_count;
    std::vector<Shape> strides;  // of each input along the axes of `out`
    for (size_t i = 0; i < operands; ++i) {
      const Shape own = physical_shape(input(i), input_value(i).layout);
      if (own.size() > out.size())
        return Status::internal("an operand has more axes than the result");
      for (size_t axis = 0; axis < own.size(); ++axis)
        if (own[axis] != 1 && own[axis] != out[out.size() - own.size() + axis])
          return Status::invalid_argument("shapes {} and {} do not broadcast", to_string(input(i)),
                                          to_string(output()));
      strides.push_back(broadcast_strides(own, out));
    }
    strides.push_back(strides_of(out));
    Shape sizes;
    std::vector<Shape> merged(strides.size());
    for (size_t a = 0; a < out.size(); ++a) {
      if (out[a] == 1 && out.size() > 1) continue;
      bool joins = !sizes.empty();
      for (size_t i = 0; i < strides.size() && joins; ++i)
        joins = merged[i].back() == strides[i][a] * out[a];
      if (joins) {
        sizes.back() *= out[a];
        for (size_t i = 0; i < strides.size(); ++i) merged[i].back() = strides[i][a];
      } else {
        sizes.push_back(out[a]);
        for (size_t i = 0; i < strides.size(); ++i) merged[i].push_back(strides[i][a]);
      }
    }
    if (sizes.empty()) {
      sizes.push_back(1);
      for (Shape& m : merged) m.push_back(0);
    }
    if (sizes.size() > static_cast<size_t>(kernels::ElementwiseDims::kMaxRank))
      return Status::unsupported("an element-wise step over {} axes", sizes.size());
    kernels::ElementwiseDims dims;
    dims.rank = static_cast<int32_t>(sizes.size());
    for (size_t a = 0; a < sizes.size(); ++a) {
      dims.sizes[a] = sizes[a];
      for (size_t i = 0; i < operands; ++i) dims.input_strides[i][a] = merged[i][a];
      dims.output_strides[0][a] = merged[operands][a];
    }
    return dims;
  }

  Result<kernels::Dims> gemm() {
    const auto& problem = std::get<kernels::GemmProblem>(step_.plan.problem);
    kernels::GemmDims dims;
    dims.m = output()[0];
    dims.n = output()[1];
    dims.k = input(0)[problem.transpose_a ? 0 : 1];
    if (input(1)[problem.transpose_b ? 1 : 0] != dims.k)
      return Status::invalid_argument("matrices {} and {} do not fit", to_string(input(0)),
                                      to_string(input(1)));
    dims.a_row_stride = input(0)[1];
    dims.b_row_stride = input(1)[1];
    dims.c_row_stride = dims.n;
    return dims;
  }

  Result<kernels::Dims> matmul() {
    const Shape &a = input(0), &b = input(1), &c = output();
    kernels::GemmDims dims;
    dims.n = b.back();
    dims.k = a.back();
    dims.a_row_stride = dims.k;
    dims.b_row_stride = dims.c_row_stride = dims.n;
    if (b[b.size() - 2] != dims.k)
      return Status::invalid_argument("matrices {} and {} do not fit", to_string(a), to_string(b));
    if (b.size() == 2) {
      dims.m = product(a, 0, a.size() - 1);
      return dims;
    }
    dims.m = a[a.size() - 2];
    const size_t batch = c.size() - 2;
    dims.batch_rank = static_cast<int32_t>(batch);
    const Shape a_strides = broadcast_strides(a, c), b_strides = broadcast_strides(b, c),
                c_strides = strides_of(c);
    for (const Shape* factor : {&a, &b})  // their stacks must be those of the product, or single
      for (size_t i = 0; i + 2 < factor->size(); ++i)
        if ((*factor)[i] != 1 && (*factor)[i] != c[c.size() - factor->size() + i])
          return Status::invalid_argument("stacks of matrices {} and {} do not fit", to_string(a),
                                          to_string(b));
    for (size_t i = 0; i < batch; ++i) {
      dims.batch_sizes[i] = c[i];
      dims.a_batch_strides[i] = a_strides[i];
      dims.b_batch_strides[i] = b_strides[i];
      dims.c_batch_strides[i] = c_strides[i];
    }
    return dims;
  }

  /// Padding before an axis, for auto_pad modes computed from the sizes.
  static int64_t pad_before(AutoPad mode, int64_t given, int64_t total) {
    switch (mode) {
      case AutoPad::kNotSet:
        return given;
      case AutoPad::kValid:
        return 0;
      case AutoPad::kSameUpper:
        return std::max<int64_t>(total, 0) / 2;
      case AutoPad::kSameLower:
        return std::max<int64_t>(total, 0) - std::max<int64_t>(total, 0) / 2;
    }
    return given;
  }

  // numbers: spatial rank, auto_pad, pads before, output padding, whether output_shape was given
  Result<kernels::Dims> conv() {
    const auto& problem = std::get<kernels::ConvProblem>(step_.plan.problem);
    const auto rank = static_cast<size_t>(numbers()[0]);
    auto mode = static_cast<AutoPad>(numbers()[1]);
    const bool from_shape = problem.transposed && numbers()[2 + 2 * rank] != 0;
    kernels::ConvDims dims;
    dims.batch = input(0)[0];
    if (input(0)[1] != problem.channels_in)
      return Status::invalid_argument("input {} has {} channels, expected {}", to_string(input(0)),
                                      input(0)[1], problem.channels_in);
    for (size_t i = 0; i < rank; ++i) {
      const size_t s = 3 - rank + i;
      dims.in[s] = input(0)[2 + i];
      dims.out[s] = output()[2 + i];
      const int64_t extent = (problem.kernel[s] - 1) * problem.dilations[s] + 1;
      const int64_t total = problem.transposed
                                ? problem.strides[s] * (dims.in[s] - 1) + numbers()[2 + rank + i] +
                                      extent - dims.out[s]
                                : (dims.out[s] - 1) * problem.strides[s] + extent - dims.in[s];
      // ConvTranspose with output_shape pads like SAME_LOWER unless it says SAME_UPPER (ONNX: the
      // larger half first).
      if (from_shape && mode == AutoPad::kNotSet) mode = AutoPad::kSameLower;
      dims.pads[s] = pad_before(mode, numbers()[2 + i], total);
    }
    return dims;
  }

  // numbers: spatial rank, auto_pad, pads before, pads after (none for global pools)
  Result<kernels::Dims> pool() {
    const auto& problem = std::get<kernels::PoolProblem>(step_.plan.problem);
    const auto rank = static_cast<size_t>(numbers()[0]);
    kernels::PoolDims dims;
    dims.batch = input(0)[0];
    dims.channels = input(0)[1];
    for (size_t i = 0; i < rank; ++i) {
      const size_t s = 3 - rank + i;
      dims.in[s] = input(0)[2 + i];
      dims.out[s] = output()[2 + i];
      if (problem.global) continue;
      const auto mode = static_cast<AutoPad>(numbers()[1]);
      const int64_t extent = (problem.kernel[s] - 1) * problem.dilations[s] + 1;
      const int64_t total = (dims.out[s] - 1) * problem.strides[s] + extent - dims.in[s];
      dims.pads[s] = pad_before(mode, numbers()[2 + i], total);
      dims.pads_end[s] = mode == AutoPad::kNotSet  ? numbers()[2 + rank + i]
                         : mode == AutoPad::kValid ? 0
                                                   : std::max<int64_t>(total, 0) - dims.pads[s];
    }
    return dims;
  }

  // numbers: axis
  Result<kernels::Dims> softmax() {
    const auto axis = static_cast<size_t>(numbers()[0]);
    const Shape& x = input(0);
    return kernels::SoftmaxDims{product(x, 0, axis), x[axis], product(x, axis + 1, x.size())};
  }

  // numbers: first normalised axis, or -1 for [batch][channels][width]
  Result<kernels::Dims> norm() {
    const Shape& x = input(0);
    if (numbers()[0] < 0) return kernels::NormDims{x[0], x[1], product(x, 2, x.size())};
    const auto axis = static_cast<size_t>(numbers()[0]);
    return kernels::NormDims{product(x, 0, axis), 1, product(x, axis, x.size())};
  }

  // numbers: per axis whether it is reduced
  Result<kernels::Dims> reduce() {
    kernels::ReduceDims dims;
    int64_t* parts[] = {&dims.kept0, &dims.reduced0, &dims.kept1, &dims.reduced1};
    size_t part = 0;
    for (size_t axis = 0; axis < input(0).size(); ++axis) {
      const bool reduced = numbers()[axis] != 0;
      if (reduced != (part % 2 == 1)) ++part;
      *parts[part] *= input(0)[axis];
    }
    return dims;
  }

  // numbers: spatial rank; floats: scales as given (none: from the sizes)
  Result<kernels::Dims> resize() {
    const auto rank = static_cast<size_t>(numbers()[0]);
    const Shape in = physical_shape(input(0), input_value(0).layout), out = output();
    kernels::ResizeDims dims;
    dims.outer = in[0] * in[1];
    dims.inner = input_value(0).layout.is_blocked() ? in.back() : 1;
    for (size_t i = 0; i < rank; ++i) {
      const size_t s = 3 - rank + i;
      dims.in[s] = in[2 + i];
      dims.out[s] = out[2 + i];
      dims.scales[s] = step_.rule.floats.empty()
                           ? static_cast<float>(dims.out[s]) / static_cast<float>(dims.in[s])
                           : step_.rule.floats[i];
    }
    return dims;
  }

  /// Copy of `sizes` elements; strides per operand.
  static Result<kernels::Dims> copy(const Shape& sizes, const Shape& from, const Shape& to) {
    kernels::StridedCopyDims dims;
    dims.rank = static_cast<int32_t>(sizes.size());
    for (size_t i = 0; i < sizes.size(); ++i) {
      dims.sizes[i] = sizes[i];
      dims.source_strides[i] = from[i];
      dims.destination_strides[i] = to[i];
    }
    return dims;
  }
  int64_t element_bytes() const {
    return std::get<kernels::StridedCopyProblem>(step_.plan.problem).element_size;
  }

  // numbers: perm
  Result<kernels::Dims> transpose() {
    const Shape strides = strides_of(input(0));
    Shape from(output().size());
    for (size_t i = 0; i < from.size(); ++i) from[i] = strides[static_cast<size_t>(numbers()[i])];
    return copy(output(), from, strides_of(output()));
  }

  // numbers: axis, then the lowered values of the pieces before this one
  Result<kernels::Dims> concat_piece(BoundStep& bound) {
    const auto axis = static_cast<size_t>(numbers()[0]);
    const Layout layout = output_value().layout;
    const Shape piece = physical_shape(input(0), layout), whole = physical_shape(output(), layout);
    int64_t begin = 0;
    for (size_t i = 1; i < numbers().size(); ++i)
      begin += physical_shape(*value_shapes_[static_cast<size_t>(numbers()[i])], layout)[axis];
    // The result has the sizes of one input where a symbol of another was taken for the same.
    bool fits = piece.size() == whole.size();
    for (size_t i = 0; fits && i < piece.size(); ++i)
      fits = i == axis ? piece[i] <= whole[i] - begin : piece[i] == whole[i];
    if (!fits)
      return Status::invalid_argument("a part [{}] does not fit into [{}]", to_string(input(0)),
                                      to_string(output()));
    const Shape strides = strides_of(whole);
    bound.output_offset = begin * strides[axis] * element_bytes();
    return copy(piece, strides_of(piece), strides);
  }

  // numbers of a Split's piece: -1, axis, lowered values of the outputs before; of a Slice: count,
  // then axis, start, step each
  Result<kernels::Dims> slice_piece(BoundStep& bound) {
    Shape strides = strides_of(input(0));
    if (numbers()[0] < 0) {
      const auto axis = static_cast<size_t>(numbers()[1]);
      int64_t begin = 0;
      for (size_t i = 2; i < numbers().size(); ++i)
        begin += (*value_shapes_[static_cast<size_t>(numbers()[i])])[axis];
      bound.input_offset = begin * strides[axis] * element_bytes();
      return copy(output(), strides, strides_of(output()));
    }
    for (size_t i = 0; i < static_cast<size_t>(numbers()[0]); ++i) {
      const auto axis = static_cast<size_t>(numbers()[1 + 3 * i]);
      const int64_t step = numbers()[3 + 3 * i], size = input(0)[axis];
      int64_t start = numbers()[2 + 3 * i];
      if (start < 0) start += size;
      start = std::clamp<int64_t>(start, 0, step < 0 ? size - 1 : size);
      if (output()[axis] > 0) bound.input_offset += start * strides[axis] * element_bytes();
      strides[axis] *= step;
    }
    return copy(output(), strides, strides_of(output()));
  }

  Result<kernels::Dims> expand() {
    return copy(output(), broadcast_strides(input(0), output()), strides_of(output()));
  }

  Result<kernels::Dims> reorder() {
    const Shape& x = input(0);
    return kernels::ReorderDims{x[0], x[1], product(x, 2, x.size())};
  }

  // numbers: none
  // numbers: heads of queries, heads of keys (both 0: an axis of the inputs), whether causal
  Result<kernels::Dims> attention() {
    const Shape &q = input(0), &k = input(1), &v = input(2);
    const bool flat = q.size() == 3;  // [batch, sequence, heads * size]
    if ((!flat && q.size() != 4) || k.size() != q.size() || v.size() != q.size())
      return Status::invalid_argument(
          "'Q' [{}], 'K' [{}] and 'V' [{}] have other ranks than 3 or 4 for all", to_string(q),
          to_string(k), to_string(v));
    kernels::AttentionDims dims;
    dims.batch = q[0];
    dims.heads = flat ? numbers()[0] : q[1];
    dims.kv_heads = flat ? numbers()[1] : k[1];
    dims.queries = q[q.size() - 2];
    dims.keys = k[k.size() - 2];
    dims.causal = numbers()[2] != 0;
    const bool divides = dims.heads > 0 && dims.kv_heads > 0 && dims.heads % dims.kv_heads == 0 &&
                         (!flat || (q[2] % dims.heads == 0 && k[2] % dims.kv_heads == 0 &&
                                    v[2] % dims.kv_heads == 0));
    if (divides) {
      dims.size = flat ? q[2] / dims.heads : q[3];
      dims.value_size = flat ? v[2] / dims.kv_heads : v[3];
    }
    const Shape keys = flat ? Shape{q[0], k[1], dims.kv_heads * dims.size}
                            : Shape{q[0], dims.kv_heads, k[2], dims.size};
    const Shape values = flat ? Shape{q[0], k[1], dims.kv_heads * dims.value_size}
                              : Shape{q[0], dims.kv_heads, k[2], dims.value_size};
    const Shape result = flat ? Shape{q[0], q[1], dims.heads * dims.value_size}
                              : Shape{q[0], dims.heads, dims.queries, dims.value_size};
    if (!divides || k != keys || v != values || output() != result)
      return Status::invalid_argument("'Q' [{}], 'K' [{}] and 'V' [{}] do not fit each other",
                                      to_string(q), to_string(k), to_string(v));
    const auto strides = [&](int64_t heads, int64_t rows, int64_t size) {
      return flat ? kernels::HeadStrides{rows * heads * size, size, heads * size}
                  : kernels::HeadStrides{heads * rows * size, rows * size, size};
    };
    dims.q = strides(dims.heads, dims.queries, dims.size);
    dims.k = strides(dims.kv_heads, dims.keys, dims.size);
    dims.v = strides(dims.kv_heads, dims.keys, dims.value_size);
    dims.y = strides(dims.heads, dims.queries, dims.value_size);
    if (!shapes_.inputs[3]) return dims;
    const Shape& mask = input(3);
    const Shape scores{dims.batch, dims.heads, dims.queries, dims.keys};
    const Result<Shape> both = broadcast_shapes(mask, scores);
    if (!both.is_ok() || *both != scores || mask.back() != dims.keys)
      return Status::invalid_argument(
          "'attn_mask' is [{}], expected as many keys as 'K' has, and to broadcast to [{}]",
          to_string(mask), to_string(scores));
    const Shape mask_strides = broadcast_strides(mask, scores);
    dims.mask_batch = mask_strides[0];
    dims.mask_head = mask_strides[1];
    dims.mask_row = mask_strides[2];
    return dims;
  }

  Result<kernels::Dims> recurrent() {
    const auto& problem = std::get<kernels::RecurrentProblem>(step_.plan.problem);
    const Shape& x = input(0);
    if (x.size() != 3 || x[2] != problem.input)
      return Status::invalid_argument("input 'X' is [{}], expected 3 axes, the last of {}",
                                      to_string(x), problem.input);
    const size_t batch_axis = problem.batch_first ? 0 : 1;
    const int64_t batch = x[batch_axis];
    const Shape states = problem.batch_first ? Shape{batch, problem.directions, problem.hidden}
                                             : Shape{problem.directions, batch, problem.hidden};
    for (size_t i = 2; i < step_.inputs.size(); ++i)
      if (shapes_.inputs[i] && !(input(i) == states))
        return Status::invalid_argument("input '{}' is [{}], expected [{}]",
                                        i == 2 ? "initial_h" : "initial_c", to_string(input(i)),
                                        to_string(states));
    return kernels::RecurrentDims{x[1 - batch_axis], batch};
  }

  const Plan& plan_;
  const Step& step_;
  const std::vector<const Shape*>& value_shapes_;
  StepShapes shapes_;
};

}  // namespace

AutoPad auto_pad_from(std::string_view text) {
  if (text == "SAME_UPPER") return AutoPad::kSameUpper;
  if (text == "SAME_LOWER") return AutoPad::kSameLower;
  if (text == "VALID") return AutoPad::kValid;
  return AutoPad::kNotSet;
}

Shape physical_shape(const Shape& shape, Layout layout) {
  if (!layout.is_blocked() || shape.size() < 2) return shape;
  Shape physical = shape;
  physical[1] = kernels::stored_channels(layout, shape[1]) / layout.block;
  physical.push_back(layout.block);
  return physical;
}

Result<int64_t> layout_bytes(DType dtype, const Shape& shape, Layout layout) {
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t count, element_count(physical_shape(shape, layout)));
  return storage_bytes(dtype, count);
}

Result<Tensor> reorder_now(const void* data, DType dtype, const Shape& shape,
                           const kernels::ReorderProblem& problem, Isa isa) {
  SHIPWAY_ASSIGN_OR_RETURN(const kernels::KernelPlan plan, kernels::prepare(problem, isa));
  SHIPWAY_ASSIGN_OR_RETURN(
      const kernels::BoundKernel bound,
      kernels::bind(plan,
                    kernels::ReorderDims{shape[0], shape[1], product(shape, 2, shape.size())}));
  SHIPWAY_ASSIGN_OR_RETURN(Tensor result,
                           Tensor::allocate(dtype, physical_shape(shape, problem.to)));
  SHIPWAY_ASSIGN_OR_RETURN(Tensor scratch, Tensor::allocate(DType::kUInt8, {bound.scratch_bytes}));
  void* output = result.mutable_data();
  bound.run(bound, {{&data, 1}, {&output, 1}}, {0, bound.parts}, scratch.mutable_data());
  return result;
}

namespace {

/// Takes as many of the remaining steps as the known sizes allow, and gives their values places.
class PartPlanner {
 public:
  PartPlanner(const Plan& plan, const Model& model, const ShapeTable& shapes,
              std::span<const int64_t> room, std::shared_ptr<const PartPlan> before, BindMode mode)
      : plan_(plan), model_(model), shapes_(shapes), room_(room), is_open_(plan.values.size()) {
    const size_t values = plan.values.size();
    part_.mode = mode;
    part_.sized = which_are_known(shapes);
    if (before) {
      part_.places = before->places;
      part_.root = before->root;
      part_.depth = before->depth + 1;
    } else {
      part_.places.assign(values, Place::kNowhere);
      part_.root.resize(values);
    }
    for (size_t i = 0; i < values && !before; ++i) {
      part_.root[i] = static_cast<int32_t>(i);
      const LoweredValue::Kind kind = plan.values[i].kind;
      if (kind == LoweredValue::Kind::kConstant) part_.places[i] = Place::kGiven;
      if (kind == LoweredValue::Kind::kInput)
        part_.places[i] = is_sized(static_cast<int32_t>(i)) ? Place::kGiven : Place::kOwn;
    }
    part_.before = std::move(before);
  }

  Result<PartPlan> run() {
    const PartPlan* before = part_.before.get();
    const size_t count = before ? before->rest.size() : plan_.steps.size();
    for (size_t i = 0; i < count; ++i) {
      const int32_t s = before ? before->rest[i] : static_cast<int32_t>(i);
      const Step& step = plan_.steps[static_cast<size_t>(s)];
      if (waits(step)) {
        part_.rest.push_back(s);
        continue;
      }
      part_.order.push_back(s);
      part_.kinds.push_back(take(step));
    }
    SHIPWAY_RETURN_IF_ERROR(place());
    return std::move(part_);
  }

  static std::vector<bool> which_are_known(const ShapeTable& shapes) {
    std::vector<bool> known(shapes.size());
    for (size_t i = 0; i < shapes.size(); ++i) known[i] = shapes[i].has_value();
    return known;
  }

 private:
  Place& place_of(int32_t v) { return part_.places[static_cast<size_t>(v)]; }
  int32_t root_of(int32_t v) const { return part_.root[static_cast<size_t>(v)]; }

  /// A tensor of known size whose elements are plain bytes: what the arena and kernels can hold.
  bool is_sized(int32_t v) const {
    const auto i = static_cast<size_t>(v);
    return shapes_[i] && bit_width(plan_.values[i].dtype) > 0;
  }

  /// True when a value is missing that only a later part makes or knows the size of.
  bool waits(const Step& step) const {
    const auto is_missing = [&](int32_t v) {
      if (v < 0) return false;
      const auto i = static_cast<size_t>(v);
      return part_.places[i] == Place::kNowhere ||
             (is_open_[i] && part_.mode == BindMode::kPlanned);
    };
    return std::any_of(step.inputs.begin(), step.inputs.end(), is_missing) ||
           std::any_of(step.others.begin(), step.others.end(), is_missing);
  }

  /// How the step is done, with places for what it makes.
  BoundStep::Kind take(const Step& step) {
    const auto is_fixed = [&](int32_t v) { return v < 0 || is_sized(v); };
    const bool fixed = part_.mode == BindMode::kPlanned &&
                       std::all_of(step.inputs.begin(), step.inputs.end(), is_fixed) &&
                       std::all_of(step.outputs.begin(), step.outputs.end(), is_fixed);
    if (!fixed) {
      const auto is_made = [&](int32_t v) { return v < 0 || place_of(v) == Place::kOwn; };
      if (std::all_of(step.outputs.begin(), step.outputs.end(), is_made))
        return BoundStep::Kind::kNothing;  // a further piece of a node that has run whole
      for (int32_t v : step.outputs) {
        if (v < 0) continue;
        place_of(v) = Place::kOwn;
        const LoweredValue& value = plan_.values[static_cast<size_t>(v)];
        if (!model_.value(value.source).type().is_tensor() || bit_width(value.dtype) == 0) continue;
        is_open_[static_cast<size_t>(v)] = true;
        part_.open.push_back(v);
      }
      return BoundStep::Kind::kDynamic;
    }
    if (step.kind == Step::Kind::kAlias) {
      const int32_t from = step.inputs[0], to = step.outputs[0];
      part_.root[static_cast<size_t>(to)] = root_of(from);
      place_of(to) = place_of(root_of(from));
      return BoundStep::Kind::kNothing;
    }
    for (int32_t v : step.outputs) {
      if (v < 0 || place_of(v) == Place::kArena)
        continue;  // pieces of one value: the first made it
      place_of(v) = Place::kArena;
      made_.push_back(v);
    }
    return step.kind == Step::Kind::kReference ? BoundStep::Kind::kReference
                                               : BoundStep::Kind::kKernel;
  }

  /// Lifetimes by root value, in this part's steps; what later parts read lives to its end.
  std::vector<Lifetime> lifetimes() const {
    std::vector<Lifetime> lives(plan_.values.size(),
                                Lifetime{0, std::numeric_limits<int32_t>::max(), -1});
    const auto touch = [&](std::span<const int32_t> used, size_t at) {
      for (int32_t v : used) {
        if (v < 0) continue;
        Lifetime& life = lives[static_cast<size_t>(root_of(v))];
        life.first = std::min(life.first, static_cast<int32_t>(at));
        life.last = std::max(life.last, static_cast<int32_t>(at));
      }
    };
    for (size_t i = 0; i < part_.order.size(); ++i) {
      const Step& step = plan_.steps[static_cast<size_t>(part_.order[i])];
      touch(step.inputs, i);
      touch(step.outputs, i);
      if (part_.kinds[i] == BoundStep::Kind::kDynamic) touch(step.others, i);
    }
    for (int32_t s : part_.rest) {
      touch(plan_.steps[static_cast<size_t>(s)].inputs, part_.order.size());
      touch(plan_.steps[static_cast<size_t>(s)].others, part_.order.size());
    }
    return lives;
  }

  Status place() {
    std::vector<Lifetime> lives = lifetimes();
    std::vector<bool> leaves(plan_.values.size());
    for (int32_t v : plan_.outputs) leaves[static_cast<size_t>(root_of(v))] = true;
    std::vector<Lifetime> placed;
    for (int32_t v : made_) {
      const auto i = static_cast<size_t>(v);
      const LoweredValue& value = plan_.values[i];
      if (leaves[i] && !value.layout.is_blocked()) {
        part_.places[i] = Place::kOutput;
        part_.leaving.push_back(v);
        continue;
      }
      SHIPWAY_ASSIGN_OR_RETURN(int64_t bytes, layout_bytes(value.dtype, *shapes_[i], value.layout));
      if (!room_.empty()) bytes = std::max(bytes, room_[i]);
      lives[i].bytes = bytes;
      if (leaves[i]) lives[i].last = static_cast<int32_t>(part_.order.size());
      placed.push_back(lives[i]);
      part_.placed.push_back(v);
      part_.room.push_back(bytes);
    }
    MemoryPlan memory = plan_memory(placed);
    part_.offsets = std::move(memory.offsets);
    part_.arena_bytes = memory.arena_bytes;
    part_.arena_lower_bound = memory.lower_bound;
    part_.releases.resize(part_.order.size());
    for (size_t i = 0; i < plan_.values.size(); ++i) {
      if (part_.places[i] != Place::kOwn || part_.root[i] != static_cast<int32_t>(i) || leaves[i])
        continue;
      if (lives[i].last >= 0 && lives[i].last < static_cast<int32_t>(part_.order.size()))
        part_.releases[static_cast<size_t>(lives[i].last)].push_back(static_cast<int32_t>(i));
    }
    return Status::ok();
  }

  const Plan& plan_;
  const Model& model_;
  const ShapeTable& shapes_;
  std::span<const int64_t> room_;
  PartPlan part_;
  std::vector<bool> is_open_;  // made in this part, size not known yet
  std::vector<int32_t> made_;  // sized values made in this part
};

/// Lowered values whose sizes a step's dims follow from, beside its inputs and outputs.
std::span<const int64_t> neighbours(const BindRule& rule) {
  const std::span<const int64_t> numbers(rule.numbers);
  if (rule.kind == BindRule::Kind::kConcatPiece) return numbers.subspan(1);
  if (rule.kind == BindRule::Kind::kSlicePiece && numbers[0] < 0) return numbers.subspan(2);
  return {};
}

Status bind_step(const Plan& plan, const Step& step, const std::vector<const Shape*>& shape_of,
                 int threads, BoundStep& bound) {
  if (step.kind == Step::Kind::kAlias && bound.kind == BoundStep::Kind::kNothing) {
    const Shape *from = shape_of[static_cast<size_t>(step.inputs[0])],
                *to = shape_of[static_cast<size_t>(step.outputs[0])];
    if (from && to && product(*from, 0, from->size()) != product(*to, 0, to->size()))
      return Status::invalid_argument("a value of shape {} cannot have the shape {}",
                                      to_string(*from), to_string(*to));
    return Status::ok();
  }
  if (bound.kind != BoundStep::Kind::kKernel) return Status::ok();
  SHIPWAY_ASSIGN_OR_RETURN(const kernels::Dims dims, Binder(plan, step, shape_of).dims(bound));
  SHIPWAY_ASSIGN_OR_RETURN(bound.kernel, kernels::bind(step.plan, dims));
  bound.parallel =
      threads > 1 && bound.kernel.parts > 1 && bound.kernel.cost.nanoseconds > kParallelNanoseconds;
  return Status::ok();
}

}  // namespace

Result<PartPlan> plan_part(const Plan& plan, const Model& model, const ShapeTable& shapes,
                           std::span<const int64_t> room, std::shared_ptr<const PartPlan> before,
                           BindMode mode) {
  return PartPlanner(plan, model, shapes, room, std::move(before), mode).run();
}

bool fits(const PartPlan& part, const Plan& plan, const ShapeTable& shapes) {
  if (part.sized != PartPlanner::which_are_known(shapes)) return false;
  for (size_t i = 0; i < part.placed.size(); ++i) {
    const auto v = static_cast<size_t>(part.placed[i]);
    const Result<int64_t> bytes =
        layout_bytes(plan.values[v].dtype, *shapes[v], plan.values[v].layout);
    if (!bytes.is_ok() || *bytes > part.room[i]) return false;
  }
  return true;
}

Result<BoundPlan> bind_part(const Plan& plan, const Model& model,
                            std::shared_ptr<const PartPlan> part, ShapeTable shapes,
                            const BoundPlan* like, int threads) {
  BoundPlan bound;
  bound.shapes = std::move(shapes);
  std::vector<const Shape*> shape_of(bound.shapes.size());
  std::vector<bool> differs(bound.shapes.size());
  for (size_t i = 0; i < shape_of.size(); ++i) {
    if (bound.shapes[i]) shape_of[i] = &*bound.shapes[i];
    differs[i] = !like || bound.shapes[i] != like->shapes[i];
  }
  const auto changed = [&](int64_t v) { return v >= 0 && differs[static_cast<size_t>(v)]; };
  bound.steps.resize(part->order.size());
  for (size_t i = 0; i < part->order.size(); ++i) {
    const Step& step = plan.steps[static_cast<size_t>(part->order[i])];
    const std::span<const int64_t> others = neighbours(step.rule);
    BoundStep& b = bound.steps[i];
    if (like && std::none_of(step.inputs.begin(), step.inputs.end(), changed) &&
        std::none_of(step.outputs.begin(), step.outputs.end(), changed) &&
        std::none_of(others.begin(), others.end(), changed)) {
      b = like->steps[i];
    } else {
      b.kind = part->kinds[i];
      if (Status status = bind_step(plan, step, shape_of, threads, b); !status.is_ok())
        return status.with_context("{}", describe(step, model));
    }
    bound.scratch_bytes = std::max(bound.scratch_bytes, b.kernel.scratch_bytes);
    bound.cost_ns += b.kernel.cost.nanoseconds;
  }
  constexpr int64_t kLine = 64;  // each thread's begins with a cache line
  bound.scratch_bytes = (bound.scratch_bytes + kLine - 1) / kLine * kLine;
  for (int32_t v : part->leaving) {
    const LoweredValue& value = plan.values[static_cast<size_t>(v)];
    SHIPWAY_ASSIGN_OR_RETURN(
        const int64_t bytes,
        layout_bytes(value.dtype, *shape_of[static_cast<size_t>(v)], value.layout));
    bound.output_bytes += bytes;
  }
  bound.part = std::move(part);
  return bound;
}

std::string describe(const Step& step, const Model& model) {
  std::string text =
      step.kind == Step::Kind::kKernel
          ? std::string(kernels::kernel_table()[static_cast<size_t>(step.plan.row)].name)
      : step.kind == Step::Kind::kAlias ? "shape"
                                        : "reference";
  text += " (";
  for (size_t i = 0; i < step.nodes.size(); ++i) {
    const Node& node = model.node(step.nodes[i]);
    text +=
        (i ? " + " : "") + node.op_type() + (node.name().empty() ? "" : " " + quoted(node.name()));
  }
  return text + (step.nodes.empty() ? "change of layout)" : ")");
}

}  // namespace shipway
