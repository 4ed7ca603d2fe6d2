// Checking models: does a file or a Model keep the rules of ONNX?
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "shipway/model.h"
#include "shipway/status.h"

namespace shipway {

class Registry;

struct CheckOptions {
  /// Also infer the type and shape of every value: operators must accept their inputs, and what the
  /// file declares must agree with what follows.
  bool full_check = false;
  /// Accept functions whose nodes mean another version of an operator than the model's own nodes
  /// do.
  bool skip_opset_compatibility_check = false;
  /// Refuse operators of every domain that the registry does not know, not only of ONNX's own
  /// domains.
  bool check_custom_domain = false;
  /// Operators to know; null: those of ONNX.
  const Registry* registry = nullptr;
  /// Where external data lies; by default the folder of the file, for bytes and Models the working
  /// directory.
  std::optional<std::string> external_data_folder;
};

/// Checks an ONNX file (or its bytes). The verdict is that of onnx.checker.check_model of
/// onnx 1.23.2 with the same options. Ok, or kInvalidModel with every problem found (the first 20
/// in words), each with its place:
///
///     node 'conv1' (Conv): attribute 'pads' is of kind int, expected ints
///
/// Time is linear in the size of the file; elements of tensors are only counted. Safe to call from
/// any thread.
Status check_model_file(const std::string& path, const CheckOptions& options = {});
Status check_model_bytes(std::span<const std::byte> bytes, const CheckOptions& options = {});

/// The same for a Model in memory: whether the file it would be written as, with every tensor
/// inside, is right. Takes the memory of that file for the time of the check; a model above 2 GB is
/// an error.
Status check_model(const Model& model, const CheckOptions& options = {});

}  // namespace shipway
