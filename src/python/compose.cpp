// Models put together and taken apart, from bytes to bytes: what shipway.onnx.compose, utils and
// inliner are made of.
#include "shipway/compose.h"

#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "operators/declare_shapes.h"
#include "python/bindings.h"

namespace shipway::python {
namespace nb = nanobind;
using namespace nb::literals;
namespace {

using Strings = std::vector<std::string>;

nb::bytes merged(const nb::bytes& first, const nb::bytes& second, const NamePairs& io_map,
                 const Strings& inputs, const Strings& outputs, const std::string& prefix1,
                 const std::string& prefix2, const std::optional<std::string>& name) {
  return serialized(merge(load_bytes(first), load_bytes(second),
                          {.connections = io_map,
                           .inputs = inputs,
                           .outputs = outputs,
                           .prefix1 = prefix1,
                           .prefix2 = prefix2,
                           .name = name})
                        .value_or_throw());
}

nb::bytes extracted(const nb::bytes& bytes, const Strings& inputs, const Strings& outputs,
                    bool infer) {
  Model model = load_bytes(bytes);
  if (infer)
    model = with_inferred_shapes(model, Registry::built_in(), {.strict = false}).value_or_throw();
  return serialized(extract(model, inputs, outputs).value_or_throw());
}

nb::bytes prefixed(const nb::bytes& model, const std::string& prefix, bool nodes, bool edges,
                   bool inputs, bool outputs, bool initializers, bool functions) {
  return serialized(add_prefix(load_bytes(model), prefix,
                               {.nodes = nodes,
                                .edges = edges,
                                .inputs = inputs,
                                .outputs = outputs,
                                .initializers = initializers,
                                .functions = functions})
                        .value_or_throw());
}

}  // namespace

void bind_compose(nb::module_& m) {
  m.def("merge", &merged, "first"_a, "second"_a, "io_map"_a, "inputs"_a = Strings(),
        "outputs"_a = Strings(), "prefix1"_a = "", "prefix2"_a = "", "name"_a = nb::none(),
        "Two encoded models as one: outputs of the first become inputs of the second.");
  m.def("extract", &extracted, "model"_a, "inputs"_a, "outputs"_a, "infer"_a = true,
        "The part of an encoded model that computes `outputs` from `inputs`.");
  m.def("prefix", &prefixed, "model"_a, "prefix"_a, "rename_nodes"_a = true,
        "rename_edges"_a = true, "rename_inputs"_a = true, "rename_outputs"_a = true,
        "rename_initializers"_a = true, "rename_functions"_a = true,
        "An encoded model with `prefix` before its names.");
  m.def(
      "rename",
      [](const nb::bytes& model, const NamePairs& values, const NamePairs& nodes) {
        return serialized(rename(load_bytes(model), values, nodes).value_or_throw());
      },
      "model"_a, "values"_a, "nodes"_a = NamePairs(),
      "An encoded model with values and nodes renamed: pairs of an old and a new name.");
  m.def(
      "inline_functions",
      [](const nb::bytes& model, const NamePairs& functions, bool exclude) {
        return serialized(
            inline_local_functions(load_bytes(model), {.functions = functions, .exclude = exclude})
                .value_or_throw());
      },
      "model"_a, "functions"_a = NamePairs(), "exclude"_a = true,
      "An encoded model with the calls of its own functions replaced by their bodies: of those "
      "named (domain, name), or of all but those.");
}

}  // namespace shipway::python
