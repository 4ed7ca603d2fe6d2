// Operators of ONNX Runtime that ai.onnx has too, mostly since later: the same but for a name, a
// default, or the form of an input.
#include "base/text.h"
#include "operators/downgrade_steps.h"
#include "operators/microsoft/quantized_parts.h"
#include "operators/microsoft/with_body.h"

namespace shipway {
namespace {

/// The same inputs and attributes under the same name.
Status keep_all(NodeRewrite& rewrite) {
  const Node& node = rewrite.node();
  rewrite.replace(node.op_type(), {node.inputs().begin(), node.inputs().end()},
                  {node.attributes().begin(), node.attributes().end()});
  return Status::ok();
}

/// The names of the modes are PyTorch's.
Status expand_grid_sample(NodeRewrite& rewrite) {
  const std::string& given = rewrite.string_attribute("mode");
  const std::string mode = given == "bilinear" ? "linear" : given == "bicubic" ? "cubic" : given;
  if (mode != "linear" && mode != "cubic" && mode != "nearest")
    return Status::invalid_model("attribute 'mode' is {}, expected bilinear, bicubic or nearest",
                                 quoted(given));
  rewrite.replace("GridSample", {rewrite.node().input(0), rewrite.node().input(1)},
                  {{"align_corners", rewrite.int_attribute("align_corners")},
                   {"mode", mode},
                   {"padding_mode", rewrite.string_attribute("padding_mode")}});
  return Status::ok();
}

/// The step may be left out, and each number come as [1].
Status expand_range(NodeRewrite& rewrite) {
  const Node& node = rewrite.node();
  ValueId step;
  if (node.input(2).is_valid()) {
    step = as_scalar(rewrite, node.input(2));
  } else {
    SHIPWAY_ASSIGN_OR_RETURN(step, scalar_like_input(rewrite, "one", 1));
  }
  rewrite.replace("Range",
                  {as_scalar(rewrite, node.input(0)), as_scalar(rewrite, node.input(1)), step});
  return Status::ok();
}

/// The pads may come as [1, 2 * rank], and the value as [1].
Status expand_pad(NodeRewrite& rewrite) {
  const Node& node = rewrite.node();
  std::vector<ValueId> inputs{
      node.input(0),
      rewrite.insert("Reshape",
                     {node.input(1), rewrite.add_ints("list", std::vector<int64_t>{-1})})};
  if (node.input(2).is_valid()) inputs.push_back(as_scalar(rewrite, node.input(2)));
  rewrite.replace("Pad", std::move(inputs), {{"mode", rewrite.string_attribute("mode")}});
  return Status::ok();
}

/// The axis is a scalar of int32.
Status expand_expand_dims(NodeRewrite& rewrite) {
  const ValueId axis = rewrite.insert("Cast", {rewrite.node().input(1)},
                                      {{"to", static_cast<int64_t>(DType::kInt64)}});
  const ValueId list =
      rewrite.insert("Reshape", {axis, rewrite.add_ints("list", std::vector<int64_t>{-1})});
  rewrite.replace("Unsqueeze", {rewrite.node().input(0), list});
  return Status::ok();
}

/// Indices may be int32.
Status expand_gather_nd(NodeRewrite& rewrite) {
  const ValueId indices = rewrite.insert("Cast", {rewrite.node().input(1)},
                                         {{"to", static_cast<int64_t>(DType::kInt64)}});
  rewrite.replace("GatherND", {rewrite.node().input(0), indices});
  return Status::ok();
}

/// The numbers of each group are per tensor without attribute 'axis', and per element of that axis
/// with one.
Status expand_linear(NodeRewrite& rewrite) {
  const Node& node = rewrite.node();
  const bool per_axis = rewrite.has_attribute("axis");
  std::vector<ValueId> inputs{node.input(0)};
  for (size_t i : {size_t{1}, size_t{2}})
    if (node.input(i).is_valid())
      inputs.push_back(per_axis ? node.input(i) : as_scalar(rewrite, node.input(i)));
  rewrite.replace(node.op_type(), std::move(inputs),
                  {node.attributes().begin(), node.attributes().end()});
  return Status::ok();
}

Operator renamed(std::string name, std::string summary, std::string_view signature,
                 std::string_view types, std::string_view attributes, Schema::Rewrite body,
                 Accuracy accuracy = Accuracy::exact()) {
  return microsoft_with_body(std::move(name), std::move(summary), signature, types, attributes,
                             body, accuracy);
}

}  // namespace

const Operator& microsoft_dequantize_linear_operator() {
  static const Operator definition =
      renamed("DequantizeLinear", "DequantizeLinear of ai.onnx, earlier with more types.",
              "(x: T1, x_scale: T2, x_zero_point?: T1) -> (y: T2)",
              "T1: int8 uint8 int16 uint16 int32 int4 uint4; T2: float16 float", "axis: int?",
              expand_linear);
  return definition;
}

const Operator& microsoft_expand_dims_operator() {
  static const Operator definition =
      renamed("ExpandDims", "Inserts one axis of size one.", "(X: T, axis: int32) -> (Y: T)",
              "T: all_ir3", {}, expand_expand_dims);
  return definition;
}

const Operator& microsoft_gather_nd_operator() {
  static const Operator definition = renamed("GatherND", "GatherND of ai.onnx, without batch axes.",
                                             "(data: T, indices: Tind) -> (output: T)",
                                             "T: all_ir3; Tind: int32 int64", {}, expand_gather_nd);
  return definition;
}

const Operator& microsoft_grid_sample_operator() {
  static const Operator definition =
      renamed("GridSample", "GridSample of ai.onnx with the older names of its modes.",
              "(X: T1, Grid: T1) -> (Y: T2)", "T1: all_ir3; T2: floats",
              "align_corners: int = 0; mode: string = 'bilinear'; padding_mode: string = 'zeros'",
              expand_grid_sample, Accuracy::rounding());
  return definition;
}

const Operator& microsoft_pad_operator() {
  static const Operator definition = renamed("Pad", "Pad of ai.onnx for floats.",
                                             "(data: T, pads: int64, value?: T) -> (output: T)",
                                             "T: floats", "mode: string = 'constant'", expand_pad);
  return definition;
}

const Operator& microsoft_quantize_linear_operator() {
  static const Operator definition = renamed(
      "QuantizeLinear", "QuantizeLinear of ai.onnx, earlier with more types.",
      "(x: T1, y_scale: T1, y_zero_point?: T2) -> (y: T2)",
      "T1: float16 float; T2: int8 uint8 int16 uint16 int4 uint4", "axis: int?", expand_linear);
  return definition;
}

const Operator& microsoft_range_operator() {
  static const Operator definition =
      renamed("Range", "Range of ai.onnx whose step may be left out.",
              "(start: T, limit: T, delta?: T) -> (Y: T)", "T: float double int16 int32 int64", {},
              expand_range);
  return definition;
}

const Operator& microsoft_trilu_operator() {
  static const Operator definition =
      renamed("Trilu", "Trilu of ai.onnx.", "(X: T, k?: int64) -> (Y: T)",
              "T: floats bfloat16 uint8 uint16 uint32 uint64 int8 int16 int32 int64 bool",
              "upper: int = 1", keep_all);
  return definition;
}

}  // namespace shipway
