#include "base/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <system_error>
#include <utility>
#include <vector>

#include "base/text.h"

namespace shipway {
namespace {

/// An errno as a Status: `cannot open 'm.onnx': No such file or directory`.
Status system_error(const char* action, const std::string& path, int error) {
  const std::string reason = std::generic_category().message(error);
  const StatusCode code = error == ENOENT   ? StatusCode::kNotFound
                          : error == ENOMEM ? StatusCode::kOutOfMemory
                                            : StatusCode::kIo;
  return Status(code, format_message("cannot {} {}: {}", {action, quoted(path, 400), reason}));
}

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  /// Closes now and says what close() said.
  int close() { return ::close(std::exchange(fd_, -1)); }

 private:
  int fd_;
};

const char* kind_of_file(mode_t mode) {
  if (S_ISDIR(mode)) return "a directory";
  if (S_ISFIFO(mode)) return "a pipe";
  if (S_ISSOCK(mode)) return "a socket";
  return "a device";
}

class BufferedFile final : public FileSink {
 public:
  BufferedFile(int fd, const std::string& path) : fd_(fd), path_(path) {}

  Status write(std::span<const std::byte> bytes) override {
    if (bytes.size() > kBufferSize - buffer_.size()) SHIPWAY_RETURN_IF_ERROR(flush());
    if (bytes.size() >= kBufferSize) return write_now(bytes);
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
    return Status::ok();
  }

  Status flush() {
    SHIPWAY_RETURN_IF_ERROR(write_now(buffer_));
    buffer_.clear();
    return Status::ok();
  }

 private:
  static constexpr size_t kBufferSize = 64 * 1024;

  Status write_now(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return system_error("write", path_, errno);
      bytes = bytes.subspan(static_cast<size_t>(written));
    }
    return Status::ok();
  }

  int fd_;
  const std::string& path_;
  std::vector<std::byte> buffer_;
};

/// The file written beside the real one; removed again unless it was renamed.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& target)
      : prefix_(target + ".tmp." + std::to_string(::getpid())) {}
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    if (exists_) ::unlink(path_.c_str());
  }

  /// Creates it under a name not in use (another thread may be writing the same target); the
  /// descriptor, or -1.
  int create(mode_t mode) {
    for (int attempt = 0; attempt < 1000; ++attempt) {
      path_ = attempt == 0 ? prefix_ : prefix_ + "." + std::to_string(attempt);
      const int fd = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
      exists_ = fd >= 0;
      if (fd >= 0 || errno != EEXIST) return fd;
    }
    return -1;
  }

  int rename_to(const std::string& target) {
    const int result = ::rename(path_.c_str(), target.c_str());
    if (result == 0) exists_ = false;
    return result;
  }

 private:
  std::string prefix_, path_;
  bool exists_ = false;
};

Status write_directly(const std::string& path, const std::function<Status(FileSink&)>& produce) {
  FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (file.get() < 0) return system_error("write", path, errno);
  BufferedFile sink(file.get(), path);
  SHIPWAY_RETURN_IF_ERROR(produce(sink));
  return sink.flush();
}

/// Makes a rename survive a power cut; a file system that cannot is no error.
void sync_directory_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  FileDescriptor fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() >= 0) ::fsync(fd.get());
}

}  // namespace

Result<std::shared_ptr<const MappedFile>> MappedFile::open(const std::string& path) {
  // O_NONBLOCK: opening a FIFO would otherwise wait for its writer.
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return system_error("open", path, errno);
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return system_error("open", path, errno);
  if (!S_ISREG(info.st_mode))
    return Status::io("cannot open {}: it is {}, not a file", quoted(path, 400),
                      kind_of_file(info.st_mode));
  const auto size = static_cast<size_t>(info.st_size);
  std::span<const std::byte> bytes;
  if (size > 0) {
    void* address = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file.get(), 0);
    if (address == MAP_FAILED) return system_error("map", path, errno);
    bytes = {static_cast<const std::byte*>(address), size};
  }
  return std::shared_ptr<const MappedFile>(new MappedFile(path, bytes));
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

void MappedFile::drop_pages(size_t offset, size_t size) const {
  if (offset >= bytes_.size()) return;
  size = std::min(size, bytes_.size() - offset);
  static const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  const size_t first = (offset + page - 1) / page * page;
  // The page that holds the end of the file belongs to nobody else.
  const size_t last =
      offset + size == bytes_.size() ? offset + size : (offset + size) / page * page;
  if (first < last)
    ::madvise(const_cast<std::byte*>(bytes_.data()) + first, last - first, MADV_DONTNEED);
}

Status write_file_atomically(const std::string& path,
                             const std::function<Status(FileSink&)>& produce) {
  struct stat info {};
  const bool exists = ::stat(path.c_str(), &info) == 0;
  if (exists && S_ISDIR(info.st_mode)) return system_error("write", path, EISDIR);
  if (exists && !S_ISREG(info.st_mode)) return write_directly(path, produce);

  std::string target = path;
  if (exists)  // through symbolic links: the link stays, what it points to is replaced
    if (const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr),
                                                               &std::free);
        real != nullptr)
      target = real.get();

  TemporaryFile temporary(target);
  FileDescriptor file(temporary.create(0666));
  if (file.get() < 0) return system_error("write", path, errno);
  if (exists && ::fchmod(file.get(), info.st_mode & 07777) != 0)
    return system_error("keep the permissions of", path, errno);
  BufferedFile sink(file.get(), path);
  SHIPWAY_RETURN_IF_ERROR(produce(sink));
  SHIPWAY_RETURN_IF_ERROR(sink.flush());
  if (::fsync(file.get()) != 0) return system_error("write", path, errno);
  if (file.close() != 0) return system_error("write", path, errno);
  if (temporary.rename_to(target) != 0) return system_error("write", path, errno);
  sync_directory_of(target);
  return Status::ok();
}

Status write_file_atomically(const std::string& path,
                             std::span<const std::span<const std::byte>> pieces) {
  return write_file_atomically(path, [&](FileSink& sink) {
    for (const auto& piece : pieces) SHIPWAY_RETURN_IF_ERROR(sink.write(piece));
    return Status::ok();
  });
}

Status write_file_atomically(const std::string& path, std::span<const std::byte> bytes) {
  return write_file_atomically(path, [&](FileSink& sink) { return sink.write(bytes); });
}

}  // namespace shipway
