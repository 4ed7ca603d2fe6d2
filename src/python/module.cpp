// shipway._core: the C++ side of the Python package. The names that people use are in
// python/shipway.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include "python/bindings.h"

namespace nb = nanobind;

NB_MODULE(_core, m) {
  using namespace shipway;
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

  python::bind_compose(m);
  python::bind_models(m);
  python::bind_schemas(m);
  python::bind_sessions(m);
  python::bind_text(m);
}
