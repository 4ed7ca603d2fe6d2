// Model files: reading any that Shipway knows, recognised by content, and writing ONNX.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "shipway/model.h"

namespace shipway {

struct LoadOptions {
  /// Where external data lies; by default the folder of the model file.
  std::optional<std::string> external_data_folder;
};

/// Reads the model file at `path`. The file is recognised by its content; what is not a readable
/// model is named as what it is (a Git LFS pointer, a web page, a PyTorch archive, ...). The file
/// is mapped, and tensors borrow their elements from the mapping: it stays open as long as they
/// live. Safe to call from any thread.
///
/// Errors start with `reading PATH: ` and say where in the file (bytes, node, attribute) something
/// is wrong. Whether the model is legal is not asked here: see shipway/checker.h.
Result<Model> load_model(const std::string& path, const LoadOptions& options = {});

/// The same for bytes in memory. With an `owner`, which keeps them alive, tensors borrow from them;
/// without, they are copied. External data is found only if the options name a folder.
Result<Model> load_model_from_bytes(std::span<const std::byte> bytes,
                                    std::shared_ptr<const void> owner = nullptr,
                                    const LoadOptions& options = {});

/// Which initializers go into files beside the model file.
enum class ExternalDataLayout : uint8_t {
  kAsLoaded,  // those that came from such files, under the same names; where a file of that name
              // stands beside another model file, all in one file as with kOneFile
  kNone,      // all inside the model file, which then cannot exceed 2 GB
  kOneFile,   // those of at least `size_threshold` bytes, all in one file
  kFilePerTensor,  // the same, each in a file named after it
};

struct SaveOptions {
  ExternalDataLayout external_data = ExternalDataLayout::kAsLoaded;
  /// Of kOneFile: its name, relative to the model's folder; by default the model file's name with
  /// ".data".
  std::string location;
  int64_t size_threshold = 1024;
};

/// Writes `model` as ONNX to `path`, and external data beside it. What the model's file said and
/// Shipway does not compute with is written back. Files are replaced as a whole when complete, so
/// saving over the very files that the model's tensors are mapped from is safe. Errors name the
/// file; a model above 2 GB without external data is one.
Status save_model(const Model& model, const std::string& path, const SaveOptions& options = {});

/// The bytes of an ONNX file with every tensor inside; an error above 2 GB.
Result<std::string> serialize_model(const Model& model);

/// The messages that ONNX's text syntax has a form for.
enum class OnnxMessage : uint8_t { kModel, kGraph, kFunction, kNode };

/// The text of an encoded ONNX message (ModelProto, GraphProto, ...), as onnx.printer writes it.
/// Not Shipway's own text form, which holds everything: see docs/onnx-text.md for both, and for
/// what this syntax cannot say.
///
/// Errors: bytes that are no such message; raw data that does not fit its shape; graphs and types
/// nested deeper than 100 levels.
Result<std::string> print_onnx_text(std::span<const std::byte> message,
                                    OnnxMessage kind = OnnxMessage::kModel);

/// The encoded message that `text` in ONNX's text syntax stands for, as onnx.parser reads it.
/// Whether the model is legal is not asked here. Errors are "line 3, column 7: found ')', expected
/// a name".
Result<std::string> parse_onnx_text(std::string_view text, OnnxMessage kind = OnnxMessage::kModel);

}  // namespace shipway
