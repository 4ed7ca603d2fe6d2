// Values between numpy and Shipway, without copies where the memory allows.
#pragma once

#include <nanobind/nanobind.h>

#include "shipway/model.h"
#include "shipway/tensor.h"

namespace shipway::python {

/// What Python gave as a value: an array (any dtype that ONNX has, ml_dtypes included), a list
/// (sequence), a dict (map), None (absent), a scalar, or strings. Contiguous arrays are borrowed
/// and kept alive. Throws nanobind errors or shipway::Error that say what was found.
RuntimeValue value_from_python(nanobind::handle object);

/// The same for an input of a known type: where it is a tensor, lists and numbers become arrays of
/// its dtype.
RuntimeValue value_from_python(nanobind::handle object, const Type& expected);

/// numpy arrays, lists, dicts, None. Arrays own the tensor's memory without a copy.
nanobind::object value_to_python(const RuntimeValue& value);

}  // namespace shipway::python
