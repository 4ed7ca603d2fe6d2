#include "formats/registry.h"

#include <new>

#include "base/mapped_file.h"
#include "base/text.h"
#include "formats/onnx/reader.h"

namespace shipway {
namespace {

constexpr ModelFormat kFormats[] = {
    {"ONNX", [](Bytes bytes, std::string_view) { return looks_like_onnx_model(bytes); },
     [](const FormatInput& input) {
       return read_onnx_model(input.bytes, input.owner, input.folder, input.file);
     }},
};

Result<Model> read_any(const FormatInput& input) {
  if (const auto what = name_foreign_file(input.bytes, input.name))
    return Status::invalid_model("not a model that Shipway reads, but {}", *what);
  for (const ModelFormat& format : model_formats())
    if (format.matches(input.bytes, input.name)) return format.read(input);
  return Status::invalid_model(
      "not a model file that Shipway knows: neither ONNX nor any other known kind of file ({} "
      "bytes)",
      input.bytes.size());
}

template <typename Read>
Result<Model> guarded(Read read) {
  try {
    return read();
  } catch (const std::bad_alloc&) {
    return Status::out_of_memory("no memory for the model");
  }
}

std::string folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

}  // namespace

std::span<const ModelFormat> model_formats() { return kFormats; }

Result<Model> load_model(const std::string& path, const LoadOptions& options) {
  return guarded([&]() -> Result<Model> {
    SHIPWAY_ASSIGN_OR_RETURN(const auto file, MappedFile::open(path));
    auto model = read_any({file->bytes(), file, file.get(), path,
                           options.external_data_folder.value_or(folder_of(path))});
    if (!model.is_ok()) return model.status().with_context("reading {}", quoted(path, 400));
    model->path = path;
    return model;
  });
}

Result<Model> load_model_from_bytes(std::span<const std::byte> bytes,
                                    std::shared_ptr<const void> owner, const LoadOptions& options) {
  return guarded([&]() -> Result<Model> {
    auto model = read_any({bytes, std::move(owner), nullptr, "", options.external_data_folder});
    if (!model.is_ok()) return model.status().with_context("reading a model from memory");
    return model;
  });
}

}  // namespace shipway
