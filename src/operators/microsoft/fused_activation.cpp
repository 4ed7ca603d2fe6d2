#include "operators/microsoft/fused_activation.h"

#include <algorithm>

#include "base/text.h"
#include "operators/downgrade_steps.h"

namespace shipway {
namespace {

struct Activation {
  std::string_view name;
  size_t parameters;
  std::string_view op_type;
  std::array<std::string_view, 2> attributes;  // that the parameters become
};
constexpr Activation kActivations[] = {
    {"Clip", 2, "Clip", {}},  // least and most are inputs
    {"Elu", 1, "Elu", {"alpha"}},
    {"Gelu", 0, "Gelu", {}},
    {"HardSigmoid", 2, "HardSigmoid", {"alpha", "beta"}},
    {"HardSwish", 0, "HardSwish", {}},
    {"LeakyRelu", 1, "LeakyRelu", {"alpha"}},
    {"Relu", 0, "Relu", {}},
    {"Sigmoid", 0, "Sigmoid", {}},
    {"Silu", 0, "Swish", {}},
    {"Softplus", 0, "Softplus", {}},
    {"Softsign", 0, "Softsign", {}},
    {"Tanh", 0, "Tanh", {}},
    {"ThresholdedRelu", 1, "ThresholdedRelu", {"alpha"}},
};

}  // namespace

Status replace_by_activation(NodeRewrite& rewrite, ValueId x, const std::string& activation,
                             std::span<const float> parameters) {
  if (activation.empty()) {
    rewrite.replace("Identity", {x});
    return Status::ok();
  }
  const auto* known = std::find_if(std::begin(kActivations), std::end(kActivations),
                                   [&](const Activation& a) { return a.name == activation; });
  if (known == std::end(kActivations))
    return Status::unsupported("attribute 'activation' is {}, which is no activation known here",
                               quoted(activation));
  if (parameters.size() < known->parameters)
    return Status::invalid_model("activation {} takes {} numbers, but {} are given", activation,
                                 known->parameters, parameters.size());
  std::vector<ValueId> inputs{x};
  std::vector<Attribute> attributes;
  for (size_t i = 0; i < known->parameters; ++i) {
    if (!known->attributes[i].empty()) {
      attributes.push_back({std::string(known->attributes[i]), parameters[i]});
      continue;
    }
    SHIPWAY_ASSIGN_OR_RETURN(
        const ValueId bound,
        scalar_like_input(rewrite, i == 0 ? "least" : "most", static_cast<double>(parameters[i])));
    inputs.push_back(bound);
  }
  rewrite.replace(std::string(known->op_type), std::move(inputs), std::move(attributes));
  return Status::ok();
}

}  // namespace shipway
