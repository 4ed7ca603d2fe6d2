// Model files, the checker, shape inference and the optimiser.
#include <nanobind/nanobind.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include <map>

#include "graph/builder.h"
#include "graph/text.h"
#include "operators/declare_shapes.h"
#include "operators/registry.h"
#include "python/bindings.h"
#include "python/values.h"
#include "shipway/checker.h"
#include "shipway/formats.h"
#include "shipway/opset.h"
#include "shipway/optimizer.h"

namespace shipway::python {
namespace nb = nanobind;
using namespace nb::literals;

Model load_bytes(const nb::bytes& bytes) {
  // Tensors borrow from the bytes object, which nobody can change.
  const std::span<const std::byte> view = bytes_of(bytes);
  std::shared_ptr<const void> owner = keep_alive(nb::borrow(bytes));
  nb::gil_scoped_release release;
  return load_model_from_bytes(view, std::move(owner)).value_or_throw();
}

nb::bytes serialized(const Model& model) {
  const std::string bytes = serialize_model(model).value_or_throw();
  return nb::bytes(bytes.data(), bytes.size());
}

namespace {

Model load_file(const std::string& path) {
  nb::gil_scoped_release release;
  return load_model(path).value_or_throw();
}

void check(const nb::object& source, bool full, bool skip_opset, bool custom_domain,
           std::optional<std::string> external_data_folder) {
  CheckOptions options;
  options.full_check = full;
  options.skip_opset_compatibility_check = skip_opset;
  options.check_custom_domain = custom_domain;
  options.external_data_folder = std::move(external_data_folder);
  if (nb::isinstance<nb::bytes>(source)) {
    const std::span<const std::byte> bytes = bytes_of(nb::cast<nb::bytes>(source));
    nb::gil_scoped_release release;
    throw_unless_ok(check_model_bytes(bytes, options));
  } else if (nb::isinstance<Model>(source)) {
    const Model& model = nb::cast<const Model&>(source);
    nb::gil_scoped_release release;
    throw_unless_ok(check_model(model, options));
  } else {
    const auto path = nb::cast<std::string>(source);
    nb::gil_scoped_release release;
    throw_unless_ok(check_model_file(path, options));
  }
}

Model inferred(const Model& model, bool strict, bool follow) {
  nb::gil_scoped_release release;
  return with_inferred_shapes(model, Registry::built_in(),
                              {.strict = strict, .follow_contents = follow})
      .value_or_throw();
}

Model optimized(const Model& model, int level) {
  nb::gil_scoped_release release;
  Model result = model;
  OptimizeOptions options;
  options.level = level;
  throw_unless_ok(optimize(result, options).status());
  return result;
}

Model converted(const Model& model, int64_t target) {
  nb::gil_scoped_release release;
  Model result = model;
  throw_unless_ok(convert_opset(result, target));
  return result;
}

/// A copy in which the symbols named in `sizes` are numbers, in every declared shape.
Model with_sizes(const Model& model, const std::map<std::string, int64_t>& sizes) {
  Model result = model;
  DimTable& dims = result.dims();
  ModelBuilder builder(result);
  for (size_t i = 0; i < result.value_count(); ++i) {
    const ValueId id{static_cast<int32_t>(i)};
    const Type& type = result.value(id).type();
    if (result.value(id).is_removed() || !type.dims()) continue;
    Dims known = *type.dims();
    for (Dim& dim : known)
      dim = dims.substitute(dim, [&](Dim symbol) -> std::optional<Dim> {
        const auto size = sizes.find(std::string(dims.symbol_name(symbol)));
        if (size == sizes.end()) return std::nullopt;
        return Dim(size->second);
      });
    builder.set_type(id, type.with_dims(std::move(known)));
  }
  return result;
}

/// A copy whose initializers of these names have other data, of the same dtype and shape.
Model with_initializers(const Model& model, const nb::dict& values) {
  Model result = model;
  ModelBuilder builder(result);
  for (auto [key, given] : values) {
    const auto name = nb::cast<std::string>(key);
    const ValueId id = result.find_value(name);
    if (!id.is_valid() || !result.value(id).is_initializer())
      throw Error(Status::invalid_argument("the model has no initializer '{}'", name));
    const Tensor& before = result.value(id).constant()->tensor;
    RuntimeValue value = value_from_python(given);
    const Tensor* tensor = value.tensor();
    if (!tensor || tensor->dtype() != before.dtype() || tensor->shape() != before.shape())
      throw Error(Status::invalid_argument(
          "initializer '{}' is {}{}, which a value of another dtype or shape cannot replace", name,
          to_string(before.dtype()), to_string(before.shape())));
    builder.set_constant(id, Constant{.tensor = *tensor, .sparse = {}, .external = {}});
  }
  return result;
}

nb::tuple metadata(const Model& model) {
  nb::dict custom;
  for (const auto& [key, value] : model.metadata) custom[nb::cast(key)] = value;
  return nb::make_tuple(model.producer_name, model.graph().name(), model.domain, model.doc_string,
                        model.model_version, custom);
}

}  // namespace

void bind_models(nb::module_& m) {
  nb::class_<Model>(m, "Model", "A graph with everything that its file said.")
      .def_prop_ro(
          "ir_version", [](const Model& model) { return model.ir_version; },
          "The version of the file's form.")
      .def(
          "text", [](const Model& model) { return print(model); }, "The whole graph as text.")
      .def(
          "serialize", [](const Model& model) { return serialized(model); },
          "The bytes of an ONNX file, every tensor inside. Raises InvalidModel above 2 GB.")
      .def(
          "save",
          [](const Model& model, const std::string& path) {
            throw_unless_ok(save_model(model, path));
          },
          "path"_a, "Writes ONNX; the file is replaced when complete.")
      .def(
          "copy", [](const Model& model) { return Model(model); },
          "A copy; tensors are shared, the rest is its own.");

  m.def("load", &load_file, "path"_a);
  m.def("load_bytes", &load_bytes, "bytes"_a);
  m.def("check", &check, "source"_a, "full"_a, "skip_opset"_a, "custom_domain"_a,
        "external_data_folder"_a = nb::none());
  m.def("infer_shapes", &inferred, "model"_a, "strict"_a, "follow"_a);
  m.def("optimize", &optimized, "model"_a, "level"_a,
        "A copy, optimised as plain ONNX of the newest opset.");
  m.def("convert_version", &converted, "model"_a, "target"_a,
        "A copy in another opset of ai.onnx, older or newer.");
  m.def("with_sizes", &with_sizes, "model"_a, "sizes"_a);
  m.def("with_initializers", &with_initializers,
        nb::sig("def with_initializers(model: Model, values: dict[str, typing.Any]) -> Model"),
        "model"_a, "values"_a);
  m.def("metadata", &metadata,
        nb::sig("def metadata(model: Model) -> tuple[str, str, str, str, int, dict[str, str]]"),
        "model"_a, "Producer, graph name, domain, description, version, custom entries.");
}

}  // namespace shipway::python
