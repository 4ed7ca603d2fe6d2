// Proves from the graph that output pixels depend on near input pixels only.
#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <string_view>
#include <unordered_map>

#include "base/text.h"
#include "operators/operator.h"
#include "operators/registry.h"
#include "shipway/restorer.h"

namespace shipway {
namespace {

/// Where the pixels of one value come from. Pixel i stands for input position i * step (left edges
/// aligned) and depends on input pixels from i * step - before to i * step + after. All in input
/// pixels, exact in double for real networks. Either may be negative for a while: pixels that a Pad
/// moved look to one side only. What a Pad mirrors at a border is no farther away than what lies on
/// the other side, so the larger of both, taken on all sides, covers it.
struct Field {
  double step = 1;  // input pixels per pixel: 1/3 after upsampling by 3, 2 after a stride of 2
  double before = 0, after = 0;
};

constexpr std::string_view kPointwise[] = {
    "Abs",
    "Add",
    "BatchNormalization",
    "Cast",
    "Ceil",
    "Celu",
    "Clip",
    "Div",
    "Dropout",
    "Elu",
    "Erf",
    "Exp",
    "Floor",
    "Gelu",
    "HardSigmoid",
    "HardSwish",
    "Identity",
    "LeakyRelu",
    "Log",
    "Max",
    "Mean",
    "Min",
    "Mish",
    "Mul",
    "Neg",
    "PRelu",
    "Pow",
    "Reciprocal",
    "Relu",
    "Round",
    "Selu",
    "Sigmoid",
    "Sign",
    "Softplus",
    "Softsign",
    "Sqrt",
    "Sub",
    "Sum",
    "Swish",
    "Tanh",
    "ThresholdedRelu",
    "Where",
};

class Proof {
 public:
  explicit Proof(const Model& model) : model_(model) {}

  Result<Locality> run() {
    std::vector<ValueId> inputs;
    for (ValueId id : model_.graph().inputs())
      if (!model_.value(id).is_initializer()) inputs.push_back(id);
    if (inputs.size() != 1 || model_.graph().outputs().size() != 1)
      return Status::unsupported(
          "the model has {} inputs and {} outputs, tiles need one picture in and one out",
          inputs.size(), model_.graph().outputs().size());
    const Dims* in = model_.value(inputs[0]).type().dims();
    if (!in || in->size() != 4)
      return Status::unsupported("input {} is no picture [N, C, H, W]",
                                 quoted(model_.value(inputs[0]).name()));
    if ((*in)[2].is_constant() || (*in)[3].is_constant())
      return Status::unsupported("input {} has a fixed size",
                                 quoted(model_.value(inputs[0]).name()));
    fields_[inputs[0].index] = {};
    for (const Node& node : model_.nodes()) {
      const bool touched = std::any_of(node.inputs().begin(), node.inputs().end(),
                                       [&](ValueId id) { return field(id); });
      if (!touched) continue;
      const Status status = follow(node);
      if (!status.is_ok()) return status.with_context("{}", model_.describe(node.id()));
    }
    const ValueId out = model_.graph().outputs()[0];
    const Field* result = field(out);
    if (!result)
      return Status::unsupported("output {} does not depend on the picture",
                                 quoted(model_.value(out).name()));
    Locality locality;
    locality.scale = static_cast<int64_t>(std::lround(1 / result->step));
    if (locality.scale < 1 ||
        std::fabs(result->step * static_cast<double>(locality.scale) - 1) > 1e-9)
      return Status::unsupported("output {} is not a whole number of times as large as the input",
                                 quoted(model_.value(out).name()));
    // The sizes must say the same: an output cropped by unpadded convolutions would not fit
    // together.
    const Dims* dims = model_.value(out).type().dims();
    DimTable table = model_.dims();
    for (size_t axis : {size_t{2}, size_t{3}})
      if (!dims || dims->size() != 4 || !((*dims)[axis] == table.mul((*in)[axis], locality.scale)))
        return Status::unsupported(
            "output {} is {}, which does not follow from the input's size alone",
            quoted(model_.value(out).name()), to_string(model_.value(out).type(), model_.dims()));
    locality.alignment = alignment_;
    locality.halo = static_cast<int64_t>(std::ceil(std::max(result->before, result->after) - 1e-9));
    locality.halo = std::max<int64_t>(locality.halo, 0);
    locality.halo = (locality.halo + alignment_ - 1) / alignment_ * alignment_;
    return locality;
  }

 private:
  const Field* field(ValueId id) const {
    const auto found = id.is_valid() ? fields_.find(id.index) : fields_.end();
    return found == fields_.end() ? nullptr : &found->second;
  }
  bool is_constant(ValueId id) const {
    return !id.is_valid() || model_.constant_tensor(id) || !field(id);
  }

  /// A window of `kernel` taps: like Conv and the pools.
  Field window(Field in, int64_t kernel, int64_t stride, int64_t dilation, int64_t pad_before) {
    const double reach = static_cast<double>((kernel - 1) * dilation);
    in.before += in.step * static_cast<double>(pad_before);
    in.after += in.step * (reach - static_cast<double>(pad_before));
    in.step *= static_cast<double>(stride);
    align(in.step);
    return in;
  }
  void align(double step) {
    if (step > 1) alignment_ = std::lcm(alignment_, static_cast<int64_t>(std::llround(step)));
  }
  /// The larger of both axes, which here must have the same step.
  static Result<Field> join(const Field& a, const Field& b) {
    if (std::fabs(a.step - b.step) > 1e-9)
      return Status::unsupported("its axes or inputs are scaled differently");
    return Field{a.step, std::max(a.before, b.before), std::max(a.after, b.after)};
  }

  Status follow(const Node& node) {
    const Operator* op = Registry::built_in().find(node.domain(), node.op_type());
    if (!op) return Status::unsupported("the operator is not known");
    const AttributeReader read(node, *op->versions.newest());
    std::optional<Field> all;
    for (ValueId id : node.inputs()) {
      const Field* one = field(id);
      if (!one) continue;
      if (!all) {
        all = *one;
      } else {
        SHIPWAY_ASSIGN_OR_RETURN(all, join(*all, *one));
      }
    }
    Field out = *all;
    const std::string_view name =
        node.domain().empty() ? std::string_view(node.op_type()) : std::string_view();
    const auto ints = [&](std::string_view attribute, size_t i, int64_t otherwise) {
      const auto values = read.ints_attribute(attribute);
      return i < values.size() ? values[i] : otherwise;
    };
    if (std::find(std::begin(kPointwise), std::end(kPointwise), name) != std::end(kPointwise)) {
      if (name == "BatchNormalization" && read.int_attribute("training_mode") != 0)
        return Status::unsupported("its statistics are those of the whole picture (training_mode)");
      for (ValueId id : node.inputs()) {  // other operands must not vary over the picture
        if (!id.is_valid() || field(id) || name == "BatchNormalization") continue;
        const auto shape = model_.value(id).type().constant_shape();
        const size_t rank = shape ? shape->size() : 0;
        if (!shape || (rank > 0 && (*shape)[rank - 1] != 1) ||
            (rank > 1 && (*shape)[rank - 2] != 1))
          return Status::unsupported("value {} may differ from place to place",
                                     quoted(model_.value(id).name()));
      }
    } else if (name == "Conv" || name == "MaxPool" || name == "AveragePool" || name == "LpPool") {
      const std::string& auto_pad = read.string_attribute("auto_pad");
      const bool same = auto_pad == "SAME_UPPER" || auto_pad == "SAME_LOWER";
      if (same && (ints("strides", 0, 1) != 1 || ints("strides", 1, 1) != 1))
        return Status::unsupported("its padding depends on the size (auto_pad with strides)");
      if (name == "MaxPool" && node.output(1).is_valid())
        return Status::unsupported("its indices count the pixels of the whole picture");
      const auto weights =
          name == "Conv" ? model_.value(node.input(1)).type().constant_shape() : std::nullopt;
      if (name == "Conv" && (!weights || weights->size() != 4 || !is_constant(node.input(1))))
        return Status::unsupported("its weights are not constant");
      std::array<Field, 2> axes;
      for (size_t i = 0; i < 2; ++i) {
        const int64_t kernel = weights ? (*weights)[2 + i] : ints("kernel_shape", i, 1);
        const int64_t dilation = ints("dilations", i, 1), reach = (kernel - 1) * dilation;
        const int64_t pad = same                  ? (reach + (auto_pad == "SAME_LOWER")) / 2
                            : auto_pad == "VALID" ? 0
                                                  : ints("pads", i, 0);
        axes[i] = window(out, kernel, ints("strides", i, 1), dilation, pad);
      }
      SHIPWAY_ASSIGN_OR_RETURN(out, join(axes[0], axes[1]));
    } else if (name == "ConvTranspose") {
      const auto weights = model_.value(node.input(1)).type().constant_shape();
      if (!weights || weights->size() != 4 || !is_constant(node.input(1)))
        return Status::unsupported("its weights are not constant");
      const std::string& auto_pad = read.string_attribute("auto_pad");
      if (read.has_attribute("output_shape") || auto_pad == "SAME_UPPER" ||
          auto_pad == "SAME_LOWER")
        return Status::unsupported("its padding depends on the size");
      // Output pixel o gathers input pixels (o + pad - k * dilation) / stride, where that is whole.
      const double stride = static_cast<double>(ints("strides", 0, 1));
      if (ints("strides", 1, 1) != ints("strides", 0, 1))
        return Status::unsupported("its strides differ");
      const double reach =
          static_cast<double>(std::max(((*weights)[2] - 1) * ints("dilations", 0, 1),
                                       ((*weights)[3] - 1) * ints("dilations", 1, 1)));
      const auto [least, most] = std::minmax({ints("pads", 0, 0), ints("pads", 1, 0)});
      out.before += out.step * (reach - static_cast<double>(least)) / stride;
      out.after += out.step * static_cast<double>(most) / stride;
      out.step /= stride;
    } else if (name == "Resize") {
      const std::string& mode = read.string_attribute("mode");
      const std::string& coordinates = read.string_attribute("coordinate_transformation_mode");
      const Tensor* scales = model_.constant_tensor(node.input(2));
      if (coordinates == "align_corners" || coordinates == "tf_crop_and_resize" ||
          coordinates == "half_pixel_symmetric")
        return Status::unsupported("its coordinates ({}) depend on the size of the whole picture",
                                   coordinates);
      if (!scales || scales->element_count() != 4 || scales->dtype() != DType::kFloat32 ||
          read.has_attribute("axes"))
        return Status::unsupported("its scales are not four constants");
      const auto s = scales->as<float>();
      if (s[0] != 1 || s[1] != 1 || s[2] != s[3]) return Status::unsupported("its scales differ");
      const double support = mode == "cubic" ? 2 : 1,
                   factor = std::max(1.0, 1.0 / static_cast<double>(s[2]));
      out.before += out.step * (support * factor + 1);
      out.after += out.step * (support * factor + 1);
      out.step /= static_cast<double>(s[2]);
      align(out.step);
    } else if (name == "Pad") {
      const Tensor* pads = model_.constant_tensor(node.input(1));
      if (!pads || pads->dtype() != DType::kInt64 || pads->element_count() != 8 ||
          node.input(3).is_valid())
        return Status::unsupported("its pads are not eight constants");
      const auto p = pads->as<int64_t>();
      if (p[0] != 0 || p[1] != 0 || p[4] != 0 || p[5] != 0)
        return Status::unsupported("it pads other axes than height and width");
      if (read.string_attribute("mode") == "wrap")
        return Status::unsupported("it wraps the picture around (mode 'wrap')");
      std::array<Field, 2> axes;  // out pixel i is pixel i - pad
      for (size_t i = 0; i < 2; ++i) axes[i] = window(out, 1, 1, 1, p[2 + i]);
      SHIPWAY_ASSIGN_OR_RETURN(out, join(axes[0], axes[1]));
    } else if (name == "DepthToSpace") {
      out.step /= static_cast<double>(read.int_attribute("blocksize"));
    } else if (name == "SpaceToDepth") {
      const double block = static_cast<double>(read.int_attribute("blocksize"));
      out.after += out.step * (block - 1);
      out.step *= block;
      align(out.step);
    } else if (name == "Concat" || name == "Split" || name == "Softmax" || name == "LogSoftmax") {
      const int64_t axis = read.int_attribute("axis");
      if (axis != 1 && axis != -3)
        return Status::unsupported("it works along axis {}, over the picture", axis);
    } else {
      return Status::unsupported("it may look at the whole picture");
    }
    for (ValueId id : node.outputs())
      if (id.is_valid()) fields_[id.index] = out;
    return Status::ok();
  }

  const Model& model_;
  std::unordered_map<int32_t, Field> fields_;  // by value id; others do not depend on the picture
  int64_t alignment_ = 1;
};

}  // namespace

Result<Locality> prove_local(const Model& model) { return Proof(model).run(); }

}  // namespace shipway
