#include "formats/onnx/external_plan.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/text.h"

namespace shipway {
namespace {

constexpr int64_t kAlignment = 64;        // so that a reader can use the elements where they lie
constexpr int64_t kLargestGap = 1 << 20;  // a loaded layout with larger holes is packed anew

std::string folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash + 1);
}
std::string name_in_folder(const std::string& path) { return path.substr(folder_of(path).size()); }

/// A file name made from a tensor's name, which may hold slashes and worse.
std::string file_name_for(std::string_view tensor, std::set<std::string>& taken) {
  std::string name;
  for (char c : tensor.substr(0, 200)) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
    name += is_plain ? c : '_';
  }
  if (name.empty() || name[0] == '.') name = "tensor" + name;
  std::string candidate = name;
  for (int suffix = 1; !taken.insert(candidate).second; ++suffix)
    candidate = name + "_" + std::to_string(suffix);
  return candidate;
}

/// Which locations a model may keep when it is written to another place: only where no file stands
/// yet, since that would be another model's (often the one that this was made from).
class KeptLocations {
 public:
  KeptLocations(const Model& model, const std::string& path) : folder_(folder_of(path)) {
    std::error_code error;
    over_itself_ =
        !model.path.empty() && std::filesystem::equivalent(model.path, path, error) && !error;
  }
  bool may_keep(const std::string& location) {
    if (over_itself_) return true;
    const auto [entry, is_new] = free_.try_emplace(location, false);
    if (is_new) {
      std::error_code error;
      entry->second = !std::filesystem::exists(folder_ + location, error);
    }
    return entry->second;
  }

 private:
  std::string folder_;
  bool over_itself_ = false;
  std::map<std::string, bool> free_;
};

}  // namespace

void ExternalPlan::lay_out(const std::string& location, std::vector<Piece> pieces) {
  std::stable_sort(pieces.begin(), pieces.end(),
                   [](const Piece& a, const Piece& b) { return a.offset < b.offset; });
  int64_t end = 0;
  bool as_loaded = true;
  for (const Piece& piece : pieces) {
    const auto size = static_cast<int64_t>(piece.bytes.size());
    as_loaded &= piece.loaded && piece.offset >= end && piece.offset - end <= kLargestGap;
    if (!as_loaded) break;
    end = piece.offset + size;
  }
  end = 0;
  for (Piece& piece : pieces) {
    const auto size = static_cast<int64_t>(piece.bytes.size());
    ExternalPlace place{location, 0, size, {}};
    if (as_loaded) {
      place.entries = piece.loaded->entries;
    } else {
      piece.offset = (end + kAlignment - 1) / kAlignment * kAlignment;
    }
    place.offset = piece.offset;
    end = piece.offset + size;
    places_.emplace(piece.value, std::move(place));
  }
  files_.emplace(location, std::move(pieces));
}

Result<ExternalPlan> ExternalPlan::make(const Model& model, const std::string& path,
                                        const SaveOptions& options) {
  ExternalPlan plan;
  if (options.external_data == ExternalDataLayout::kNone) return plan;
  std::string one_file = options.location;
  if (one_file.empty()) one_file = name_in_folder(path) + ".data";
  std::set<std::string> taken{name_in_folder(path)};
  std::map<std::string, std::vector<Piece>> by_location;
  KeptLocations kept(model, path);
  for (size_t i = 0; i < model.graph_count(); ++i) {
    for (ValueId id : model.graph(GraphId{static_cast<int32_t>(i)}).initializers()) {
      const Constant& constant = *model.value(id).constant();
      const Tensor& tensor = constant.tensor;
      if (!tensor.is_defined() || tensor.dtype() == DType::kString || !tensor.is_contiguous())
        continue;
      const bool is_large = tensor.byte_size() >= options.size_threshold;
      switch (options.external_data) {
        case ExternalDataLayout::kNone:
          break;
        case ExternalDataLayout::kAsLoaded:
          if (!constant.external) break;
          if (kept.may_keep(constant.external->location))
            by_location[constant.external->location].push_back(
                {id, constant.external->offset, tensor.bytes(), constant.external.get()});
          else
            by_location[one_file].push_back({id, -1, tensor.bytes(), nullptr});
          break;
        case ExternalDataLayout::kOneFile:
          if (is_large) by_location[one_file].push_back({id, -1, tensor.bytes(), nullptr});
          break;
        case ExternalDataLayout::kFilePerTensor:
          if (is_large)
            by_location[file_name_for(model.value(id).name(), taken)].push_back(
                {id, -1, tensor.bytes(), nullptr});
          break;
      }
    }
  }
  for (auto& [location, pieces] : by_location) {
    SHIPWAY_RETURN_IF_ERROR(check_external_location(location));
    if (location == name_in_folder(path))
      return Status::invalid_argument("external data cannot go into the model file {} itself",
                                      quoted(location));
    plan.lay_out(location, std::move(pieces));
  }
  return plan;
}

Status ExternalPlan::write(const std::string& path) const {
  static constexpr std::byte kZeros[4096] = {};
  for (const auto& file : files_) {  // not a structured binding: clang 14 cannot capture one
    const Status status = write_file_atomically(folder_of(path) + file.first, [&](FileSink& sink) {
      int64_t position = 0;
      for (const Piece& piece : file.second) {
        while (position < piece.offset) {
          const int64_t gap = std::min<int64_t>(piece.offset - position, sizeof kZeros);
          SHIPWAY_RETURN_IF_ERROR(sink.write({kZeros, static_cast<size_t>(gap)}));
          position += gap;
        }
        SHIPWAY_RETURN_IF_ERROR(sink.write(piece.bytes));
        position += static_cast<int64_t>(piece.bytes.size());
      }
      return Status::ok();
    });
    SHIPWAY_RETURN_IF_ERROR(status.with_context("external data"));
  }
  return Status::ok();
}

}  // namespace shipway
