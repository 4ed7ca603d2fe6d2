// Pad of the spatial axes goes into the pads of what follows:
//
//   Conv(Pad(x, p, 0))              -> Conv[pads + p](x)
//   AveragePool(Pad(x, p, 0))       -> AveragePool[pads + p, count_include_pad=1](x)
//   MaxPool(Pad(x, p, -infinity))   -> MaxPool[pads + p](x)
#include <algorithm>
#include <limits>

#include "passes/match.h"
#include "passes/pipelines.h"

namespace shipway {
namespace {

std::string_view string_attribute(const Node& node, std::string_view name,
                                  std::string_view otherwise) {
  const Attribute* attribute = node.attribute(name);
  const std::string* text = attribute ? attribute->get<std::string>() : nullptr;
  return text ? std::string_view(*text) : otherwise;
}

/// Constant borders of the spatial axes, as an attribute `pads` says it: all begins, then all ends.
struct Border {
  std::vector<int64_t> pads;
  double fill = 0;
};

std::optional<Border> border_of(const Model& model, const Node& pad) {
  const Dims* dims = dims_of(model, pad.input(0));
  const auto pads = pad.input(1).is_valid() ? constant_ints(model, pad.input(1)) : std::nullopt;
  if (!dims || dims->size() < 3 || !pads || string_attribute(pad, "mode", "constant") != "constant")
    return std::nullopt;
  const auto rank = static_cast<int64_t>(dims->size());
  std::vector<int64_t> axes;
  if (pad.input(3).is_valid()) {
    const auto given = constant_ints(model, pad.input(3));
    if (!given) return std::nullopt;
    axes = *given;
  } else {
    for (int64_t axis = 0; axis < rank; ++axis) axes.push_back(axis);
  }
  if (pads->size() != 2 * axes.size()) return std::nullopt;
  const auto spatial = static_cast<size_t>(rank - 2);
  Border border{std::vector<int64_t>(2 * spatial, 0), 0};
  for (size_t i = 0; i < axes.size(); ++i) {
    const int64_t axis = axes[i] < 0 ? axes[i] + rank : axes[i];
    const int64_t begin = (*pads)[i], end = (*pads)[axes.size() + i];
    if (begin == 0 && end == 0) continue;
    if (axis < 2 || axis >= rank || begin < 0 || end < 0) return std::nullopt;
    border.pads[static_cast<size_t>(axis - 2)] = begin;
    border.pads[spatial + static_cast<size_t>(axis - 2)] = end;
  }
  if (pad.input(2).is_valid()) {
    const auto fill = constant_fill(model, pad.input(2));
    if (!fill) return std::nullopt;
    border.fill = *fill;
  }
  return border;
}

std::optional<Patch> fuse_pad(const Model& model, const Node& node) {
  const bool is_conv = node.is("Conv"), is_average = node.is("AveragePool");
  if (!is_conv && !is_average && !node.is("MaxPool")) return std::nullopt;
  const Node* pad = producer(model, node.input(0));
  if (!pad || !pad->is("Pad")) return std::nullopt;
  const std::optional<Border> border = border_of(model, *pad);
  const double fill = is_conv || is_average ? 0 : -std::numeric_limits<double>::infinity();
  if (!border || border->fill != fill) return std::nullopt;

  // SAME_... would divide another size than that of x.
  const std::string_view auto_pad = string_attribute(node, "auto_pad", "NOTSET");
  const std::span<const int64_t> own = ints_attribute(node, "pads");
  if ((auto_pad != "NOTSET" && auto_pad != "VALID") || int_attribute(node, "ceil_mode", 0) != 0 ||
      (!own.empty() && own.size() != border->pads.size()))
    return std::nullopt;
  std::vector<int64_t> pads = border->pads;
  if (auto_pad == "NOTSET")
    for (size_t i = 0; i < own.size(); ++i) pads[i] += own[i];
  if (!is_conv) {
    // A window must not lie in the border alone; and what AveragePool does not count, it never
    // counts.
    const std::span<const int64_t> kernel = ints_attribute(node, "kernel_shape");
    for (size_t i = 0; i < pads.size(); ++i)
      if (kernel.size() * 2 != pads.size() || pads[i] >= kernel[i % kernel.size()])
        return std::nullopt;
    const bool has_own = std::any_of(own.begin(), own.end(), [](int64_t n) { return n != 0; });
    if (is_average && has_own && int_attribute(node, "count_include_pad", 0) == 0)
      return std::nullopt;
    // Indices of maxima would count another size.
    if (!is_unused(model, node.output(1))) return std::nullopt;
  }
  Patch patch(node.id());
  NodeSpec spec = like(node);
  std::erase_if(spec.attributes, [](const Attribute& attribute) {
    return attribute.name == "pads" || attribute.name == "auto_pad" ||
           attribute.name == "count_include_pad";
  });
  spec.attributes.push_back({"pads", std::move(pads)});
  if (is_average) spec.attributes.push_back({"count_include_pad", int64_t{1}});
  spec.inputs.assign(node.inputs().begin(), node.inputs().end());
  spec.inputs[0] = pad->input(0);
  spec.outputs = {node.output(0)};
  if (has_one_use(model, node.input(0))) patch.remove_node(pad->id());
  patch.remove_node(node.id());
  patch.add_node(std::move(spec));
  return patch;
}

}  // namespace

const Pass kFusePad = {.name = "fuse_pad",
                       .summary = "puts Pad into the pads of Conv, AveragePool and MaxPool",
                       .level = 2,
                       .rule = fuse_pad};

}  // namespace shipway
