// What the files of the Python module share: one function per subject adds its names to `_core`.
#pragma once

#include <nanobind/nanobind.h>

#include <memory>
#include <span>

#include "shipway/model.h"

namespace shipway::python {

void bind_compose(nanobind::module_& m);   // compose.cpp: models put together and taken apart
void bind_models(nanobind::module_& m);    // models.cpp: files, checker, inference, optimisation
void bind_schemas(nanobind::module_& m);   // schemas.cpp: what ONNX declares of its operators
void bind_sessions(nanobind::module_& m);  // sessions.cpp: running
void bind_text(nanobind::module_& m);      // text.cpp: ONNX's text syntax

inline void throw_unless_ok(const Status& status) {
  if (!status.is_ok()) throw Error(status);
}

inline std::span<const std::byte> bytes_of(const nanobind::bytes& bytes) {
  return {reinterpret_cast<const std::byte*>(bytes.c_str()), bytes.size()};
}

// models.cpp
/// The model in an ONNX file's bytes; tensors borrow from them.
Model load_bytes(const nanobind::bytes& bytes);
nanobind::bytes serialized(const Model& model);

/// Keeps a Python object alive from C++, and lets it go with the GIL held.
std::shared_ptr<const void> keep_alive(nanobind::object object);

}  // namespace shipway::python
