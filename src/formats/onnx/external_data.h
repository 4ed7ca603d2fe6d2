// The files beside a model that hold its big tensors.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/mapped_file.h"
#include "shipway/model.h"

namespace shipway {

/// Opens (maps) each external file once. Nothing outside the model's folder is ever opened:
/// absolute locations, `..`, NUL bytes and symbolic links that lead out are refused by name.
class ExternalFiles {
 public:
  /// `folder`: of the model file; nothing when the model came from memory without one.
  explicit ExternalFiles(std::optional<std::string> folder) : folder_(std::move(folder)) {}

  Result<std::shared_ptr<const MappedFile>> open(const std::string& location);

 private:
  std::optional<std::string> folder_;
  std::map<std::string, std::shared_ptr<const MappedFile>> opened_;
};

/// An error when `location` could leave its folder by what it says (links are ExternalFiles'
/// matter).
Status check_external_location(std::string_view location);

/// Reads the entries of TensorProto.external_data: location, offset, length, others kept.
Result<ExternalData> parse_external_data(std::vector<std::pair<std::string, std::string>> entries);

}  // namespace shipway
