// Names what a file is when it is no model that Shipway reads: one clear sentence instead of a
// decoder's complaint.
#include <algorithm>

#include "formats/registry.h"
#include "formats/wire/protobuf.h"

namespace shipway {
namespace {

using namespace std::string_view_literals;

struct Signature {
  size_t offset;
  std::string_view bytes;
  std::string_view what;
};

constexpr std::string_view kExport = "export the model to ONNX with the framework that wrote it";

// Signatures at a fixed place. Sources: the formats' own documentation, and netron's `match`
// functions.
constexpr Signature kSignatures[] = {
    {0, "version https://git-lfs"sv,
     "a Git LFS pointer: the model itself was not downloaded; run `git lfs pull` in its "
     "repository"},
    {0, "\x89HDF\r\n\x1a\n"sv,
     "an HDF5 file (Keras or MATLAB): export the model to ONNX with tf2onnx or Keras' export"},
    {0, "\x93NUMPY"sv, "a NumPy array (.npy): that is data for a model, not a model"},
    {0, "GGUF"sv, "a GGUF file (llama.cpp): its weights have no graph that could be run here"},
    {0, "\x89SHIPLAN"sv,
     "a plan file of Shipway: it is for running; look at, check or convert the model that it was "
     "made from"},
    {0, "\x89PNG\r\n\x1a\n"sv,
     "a PNG picture: give it as input (--input NAME=FILE), not as the model"},
    {0, "\xff\xd8\xff"sv, "a JPEG picture: give it as input (--input NAME=FILE), not as the model"},
    {0, "GIF8"sv, "a GIF picture, not a model"},
    {8, "WEBP"sv, "a WebP picture: give it as input (--input NAME=FILE), not as the model"},
    {0, "%PDF-"sv, "a PDF document, not a model"},
    {0, "\x1f\x8b"sv, "a gzip archive: unpack it first (`gunzip` or `tar xzf`)"},
    {0, "BZh"sv, "a bzip2 archive: unpack it first"},
    {0, "\xfd\x37zXZ\0"sv, "an xz archive: unpack it first"},
    {0, "\x28\xb5\x2f\xfd"sv, "a Zstandard archive: unpack it first"},
    {0, "7z\xbc\xaf\x27\x1c"sv, "a 7-Zip archive: unpack it first"},
    {0, "7767517\n"sv,
     "an ncnn .param file: Shipway does not read ncnn yet; export the model to ONNX instead"},
    {0, "7767517\r"sv,
     "an ncnn .param file: Shipway does not read ncnn yet; export the model to ONNX instead"},
    {0, "\x80\x02\x8a\x0al\xfc\x9c\x46\xf9 j\xa8P\x19.\x80"sv,
     "a PyTorch file of before version 1.6 (pickle): load it in PyTorch and use torch.onnx.export"},
    {257, "ustar"sv, "a tar archive: unpack it first"},
    {0, "\x7f\x45LF"sv, "a program or library (ELF), not a model"},
};

bool starts_with_any(std::string_view text, std::initializer_list<std::string_view> prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](std::string_view p) { return text.starts_with(p); });
}

/// A zip archive: PyTorch's and Keras' are known by the names inside, which stand in the directory
/// at the end.
std::string name_zip(std::string_view text) {
  const std::string_view end = text.substr(text.size() - std::min<size_t>(text.size(), 1 << 20));
  const auto has = [&](std::string_view name) { return end.find(name) != end.npos; };
  if (has("/constants.pkl"))
    return "a TorchScript archive: Shipway does not read TorchScript yet; export the model with "
           "torch.onnx.export";
  if (has("serialized_exported_program") || has("models/model.json"))
    return "a PyTorch exported program (.pt2): Shipway does not read it yet; use torch.onnx.export";
  if (has("/data.pkl"))
    return "a PyTorch checkpoint (zip with pickle): it holds weights, not a graph; load it in "
           "PyTorch and use "
           "torch.onnx.export";
  if (has("config.json") && has("model.weights.h5"))
    return "a Keras model: use model.export(..., format=\"onnx\")";
  if (has(".npy")) return "a NumPy archive (.npz): that is data for a model, not a model";
  if (has(".onnx")) return "a zip archive with an ONNX file inside: unpack it first";
  return "a zip archive: unpack it first";
}

bool is_text(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte >= ' ' && byte != 0x7f) || c == '\n' || c == '\r' || c == '\t' || c == '\f';
}

std::optional<std::string> name_text(std::string_view text) {
  while (!text.empty() && (text[0] == ' ' || text[0] == '\n' || text[0] == '\r' || text[0] == '\t'))
    text.remove_prefix(1);
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  if (starts_with_any(text,
                      {"<!DOCTYPE html", "<!doctype html", "<html", "<HTML", "<!DOCTYPE HTML"}))
    return "a web page (HTML): the download gave a page, perhaps of a log-in or an error, instead "
           "of the model";
  if (starts_with_any(text, {"<?xml", "<net "})) {
    if (text.substr(0, 4096).find("<net ") != text.npos)
      return "an OpenVINO model (.xml): Shipway does not read OpenVINO yet; export the model to "
             "ONNX instead";
    return "an XML file, not a model";
  }
  if (starts_with_any(text, {"<ir_version:", "< ir_version", "<\n  ir_version"}))
    return "a model in ONNX's text syntax: turn it into a binary one with onnx.parser.parse_model "
           "and onnx.save";
  if (starts_with_any(text, {"ir_version:", "producer_name:", "graph {"}))
    return "an ONNX model in protobuf's text form: turn it into a binary one with "
           "google.protobuf.text_format and onnx.save";
  const std::string_view head = text.substr(0, 4096);
  const bool has_layers = head.find("layer {") != head.npos || head.find("layers {") != head.npos ||
                          head.find("layer{") != head.npos;
  if (has_layers && (head.find("type:") != head.npos || head.find("name:") != head.npos))
    return "a Caffe network (.prototxt): Shipway does not read Caffe yet; convert the model to "
           "ONNX instead";
  if (starts_with_any(text, {"node {", "node{"}))
    return "a TensorFlow graph in text form (.pbtxt): convert the model with tf2onnx";
  if (text.starts_with("[net]")) return "a Darknet configuration (.cfg): convert the model to ONNX";
  if (text.starts_with("{") && (text.size() == 1 || text[1] == '"' || text[1] == '\n' ||
                                text[1] == '\r' || text[1] == ' ' || text[1] == '}')) {
    if (head.find("\"nodes\"") != head.npos && head.find("\"arg_nodes\"") != head.npos)
      return "an MXNet symbol file (.json): convert the model to ONNX with mxnet.onnx";
    if (head.find("\"modelTopology\"") != head.npos)
      return "a TensorFlow.js model (.json): convert the original model with tf2onnx";
    return "a JSON file, not a model";
  }
  if (std::all_of(head.begin(), head.end(), is_text)) return "a text file";
  return std::nullopt;
}

uint64_t little_endian(Bytes bytes, size_t count) {
  uint64_t value = 0;
  for (size_t i = 0; i < count; ++i) value |= std::to_integer<uint64_t>(bytes[i]) << (8 * i);
  return value;
}

/// Flatbuffers have an identifier at byte 4, after the position of their root.
std::optional<std::string> name_flatbuffer(Bytes bytes) {
  if (bytes.size() < 8 || little_endian(bytes, 4) >= bytes.size()) return std::nullopt;
  const std::string_view identifier = as_text(bytes.subspan(4, 4));
  if (identifier == "TFL3")
    return "a TensorFlow Lite model (.tflite): Shipway does not read it yet; convert the original "
           "model with tf2onnx";
  if (identifier == "ORTM")
    return "an ONNX Runtime model (.ort): use the ONNX file it was made from; the .ort form drops "
           "what others need";
  if (identifier == "PTMF")
    return "a PyTorch Mobile model: load the original in PyTorch and use torch.onnx.export";
  if (identifier.starts_with("ET"))
    return "an ExecuTorch program (.pte): use torch.onnx.export on the original model";
  return std::nullopt;
}

bool is_safetensors(Bytes bytes) {
  if (bytes.size() < 10 || as_text(bytes)[8] != '{') return false;
  const uint64_t header = little_endian(bytes, 8);
  return header >= 2 && header <= bytes.size() - 8;
}

/// Other frameworks' protobuf messages, by the fields and wire types at their top.
std::optional<std::string> name_protobuf(Bytes bytes) {
  bool has_number[32] = {}, has_bytes[128] = {};
  bool specification_version_first = false;
  FieldReader fields(bytes);
  size_t count = 0;
  std::string_view first;
  for (; fields.next(); ++count) {
    const uint32_t number = fields.number();
    if (count == 0 && fields.key() == bytes_field(1)) first = fields.text();
    if ((fields.key() & 7) == 0 && number < 32) has_number[number] = true;
    if ((fields.key() & 7) == 2 && number < 128) has_bytes[number] = true;
    if ((fields.key() & 7) == 2 && number >= 200 && number < 4000)
      specification_version_first = true;
  }
  if (!fields.status().is_ok() || count == 0) return std::nullopt;
  if (has_number[1] && has_bytes[2] && !has_bytes[7] && specification_version_first)
    return "a Core ML model (.mlmodel): convert the original model to ONNX";
  if (has_number[1] && has_bytes[2] && !has_bytes[7] && !has_bytes[8] && !has_number[2])
    return "a TensorFlow SavedModel (saved_model.pb): convert its folder with tf2onnx";
  if (has_bytes[100]) return "a Caffe model (.caffemodel): convert the model to ONNX";
  if (has_number[2] && !has_bytes[7] && (has_bytes[9] || has_bytes[4] || has_bytes[5]))
    return "a single ONNX tensor (TensorProto): that is data for a model, not a model";
  if (has_bytes[1] && (has_bytes[11] || has_bytes[12]) && has_bytes[2] && !has_bytes[7])
    return "an ONNX graph without its model (GraphProto): wrap it with onnx.helper.make_model";
  if (has_bytes[1] && !has_bytes[7]) {  // NodeDef: name, op, input...
    FieldReader node(as_bytes(first));
    bool has_name = false, has_op = false;
    while (node.next()) {
      has_name |= node.key() == bytes_field(1);
      has_op |= node.key() == bytes_field(2);
    }
    if (node.status().is_ok() && has_name && has_op)
      return "a TensorFlow graph (GraphDef, frozen .pb): convert the model with tf2onnx";
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> name_foreign_file(Bytes bytes, std::string_view) {
  if (bytes.empty()) return "an empty file: perhaps a download or a copy that failed";
  const std::string_view text = as_text(bytes);
  for (const Signature& signature : kSignatures)
    if (text.size() >= signature.offset &&
        text.substr(signature.offset).starts_with(signature.bytes))
      return std::string(signature.what);
  if (text.starts_with("PK\x03\x04") || text.starts_with("PK\x05\x06")) return name_zip(text);
  if (auto name = name_flatbuffer(bytes)) return name;
  if (is_safetensors(bytes))
    return "a safetensors file: it holds weights, not a graph; " + std::string(kExport);
  if (auto name = name_text(text)) return name;
  if (text.size() > 3 && text[0] == '\x80' && text[1] >= 2 && text[1] <= 5 && text[1] != 0 &&
      (text[2] == '}' || text[2] == '\x95' || text[2] == 'c' || text[2] == ']' || text[2] == '(' ||
       text[2] == '\x8a'))
    return "a Python pickle: it holds objects, not a graph; load it with the framework that wrote "
           "it and export to ONNX";
  if (std::all_of(bytes.begin(),
                  bytes.begin() + static_cast<ptrdiff_t>(std::min<size_t>(bytes.size(), 4096)),
                  [](std::byte b) { return b == std::byte{0}; }))
    return "a file of zeros: perhaps a download that was cut off";
  return name_protobuf(bytes);
}

}  // namespace shipway
