// What ONNX declares of its operators, for shipway.onnx.defs.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include "operators/registry.h"
#include "operators/upgrade.h"
#include "python/bindings.h"

namespace shipway::python {
namespace nb = nanobind;
using namespace nb::literals;
namespace {

/// "T", or the type itself where a parameter has no constraint. (name, option, homogeneous, least
/// count, type, types)
nb::list parameters(const std::vector<FormalParameter>& declared) {
  nb::list list;
  for (const FormalParameter& parameter : declared)
    list.append(nb::make_tuple(parameter.name, static_cast<int>(parameter.option),
                               parameter.homogeneous, parameter.min_arity, parameter.type_name,
                               parameter.types.texts()));
  return list;
}

nb::object default_of(const AttributeSchema& attribute) {
  return std::visit(
      [](const auto& value) -> nb::object {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, std::monostate>) {
          return nb::none();
        } else if constexpr (std::is_same_v<T, std::string>) {
          return nb::bytes(value.data(), value.size());
        } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
          nb::list texts;
          for (const std::string& text : value) texts.append(nb::bytes(text.data(), text.size()));
          return texts;
        } else {
          return nb::cast(value);
        }
      },
      attribute.default_value);
}

nb::list all_schemas() {
  nb::list list;
  Registry::onnx().for_each([&](const Operator& op) {
    for (const Schema& schema : op.versions) {
      nb::list attributes;
      for (const AttributeSchema& attribute : schema.attributes)
        attributes.append(nb::make_tuple(attribute.name, std::string(to_string(attribute.type)),
                                         attribute.required, default_of(attribute)));
      nb::list constraints;
      for (const TypeConstraint& constraint : schema.constraints)
        constraints.append(nb::make_tuple(constraint.name, constraint.types.texts()));
      nb::dict entry;
      entry["domain"] = op.domain;
      entry["name"] = op.name;
      entry["doc"] = op.summary;
      entry["since_version"] = schema.since;
      entry["deprecated"] = schema.deprecated;
      entry["experimental"] = schema.experimental;
      entry["inputs"] = parameters(schema.inputs);
      entry["outputs"] = parameters(schema.outputs);
      entry["attributes"] = attributes;
      entry["type_constraints"] = constraints;
      entry["min_input"] = schema.min_inputs();
      entry["max_input"] = schema.max_inputs();
      entry["min_output"] = schema.min_outputs();
      entry["max_output"] = schema.max_outputs();
      list.append(entry);
    }
  });
  return list;
}

}  // namespace

void bind_schemas(nb::module_& m) {
  m.def("schemas", &all_schemas, nb::sig("def schemas() -> list[dict[str, typing.Any]]"),
        "Every version of every operator, by domain, name and version.");
  m.def("newest_opset", &newest_opset, "domain"_a,
        "The newest opset of a domain; 0 for an unknown domain.");
}

}  // namespace shipway::python
