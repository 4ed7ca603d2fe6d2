// Where the writer puts initializers that leave the model file.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "formats/onnx/tensor.h"
#include "shipway/formats.h"

namespace shipway {

class ExternalPlan {
 public:
  /// Everything stays inside.
  ExternalPlan() = default;
  /// `path`: of the model file to be written.
  static Result<ExternalPlan> make(const Model& model, const std::string& path,
                                   const SaveOptions& options);

  /// The place of an initializer; null when it stays inside.
  const ExternalPlace* place_of(ValueId value) const {
    const auto found = places_.find(value);
    return found == places_.end() ? nullptr : &found->second;
  }
  /// Writes the files, each replaced as a whole.
  Status write(const std::string& path) const;

 private:
  struct Piece {
    ValueId value;
    int64_t offset = -1;  // wanted; -1: after the one before
    Bytes bytes;
    const ExternalData* loaded = nullptr;
  };
  void lay_out(const std::string& location, std::vector<Piece> pieces);

  std::map<ValueId, ExternalPlace> places_;
  std::map<std::string, std::vector<Piece>> files_;  // by location; pieces sorted by offset
};

}  // namespace shipway
