#include "formats/onnx/external_data.h"

#include <cstdlib>

#include "base/text.h"

namespace shipway {
namespace {

std::optional<std::string> real_path(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr),
                                                         &std::free);
  if (!real) return std::nullopt;
  return std::string(real.get());
}

}  // namespace

Status check_external_location(std::string_view location) {
  if (location.empty()) return Status::invalid_model("external data has no location");
  if (location.find('\0') != std::string_view::npos)
    return Status::invalid_model("external data location {} contains a NUL byte", quoted(location));
  if (location.front() == '/')
    return Status::invalid_model(
        "external data location {} is absolute; it must stay inside the model's folder",
        quoted(location));
  for (size_t begin = 0; begin <= location.size();) {
    const size_t end = std::min(location.find('/', begin), location.size());
    if (location.substr(begin, end - begin) == "..")
      return Status::invalid_model(
          "external data location {} goes up by '..'; it must stay inside the model's folder",
          quoted(location));
    begin = end + 1;
  }
  return Status::ok();
}

Result<std::shared_ptr<const MappedFile>> ExternalFiles::open(const std::string& location) {
  if (const auto found = opened_.find(location); found != opened_.end()) return found->second;
  SHIPWAY_RETURN_IF_ERROR(check_external_location(location));
  if (!folder_)
    return Status::invalid_model(
        "external data {} cannot be found: the model was read from memory, without a folder",
        quoted(location));
  const std::string folder = folder_->empty() ? "." : *folder_;
  const std::optional<std::string> real_folder = real_path(folder);
  const std::optional<std::string> real_file = real_path(folder + "/" + location);
  if (!real_folder || !real_file)
    return Status::not_found("external data file {} is missing from folder {}", quoted(location),
                             quoted(folder, 400));
  const std::string inside = *real_folder == "/" ? "/" : *real_folder + "/";
  if (!real_file->starts_with(inside))
    return Status::invalid_model(
        "external data {} is a link that leads out of the model's folder, to {}", quoted(location),
        quoted(*real_file, 400));
  SHIPWAY_ASSIGN_OR_RETURN(std::shared_ptr<const MappedFile> file, MappedFile::open(*real_file));
  opened_.emplace(location, file);
  return file;
}

Result<ExternalData> parse_external_data(std::vector<std::pair<std::string, std::string>> entries) {
  ExternalData external;
  for (const auto& [key, value] : entries) {
    if (key == "location") external.location = value;
    if (key != "offset" && key != "length") continue;
    const std::optional<int64_t> number = parse_int(value);
    if (!number || *number < 0)
      return Status::invalid_model("external data {} is {}, expected a number of bytes", key,
                                   quoted(value));
    (key == "offset" ? external.offset : external.length) = *number;
  }
  external.entries = std::move(entries);
  return external;
}

}  // namespace shipway
