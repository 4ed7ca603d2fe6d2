#include "base/mapped_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>
#include <thread>
#include <vector>

namespace shipway {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class Files : public testing::Test {
 protected:
  void SetUp() override {
    directory_ =
        fs::path(testing::TempDir()) / ("shipway_mapped_file_" + std::to_string(::getpid()));
    fs::create_directories(directory_);
  }
  void TearDown() override { fs::remove_all(directory_); }

  std::string path(const std::string& name) const { return directory_ / name; }
  std::string make(const std::string& name, std::string_view content) const {
    std::ofstream(path(name), std::ios::binary) << content;
    return path(name);
  }
  std::string content(const std::string& name) const {
    std::ifstream file(path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  size_t file_count() const {
    return static_cast<size_t>(std::distance(fs::directory_iterator(directory_), {}));
  }

  fs::path directory_;
};

using MappedFileTest = Files;
using WriteFileAtomically = Files;

std::string_view text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

TEST_F(MappedFileTest, MapsContentAndRemembersThePath) {
  const auto file = MappedFile::open(make("a", "hello"));
  ASSERT_TRUE(file.is_ok());
  EXPECT_EQ(text((*file)->bytes()), "hello");
  EXPECT_EQ((*file)->path(), path("a"));
}

TEST_F(MappedFileTest, TakesAnEmptyFile) {
  const auto file = MappedFile::open(make("empty", ""));
  ASSERT_TRUE(file.is_ok());
  EXPECT_TRUE((*file)->bytes().empty());
  (*file)->drop_pages(0, 10);
}

TEST_F(MappedFileTest, RefusesByName) {
  const auto missing = MappedFile::open(path("missing")).status();
  EXPECT_EQ(missing.code(), StatusCode::kNotFound);
  EXPECT_EQ(missing.message(), "cannot open '" + path("missing") + "': No such file or directory");
  EXPECT_THAT(MappedFile::open(directory_).status().message(),
              HasSubstr("it is a directory, not a file"));
  EXPECT_THAT(MappedFile::open("/dev/zero").status().message(),
              HasSubstr("it is a device, not a file"));
  ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
  EXPECT_THAT(MappedFile::open(path("fifo")).status().message(),
              HasSubstr("it is a pipe, not a file"));
}

TEST_F(MappedFileTest, DroppedPagesReadTheSame) {
  std::string content(100'000, 'x');
  for (size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>('a' + i % 23);
  const auto file = MappedFile::open(make("big", content)).value();
  for (const auto& [offset, size] : std::vector<std::pair<size_t, size_t>>{{0, 100'000},
                                                                           {1, 5000},
                                                                           {4095, 2},
                                                                           {99'999, 1},
                                                                           {100'000, 1},
                                                                           {5, SIZE_MAX},
                                                                           {SIZE_MAX, 1}}) {
    file->drop_pages(offset, size);
    EXPECT_EQ(text(file->bytes()), content);
  }
}

TEST_F(WriteFileAtomically, ReplacesWhileTheOldContentStaysMapped) {
  const std::string name = make("model", "old content");
  const auto old = MappedFile::open(name).value();
  ASSERT_TRUE(write_file_atomically(name, bytes("new")).is_ok());
  EXPECT_EQ(content("model"), "new");
  EXPECT_EQ(text(old->bytes()), "old content");
  EXPECT_EQ(file_count(), 1u);
}

TEST_F(WriteFileAtomically, WritesPiecesSmallAndLarge) {
  const std::string large(200'000, 'L');
  const std::vector<std::span<const std::byte>> pieces = {bytes("a"), bytes(large), bytes(""),
                                                          bytes("b")};
  ASSERT_TRUE(write_file_atomically(path("out"), pieces).is_ok());
  EXPECT_EQ(content("out"), "a" + large + "b");
  ASSERT_TRUE(write_file_atomically(path("out"), std::span<const std::byte>()).is_ok());
  EXPECT_EQ(content("out"), "");
}

TEST_F(WriteFileAtomically, LeavesNothingBehindWhenProducingFails) {
  const std::string name = make("model", "old");
  const Status failed = write_file_atomically(name, [](FileSink& sink) {
    SHIPWAY_RETURN_IF_ERROR(sink.write(bytes("half")));
    return Status::cancelled("stopped");
  });
  EXPECT_EQ(failed.message(), "stopped");
  EXPECT_THROW(
      (void)write_file_atomically(name, [](FileSink&) -> Status { throw std::bad_alloc(); }),
      std::bad_alloc);
  EXPECT_EQ(content("model"), "old");
  EXPECT_EQ(file_count(), 1u);
}

TEST_F(WriteFileAtomically, NamesThePathInErrors) {
  EXPECT_THAT(write_file_atomically(path("no/such/file"), bytes("x")).message(),
              HasSubstr("cannot write '" + path("no/such/file") + "': No such file or directory"));
  EXPECT_THAT(write_file_atomically(directory_, bytes("x")).message(), HasSubstr("Is a directory"));
  EXPECT_EQ(write_file_atomically("", bytes("x")).code(), StatusCode::kNotFound);
}

TEST_F(WriteFileAtomically, FollowsLinksAndKeepsPermissions) {
  make("real", "old");
  ASSERT_EQ(::chmod(path("real").c_str(), 0640), 0);
  fs::create_symlink("real", path("link"));
  ASSERT_TRUE(write_file_atomically(path("link"), bytes("new")).is_ok());
  EXPECT_TRUE(fs::is_symlink(path("link")));
  EXPECT_EQ(content("real"), "new");
  EXPECT_EQ(fs::status(path("real")).permissions(), fs::perms{0640});
}

TEST_F(WriteFileAtomically, WritesDevicesDirectly) {
  EXPECT_TRUE(write_file_atomically("/dev/null", bytes("x")).is_ok());
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  EXPECT_EQ(write_file_atomically("/dev/full", bytes("x")).code(), StatusCode::kIo);
}

TEST_F(WriteFileAtomically, SurvivesManyWritersOfOneFile) {
  std::vector<std::thread> writers;
  for (char letter : {'a', 'b', 'c', 'd'})
    writers.emplace_back([&, letter] {
      const std::string mine(10'000, letter);
      for (int i = 0; i < 20; ++i)
        EXPECT_TRUE(write_file_atomically(path("shared"), bytes(mine)).is_ok());
    });
  for (std::thread& writer : writers) writer.join();
  const std::string result = content("shared");
  EXPECT_EQ(result, std::string(10'000, result.at(0)));
  EXPECT_EQ(file_count(), 1u);
}

}  // namespace
}  // namespace shipway
