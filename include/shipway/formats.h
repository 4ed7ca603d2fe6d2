// Model files: reading any that Shipway knows, recognised by content, and writing ONNX.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "shipway/model.h"

namespace shipway {

struct LoadOptions {
  /// Where external data lies; by default the folder of the model file.
  std::optional<std::string> external_data_folder;
};

/// Reads the model file at `path`. The file is recognised by its content; what is not a readable model is named as
/// what it is (a Git LFS pointer, a web page, a PyTorch archive, ...). The file is mapped, and tensors borrow their
/// elements from the mapping: it stays open as long as they live. Safe to call from any thread.
///
/// Errors start with `reading PATH: ` and say where in the file (bytes, node, attribute) something is wrong.
/// Whether the model is legal is not asked here: see shipway/checker.h.
Result<Model> load_model(const std::string& path, const LoadOptions& options = {});

/// The same for bytes in memory. With an `owner`, which keeps them alive, tensors borrow from them; without, they are
/// copied. External data is found only if the options name a folder.
Result<Model> load_model_from_bytes(std::span<const std::byte> bytes, std::shared_ptr<const void> owner = nullptr,
                                    const LoadOptions& options = {});

}  // namespace shipway
