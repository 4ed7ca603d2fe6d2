// The formats that Shipway reads, and the names of those that it does not.
#pragma once

#include "formats/wire/protobuf.h"
#include "shipway/formats.h"

namespace shipway {

class MappedFile;

/// What a reader gets: the bytes, who keeps them alive (null: nobody), and where files beside lie.
struct FormatInput {
  Bytes bytes;
  std::shared_ptr<const void> owner;
  const MappedFile* file = nullptr;  // the owner, when the bytes are those of a file
  std::string name;                  // the file's path; "" from memory
  std::optional<std::string> folder;
};

struct ModelFormat {
  std::string_view name;
  /// By content; the file's name only narrows the choice between formats without a signature.
  bool (*matches)(Bytes bytes, std::string_view name);
  Result<Model> (*read)(const FormatInput& input);
};

/// Alphabetical; formats with a signature of their own are asked before those recognised by
/// structure.
std::span<const ModelFormat> model_formats();

/// One sentence on what these bytes are and what to do with them, when they are a known thing that
/// no format here reads ("a Git LFS pointer, ..."). Nothing when they are not recognised.
std::optional<std::string> name_foreign_file(Bytes bytes, std::string_view name);

}  // namespace shipway
