// Computes what is the same in every run: nodes whose inputs are all constants become initializers,
// by the operators' own evaluation. Also Constant nodes, and Shape and Size of values whose sizes
// are numbers.
#include <algorithm>
#include <chrono>
#include <limits>

#include "base/text.h"
#include "operators/reference.h"
#include "passes/match.h"
#include "passes/pipelines.h"

namespace shipway {
namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;
constexpr Seconds kLongest = std::chrono::hours(1000);  // more would overflow a deadline

/// Operators that stay although they could be computed: folding weights out of their small form
/// would undo what the model's author did.
bool should_stay(const Node& node) {
  return node.domain().empty() &&
         (node.op_type() == "DequantizeLinear" || node.op_type() == "QuantizeLinear");
}

/// Shape and Size need sizes only.
std::optional<Tensor> shape_or_size(const Model& model, const Node& node) {
  const bool is_shape = node.is("Shape");
  if ((!is_shape && !node.is("Size")) || !node.input(0).is_valid()) return std::nullopt;
  const Type& type = model.value(node.input(0)).type();
  const Dims* dims = type.is_tensor() ? type.dims() : nullptr;
  if (!dims) return std::nullopt;
  const auto rank = static_cast<int64_t>(dims->size());
  const auto clamped = [&](int64_t axis) {
    return std::clamp<int64_t>(axis < 0 ? axis + rank : axis, 0, rank);
  };
  const int64_t start = is_shape ? clamped(int_attribute(node, "start", 0)) : 0;
  const int64_t end = is_shape ? clamped(int_attribute(node, "end", rank)) : rank;
  std::vector<int64_t> sizes;
  for (int64_t i = start; i < end; ++i) {
    const Dim dim = (*dims)[static_cast<size_t>(i)];
    if (!dim.is_constant()) return std::nullopt;
    sizes.push_back(dim.value());
  }
  if (is_shape) return Tensor::vector(sizes);
  const Result<int64_t> count = element_count(sizes);
  return count.is_ok() ? std::optional(Tensor::scalar(*count)) : std::nullopt;
}

class Folder {
 public:
  explicit Folder(PassContext& context)
      : context_(context), model_(context.model()), runner_(context.model(), context.registry()) {}

  Status run() {
    for (GraphId graph : context_.graphs())
      for (NodeId id = model_.graph(graph).first_node();
           id.is_valid() && !context_.is_exhausted();) {
        const Node& node = model_.node(id);
        id = node.next();
        SHIPWAY_RETURN_IF_ERROR(fold(node).with_context("{}", model_.describe(node.id())));
      }
    return Status::ok();
  }

 private:
  Status fold(const Node& node) {
    if (std::optional<Tensor> sizes = shape_or_size(model_, node)) {
      std::vector<RuntimeValue> outputs = {*std::move(sizes)};
      return replace(node, outputs);
    }
    if (node.is("Constant")) {
      const Attribute* value = node.attribute("value");
      if (const Tensor* tensor = value ? value->get<Tensor>() : nullptr;
          tensor && tensor->is_defined()) {
        std::vector<RuntimeValue> outputs = {*tensor};
        return replace(node, outputs);
      }
    }
    const Operator* op = context_.registry().find(node.domain(), node.op_type());
    if (!op || !op->evaluate || is_random(model_, node, *op) || should_stay(node) ||
        !node.subgraphs().empty())
      return Status::ok();
    for (const Attribute& attribute : node.attributes())
      if (!attribute.refers_to.empty()) return Status::ok();
    if (node.inputs().empty() && !node.is("Constant")) return Status::ok();

    std::vector<RuntimeValue> inputs;
    int64_t input_bytes = 0;
    for (ValueId id : node.inputs()) {
      if (!id.is_valid()) {
        inputs.emplace_back();
        continue;
      }
      const Tensor* tensor = model_.constant_tensor(id);
      if (!tensor) return Status::ok();
      input_bytes += tensor->byte_size();
      SHIPWAY_ASSIGN_OR_RETURN(Tensor dense, tensor->contiguous());
      inputs.emplace_back(std::move(dense));
    }
    return evaluate(node, inputs, input_bytes);
  }

  Status evaluate(const Node& node, std::span<const RuntimeValue> inputs, int64_t input_bytes) {
    double& seconds_left = context_.fold_seconds_left();
    if (seconds_left <= 0) {
      context_.note("time for folding constants is used up before " + model_.describe(node.id()));
      return Status::ok();
    }
    const int64_t most_bytes = std::max(context_.options().max_folded_bytes, 2 * input_bytes);
    const Clock::time_point start = Clock::now();
    RunLimits limits;
    // Operators may need room beside their result; the result itself is checked below.
    limits.max_bytes = 4 * most_bytes;
    const auto deadline = start + std::chrono::duration_cast<std::chrono::nanoseconds>(
                                      std::min(Seconds(seconds_left), kLongest));
    limits.deadline_ns =
        std::chrono::duration_cast<std::chrono::nanoseconds>(deadline.time_since_epoch()).count();
    runner_.set_limits(limits);
    std::vector<RuntimeValue> outputs(node.outputs().size());
    const Status status = runner_.run_node(node, inputs, outputs);
    seconds_left -= Seconds(Clock::now() - start).count();
    // A node that cannot be computed is refused when the model runs, if it ever gets there (it may
    // stand in a branch that is never taken); here it only stays.
    if (!status.is_ok()) {
      context_.note("not folded: " + status.message());
      return Status::ok();
    }
    int64_t bytes = 0;
    for (const RuntimeValue& output : outputs)
      if (const Tensor* tensor = output.tensor()) bytes += tensor->byte_size();
    if (bytes > most_bytes) {
      context_.note("not folded: " + model_.describe(node.id()) + " would take " +
                    std::to_string(bytes) + " bytes");
      return Status::ok();
    }
    return replace(node, outputs);
  }

  /// All outputs become initializers, unless one is no tensor (a sequence, say).
  Status replace(const Node& node, std::span<RuntimeValue> outputs) {
    Patch patch(node.id());
    patch.remove_node(node.id());
    for (size_t i = 0; i < node.outputs().size(); ++i) {
      const ValueId id = node.output(i);
      if (!id.is_valid() || is_unused(model_, id)) continue;
      const Tensor* tensor = i < outputs.size() ? outputs[i].tensor() : nullptr;
      if (!tensor || !tensor->is_defined()) return Status::ok();
      patch.make_constant(id, *tensor);
    }
    return context_.apply(std::move(patch));
  }

  PassContext& context_;
  const Model& model_;
  ReferenceRunner runner_;
};

Status fold_constants(PassContext& context) { return Folder(context).run(); }

}  // namespace

const Pass kFoldConstants = {"fold_constants", "computes what is the same in every run", 1, nullptr,
                             fold_constants};

}  // namespace shipway
