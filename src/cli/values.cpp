#include "cli/values.h"

#include <algorithm>
#include <filesystem>
#include <random>

#include "base/mapped_file.h"
#include "base/text.h"
#include "cli/terminal.h"
#include "formats/onnx/value_proto.h"
#include "shipway/compile.h"
#include "shipway/formats.h"
#include "tensor/convert.h"
#include "tensor/npy.h"

namespace shipway::cli {
namespace {

std::string extension_of(const std::string& path) {
  const size_t dot = path.find_last_of('.');
  std::string extension = dot == std::string::npos ? "" : path.substr(dot);
  for (char& c : extension) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return extension;
}

std::string known_names(std::span<const ValueInfo> names) {
  std::string text;
  for (const ValueInfo& info : names) text += (text.empty() ? "" : ", ") + quoted(info.name);
  return text;
}

}  // namespace

Result<std::pair<std::string, std::string>> split_assignment(const std::string& text,
                                                             std::span<const ValueInfo> names,
                                                             std::string_view option) {
  const size_t equals = text.find('=');
  std::pair<std::string, std::string> result;
  if (equals == std::string::npos) {
    if (names.size() != 1)
      return Status::invalid_argument("{} {}: expected NAME=..., the model has {}", option,
                                      quoted(text), known_names(names));
    result = {names[0].name, text};
  } else {
    result = {text.substr(0, equals), text.substr(equals + 1)};
  }
  if (std::none_of(names.begin(), names.end(),
                   [&](const ValueInfo& info) { return info.name == result.first; }))
    return Status::invalid_argument("{} {}: the model has no {}, it has {}", option, quoted(text),
                                    quoted(result.first), known_names(names));
  return result;
}

Result<Shape> parse_shape(const std::string& text) {
  Shape shape;
  size_t begin = 0;
  while (begin <= text.size()) {
    const size_t end = std::min(text.find_first_of("x,", begin), text.size());
    const std::optional<int64_t> size =
        parse_int(std::string_view(text).substr(begin, end - begin));
    if (!size || *size < 0)
      return Status::invalid_argument("{} is no shape, expected one like 1x3x224x224",
                                      quoted(text));
    shape.push_back(*size);
    begin = end + 1;
  }
  return shape;
}

Result<std::map<std::string, Shape>> parse_shapes(const std::vector<std::string>& texts,
                                                  std::span<const ValueInfo> inputs) {
  std::map<std::string, Shape> shapes;
  for (const std::string& text : texts) {
    SHIPWAY_ASSIGN_OR_RETURN(const auto assignment, split_assignment(text, inputs, "--shape"));
    SHIPWAY_ASSIGN_OR_RETURN(shapes[assignment.first], parse_shape(assignment.second));
  }
  return shapes;
}

Result<Shape> shape_for(const ValueInfo& input, const std::map<std::string, Shape>& given,
                        const DimTable& dims, bool quiet) {
  if (const auto found = given.find(input.name); found != given.end()) return found->second;
  if (!input.type.is_tensor() || !input.type.dims())
    return Status::invalid_argument("input {} ({}) has no known rank: give its shape by --shape",
                                    quoted(input.name), to_string(input.type, dims));
  Shape shape;
  bool guessed = false;
  for (Dim dim : *input.type.dims()) {
    guessed = guessed || !dim.is_constant();
    shape.push_back(dim.is_constant() ? dim.value() : 1);
  }
  if (guessed)
    print_note("input " + quoted(input.name) + " is " + to_string(input.type, dims) +
                   ": taken as " + to_string(shape) + " (--shape gives another)",
               quiet);
  return shape;
}

Result<Tensor> random_tensor(DType dtype, const Shape& shape, uint64_t seed) {
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t count, element_count(shape));
  std::mt19937_64 random(seed);
  std::vector<double> values(static_cast<size_t>(count));
  switch (kind_of(dtype)) {
    case DTypeKind::kFloat: {
      std::normal_distribution<double> normal;
      for (double& value : values) value = normal(random);
      break;
    }
    case DTypeKind::kSigned:
    case DTypeKind::kUnsigned:
    case DTypeKind::kBool:
      for (double& value : values) value = static_cast<double>(random() % 2);
      break;
    default:
      return Status::unsupported("random values of {}", to_string(dtype));
  }
  return from_doubles(dtype, shape, values);
}

Result<std::unique_ptr<Session>> open_session(const std::string& path,
                                              const SessionOptions& options) {
  if (is_plan_file(path)) return Session::open(path, options);
  SHIPWAY_ASSIGN_OR_RETURN(Model model, load_model(path));
  return Session::create(std::move(model), options);
}

bool is_picture(const std::string& path) { return image_format_from_name(path).has_value(); }

Result<RuntimeValue> read_pb(const std::string& path, const Type& type) {
  SHIPWAY_ASSIGN_OR_RETURN(const std::shared_ptr<const MappedFile> file, MappedFile::open(path));
  Result<RuntimeValue> value = read_value_proto(file->bytes(), type);
  if (!value.is_ok()) return value.status().with_context("reading {}", quoted(path));
  return value;
}

Result<RuntimeValue> read_value(const std::string& path, const ValueInfo& input) {
  const std::string extension = extension_of(path);
  if (extension == ".npy") {
    SHIPWAY_ASSIGN_OR_RETURN(Tensor tensor, read_npy(path));
    return RuntimeValue(std::move(tensor));
  }
  if (extension == ".npz") {
    SHIPWAY_ASSIGN_OR_RETURN(auto arrays, read_npz(path));
    for (auto& [name, tensor] : arrays)
      if (name == input.name || arrays.size() == 1) return RuntimeValue(std::move(tensor));
    return Status::not_found("{} holds {} arrays, none is named {}", quoted(path), arrays.size(),
                             quoted(input.name));
  }
  if (extension == ".pb") return read_pb(path, input.type);
  return Status::invalid_argument("{}: expected a .npy, .npz or .pb file or a picture",
                                  quoted(path));
}

Status check_target(const std::string& path) {
  const std::string extension = extension_of(path);
  if (extension != ".npy" && extension != ".pb" && !is_picture(path))
    return Status::invalid_argument("{}: expected a .npy or .pb file or a picture", quoted(path));
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  std::error_code error;
  if (!folder.empty() && !std::filesystem::is_directory(folder, error))
    return Status::not_found("{}: there is no folder {}", quoted(path), quoted(folder.string()));
  return Status::ok();
}

Status write_value(const std::string& path, const std::string& name, const RuntimeValue& value) {
  const std::string extension = extension_of(path);
  if (extension == ".pb") {
    SHIPWAY_ASSIGN_OR_RETURN(const std::string bytes, write_value_proto(value, name));
    return write_file_atomically(path, std::as_bytes(std::span(bytes)));
  }
  if (extension != ".npy")
    return Status::invalid_argument("{}: expected a .npy or .pb file or a picture", quoted(path));
  const Tensor* tensor = value.tensor();
  if (!tensor)
    return Status::invalid_argument("output {} is a {}: only .pb can hold it", quoted(name),
                                    to_string(value));
  return write_npy(path, *tensor);
}

}  // namespace shipway::cli
