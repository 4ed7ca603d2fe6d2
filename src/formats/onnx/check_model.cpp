// The model as a whole: versions, imports, metadata. And the doors of the checker.
#include <algorithm>
#include <limits>

#include "base/mapped_file.h"
#include "base/text.h"
#include "formats/onnx/check_context.h"
#include "formats/onnx/fields.h"
#include "formats/onnx/reader.h"
#include "formats/onnx/well_formed.h"
#include "formats/registry.h"
#include "shipway/formats.h"

namespace shipway {
namespace onnx_check {
namespace {

constexpr int64_t kNewestIrVersion = 14;  // of onnx 1.23.2
constexpr Where kModelItself{};

}  // namespace

std::string Where::text() const {
  std::string outside = outer ? outer->text() : std::string();
  if (what.empty()) return outside;
  outside += what;
  if (!name.empty()) {
    outside += " " + quoted(name);
  } else if (index >= 0) {
    outside += format_message(" #{}", {FormatArg(index)});
  }
  if (!op_type.empty()) {
    const std::string op = quoted(op_type);
    outside += " (" + op.substr(1, op.size() - 2) + ")";
  }
  return outside + ": ";
}

Status Problems::status() const {
  if (count_ == 0) return Status::ok();
  if (count_ == 1) return Status::invalid_model("{}", texts_.front());
  std::string text = format_message("{} problems:", {FormatArg(count_)});
  for (const std::string& problem : texts_) text += "\n  " + problem;
  if (count_ > texts_.size())
    text += format_message("\n  and {} more", {FormatArg(count_ - texts_.size())});
  return Status::invalid_model("{}", text);
}

Bytes Checker::joined(std::optional<Bytes> first, Bytes second) {
  if (!first) return second;
  std::string& both = joined_.emplace_back(as_text(*first));
  both += as_text(second);
  return as_bytes(both);
}

OpsetImports Checker::read_imports(Bytes message, uint32_t field_number, const Where& where) {
  OpsetImports imports;
  FieldReader fields(message);
  while (fields.next()) {
    if (fields.key() != bytes_field(field_number)) continue;
    std::string_view domain;
    int64_t version = 0;
    FieldReader import(fields.bytes());
    while (import.next()) {
      if (import.key() == bytes_field(onnx_fields::opset_id::kDomain)) domain = import.text();
      if (import.key() == varint_field(onnx_fields::opset_id::kVersion)) version = import.integer();
    }
    if (version < std::numeric_limits<int>::min() || version > std::numeric_limits<int>::max()) {
      problems_.add(where, "opset import {} of domain {} is no possible version", version,
                    quoted(domain));
      continue;
    }
    imports[domain] = static_cast<int>(version);
  }
  return imports;
}

void Checker::check_model(Bytes message) {
  namespace f = onnx_fields::model;
  Bytes graph;
  std::optional<Bytes> first_graph;
  std::vector<Bytes> functions;
  std::unordered_set<std::string_view> metadata_keys;
  FieldReader fields(message);
  while (fields.next()) {
    switch (fields.key()) {
      case varint_field(f::kIrVersion):
        ir_version_ = fields.integer();
        break;
      case bytes_field(f::kGraph):
        first_graph = graph = joined(first_graph, fields.bytes());
        break;
      case bytes_field(f::kFunctions):
        functions.push_back(fields.bytes());
        break;
      case bytes_field(f::kMetadataProps): {
        std::string_view key;
        FieldReader entry(fields.bytes());
        while (entry.next())
          if (entry.key() == bytes_field(onnx_fields::entry::kKey)) key = entry.text();
        if (!metadata_keys.insert(key).second)
          problems_.add(kModelItself, "metadata has the key {} twice", quoted(key));
        break;
      }
      default:
        break;
    }
  }
  if (ir_version_ == 0) {
    problems_.add(kModelItself, "ir_version is missing");
    return;
  }
  if (ir_version_ > kNewestIrVersion) {
    problems_.add(kModelItself, "ir_version is {}, the newest known is {}", ir_version_,
                  kNewestIrVersion);
    return;
  }
  imports_ = read_imports(message, f::kOpsetImport, kModelItself);
  if (ir_version_ >= 3 && imports_.empty()) {
    problems_.add(
        kModelItself,
        "opset_import is missing, expected the version of each domain since ir_version 3");
    return;
  }
  if (ir_version_ < 3 && !imports_.empty())
    problems_.add(kModelItself, "opset_import is given, but ir_version {} knows none", ir_version_);
  if (ir_version_ < 3) {
    imports_[""] = 1;
    // onnx infers nothing without imports, and holds that against the model.
    FieldReader nodes(graph);
    while (options_.full_check && nodes.next())
      if (nodes.key() == bytes_field(onnx_fields::graph::kNode)) {
        problems_.add(kModelItself, "ir_version {} imports no opsets, so types cannot be checked",
                      ir_version_);
        break;
      }
  }
  if (graph.empty()) {
    problems_.add(kModelItself, "the graph is missing");
  } else {
    check_graph(graph, nullptr, kModelItself, true);
  }
  if (ir_version_ >= 8) {
    check_functions(functions);
  } else if (options_.full_check) {
    check_function_calls(functions);
  }
}

}  // namespace onnx_check

namespace {

/// An owner that owns nothing: the model made from the bytes does not outlive them.
std::shared_ptr<const void> not_owned(std::span<const std::byte> bytes) {
  return {std::shared_ptr<const void>(), bytes.data()};
}

/// `read_model` gives the Model that `bytes` stand for.
template <typename ReadModel>
Status check_form_then_types(Bytes bytes, const CheckOptions& options, ReadModel read_model) {
  SHIPWAY_RETURN_IF_ERROR(
      check_well_formed_onnx(bytes).with_context("not an ONNX model, or a damaged one"));
  onnx_check::Checker checker(options);
  checker.check_model(bytes);
  if (!options.full_check || !checker.problems().empty()) return checker.problems().status();
  SHIPWAY_ASSIGN_OR_RETURN(const Model model, read_model());
  onnx_check::check_types(model, options.registry ? *options.registry : Registry::onnx(),
                          checker.negative_sizes(), checker.problems());
  return checker.problems().status();
}

}  // namespace

Status check_model_bytes(std::span<const std::byte> bytes, const CheckOptions& options) {
  const Status verdict = check_form_then_types(bytes, options, [&] {
    return read_onnx_model(bytes, not_owned(bytes), options.external_data_folder.value_or(""));
  });
  if (verdict.is_ok()) return verdict;
  // Bytes of another kind break ONNX's rules in ways that help nobody.
  const std::optional<std::string> what = name_foreign_file(bytes, "");
  return what ? Status::invalid_model("not an ONNX model, but {}", *what) : verdict;
}

Status check_model(const Model& model, const CheckOptions& options) {
  SHIPWAY_ASSIGN_OR_RETURN(const std::string file, serialize_model(model));
  return check_form_then_types(as_bytes(file), options, [&]() -> Result<Model> { return model; });
}

Status check_model_file(const std::string& path, const CheckOptions& options) {
  SHIPWAY_ASSIGN_OR_RETURN(const std::shared_ptr<const MappedFile> file, MappedFile::open(path));
  CheckOptions with_folder = options;
  if (!with_folder.external_data_folder) {
    const size_t slash = path.rfind('/');
    with_folder.external_data_folder = slash == std::string::npos ? "" : path.substr(0, slash + 1);
  }
  return check_model_bytes(file->bytes(), with_folder);
}

}  // namespace shipway
