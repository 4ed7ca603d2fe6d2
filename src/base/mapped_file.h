// Files as bytes: mapped for reading, replaced as a whole for writing.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "shipway/status.h"

namespace shipway {

/// A whole file mapped read-only and shared by all who hold it (tensors keep the mapping of their
/// weights alive). Replacing the file on disk by rename leaves the mapping as it was; cutting it
/// short in place makes later reads fail with SIGBUS, as with every mapping, so Shipway itself
/// always replaces (`write_file_atomically`). Safe to read from any number of threads.
class MappedFile {
 public:
  /// Maps `path`. Errors name the path: not found, not allowed, or not a regular file (a directory,
  /// FIFO or device is refused without waiting on it). An empty file is fine.
  static Result<std::shared_ptr<const MappedFile>> open(const std::string& path);

  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return bytes_; }
  const std::string& path() const { return path_; }

  /// Gives the memory of the whole pages inside [offset, offset + size) back to the system; a later
  /// read loads them from the file again. For weights that have been packed into another form.
  void drop_pages(size_t offset, size_t size) const;

 private:
  MappedFile(std::string path, std::span<const std::byte> bytes)
      : path_(std::move(path)), bytes_(bytes) {}

  std::string path_;
  std::span<const std::byte> bytes_;
};

/// Takes the bytes of a file being written, in order; small pieces are gathered.
class FileSink {
 public:
  virtual ~FileSink() = default;
  virtual Status write(std::span<const std::byte> bytes) = 0;
};

/// Writes a file beside `path` (`path.tmp.<pid>`), syncs it and renames it to `path`: readers see
/// the old content or the new one, never a part, and a mapping of the old file stays valid. On any
/// failure the file beside is removed and `path` untouched. A symbolic link is followed,
/// permissions of an existing file are kept; devices and pipes (/dev/stdout) are written directly.
/// Errors name the path; one from `produce` is passed on.
Status write_file_atomically(const std::string& path,
                             const std::function<Status(FileSink&)>& produce);

/// The same for bytes at hand, piece after piece.
Status write_file_atomically(const std::string& path,
                             std::span<const std::span<const std::byte>> pieces);
Status write_file_atomically(const std::string& path, std::span<const std::byte> bytes);

}  // namespace shipway
