// Prints the schemas of all operators of ONNX as JSON, for tests/python/test_schemas.py to compare
// with onnx.defs.
#include <cstdio>
#include <nlohmann/json.hpp>

#include "operators/registry.h"

namespace shipway {
namespace {

nlohmann::json json_of(const std::vector<FormalParameter>& parameters) {
  auto result = nlohmann::json::array();
  for (const FormalParameter& parameter : parameters) {
    const char* const options[] = {"Single", "Optional", "Variadic"};
    result.push_back({{"name", parameter.name},
                      {"option", options[static_cast<size_t>(parameter.option)]},
                      {"homogeneous", parameter.homogeneous},
                      {"min_arity", parameter.min_arity},
                      {"type", parameter.type_name},
                      {"types", parameter.types.texts()}});
  }
  return result;
}

nlohmann::json json_of(const AttributeDefault& value) {
  return std::visit(
      [](const auto& held) -> nlohmann::json {
        if constexpr (std::is_same_v<std::decay_t<decltype(held)>, std::monostate>) {
          return nullptr;
        } else {
          return held;
        }
      },
      value);
}

nlohmann::json json_of(const Operator& op, const Schema& schema) {
  nlohmann::json result = {
      {"domain", op.domain},
      {"name", op.name},
      {"since", schema.since},
      {"deprecated", schema.deprecated},
      {"experimental", schema.experimental},
      {"inputs", json_of(schema.inputs)},
      {"outputs", json_of(schema.outputs)},
      {"arity",
       {schema.min_inputs(), schema.max_inputs(), schema.min_outputs(), schema.max_outputs()}},
      {"attributes", nlohmann::json::array()},
      {"constraints", nlohmann::json::array()}};
  for (const AttributeSchema& attribute : schema.attributes)
    result["attributes"].push_back({{"name", attribute.name},
                                    {"type", to_string(attribute.type)},
                                    {"required", attribute.required},
                                    {"default", json_of(attribute.default_value)}});
  for (const TypeConstraint& constraint : schema.constraints)
    result["constraints"].push_back(
        {{"name", constraint.name}, {"types", constraint.types.texts()}});
  return result;
}

}  // namespace
}  // namespace shipway

int main() {
  auto all = nlohmann::json::array();
  shipway::Registry::onnx().for_each([&](const shipway::Operator& op) {
    for (const shipway::Schema& schema : op.versions) all.push_back(shipway::json_of(op, schema));
  });
  std::puts(all.dump().c_str());
}
