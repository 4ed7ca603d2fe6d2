// .npz: a zip archive of .npy files. https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
#include <zlib.h>

#include <algorithm>
#include <limits>

#include "base/byte_reader.h"
#include "base/mapped_file.h"
#include "base/text.h"
#include "tensor/npy.h"

namespace shipway {
namespace {

constexpr uint32_t kLocalHeader = 0x04034b50, kCentralHeader = 0x02014b50,
                   kEndOfDirectory = 0x06054b50;
constexpr size_t kEndSize = 22, kLongestComment = 0xffff;
constexpr uint64_t kDeflateRatio = 1032;  // deflate cannot expand more: a larger claim is a lie

using Bytes = std::span<const std::byte>;

struct Entry {
  std::string name;
  uint16_t method = 0;
  uint32_t crc = 0;
  uint64_t compressed = 0, size = 0, header_offset = 0;
};

/// The end-of-directory record: the last one in the file.
Result<size_t> find_end(Bytes bytes) {
  if (bytes.size() >= kEndSize) {
    const size_t first = bytes.size() - std::min(bytes.size(), kEndSize + kLongestComment);
    for (size_t at = bytes.size() - kEndSize + 1; at-- > first;) {
      ByteReader reader(bytes.subspan(at));
      if (auto signature = reader.read<uint32_t>();
          signature.is_ok() && *signature == kEndOfDirectory)
        return at;
    }
  }
  return Status::invalid_argument(
      "not a .npz file: a zip archive's directory is missing at its end (cut off?)");
}

/// Sizes that do not fit into 32 bits stand in an extra field, in this order.
Status read_zip64(Bytes extra, Entry& entry) {
  ByteReader reader(extra);
  while (reader.remaining() >= 4) {
    SHIPWAY_ASSIGN_OR_RETURN(const auto id, reader.read<uint16_t>());
    SHIPWAY_ASSIGN_OR_RETURN(const auto size, reader.read<uint16_t>());
    SHIPWAY_ASSIGN_OR_RETURN(const auto content, reader.bytes(size));
    if (id != 1) continue;
    ByteReader wide(content);
    for (uint64_t* value : {&entry.size, &entry.compressed, &entry.header_offset}) {
      if (*value != 0xffffffff) continue;
      SHIPWAY_ASSIGN_OR_RETURN(*value, wide.read<uint64_t>());
    }
  }
  return Status::ok();
}

Result<Entry> read_entry(ByteReader& reader) {
  Entry entry;
  SHIPWAY_ASSIGN_OR_RETURN(const auto signature, reader.read<uint32_t>());
  if (signature != kCentralHeader)
    return Status::invalid_argument("a zip directory entry is malformed");
  SHIPWAY_RETURN_IF_ERROR(reader.skip(6));
  SHIPWAY_ASSIGN_OR_RETURN(entry.method, reader.read<uint16_t>());
  SHIPWAY_RETURN_IF_ERROR(reader.skip(4));
  SHIPWAY_ASSIGN_OR_RETURN(entry.crc, reader.read<uint32_t>());
  SHIPWAY_ASSIGN_OR_RETURN(entry.compressed, reader.read<uint32_t>());
  SHIPWAY_ASSIGN_OR_RETURN(entry.size, reader.read<uint32_t>());
  SHIPWAY_ASSIGN_OR_RETURN(const auto name_size, reader.read<uint16_t>());
  SHIPWAY_ASSIGN_OR_RETURN(const auto extra_size, reader.read<uint16_t>());
  SHIPWAY_ASSIGN_OR_RETURN(const auto comment_size, reader.read<uint16_t>());
  SHIPWAY_RETURN_IF_ERROR(reader.skip(8));
  SHIPWAY_ASSIGN_OR_RETURN(entry.header_offset, reader.read<uint32_t>());
  SHIPWAY_ASSIGN_OR_RETURN(const auto name, reader.bytes(name_size));
  SHIPWAY_ASSIGN_OR_RETURN(const auto extra, reader.bytes(extra_size));
  SHIPWAY_RETURN_IF_ERROR(reader.skip(comment_size));
  entry.name.assign(reinterpret_cast<const char*>(name.data()), name.size());
  SHIPWAY_RETURN_IF_ERROR(read_zip64(extra, entry));
  return entry;
}

uint32_t crc_of(Bytes bytes) {
  return static_cast<uint32_t>(
      crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

Result<std::vector<std::byte>> inflate_all(Bytes compressed, uint64_t size) {
  if (size > compressed.size() * kDeflateRatio + kDeflateRatio)
    return Status::invalid_argument("claims {} bytes out of {}: more than deflate can hold", size,
                                    compressed.size());
  std::vector<std::byte> out(static_cast<size_t>(size));
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
    return Status::out_of_memory("no memory to unpack an array");
  constexpr size_t kStep = 1 << 30;  // zlib counts in 32 bits
  size_t read = 0, written = 0;
  int result = Z_OK;
  while (result == Z_OK) {
    const size_t in = std::min(kStep, compressed.size() - read),
                 room = std::min(kStep, out.size() - written);
    stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(compressed.data() + read));
    stream.avail_in = static_cast<uInt>(in);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + written);
    stream.avail_out = static_cast<uInt>(room);
    result = inflate(&stream, Z_NO_FLUSH);
    read += in - stream.avail_in;
    written += room - stream.avail_out;
    if (result == Z_OK && stream.avail_in == in && stream.avail_out == room) break;  // no progress
  }
  inflateEnd(&stream);
  if (result != Z_STREAM_END || written != out.size())
    return Status::invalid_argument("does not unpack to its {} bytes", size);
  return out;
}

Result<Tensor> read_array(Bytes archive, const Entry& entry) {
  if (entry.header_offset > archive.size())
    return Status::invalid_argument("starts at byte {}, beyond the end", entry.header_offset);
  ByteReader reader(archive.subspan(static_cast<size_t>(entry.header_offset)));
  SHIPWAY_ASSIGN_OR_RETURN(const auto signature, reader.read<uint32_t>());
  if (signature != kLocalHeader) return Status::invalid_argument("has a malformed zip header");
  SHIPWAY_RETURN_IF_ERROR(reader.skip(22));
  SHIPWAY_ASSIGN_OR_RETURN(const auto name_size, reader.read<uint16_t>());
  SHIPWAY_ASSIGN_OR_RETURN(const auto extra_size, reader.read<uint16_t>());
  SHIPWAY_RETURN_IF_ERROR(reader.skip(size_t{name_size} + extra_size));
  if (entry.compressed > reader.remaining())
    return Status::invalid_argument("is cut off: {} bytes expected, {} left", entry.compressed,
                                    reader.remaining());
  SHIPWAY_ASSIGN_OR_RETURN(const Bytes data, reader.bytes(static_cast<size_t>(entry.compressed)));
  const auto checked = [&](Bytes content) -> Result<Tensor> {
    if (crc_of(content) != entry.crc)
      return Status::invalid_argument("is damaged: its checksum does not fit");
    return parse_npy(content);
  };
  if (entry.method == 0) return checked(data);
  if (entry.method != 8)
    return Status::unsupported("is packed by zip method {}, expected 0 or 8", entry.method);
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<std::byte> content, inflate_all(data, entry.size));
  return checked(content);
}

template <typename T>
void append(std::string& to, T value) {
  to.append(reinterpret_cast<const char*>(&value), sizeof value);
}

}  // namespace

Result<NamedTensors> parse_npz(Bytes bytes) {
  SHIPWAY_ASSIGN_OR_RETURN(const size_t end, find_end(bytes));
  ByteReader tail(bytes.subspan(end));
  SHIPWAY_RETURN_IF_ERROR(tail.skip(10));
  SHIPWAY_ASSIGN_OR_RETURN(const auto count, tail.read<uint16_t>());
  SHIPWAY_RETURN_IF_ERROR(tail.skip(4));
  SHIPWAY_ASSIGN_OR_RETURN(const auto offset, tail.read<uint32_t>());
  if (offset == 0xffffffff) return Status::unsupported("a .npz file beyond 4 GB is not read");
  ByteReader directory(bytes);
  SHIPWAY_RETURN_IF_ERROR(directory.seek(offset));
  NamedTensors arrays;
  for (size_t i = 0; i < count; ++i) {
    SHIPWAY_ASSIGN_OR_RETURN(Entry entry, read_entry(directory));
    auto tensor = read_array(bytes, entry);
    if (!tensor.is_ok()) return tensor.status().with_context("array {}", quoted(entry.name));
    if (entry.name.ends_with(".npy")) entry.name.resize(entry.name.size() - 4);
    arrays.emplace_back(std::move(entry.name), std::move(*tensor));
  }
  return arrays;
}

Result<NamedTensors> read_npz(const std::string& path) {
  SHIPWAY_ASSIGN_OR_RETURN(const auto file, MappedFile::open(path));
  auto arrays = parse_npz(file->bytes());
  if (!arrays.is_ok()) return arrays.status().with_context("reading {}", quoted(path, 400));
  return arrays;
}

Status write_npz(const std::string& path, std::span<const std::pair<std::string, Tensor>> arrays) {
  const auto write = [&]() -> Status {
    if (arrays.size() >= 0xffff) return Status::limit("a .npz file holds at most 65534 arrays");
    std::string file, directory;
    for (const auto& [name, tensor] : arrays) {
      auto content = serialize_npy(tensor);
      if (!content.is_ok()) return content.status().with_context("array {}", quoted(name));
      const std::string entry_name = name + ".npy";
      if (entry_name.size() > 0xffff)
        return Status::limit("an array's name has more than 65535 bytes");
      if (content->size() >= 0xffffffff - file.size() - entry_name.size() - 30)
        return Status::limit("a .npz file above 4 GB is not written: use one .npy for each array");
      // What both headers share: version 2.0, UTF-8 names, stored, 1980-01-01 (same input, same
      // bytes).
      std::string common;
      for (uint16_t value :
           {uint16_t{20}, uint16_t{0x800}, uint16_t{0}, uint16_t{0}, uint16_t{0x21}})
        append(common, value);
      append(common, crc_of(std::as_bytes(std::span<const char>(*content))));
      append(common, static_cast<uint32_t>(content->size()));
      append(common, static_cast<uint32_t>(content->size()));
      append(common, static_cast<uint16_t>(entry_name.size()));
      append(common, uint16_t{0});
      append(directory, kCentralHeader);
      append(directory, uint16_t{20});
      directory += common;
      directory.append(10, '\0');  // comment, disk, attributes
      append(directory, static_cast<uint32_t>(file.size()));
      directory += entry_name;
      append(file, kLocalHeader);
      file += common + entry_name + *content;
    }
    const auto offset = static_cast<uint32_t>(file.size());
    const auto size = static_cast<uint32_t>(directory.size());
    file += directory;
    append(file, kEndOfDirectory);
    append(file, uint32_t{0});
    append(file, static_cast<uint16_t>(arrays.size()));
    append(file, static_cast<uint16_t>(arrays.size()));
    append(file, size);
    append(file, offset);
    append(file, uint16_t{0});
    return write_file_atomically(path, std::as_bytes(std::span<const char>(file)));
  };
  return write().with_context("writing {}", quoted(path, 400));
}

}  // namespace shipway
