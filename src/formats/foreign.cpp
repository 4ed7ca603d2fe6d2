#include "formats/registry.h"

namespace shipway {

std::optional<std::string> name_foreign_file(Bytes bytes, std::string_view) {
  if (bytes.empty()) return "an empty file";
  return std::nullopt;
}

}  // namespace shipway
