// How single operators (and what was fused behind them) become kernel steps. One function per
// operator or family; the table is at the end.
#include <algorithm>
#include <array>

#include "engine/bind.h"
#include "engine/lowering.h"
#include "tensor/convert.h"

namespace shipway {
namespace {

using kernels::Layout;
using Code = kernels::RefusalCode;
using Kind = BindRule::Kind;

std::optional<std::vector<int64_t>> constant_ints(const Lowering& lowering, ValueId id) {
  const Tensor* tensor = lowering.constant(id);
  if (!tensor) return std::nullopt;
  auto values = to_ints(*tensor);
  return values.is_ok() ? std::optional(std::move(values).value()) : std::nullopt;
}

bool is_scalar_dtype_movable(DType dtype) { return bit_width(dtype) >= 8; }

/// What stands behind a product: its epilogue, bias, operands and result, or those of the bare
/// node.
struct Tail {
  kernels::Epilogue steps;
  ValueId bias;
  ValueId result;
  std::vector<NodeId> nodes;
  const Lowering::Epilogue* fused = nullptr;
};
Tail tail_of(const Lowering& lowering, const Node& node, ValueId own_bias) {
  Tail tail{{}, own_bias, node.output(0), {node.id()}, lowering.epilogue_of(node)};
  if (tail.fused) {
    tail.steps = tail.fused->steps;
    tail.result = tail.fused->result;
    tail.nodes = tail.fused->nodes;
    if (tail.fused->bias.is_valid()) tail.bias = tail.fused->bias;
  }
  tail.steps.has_bias = tail.bias.is_valid();
  return tail;
}

/// Appends weights (packed apart), bias and operands to `inputs`.
Status add_tail_inputs(Lowering& lowering, const Tail& tail, Layout layout, ValueId weights,
                       std::vector<int32_t>& inputs) {
  SHIPWAY_ASSIGN_OR_RETURN(int32_t value, lowering.use_plain(weights));
  inputs.push_back(value);
  SHIPWAY_ASSIGN_OR_RETURN(value, lowering.use_plain(tail.bias));
  inputs.push_back(value);
  if (tail.fused) {
    SHIPWAY_ASSIGN_OR_RETURN(const std::vector<int32_t> operands,
                             lowering.lower_operands(*tail.fused, layout));
    inputs.insert(inputs.end(), operands.begin(), operands.end());
  }
  return Status::ok();
}

/// Why a convolution is not one over blocked channels.
void refuse_blocked(Lowering& lowering, kernels::ConvProblem problem) {
  problem.input = problem.output = lowering.blocked();
  std::vector<kernels::Refusal> refusals;
  const auto plan = kernels::prepare(problem, lowering.isa(), &refusals);
  for (const kernels::Refusal& r : refusals)
    if (r.code != Code::kLayout) lowering.refuse(r.code, r.text, r.kernel);
  if (plan.is_ok())
    lowering.refuse(Code::kCost, "blocks of channels would be mostly empty",
                    kernels::kernel_table()[static_cast<size_t>(plan->row)].name);
}

Result<bool> lower_conv(Lowering& lowering, const Node& node) {
  const AttributeReader read = lowering.attributes(node);
  const Tensor* weights = lowering.constant(node.input(1));
  const Dims* dims = lowering.dims(node.input(0));
  if (!weights) return lowering.refuse(Code::kNotConstant, "its weights are not constant");
  if (!lowering.is_float(node.input(0)) || weights->dtype() != DType::kFloat32)
    return lowering.refuse(Code::kType, "kernels compute fp32 only");
  if (!dims || dims->size() < 3 || dims->size() > 5 || !(*dims)[1].is_constant())
    return lowering.refuse(Code::kRank, "needs 1 to 3 spatial axes and a known number of channels");
  if (node.input(2).is_valid() && !lowering.constant(node.input(2)))
    return lowering.refuse(Code::kNotConstant, "its bias is not constant");
  const bool transposed = node.is("ConvTranspose");
  const size_t rank = dims->size() - 2, first = 3 - rank;

  kernels::ConvProblem problem;
  problem.transposed = transposed;
  problem.group = read.int_attribute("group");
  problem.channels_in = (*dims)[1].value();
  problem.channels_out = transposed ? weights->dim(1) * problem.group : weights->dim(0);
  const auto strides = read.ints_attribute("strides"), dilations = read.ints_attribute("dilations");
  const auto pads = read.ints_attribute("pads");
  for (size_t i = 0; i < rank; ++i) {
    problem.kernel[first + i] = weights->dim(2 + i);
    if (!strides.empty()) problem.strides[first + i] = strides[i];
    if (!dilations.empty()) problem.dilations[first + i] = dilations[i];
  }
  const Dims* out = lowering.dims(node.output(0));
  if (out && out->size() == dims->size() && out->back().is_constant() &&
      (rank == 1 || (*out)[rank].is_constant()))
    problem.known_pixels = out->back().value() * (rank == 1 ? 1 : (*out)[rank].value());
  const Tail tail = tail_of(lowering, node, node.input(2));
  problem.epilogue = tail.steps;
  const kernels::LayoutChoice layouts = kernels::preferred_layouts(problem, lowering.isa());
  problem.input = layouts.input;
  problem.output = layouts.output;

  BindRule rule;
  rule.kind = Kind::kConv;
  rule.numbers = {static_cast<int64_t>(rank),
                  static_cast<int64_t>(auto_pad_from(read.string_attribute("auto_pad")))};
  for (size_t i = 0; i < rank; ++i) rule.numbers.push_back(pads.empty() ? 0 : pads[i]);
  const auto out_padding = read.ints_attribute("output_padding");
  for (size_t i = 0; i < rank; ++i)
    rule.numbers.push_back(transposed && !out_padding.empty() ? out_padding[i] : 0);
  rule.numbers.push_back(transposed && read.has_attribute("output_shape"));

  SHIPWAY_ASSIGN_OR_RETURN(const int32_t x, lowering.use(node.input(0), problem.input));
  std::vector<int32_t> inputs = {x};
  SHIPWAY_RETURN_IF_ERROR(add_tail_inputs(lowering, tail, problem.output, node.input(1), inputs));
  const int32_t y = lowering.define(tail.result, problem.output);
  if (!problem.output.is_blocked()) refuse_blocked(lowering, problem);
  return lowering.add_kernel(problem, std::move(rule), std::move(inputs), {y}, tail.nodes, weights);
}

Result<bool> lower_gemm(Lowering& lowering, const Node& node) {
  const AttributeReader read = lowering.attributes(node);
  if (!lowering.is_float(node.input(0)) || !lowering.is_float(node.input(1)))
    return lowering.refuse(Code::kType, "kernels compute fp32 only");
  const Tensor* weights = lowering.constant(node.input(1));
  kernels::GemmProblem problem;
  problem.transpose_a = read.int_attribute("transA") != 0;
  problem.transpose_b = read.int_attribute("transB") != 0;
  problem.alpha = read.float_attribute("alpha");
  problem.beta = read.float_attribute("beta");
  if (weights) {
    problem.packed_b = true;
    problem.n = weights->dim(problem.transpose_b ? 0 : 1);
    problem.k = weights->dim(problem.transpose_b ? 1 : 0);
  }
  const ValueId c = node.input(2);
  if (c.is_valid()) {
    const Tensor* bias = lowering.constant(c);
    const Dims* out = lowering.dims(node.output(0));
    if (!bias || !out || !(*out)[1].is_constant() || bias->element_count() != (*out)[1].value() ||
        bias->rank() == 0 ||
        bias->dim(static_cast<size_t>(bias->rank() - 1)) != bias->element_count())
      return lowering.refuse(Code::kNotConstant, "C is not one constant per column");
  }
  Tail tail = tail_of(lowering, node, c);
  if (tail.fused && tail.fused->bias.is_valid()) problem.beta = 1;
  problem.epilogue = tail.steps;
  SHIPWAY_ASSIGN_OR_RETURN(const int32_t a, lowering.use_plain(node.input(0)));
  std::vector<int32_t> inputs = {a};
  SHIPWAY_RETURN_IF_ERROR(add_tail_inputs(lowering, tail, Layout::plain(), node.input(1), inputs));
  const int32_t y = lowering.define(tail.result, Layout::plain());
  return lowering.add_kernel(problem, {Kind::kGemm, {}, {}}, std::move(inputs), {y}, tail.nodes,
                             weights);
}

Result<bool> lower_matmul(Lowering& lowering, const Node& node) {
  if (!lowering.is_float(node.input(0)) || !lowering.is_float(node.input(1)))
    return lowering.refuse(Code::kType, "kernels compute fp32 only");
  const Dims *a = lowering.dims(node.input(0)), *b = lowering.dims(node.input(1));
  if (!a || !b || a->size() < 2 || b->size() < 2)
    return lowering.refuse(Code::kRank, "needs matrices of known rank");
  if (std::max(a->size(), b->size()) > 2 + kernels::GemmDims::kMaxBatchRank)
    return lowering.refuse(Code::kRank, "has too many batch axes");
  const Tensor* weights = b->size() == 2 ? lowering.constant(node.input(1)) : nullptr;
  kernels::GemmProblem problem;
  if (weights) {
    problem.packed_b = true;
    problem.k = weights->dim(0);
    problem.n = weights->dim(1);
  }
  const Tail tail = tail_of(lowering, node, {});
  problem.epilogue = tail.steps;
  SHIPWAY_ASSIGN_OR_RETURN(const int32_t x, lowering.use_plain(node.input(0)));
  std::vector<int32_t> inputs = {x};
  SHIPWAY_RETURN_IF_ERROR(add_tail_inputs(lowering, tail, Layout::plain(), node.input(1), inputs));
  const int32_t y = lowering.define(tail.result, Layout::plain());
  return lowering.add_kernel(problem, {Kind::kMatMul, {}, {}}, std::move(inputs), {y}, tail.nodes,
                             weights);
}

Result<bool> lower_pool(Lowering& lowering, const Node& node) {
  const AttributeReader read = lowering.attributes(node);
  const Dims* dims = lowering.dims(node.input(0));
  if (!lowering.is_float(node.input(0)))
    return lowering.refuse(Code::kType, "kernels compute fp32 only");
  if (!dims || dims->size() < 3 || dims->size() > 5)
    return lowering.refuse(Code::kRank, "needs 1 to 3 spatial axes");
  if (node.output(1).is_valid())
    return lowering.refuse(Code::kOutputs, "no kernel gives the indices of the maxima");
  const size_t rank = dims->size() - 2, first = 3 - rank;
  kernels::PoolProblem problem;
  problem.global = node.op_type().starts_with("Global");
  const bool average = node.op_type().ends_with("AveragePool") || node.is("ReduceMean");
  problem.kind = !average ? kernels::PoolKind::kMax
                 : !problem.global && read.int_attribute("count_include_pad")
                     ? kernels::PoolKind::kAverageCountPads
                     : kernels::PoolKind::kAverage;
  problem.layout = lowering.made_in(node.input(0));
  BindRule rule;
  rule.kind = Kind::kPool;
  rule.numbers = {static_cast<int64_t>(rank), static_cast<int64_t>(AutoPad::kNotSet)};
  if (!problem.global) {
    const auto kernel = read.ints_attribute("kernel_shape"),
               strides = read.ints_attribute("strides");
    const auto dilations = read.ints_attribute("dilations"), pads = read.ints_attribute("pads");
    rule.numbers[1] = static_cast<int64_t>(auto_pad_from(read.string_attribute("auto_pad")));
    if (kernel.size() != rank)
      return lowering.refuse(Code::kShape, "its kernel_shape does not fit its input");
    for (size_t i = 0; i < rank; ++i) {
      problem.kernel[first + i] = kernel[i];
      if (!strides.empty()) problem.strides[first + i] = strides[i];
      if (!dilations.empty()) problem.dilations[first + i] = dilations[i];
    }
    for (size_t i = 0; i < 2 * rank; ++i) rule.numbers.push_back(pads.empty() ? 0 : pads[i]);
  }
  SHIPWAY_ASSIGN_OR_RETURN(const int32_t x, lowering.use(node.input(0), problem.layout));
  const int32_t y = lowering.define(node.output(0), problem.layout);
  return lowering.add_kernel(problem, std::move(rule), {x}, {y}, {node.id()});
}

Result<bool> lower_global_pool(Lowering& lowering, const Node& node) {
  const Dims* dims = lowering.dims(node.input(0));
  if (!lowering.is_float(node.input(0)))
    return lowering.refuse(Code::kType, "kernels compute fp32 only");
  if (!dims || dims->size() < 3 || dims->size() > 5)
    return lowering.refuse(Code::kRank, "needs 1 to 3 spatial axes");
  kernels::PoolProblem problem;
  problem.global = true;
  problem.kind = node.is("GlobalMaxPool") ? kernels::PoolKind::kMax : kernels::PoolKind::kAverage;
  problem.layout = lowering.made_in(node.input(0));
  const auto rank = static_cast<int64_t>(dims->size()) - 2;
  SHIPWAY_ASSIGN_OR_RETURN(const int32_t x, lowering.use(node.input(0), problem.layout));
  const int32_t y = lowering.define(node.output(0), problem.layout);
  return lowering.add_kernel(problem, {Kind::kPool, {rank, 0}, {}}, {x}, {y}, {node.id()});
}

Result<bool> lower_softmax(Lowering& lowering, const Node& node) {
  const Dims* dims = lowering.dims(node.input(0));
  if (!lowering.is_float(node.input(0)) || !dims || dims->empty())
    return lowering.refuse(lowering.is_float(node.input(0)) ? Code::kRank : Code::kType,
                           "needs fp32 of known rank");
  int64_t axis = lowering.attributes(node).int_attribute("axis");
  if (axis < 0) axis += static_cast<int64_t>(dims->size());
  SHIPWAY_ASSIGN_OR_RETURN(const int32_t x, lowering.use_plain(node.input(0)));
  const int32_t y = lowering.define(node.output(0), Layout::plain());
  return lowering.add_kernel(kernels::SoftmaxProblem{node.is("LogSoftmax")},
                             {Kind::kSoftmax, {axis}, {}}, {x}, {y}, {node.id()});
}

Result<bool> lower_norm(Lowering& lowering, const Node& node) {
  const AttributeReader read = lowering.attributes(node);
  const Dims* dims = lowering.dims(node.input(0));
  if (!lowering.is_float(node.input(0)) || !dims || dims->empty())
    return lowering.refuse(lowering.is_float(node.input(0)) ? Code::kRank : Code::kType,
                           "needs fp32 of known rank");
  for (size_t i = 1; i < node.outputs().size(); ++i)
    if (node.output(i).is_valid())
      return lowering.refuse(Code::kOutputs, "no kernel gives mean and deviation");
  kernels::NormProblem problem;
  problem.epsilon = read.float_attribute("epsilon");
  BindRule rule;
  rule.kind = Kind::kNorm;
  const auto rank = static_cast<int64_t>(dims->size());
  if (node.is("LayerNormalization") || node.is("RMSNormalization")) {
    problem.kind =
        node.is("LayerNormalization") ? kernels::NormKind::kLayer : kernels::NormKind::kRms;
    int64_t axis = read.int_attribute("axis");
    if (axis < 0) axis += rank;
    rule.numbers = {axis};
    Dim width = 1;
    for (int64_t i = axis; i < rank; ++i) {
      if (!(*dims)[static_cast<size_t>(i)].is_constant())
        return lowering.refuse(Code::kDynamicShape, "its width is not constant");
      width = width.value() * (*dims)[static_cast<size_t>(i)].value();
    }
    for (size_t i = 1; i <= 2; ++i) {
      const Tensor* tensor = lowering.constant(node.input(i));
      if (node.input(i).is_valid() && (!tensor || tensor->element_count() != width.value()))
        return lowering.refuse(Code::kNotConstant, "scale and bias are not constants of its width");
    }
  } else if (rank < 3) {
    return lowering.refuse(Code::kRank, "needs spatial axes");
  } else if (node.is("BatchNormalization")) {
    if (read.int_attribute("training_mode"))
      return lowering.refuse(Code::kMode, "it is in training mode");
    problem.kind = kernels::NormKind::kBatch;
    rule.numbers = {-1};
  } else {
    problem.kind = kernels::NormKind::kGroup;
    problem.groups = node.is("GroupNormalization") ? read.int_attribute("num_groups") : 0;
    rule.numbers = {-1};
  }
  std::vector<int32_t> inputs;
  for (ValueId id : node.inputs()) {
    if (id.is_valid() && !lowering.is_float(id))
      return lowering.refuse(Code::kType, "kernels compute fp32 only");
    SHIPWAY_ASSIGN_OR_RETURN(const int32_t value, lowering.use_plain(id));
    inputs.push_back(value);
  }
  const int32_t y = lowering.define(node.output(0), Layout::plain());
  return lowering.add_kernel(problem, std::move(rule), std::move(inputs), {y}, {node.id()});
}

struct ReduceRow {
  std::string_view op_type;
  kernels::ReduceKind kind;
};
constexpr ReduceRow kReductions[] = {
    {"ReduceSum", kernels::ReduceKind::kSum},
    {"ReduceMean", kernels::ReduceKind::kMean},
    {"ReduceMax", kernels::ReduceKind::kMax},
    {"ReduceMin", kernels::ReduceKind::kMin},
    {"ReduceProd", kernels::ReduceKind::kProd},
    {"ReduceL1", kernels::ReduceKind::kL1},
    {"ReduceL2", kernels::ReduceKind::kL2},
    {"ReduceSumSquare", kernels::ReduceKind::kSumSquare},
    {"ReduceLogSum", kernels::ReduceKind::kLogSum},
    {"ReduceLogSumExp", kernels::ReduceKind::kLogSumExp},
};

Result<bool> lower_reduce(Lowering& lowering, const Node& node) {
  const AttributeReader read = lowering.attributes(node);
  const Dims* dims = lowering.dims(node.input(0));
  if (!lowering.is_float(node.input(0)) || !dims || dims->empty())
    return lowering.refuse(lowering.is_float(node.input(0)) ? Code::kRank : Code::kType,
                           "needs fp32 of known rank");
  const auto rank = static_cast<int64_t>(dims->size());
  std::vector<bool> reduced(dims->size(), false);
  if (node.input(1).is_valid()) {
    const auto axes = constant_ints(lowering, node.input(1));
    if (!axes) return lowering.refuse(Code::kNotConstant, "its axes are not constant");
    if (axes->empty() && read.int_attribute("noop_with_empty_axes"))
      return lowering.refuse(Code::kMode, "it reduces nothing");
    if (axes->empty()) reduced.assign(dims->size(), true);
    for (int64_t axis : *axes) {
      if (axis < -rank || axis >= rank)
        return lowering.refuse(Code::kShape, "an axis is out of range");
      reduced[static_cast<size_t>(axis < 0 ? axis + rank : axis)] = true;
    }
  } else {
    if (read.int_attribute("noop_with_empty_axes"))
      return lowering.refuse(Code::kMode, "it reduces nothing");
    reduced.assign(dims->size(), true);
  }
  // The mean over all spatial axes is a global pool, which reads the blocked layout.
  if (node.is("ReduceMean") && rank >= 3 && rank <= 5 && read.int_attribute("keepdims") &&
      !reduced[0] && !reduced[1] &&
      std::all_of(reduced.begin() + 2, reduced.end(), [](bool r) { return r; }))
    return lower_global_pool(lowering, node);
  // Runs of kept and reduced axes must be kept, reduced, kept, reduced (each possibly empty).
  int turns = 0;
  bool current = false;
  for (bool r : reduced) {
    if (r != current) ++turns;
    current = r;
  }
  if (turns > 3) return lowering.refuse(Code::kShape, "its axes are too scattered");
  BindRule rule;
  rule.kind = Kind::kReduce;
  for (bool r : reduced) rule.numbers.push_back(r);
  kernels::ReduceProblem problem;
  for (const ReduceRow& row : kReductions)
    if (row.op_type == node.op_type()) problem.kind = row.kind;
  SHIPWAY_ASSIGN_OR_RETURN(const int32_t x, lowering.use_plain(node.input(0)));
  const int32_t y = lowering.define(node.output(0), Layout::plain());
  return lowering.add_kernel(problem, std::move(rule), {x}, {y}, {node.id()});
}

Result<bool> lower_resize(Lowering& lowering, const Node& node) {
  const AttributeReader read = lowering.attributes(node);
  const Dims* dims = lowering.dims(node.input(0));
  const Dims* out = lowering.dims(node.output(0));
  if (!lowering.is_float(node.input(0)) || !dims || !out || dims->size() < 3 || dims->size() > 5)
    return lowering.refuse(lowering.is_float(node.input(0)) ? Code::kRank : Code::kType,
                           "needs fp32 with 1 to 3 spatial axes");
  if (!((*dims)[0] == (*out)[0]) || !((*dims)[1] == (*out)[1]))
    return lowering.refuse(Code::kShape, "it resizes batch or channels");
  const size_t rank = dims->size() - 2;
  kernels::ResizeProblem problem;
  const std::string& mode = read.string_attribute("mode");
  const std::string& coordinates = read.string_attribute("coordinate_transformation_mode");
  const std::string& nearest = read.string_attribute("nearest_mode");
  if (mode == "nearest")
    problem.mode = kernels::ResizeMode::kNearest;
  else if (mode == "linear")
    problem.mode = kernels::ResizeMode::kLinear;
  else if (mode == "cubic")
    problem.mode = kernels::ResizeMode::kCubic;
  else
    return lowering.refuse(Code::kMode, "its mode has no kernel");
  using C = kernels::CoordinateMode;
  if (coordinates == "half_pixel")
    problem.coordinates = C::kHalfPixel;
  else if (coordinates == "half_pixel_symmetric")
    problem.coordinates = C::kHalfPixelSymmetric;
  else if (coordinates == "pytorch_half_pixel")
    problem.coordinates = C::kPytorchHalfPixel;
  else if (coordinates == "align_corners")
    problem.coordinates = C::kAlignCorners;
  else if (coordinates == "asymmetric")
    problem.coordinates = C::kAsymmetric;
  else
    return lowering.refuse(Code::kMode, "its coordinate mode has no kernel");
  using N = kernels::NearestMode;
  problem.nearest = nearest == "round_prefer_ceil" ? N::kRoundPreferCeil
                    : nearest == "floor"           ? N::kFloor
                    : nearest == "ceil"            ? N::kCeil
                                                   : N::kRoundPreferFloor;
  problem.cubic_a = read.float_attribute("cubic_coeff_a");
  problem.exclude_outside = read.int_attribute("exclude_outside") != 0;
  problem.antialias = read.int_attribute("antialias") != 0;
  if (read.string_attribute("keep_aspect_ratio_policy") != "stretch" && node.input(3).is_valid())
    return lowering.refuse(Code::kMode, "it keeps the aspect ratio");
  BindRule rule;
  rule.kind = Kind::kResize;
  rule.numbers = {static_cast<int64_t>(rank)};
  const Tensor* scales = lowering.constant(node.input(2));
  if (scales && scales->element_count() > 0) {
    if (scales->element_count() != static_cast<int64_t>(dims->size()) || read.has_attribute("axes"))
      return lowering.refuse(Code::kShape, "its scales are not one per axis");
    for (size_t i = 2; i < dims->size(); ++i) rule.floats.push_back(scales->as<float>()[i]);
  } else if (node.input(2).is_valid() && !node.input(3).is_valid()) {
    return lowering.refuse(Code::kNotConstant, "its scales are not constant");
  }
  const Layout layout = lowering.made_in(node.input(0));
  SHIPWAY_ASSIGN_OR_RETURN(const int32_t x, lowering.use(node.input(0), layout));
  const int32_t y = lowering.define(node.output(0), layout);
  return lowering.add_kernel(problem, std::move(rule), {x}, {y}, {node.id()});
}

// ----------------------------------------------------------------------------------------------
// recurrent layers

/// The activations of a layer, when a kernel has them: those that ONNX gives when none are named,
/// or Relu in an RNN.
std::optional<bool> relu_of_activations(const AttributeReader& read, size_t gates,
                                        size_t directions) {
  const auto names = read.strings_attribute("activations");
  if (names.empty() || (gates == 1 && !read.has_attribute("activations"))) return false;
  const size_t each = gates == 1 ? 1 : gates - 1;
  const bool relu = gates == 1 && names[0] == "Relu";
  if (names.size() != each * directions) return std::nullopt;
  for (size_t i = 0; i < names.size(); ++i)
    if (names[i] != (relu ? "Relu" : gates > 1 && i % each == 0 ? "Sigmoid" : "Tanh"))
      return std::nullopt;
  return relu;
}

/// W, R, B (zeros when left out) and P in one tensor: what the packing recipe reads.
Result<Tensor> joined_weights(const std::array<const Tensor*, 4>& parts, int64_t bias_size) {
  int64_t size = parts[2] ? 0 : bias_size;
  for (const Tensor* part : parts) size += part ? part->element_count() : 0;
  SHIPWAY_ASSIGN_OR_RETURN(Tensor joined, Tensor::zeros(DType::kFloat32, {size}));
  float* to = joined.mutable_as<float>().data();
  for (size_t i = 0; i < parts.size(); ++i) {
    if (parts[i]) {
      copy_elements(*parts[i], to);
      parts[i]->storage()->rest();
      to += parts[i]->element_count();
    }
    if (i == 2 && !parts[i]) to += bias_size;
  }
  return joined;
}

Result<bool> lower_recurrent(Lowering& lowering, const Node& node) {
  const AttributeReader read = lowering.attributes(node);
  kernels::RecurrentProblem problem;
  problem.cell = node.is("LSTM")  ? kernels::RecurrentCell::kLstm
                 : node.is("GRU") ? kernels::RecurrentCell::kGru
                                  : kernels::RecurrentCell::kRnn;
  const int64_t gates = node.is("LSTM") ? 4 : node.is("GRU") ? 3 : 1;
  const Tensor *w = lowering.constant(node.input(1)), *r = lowering.constant(node.input(2));
  const Tensor *b = nullptr, *p = nullptr;
  if (!w || !r) return lowering.refuse(Code::kNotConstant, "its weights are not constant");
  if (!lowering.is_float(node.input(0)) || w->dtype() != DType::kFloat32 ||
      r->dtype() != DType::kFloat32)
    return lowering.refuse(Code::kType, "kernels compute fp32 only");
  if (w->rank() != 3 || r->rank() != 3)
    return lowering.refuse(Code::kShape, "its weights do not fit each other");
  problem.directions = w->dim(0);
  problem.input = w->dim(2);
  problem.hidden = r->dim(2);
  const std::string& direction = read.string_attribute("direction");
  if (problem.directions != (direction == "bidirectional" ? 2 : 1) ||
      w->dim(1) != gates * problem.hidden || r->shape() != Shape{w->dim(0), w->dim(1), r->dim(2)})
    return lowering.refuse(Code::kShape, "its weights do not fit each other");
  const auto optional_constant = [&](size_t i, const Tensor*& tensor, const Shape& shape) {
    if (!node.input(i).is_valid()) return true;
    tensor = lowering.constant(node.input(i));
    return tensor && tensor->shape() == shape && tensor->dtype() == DType::kFloat32;
  };
  if (!optional_constant(3, b, {problem.directions, 2 * gates * problem.hidden}) ||
      !optional_constant(7, p, {problem.directions, 3 * problem.hidden}))
    return lowering.refuse(Code::kNotConstant, "its bias or peepholes are not constant");
  if (node.input(4).is_valid())
    return lowering.refuse(Code::kShape, "its sequences differ in length");
  const std::optional<bool> relu = relu_of_activations(read, static_cast<size_t>(gates),
                                                       static_cast<size_t>(problem.directions));
  if (!relu) return lowering.refuse(Code::kMode, "its activations have no kernel");
  if (read.has_attribute("clip") || (gates == 4 && read.int_attribute("input_forget") != 0))
    return lowering.refuse(Code::kMode, "it clips, or couples its gates");
  problem.relu = *relu;
  problem.first_reversed = direction == "reverse";
  problem.batch_first = read.int_attribute("layout") != 0;
  problem.linear_before_reset = gates == 3 && read.int_attribute("linear_before_reset") != 0;
  problem.has_peepholes = p != nullptr;
  std::vector<int32_t> inputs, outputs;
  for (const size_t i : {0, 1, 5, 6}) {
    int32_t value = -1;
    if (i != 1) {  // the weights are packed apart
      SHIPWAY_ASSIGN_OR_RETURN(value, lowering.use_plain(node.input(i)));
    }
    inputs.push_back(value);
  }
  for (size_t i = 0; i < 3; ++i)
    outputs.push_back(node.output(i).is_valid() ? lowering.define(node.output(i), Layout::plain())
                                                : -1);
  return lowering.add_kernel(
      problem, {Kind::kRecurrent, {}, {}}, std::move(inputs), std::move(outputs), {node.id()},
      nullptr, [&] {
        return joined_weights({w, r, b, p}, problem.directions * 2 * w->dim(1));
      });
}

// ----------------------------------------------------------------------------------------------
// attention

Result<bool> lower_attention(Lowering& lowering, const Node& node) {
  const AttributeReader read = lowering.attributes(node);
  for (const size_t i : {0, 1, 2})
    if (!lowering.is_float(node.input(i)))
      return lowering.refuse(Code::kType, "kernels compute fp32 only");
  const Dims* q = lowering.dims(node.input(0));
  if (!q) return lowering.refuse(Code::kRank, "needs inputs of known rank");
  for (const size_t i : {4, 5, 6})
    if (node.input(i).is_valid())
      return lowering.refuse(Code::kMode, "keeps a cache, or sequences differ in length");
  for (const size_t i : {1, 2, 3})
    if (node.output(i).is_valid()) return lowering.refuse(Code::kOutputs, "gives more than Y");
  if (read.float_attribute("softcap") != 0) return lowering.refuse(Code::kMode, "caps its scores");
  if (read.int_attribute("left_window_size") != -1 || read.int_attribute("right_window_size") != -1)
    return lowering.refuse(Code::kMode, "looks through a window");
  if (read.has_attribute("scale") && read.float_attribute("scale") == 0)
    return lowering.refuse(Code::kMode, "a scale of 0");
  const ValueId mask = node.input(3);
  if (mask.is_valid()) {
    const Dims* dims = lowering.dims(mask);
    const Dims* k = lowering.dims(node.input(1));
    if (!lowering.is_float(mask)) return lowering.refuse(Code::kType, "its mask is no fp32");
    if (!dims || dims->empty() || !k || dims->back() != (*k)[k->size() - 2])
      return lowering.refuse(Code::kShape, "its mask may have fewer keys than there are");
  }
  const bool flat = q->size() == 3;
  std::vector<int32_t> inputs;
  for (const size_t i : {0, 1, 2, 3}) {
    SHIPWAY_ASSIGN_OR_RETURN(const int32_t value, lowering.use_plain(node.input(i)));
    inputs.push_back(value);
  }
  const int32_t y = lowering.define(node.output(0), Layout::plain());
  return lowering.add_kernel(
      kernels::AttentionProblem{read.has_attribute("scale") ? read.float_attribute("scale") : 0},
      {Kind::kAttention,
       {flat ? read.int_attribute("q_num_heads") : 0, flat ? read.int_attribute("kv_num_heads") : 0,
        read.int_attribute("is_causal")},
       {}},
      std::move(inputs), {y}, {node.id()});
}

// ----------------------------------------------------------------------------------------------
// moving data

Result<bool> lower_alias(Lowering& lowering, const Node& node) {
  if (!lowering.dims(node.output(0)) || lowering.dtype(node.input(0)) == DType::kString ||
      !lowering.model().value(node.input(0)).type().is_tensor())
    return lowering.refuse(Code::kRank, "needs tensors of known rank");
  SHIPWAY_ASSIGN_OR_RETURN(const int32_t x, lowering.use_plain(node.input(0)));
  lowering.add_alias(node, x);
  return true;
}

std::optional<kernels::StridedCopyProblem> copy_problem(const Lowering& lowering, ValueId id) {
  const DType dtype = lowering.dtype(id);
  if (!lowering.model().value(id).type().is_tensor() || !is_scalar_dtype_movable(dtype) ||
      !lowering.dims(id) ||
      lowering.dims(id)->size() > static_cast<size_t>(kernels::StridedCopyDims::kMaxRank))
    return std::nullopt;
  return kernels::StridedCopyProblem{bit_width(dtype) / 8};
}

/// What copy_problem has against the value.
bool refuse_copy(Lowering& lowering, ValueId id) {
  return lowering.model().value(id).type().is_tensor() &&
                 is_scalar_dtype_movable(lowering.dtype(id))
             ? lowering.refuse(Code::kRank, "needs a known rank of at most 8")
             : lowering.refuse(Code::kType, "needs elements of whole bytes");
}

Result<bool> lower_transpose(Lowering& lowering, const Node& node) {
  const auto problem = copy_problem(lowering, node.input(0));
  if (!problem) return refuse_copy(lowering, node.input(0));
  BindRule rule;
  rule.kind = Kind::kTranspose;
  const auto perm = lowering.attributes(node).ints_attribute("perm");
  rule.numbers.assign(perm.begin(), perm.end());
  if (rule.numbers.empty())
    for (size_t i = lowering.dims(node.input(0))->size(); i-- > 0;)
      rule.numbers.push_back(static_cast<int64_t>(i));
  SHIPWAY_ASSIGN_OR_RETURN(const int32_t x, lowering.use_plain(node.input(0)));
  const int32_t y = lowering.define(node.output(0), Layout::plain());
  return lowering.add_kernel(*problem, std::move(rule), {x}, {y}, {node.id()});
}

Result<bool> lower_concat(Lowering& lowering, const Node& node) {
  const Dims* out = lowering.dims(node.output(0));
  if (!out) return lowering.refuse(Code::kRank, "its rank is not known");
  int64_t axis = lowering.attributes(node).int_attribute("axis");
  if (axis < 0) axis += static_cast<int64_t>(out->size());
  // In blocked layout when every input was made so and its channels fill whole blocks.
  Layout layout = lowering.made_in(node.input(0));
  for (ValueId input : node.inputs()) {
    if (!copy_problem(lowering, input)) return refuse_copy(lowering, input);
    const Dim channels = lowering.dims(input)->size() > 1 ? (*lowering.dims(input))[1] : Dim();
    if (!lowering.made_in(input).is_blocked() || axis != 1 || !channels.is_constant() ||
        channels.value() % lowering.blocked().block != 0)
      layout = Layout::plain();
  }
  const kernels::StridedCopyProblem problem = *copy_problem(lowering, node.input(0));
  std::vector<int32_t> inputs;
  for (ValueId input : node.inputs()) {
    SHIPWAY_ASSIGN_OR_RETURN(const int32_t value, lowering.use(input, layout));
    inputs.push_back(value);
  }
  const int32_t y = lowering.define(node.output(0), layout);
  std::vector<int64_t> before = {axis};  // then the pieces that stand before
  for (int32_t input : inputs) {
    SHIPWAY_ASSIGN_OR_RETURN(
        const bool done,
        lowering.add_kernel(problem, {Kind::kConcatPiece, before, {}}, {input}, {y}, {node.id()}));
    if (!done) return false;
    before.push_back(input);
  }
  return true;
}

Result<bool> lower_split(Lowering& lowering, const Node& node) {
  const auto problem = copy_problem(lowering, node.input(0));
  if (!problem) return refuse_copy(lowering, node.input(0));
  int64_t axis = lowering.attributes(node).int_attribute("axis");
  if (axis < 0) axis += static_cast<int64_t>(lowering.dims(node.input(0))->size());
  std::vector<int64_t> before = {
      -1, axis};  // -1: a piece of a Split; then the outputs that stand before
  SHIPWAY_ASSIGN_OR_RETURN(const int32_t x, lowering.use_plain(node.input(0)));
  for (ValueId output : node.outputs())
    if (!output.is_valid())
      return lowering.refuse(Code::kOutputs, "one of its outputs is left out");
  for (ValueId output : node.outputs()) {
    const int32_t y = lowering.define(output, Layout::plain());
    SHIPWAY_ASSIGN_OR_RETURN(
        const bool done,
        lowering.add_kernel(*problem, {Kind::kSlicePiece, before, {}}, {x}, {y}, {node.id()}));
    if (!done) return false;
    before.push_back(y);
  }
  return true;
}

Result<bool> lower_slice(Lowering& lowering, const Node& node) {
  const auto problem = copy_problem(lowering, node.input(0));
  if (!problem) return refuse_copy(lowering, node.input(0));
  const auto rank = static_cast<int64_t>(lowering.dims(node.input(0))->size());
  const auto starts = constant_ints(lowering, node.input(1));
  auto axes =
      node.input(3).is_valid() ? constant_ints(lowering, node.input(3)) : std::vector<int64_t>();
  auto steps =
      node.input(4).is_valid() ? constant_ints(lowering, node.input(4)) : std::vector<int64_t>();
  if (!starts || !axes || !steps)
    return lowering.refuse(Code::kNotConstant, "its starts, axes or steps are not constant");
  if (!node.input(3).is_valid())
    for (size_t i = 0; i < starts->size(); ++i) axes->push_back(static_cast<int64_t>(i));
  if (!node.input(4).is_valid()) steps->assign(starts->size(), 1);
  if (axes->size() != starts->size() || steps->size() != starts->size())
    return lowering.refuse(Code::kShape, "its lists differ in length");
  BindRule rule;
  rule.kind = Kind::kSlicePiece;
  rule.numbers = {static_cast<int64_t>(starts->size())};
  for (size_t i = 0; i < starts->size(); ++i) {
    const int64_t axis = (*axes)[i] < 0 ? (*axes)[i] + rank : (*axes)[i];
    if (axis < 0 || axis >= rank || (*steps)[i] == 0)
      return lowering.refuse(Code::kShape, "an axis or step is out of range");
    rule.numbers.insert(rule.numbers.end(), {axis, (*starts)[i], (*steps)[i]});
  }
  SHIPWAY_ASSIGN_OR_RETURN(const int32_t x, lowering.use_plain(node.input(0)));
  const int32_t y = lowering.define(node.output(0), Layout::plain());
  return lowering.add_kernel(*problem, std::move(rule), {x}, {y}, {node.id()});
}

Result<bool> lower_expand(Lowering& lowering, const Node& node) {
  const auto problem = copy_problem(lowering, node.input(0));
  const Dims* out = lowering.dims(node.output(0));
  if (!problem || !out || out->size() > static_cast<size_t>(kernels::StridedCopyDims::kMaxRank))
    return refuse_copy(lowering, node.input(0));
  SHIPWAY_ASSIGN_OR_RETURN(const int32_t x, lowering.use_plain(node.input(0)));
  const int32_t y = lowering.define(node.output(0), Layout::plain());
  return lowering.add_kernel(*problem, {Kind::kExpand, {}, {}}, {x}, {y}, {node.id()});
}

struct LowerRow {
  std::string_view op_type;
  LowerFunction function;
};
constexpr LowerRow kTable[] = {
    {"Attention", lower_attention},
    {"AveragePool", lower_pool},
    {"BatchNormalization", lower_norm},
    {"Concat", lower_concat},
    {"Conv", lower_conv},
    {"ConvTranspose", lower_conv},
    {"Expand", lower_expand},
    {"Flatten", lower_alias},
    {"GRU", lower_recurrent},
    {"Gemm", lower_gemm},
    {"GlobalAveragePool", lower_global_pool},
    {"GlobalMaxPool", lower_global_pool},
    {"GroupNormalization", lower_norm},
    {"Identity", lower_alias},
    {"InstanceNormalization", lower_norm},
    {"LSTM", lower_recurrent},
    {"LayerNormalization", lower_norm},
    {"LogSoftmax", lower_softmax},
    {"MatMul", lower_matmul},
    {"MaxPool", lower_pool},
    {"RMSNormalization", lower_norm},
    {"RNN", lower_recurrent},
    {"ReduceL1", lower_reduce},
    {"ReduceL2", lower_reduce},
    {"ReduceLogSum", lower_reduce},
    {"ReduceLogSumExp", lower_reduce},
    {"ReduceMax", lower_reduce},
    {"ReduceMean", lower_reduce},
    {"ReduceMin", lower_reduce},
    {"ReduceProd", lower_reduce},
    {"ReduceSum", lower_reduce},
    {"ReduceSumSquare", lower_reduce},
    {"Reshape", lower_alias},
    {"Resize", lower_resize},
    {"Slice", lower_slice},
    {"Softmax", lower_softmax},
    {"Split", lower_split},
    {"Squeeze", lower_alias},
    {"Transpose", lower_transpose},
    {"Unsqueeze", lower_alias},
};
static_assert(std::ranges::is_sorted(kTable, {}, &LowerRow::op_type));  // it is searched by halves

}  // namespace

LowerFunction find_lowering(const Node& node) {
  if (!node.domain().empty()) return nullptr;
  const auto row =
      std::lower_bound(std::begin(kTable), std::end(kTable), node.op_type(),
                       [](const LowerRow& r, const std::string& name) { return r.op_type < name; });
  return row != std::end(kTable) && row->op_type == node.op_type() ? row->function : nullptr;
}

}  // namespace shipway
