// ONNX's text syntax for Python: shipway._core.to_text, parse_model, parse_graph, ...
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include "python/bindings.h"
#include "shipway/formats.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace shipway::python {
namespace {

/// Bytes in a model's strings that are no UTF-8 stand in a Python text as lone surrogates, and come
/// back as what they were.
constexpr char kKeepBytes[] = "surrogateescape";

nb::object text_to_python(const std::string& text) {
  return nb::steal(
      PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), kKeepBytes));
}

nb::bytes parse(const nb::str& text, OnnxMessage kind) {
  const nb::object encoded = nb::steal(PyUnicode_AsEncodedString(text.ptr(), "utf-8", kKeepBytes));
  if (!encoded.is_valid()) throw nb::python_error();
  const auto bytes = nb::cast<nb::bytes>(encoded);
  const std::string message = parse_onnx_text({bytes.c_str(), bytes.size()}, kind).value_or_throw();
  return nb::bytes(message.data(), message.size());
}

OnnxMessage message_named(const std::string& kind) {
  if (kind == "model") return OnnxMessage::kModel;
  if (kind == "graph") return OnnxMessage::kGraph;
  if (kind == "function") return OnnxMessage::kFunction;
  if (kind == "node") return OnnxMessage::kNode;
  throw Error(Status::invalid_argument("kind '{}', expected model, graph, function or node", kind));
}

}  // namespace

void bind_text(nb::module_& m) {
  m.def(
      "to_text",
      [](const nb::bytes& message, const std::string& kind) {
        return text_to_python(
            print_onnx_text(bytes_of(message), message_named(kind)).value_or_throw());
      },
      nb::sig("def to_text(message: bytes, kind: str = 'model') -> str"), "message"_a,
      "kind"_a = "model",
      "The text of an encoded ONNX message (kind: model, graph, function or node) in ONNX's text "
      "syntax.");
  m.def(
      "parse_model", [](const nb::str& text) { return parse(text, OnnxMessage::kModel); }, "text"_a,
      "The encoded ModelProto that a text in ONNX's syntax stands for.");
  m.def(
      "parse_graph", [](const nb::str& text) { return parse(text, OnnxMessage::kGraph); }, "text"_a,
      "The same for a GraphProto.");
  m.def(
      "parse_function", [](const nb::str& text) { return parse(text, OnnxMessage::kFunction); },
      "text"_a, "The same for a FunctionProto.");
  m.def(
      "parse_node", [](const nb::str& text) { return parse(text, OnnxMessage::kNode); }, "text"_a,
      "The same for a NodeProto.");
}

}  // namespace shipway::python
