// Scatter: writes updates to indexed positions; the older name of ScatterElements.
#include "operators/scatter.h"

#include "operators/operator.h"

namespace shipway {

namespace {

Status become_scatter_elements(NodeRewrite& rewrite) {
  const std::span<const ValueId> inputs = rewrite.node().inputs();
  rewrite.replace("ScatterElements", {inputs.begin(), inputs.end()},
                  {{"axis", rewrite.int_attribute("axis")}});
  return Status::ok();
}

}  // namespace

Status refuse_max_and_min(NodeRewrite& rewrite) {
  const std::string& reduction = rewrite.string_attribute("reduction");
  if (reduction == "max" || reduction == "min")
    return Status::unsupported("attribute 'reduction' ('{}') came with opset 18", reduction);
  return Status::ok();
}

const Operator& scatter_operator() {
  static const Operator definition{
      .name = "Scatter",
      .summary = "Writes updates to indexed positions; the older name of ScatterElements.",
      .versions = {{.since = 9,
                    .signature = "(data: T, indices: Tind, updates: T) -> (output: T)",
                    .types = "T: all_ir3; Tind: int32 int64",
                    .attributes = "axis: int = 0",
                    .upgrade = become_scatter_elements},
                   {.since = 11,
                    .signature = "(data: T, indices: Tind, updates: T) -> (output: T)",
                    .types = "T: all_ir3; Tind: int32 int64",
                    .attributes = "axis: int = 0",
                    .deprecated = true}},
      .infer = infer_scatter_elements,
      .evaluate = evaluate_scatter_elements,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
