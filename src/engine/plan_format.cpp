#include "engine/plan_format.h"

#include <algorithm>
#include <cstring>
#include <map>

#include "base/byte_reader.h"
#include "base/checksum.h"
#include "base/mapped_file.h"
#include "base/text.h"
#include "shipway/compile.h"

namespace shipway {
namespace {

// What follows stands in files. A change of any of it makes kFormat larger.
constexpr uint32_t kFormat = 1;
constexpr size_t kVersionBytes = 24;
/// magic, format, instruction set, bytes of the file, of the head, checksum of the head, library
/// version, what its kernels read, sections, tensors, forms, checked blocks, bytes of the text.
constexpr size_t kHeaderBytes = 8 + 4 + 4 + 8 + 8 + 8 + kVersionBytes + 8 + 4 * 4 + 8;
constexpr size_t kHeadBytesOffset = 8 + 4 + 4 + 8, kHeadSumOffset = kHeadBytesOffset + 8;
constexpr size_t kSectionBytes = 16;  // offset, bytes
constexpr size_t kTensorBytes = 16;   // section or -1, padding, bytes
constexpr size_t kFormBytes = 64;     // tensor, section, kind, padding, parameters
/// Sections begin where a page or a cache line does.
constexpr size_t kPage = 4096, kLine = PlanFile::kAlignment;
/// Bytes that one checksum of a section covers: threads check blocks apart.
constexpr size_t kChecked = size_t{1} << 20;

static_assert(sizeof(kernels::PackRecipe::parameters) == 48);

uint64_t rounded_up(uint64_t value, uint64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}
size_t block_count(size_t bytes) { return (bytes + kChecked - 1) / kChecked; }
std::span<const std::byte> block_of(std::span<const std::byte> bytes, size_t block) {
  const size_t begin = block * kChecked;
  return bytes.subspan(begin, std::min(kChecked, bytes.size() - begin));
}

template <typename T>
void append(std::string& bytes, T number) {
  bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
}
std::span<const std::byte> as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

/// A checksum of the head, whose own place in it counts as zero.
uint64_t head_checksum(std::span<const std::byte> head) {
  std::array<std::byte, kHeaderBytes> header;
  std::memcpy(header.data(), head.data(), kHeaderBytes);
  std::memset(header.data() + kHeadSumOffset, 0, sizeof(uint64_t));
  const uint64_t sums[] = {checksum(header), checksum(head.subspan(kHeaderBytes))};
  return checksum(std::as_bytes(std::span(sums)));
}

/// Small examples of each kind of packing.
std::vector<kernels::PackRecipe> samples(kernels::PackKind kind) {
  using kernels::PackKind;
  switch (kind) {
    case PackKind::kNone:
      return {};
    case PackKind::kGemmPanels:
      return {{kind, {37, 5, 0, 16, 8}}, {kind, {37, 5, 1, 32, 16}}};
    case PackKind::kConvPanels:
      return {{kind, {20, 6, 9, 1, 8, 16, 8, 1, 0}},
              {kind, {20, 3, 9, 2, 0, 16, 8, 2, 0}},
              {kind, {20, 6, 4, 1, 4, 8, 4, 1, 1}}};
    case PackKind::kDepthwise:
      return {{kind, {20, 9, 8}}};
    case PackKind::kTransposeRows:
      return {{kind, {4, 3, 1, 1, 3, 3, 1, 2, 2, 1, 1, 1}}};
    case PackKind::kWinograd:
      return {{kind, {20, 6, 16, 8}}};
    case PackKind::kRecurrent:
      return {{kind, {static_cast<int32_t>(kernels::RecurrentCell::kLstm), 1, 5, 3, 8, 1, 0}},
              {kind, {static_cast<int32_t>(kernels::RecurrentCell::kGru), 2, 5, 3, 4, 0, 1}}};
  }
  return {};
}

/// Differs between builds of the library whose kernels read weights differently, or that choose
/// other kernels: nobody has to think of a number to make larger.
uint64_t kernels_fingerprint() {
  static const uint64_t fingerprint = [] {
    std::string all;
    for (const kernels::KernelRow& row : kernels::kernel_table()) (all += row.name) += '\n';
    std::vector<float> source(4096);
    for (size_t i = 0; i < source.size(); ++i) source[i] = static_cast<float>(i % 251) - 100;
    for (int kind = 0; kind <= static_cast<int>(kernels::PackKind::kRecurrent); ++kind)
      for (const kernels::PackRecipe& recipe : samples(static_cast<kernels::PackKind>(kind))) {
        std::vector<float> packed(static_cast<size_t>(kernels::packed_size(recipe)) /
                                  sizeof(float));
        kernels::pack(recipe, source.data(), packed.data());
        append(all, kind);
        append(all, checksum(std::as_bytes(std::span(packed))));
      }
    return checksum(as_bytes(all));
  }();
  return fingerprint;
}

/// Where the bytes of a section come from, without a copy where memory has them.
class SectionSource {
 public:
  explicit SectionSource(const Tensor& tensor) : tensor_(&tensor) {}
  explicit SectionSource(const PackedWeights& weights) : weights_(&weights) {}
  size_t size() const {
    return weights_ ? weights_->bytes->size() : static_cast<size_t>(tensor_->byte_size());
  }
  /// Calls `use` with the bytes; a deferred tensor's are there for the call only.
  template <typename Use>
  Status with_bytes(const Use& use) const {
    if (weights_) return use(std::span<const std::byte>(weights_->bytes->data(), size()));
    if (!tensor_->storage()->is_deferred())
      return use(
          std::span<const std::byte>(static_cast<const std::byte*>(tensor_->data()), size()));
    SHIPWAY_ASSIGN_OR_RETURN(const auto copy, Storage::allocate(size()));
    copy_elements(*tensor_, copy->data());
    return use(std::span<const std::byte>(copy->data(), size()));
  }

 private:
  const Tensor* tensor_ = nullptr;
  const PackedWeights* weights_ = nullptr;
};

}  // namespace

Status write_plan_file(const std::string& path, const PlanContents& contents) {
  std::vector<SectionSource> sections;
  std::map<const void*, int32_t> packed_sections;  // forms that several tensors share stand once
  std::string tensor_table, form_table;
  uint32_t forms = 0;
  const auto add_form = [&](int32_t tensor, const std::shared_ptr<const PackedWeights>& form) {
    const auto [entry, is_new] =
        packed_sections.try_emplace(form.get(), static_cast<int32_t>(sections.size()));
    if (is_new) sections.emplace_back(*form);
    append(form_table, tensor);
    append(form_table, entry->second);
    append(form_table, static_cast<int32_t>(form->recipe.kind));
    append(form_table, int32_t{0});
    for (int32_t parameter : form->recipe.parameters) append(form_table, parameter);
    ++forms;
  };
  for (size_t i = 0; i < contents.tensors.size(); ++i) {
    const StoredTensor& stored = contents.tensors[i];
    int32_t section = -1;
    if (!stored.is_only_packed) {
      section = static_cast<int32_t>(sections.size());
      sections.emplace_back(stored.tensor);
    }
    append(tensor_table, section);
    append(tensor_table, int32_t{0});
    append(tensor_table, static_cast<uint64_t>(stored.tensor.byte_size()));
    for (const auto& form : stored.forms) add_form(static_cast<int32_t>(i), form);
  }
  for (const auto& form : contents.joined) add_form(-1, form);
  size_t blocks = 0;
  for (const SectionSource& section : sections) blocks += block_count(section.size());
  const size_t head_bytes = kHeaderBytes + sections.size() * kSectionBytes + tensor_table.size() +
                            form_table.size() + blocks * sizeof(uint64_t) + contents.text.size();

  std::string section_table, sums;
  std::vector<uint64_t> offsets;
  uint64_t end = head_bytes;
  for (const SectionSource& section : sections) {
    offsets.push_back(rounded_up(end, section.size() >= kPage ? kPage : kLine));
    end = offsets.back() + section.size();
    append(section_table, offsets.back());
    append(section_table, static_cast<uint64_t>(section.size()));
    SHIPWAY_RETURN_IF_ERROR(section.with_bytes([&](std::span<const std::byte> bytes) {
      for (size_t b = 0; b < block_count(bytes.size()); ++b)
        append(sums, checksum(block_of(bytes, b)));
      return Status::ok();
    }));
  }
  std::string head(PlanFile::kMagic);
  append(head, kFormat);
  append(head, static_cast<uint32_t>(contents.isa));
  append(head, end);
  append(head, static_cast<uint64_t>(head_bytes));
  append(head, uint64_t{0});  // the checksum
  std::string version = SHIPWAY_VERSION;
  version.resize(kVersionBytes);
  head += version;
  append(head, kernels_fingerprint());
  append(head, static_cast<uint32_t>(sections.size()));
  append(head, static_cast<uint32_t>(contents.tensors.size()));
  append(head, forms);
  append(head, static_cast<uint32_t>(blocks));
  append(head, static_cast<uint64_t>(contents.text.size()));
  head += section_table + tensor_table + form_table + sums + contents.text;
  seal_head(std::as_writable_bytes(std::span(head)));

  return write_file_atomically(path, [&](FileSink& sink) -> Status {
    SHIPWAY_RETURN_IF_ERROR(sink.write(as_bytes(head)));
    uint64_t at = head.size();
    constexpr std::array<std::byte, kPage> kZeros{};
    for (size_t i = 0; i < sections.size(); ++i) {
      SHIPWAY_RETURN_IF_ERROR(sink.write(std::span(kZeros).first(offsets[i] - at)));
      SHIPWAY_RETURN_IF_ERROR(sections[i].with_bytes(
          [&](std::span<const std::byte> bytes) { return sink.write(bytes); }));
      at = offsets[i] + sections[i].size();
    }
    return Status::ok();
  });
}

void seal_head(std::span<std::byte> file) {
  uint64_t head_bytes = 0;
  std::memcpy(&head_bytes, file.data() + kHeadBytesOffset, sizeof head_bytes);
  if (head_bytes < kHeaderBytes || head_bytes > file.size()) return;
  const uint64_t sum = head_checksum(file.first(head_bytes));
  std::memcpy(file.data() + kHeadSumOffset, &sum, sizeof sum);
}

Result<std::shared_ptr<const PlanFile>> PlanFile::read(std::span<const std::byte> bytes,
                                                       std::shared_ptr<const void> owner) {
  if (!is_plan(bytes)) return Status::invalid_model("this is no plan file");
  auto file = std::make_shared<PlanFile>();
  SHIPWAY_RETURN_IF_ERROR(file->read_tables(bytes, owner));
  return std::shared_ptr<const PlanFile>(std::move(file));
}

Status PlanFile::read_tables(std::span<const std::byte> bytes,
                             const std::shared_ptr<const void>& owner) {
  const auto damaged = [](std::string_view what) {
    return Status::invalid_model("the plan file is damaged ({}): compile the model again", what);
  };
  ByteReader in(bytes);
  SHIPWAY_RETURN_IF_ERROR(in.skip(kMagic.size()));
  SHIPWAY_ASSIGN_OR_RETURN(const uint32_t format, in.read<uint32_t>());
  if (format != kFormat)
    return Status::unsupported(
        "the plan file has format {}, this Shipway reads {}: compile the model again", format,
        kFormat);
  if (bytes.size() < kHeaderBytes) return damaged("it is cut short");
  SHIPWAY_ASSIGN_OR_RETURN(const uint32_t isa, in.read<uint32_t>());
  SHIPWAY_ASSIGN_OR_RETURN(const uint64_t file_bytes, in.read<uint64_t>());
  SHIPWAY_ASSIGN_OR_RETURN(const uint64_t head_bytes, in.read<uint64_t>());
  SHIPWAY_ASSIGN_OR_RETURN(const uint64_t head_sum, in.read<uint64_t>());
  if (head_bytes < kHeaderBytes || head_bytes > bytes.size()) return damaged("it is cut short");
  const std::span<const std::byte> head = bytes.first(head_bytes);
  if (head_checksum(head) != head_sum) return damaged("its head has another checksum");
  if (file_bytes != bytes.size()) return damaged("it is cut short");

  SHIPWAY_ASSIGN_OR_RETURN(const auto version_bytes, in.bytes(kVersionBytes));
  const auto* version_text = reinterpret_cast<const char*>(version_bytes.data());
  const std::string version(version_text, strnlen(version_text, kVersionBytes));
  if (version != SHIPWAY_VERSION)
    return Status::unsupported(
        "the plan file was made by Shipway {}, this is {}: compile the model again",
        quoted(version), SHIPWAY_VERSION);
  SHIPWAY_ASSIGN_OR_RETURN(const uint64_t fingerprint, in.read<uint64_t>());
  if (fingerprint != kernels_fingerprint())
    return Status::unsupported(
        "the plan file was made by another build of Shipway {}, whose kernels read weights "
        "differently: compile the model again",
        version);
  isa_ = static_cast<Isa>(isa);
  if (isa == static_cast<uint32_t>(Isa::kScalar) || isa > static_cast<uint32_t>(Isa::kAvx512))
    return damaged("it names no instruction set");
  if (isa_ > active_isa())
    return Status::unsupported(
        "the plan file was made for {}, this process uses {}: compile the model for it (--isa {})",
        to_string(isa_), to_string(active_isa()), to_string(active_isa()));

  SHIPWAY_ASSIGN_OR_RETURN(const uint32_t section_count, in.read<uint32_t>());
  SHIPWAY_ASSIGN_OR_RETURN(const uint32_t tensor_count, in.read<uint32_t>());
  SHIPWAY_ASSIGN_OR_RETURN(const uint32_t form_count, in.read<uint32_t>());
  SHIPWAY_ASSIGN_OR_RETURN(const uint32_t sum_count, in.read<uint32_t>());
  SHIPWAY_ASSIGN_OR_RETURN(const uint64_t text_bytes, in.read<uint64_t>());
  ByteReader tables(head.subspan(in.position()));
  const auto table = [&](uint64_t rows, uint64_t row_bytes) {
    return tables.bytes(static_cast<size_t>(rows * row_bytes));  // rows have 32 bits, so this fits
  };
  const Result<std::span<const std::byte>> section_rows = table(section_count, kSectionBytes),
                                           tensor_rows = table(tensor_count, kTensorBytes),
                                           form_rows = table(form_count, kFormBytes),
                                           sums = table(sum_count, sizeof(uint64_t)),
                                           text = tables.bytes(text_bytes);
  if (!section_rows.is_ok() || !tensor_rows.is_ok() || !form_rows.is_ok() || !sums.is_ok() ||
      !text.is_ok() || !tables.at_end())
    return damaged("its tables do not fill its head");
  text_ = {reinterpret_cast<const char*>(text->data()), text->size()};

  ByteReader rows(*section_rows);
  size_t next_sum = 0;
  for (uint32_t i = 0; i < section_count; ++i) {
    SHIPWAY_ASSIGN_OR_RETURN(const uint64_t offset, rows.read<uint64_t>());
    SHIPWAY_ASSIGN_OR_RETURN(const uint64_t size, rows.read<uint64_t>());
    if (offset % kLine != 0 || offset > bytes.size() || size > bytes.size() - offset)
      return damaged("a section lies outside");
    const size_t blocks = block_count(size);
    if (blocks > sum_count - next_sum) return damaged("a section has no checksum");
    sections_.push_back({bytes.subspan(offset, size),
                         sums->subspan(next_sum * sizeof(uint64_t), blocks * sizeof(uint64_t))});
    next_sum += blocks;
  }
  const auto storage_of = [&](const Section& section) {
    return Storage::borrow_read_only(section.bytes.data(), section.bytes.size(), owner);
  };
  rows = ByteReader(*tensor_rows);
  for (uint32_t i = 0; i < tensor_count; ++i) {
    SHIPWAY_ASSIGN_OR_RETURN(const int32_t section, rows.read<int32_t>());
    SHIPWAY_RETURN_IF_ERROR(rows.skip(sizeof(int32_t)));
    SHIPWAY_ASSIGN_OR_RETURN(const uint64_t size, rows.read<uint64_t>());
    if (section < 0) {
      tensors_.push_back(Storage::deferred(size, [](std::span<std::byte>) {
        throw Error(Status::invalid_model(
            "the plan file has a weight in packed forms only, and none is the one asked for"));
      }));
      continue;
    }
    if (static_cast<uint32_t>(section) >= section_count ||
        sections_[static_cast<size_t>(section)].bytes.size() != size)
      return damaged("a tensor has no section of its size");
    tensors_.push_back(storage_of(sections_[static_cast<size_t>(section)]));
  }
  rows = ByteReader(*form_rows);
  for (uint32_t i = 0; i < form_count; ++i) {
    SHIPWAY_ASSIGN_OR_RETURN(const int32_t tensor, rows.read<int32_t>());
    SHIPWAY_ASSIGN_OR_RETURN(const int32_t section, rows.read<int32_t>());
    SHIPWAY_ASSIGN_OR_RETURN(const int32_t kind, rows.read<int32_t>());
    SHIPWAY_RETURN_IF_ERROR(rows.skip(sizeof(int32_t)));
    if (tensor < -1 || tensor >= static_cast<int64_t>(tensor_count) || section < 0 ||
        static_cast<uint32_t>(section) >= section_count)
      return damaged("a packed form has no section");
    Form form{tensor, {}, storage_of(sections_[static_cast<size_t>(section)])};
    form.recipe.kind = static_cast<kernels::PackKind>(kind);
    for (int32_t& parameter : form.recipe.parameters) {
      SHIPWAY_ASSIGN_OR_RETURN(parameter, rows.read<int32_t>());
    }
    forms_.push_back(std::move(form));
  }
  // A packed form has room for every element: no tensor is larger than the file can tell.
  for (size_t i = 0; i < tensors_.size(); ++i)
    if (tensors_[i]->is_deferred() &&
        std::none_of(forms_.begin(), forms_.end(), [&](const Form& form) {
          return form.tensor == static_cast<int64_t>(i) &&
                 form.bytes->size() >= tensors_[i]->size();
        }))
      return damaged("a tensor has neither a section nor a packed form");
  return Status::ok();
}

Result<Tensor> PlanFile::tensor(int64_t number, DType dtype, const Shape& shape) const {
  if (number < 0 || static_cast<uint64_t>(number) >= tensors_.size())
    return Status::invalid_model("there are {} stored tensors, no number {}", tensors_.size(),
                                 number);
  const std::shared_ptr<Storage>& storage = tensors_[static_cast<size_t>(number)];
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t count, element_count(shape));
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t bytes, storage_bytes(dtype, count));
  if (dtype == DType::kString || static_cast<uint64_t>(bytes) != storage->size())
    return Status::invalid_model("stored tensor {} has {} bytes, expected {}[{}]", number,
                                 storage->size(), to_string(dtype), to_string(shape));
  return Tensor::from_storage(dtype, shape, storage);
}

void PlanFile::give_to(WeightStore& weights) const {
  for (const Form& form : forms_) {
    if (form.tensor < 0)
      weights.adopt_joined(form.recipe, form.bytes);
    else
      weights.adopt(tensors_[static_cast<size_t>(form.tensor)], form.recipe, form.bytes);
  }
}

Status PlanFile::check_weights(ThreadPool::Hold& hold) const {
  if (is_sound_.load(std::memory_order_acquire)) return Status::ok();
  std::call_once(checked_, [&] {
    struct Block {
      std::span<const std::byte> bytes;
      uint64_t sum;
    };
    std::vector<Block> blocks;
    for (const Section& section : sections_)
      for (size_t b = 0; b < block_count(section.bytes.size()); ++b) {
        uint64_t sum = 0;
        std::memcpy(&sum, section.sums.data() + b * sizeof sum, sizeof sum);
        blocks.push_back({block_of(section.bytes, b), sum});
      }
    struct Work {
      const std::vector<Block>* blocks;
      std::atomic<int64_t> wrong = 0;
    } work{&blocks};
    hold.run(
        static_cast<int64_t>(blocks.size()),
        [](void* context, int64_t begin, int64_t end, int) {
          auto* shared = static_cast<Work*>(context);
          for (int64_t i = begin; i < end; ++i) {
            const Block& block = (*shared->blocks)[static_cast<size_t>(i)];
            if (checksum(block.bytes) != block.sum) ++shared->wrong;
          }
        },
        &work);
    if (work.wrong > 0)
      soundness_ = Status::invalid_model(
          "the plan file is damaged ({} of {} blocks of weights have another checksum): compile "
          "the model again",
          work.wrong.load(), blocks.size());
    else
      is_sound_.store(true, std::memory_order_release);
  });
  return soundness_;
}

bool is_plan(std::span<const std::byte> bytes) {
  return bytes.size() >= PlanFile::kMagic.size() &&
         std::memcmp(bytes.data(), PlanFile::kMagic.data(), PlanFile::kMagic.size()) == 0;
}

bool is_plan_file(const std::string& path) {
  const auto file = MappedFile::open(path);
  return file.is_ok() && is_plan((*file)->bytes());
}

}  // namespace shipway
