// shipway._core: the C++ side of the Python package. The names that people use are in
// python/shipway.
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>

#include <atomic>

#include "graph/text.h"
#include "operators/infer.h"
#include "operators/registry.h"
#include "operators/upgrade.h"
#include "python/values.h"
#include "shipway/checker.h"
#include "shipway/formats.h"
#include "shipway/session.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace shipway::python {
namespace {

void throw_unless_ok(const Status& status) {
  if (!status.is_ok()) throw Error(status);
}

std::span<const std::byte> bytes_of(const nb::bytes& bytes) {
  return {reinterpret_cast<const std::byte*>(bytes.c_str()), bytes.size()};
}

/// ONNX's text of a type, as onnxruntime shows it: "tensor(float)", "seq(tensor(int64))".
std::string type_text(const Type& type) {
  const std::string name(to_string(type.dtype()));
  switch (type.kind()) {
    case TypeKind::kTensor:
      return "tensor(" + name + ")";
    case TypeKind::kSparseTensor:
      return "sparse_tensor(" + name + ")";
    case TypeKind::kSequence:
      return "seq(" + type_text(type.element()) + ")";
    case TypeKind::kOptional:
      return "optional(" + type_text(type.element()) + ")";
    case TypeKind::kMap:
      return "map(" + name + "," + type_text(type.element()) + ")";
    default:
      return "";
  }
}

/// Numbers, names of symbols, None for a size nothing is known about; an empty list when the rank
/// is unknown too.
nb::list shape_list(const Type& type, const DimTable& dims) {
  nb::list shape;
  if (!type.dims()) return shape;
  for (Dim dim : *type.dims()) {
    if (dim.is_constant())
      shape.append(dim.value());
    else if (dim.is_unknown() || dims.mentions_fresh(dim))
      shape.append(nb::none());
    else
      shape.append(dims.to_string(dim));
  }
  return shape;
}

nb::list infos(std::span<const ValueInfo> values, const DimTable& dims) {
  nb::list list;
  for (const ValueInfo& value : values)
    list.append(nb::make_tuple(value.name, type_text(value.type), shape_list(value.type, dims),
                               value.optional));
  return list;
}

nb::list run_session(const Session& session,
                     const std::optional<std::vector<std::string>>& output_names,
                     const nb::dict& feeds, double timeout) {
  std::vector<NamedValue> inputs;
  for (auto [name, value] : feeds) {
    try {
      inputs.emplace_back(nb::cast<std::string>(name), value_from_python(value));
    } catch (const Error& error) {
      throw Error(error.status().with_context("input '{}'", nb::cast<std::string>(name)));
    }
  }
  RunOptions options;
  options.timeout = timeout;
  const std::vector<std::string> names = output_names.value_or(std::vector<std::string>());
  Result<std::vector<RuntimeValue>> outputs = [&] {
    nb::gil_scoped_release release;
    return session.run(inputs, names, options);
  }();
  throw_unless_ok(outputs.status());
  nb::list results;
  for (const RuntimeValue& value : *outputs) results.append(value_to_python(value));
  return results;
}

Status check(const nb::object& source, const CheckOptions& options) {
  if (nb::isinstance<nb::bytes>(source))
    return check_model_bytes(bytes_of(nb::cast<nb::bytes>(source)), options);
  if (nb::isinstance<Model>(source)) return check_model(nb::cast<const Model&>(source), options);
  return check_model_file(nb::cast<std::string>(source), options);
}

}  // namespace
}  // namespace shipway::python

NB_MODULE(_core, m) {
  using namespace shipway;
  using namespace shipway::python;
  m.attr("__doc__") = "The C++ side of shipway; use the package shipway instead.";
  m.attr("version") = SHIPWAY_VERSION;

  // Errors: one Python class per StatusCode, made in shipway/errors.py, found by the code's name.
  nb::register_exception_translator([](const std::exception_ptr& pointer, void*) {
    try {
      std::rethrow_exception(pointer);
    } catch (const Error& error) {
      nb::module_ errors = nb::module_::import_("shipway.errors");
      nb::object type = errors.attr("by_code")(std::string(to_string(error.status().code())));
      PyErr_SetString(type.ptr(), error.status().message().c_str());
    }
  });

  nb::class_<Model>(m, "Model")
      .def_prop_ro("ir_version", [](const Model& model) { return model.ir_version; })
      .def(
          "text", [](const Model& model) { return print(model); }, "The whole graph as text.")
      .def(
          "serialize",
          [](const Model& model) {
            const std::string bytes = serialize_model(model).value_or_throw();
            return nb::bytes(bytes.data(), bytes.size());
          },
          "The bytes of an ONNX file.")
      .def(
          "save",
          [](const Model& model, const std::string& path) {
            throw_unless_ok(save_model(model, path));
          },
          "path"_a)
      .def("copy", [](const Model& model) { return Model(model); });

  m.def(
      "load", [](const std::string& path) { return load_model(path).value_or_throw(); }, "path"_a);
  m.def(
      "load_bytes",
      [](const nb::bytes& bytes) {
        return load_model_from_bytes(bytes_of(bytes)).value_or_throw();
      },
      "bytes"_a);
  m.def(
      "check",
      [](const nb::object& source, bool full, bool skip_opset, bool custom_domain) {
        CheckOptions options;
        options.full_check = full;
        options.skip_opset_compatibility_check = skip_opset;
        options.check_custom_domain = custom_domain;
        throw_unless_ok(check(source, options));
      },
      "source"_a, "full"_a, "skip_opset"_a, "custom_domain"_a);
  m.def(
      "infer_shapes",
      [](const Model& model, bool strict, bool follow) {
        // Inference is written for the newest operator versions; what it finds belongs to the same
        // values of the original.
        Model newest = model;
        throw_unless_ok(upgrade(newest, Registry::built_in()));
        throw_unless_ok(infer_shapes(newest, Registry::built_in(),
                                     {.strict = strict, .follow_contents = follow}));
        Model result = model;
        result.dims() = newest.dims();
        ModelBuilder builder(result);
        for (size_t i = 0; i < result.value_count(); ++i) {
          const ValueId id{static_cast<int32_t>(i)};
          if (!result.value(id).is_removed()) builder.set_type(id, newest.value(id).type());
        }
        return result;
      },
      "model"_a, "strict"_a, "follow"_a);

  nb::class_<Session>(m, "Session")
      .def("inputs", [](const Session& s) { return infos(s.inputs(), s.dims()); })
      .def("outputs", [](const Session& s) { return infos(s.outputs(), s.dims()); })
      .def("run", &run_session, "output_names"_a.none(), "feeds"_a, "timeout"_a = -1.0);
  m.def(
      "create_session",
      [](Model model, int threads, int level, bool reference) {
        SessionOptions options;
        options.threads = threads;
        options.level = level;
        options.reference = reference;
        nb::gil_scoped_release release;
        return Session::create(std::move(model), options).value_or_throw();
      },
      "model"_a, "threads"_a, "level"_a, "reference"_a);
  m.def("metadata", [](const Model& model) {
    nb::dict custom;
    for (const auto& [key, value] : model.metadata) custom[nb::cast(key)] = value;
    return nb::make_tuple(model.producer_name, model.graph().name(), model.domain, model.doc_string,
                          model.model_version, custom);
  });
}
