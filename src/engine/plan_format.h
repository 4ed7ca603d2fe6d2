// The bytes of a plan file. Private to the engine; docs/plan-files.md draws them.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/cpu.h"
#include "base/thread_pool.h"
#include "engine/weights.h"

namespace shipway {

/// A tensor of the model that does not stand in its text.
struct StoredTensor {
  Tensor tensor;                // contiguous
  bool is_only_packed = false;  // nobody reads it but in its packed forms
  std::vector<std::shared_ptr<const PackedWeights>> forms;
};

struct PlanContents {
  Isa isa = Isa::kScalar;
  std::string text;                   // of the model, with "stored 3" for tensor 3
  std::vector<StoredTensor> tensors;  // by number
  std::vector<std::shared_ptr<const PackedWeights>> joined;  // of several tensors, in order
};
/// Replaces the file as a whole when complete.
Status write_plan_file(const std::string& path, const PlanContents& contents);
/// Makes the head's checksum that of its present bytes. For tests, which change others.
void seal_head(std::span<std::byte> file);

/// A plan file in memory, checked as far as can be done without touching its weights: header,
/// tables and text by their checksum, every offset against the end. Immutable but for the outcome
/// of check_weights; thread-safe.
class PlanFile {
 public:
  static constexpr std::string_view kMagic{"\x89SHIPLAN", 8};
  static constexpr size_t kAlignment = 64;  // of sections, at least

  /// `owner` keeps the bytes alive. Refuses other versions of format or library, instruction sets
  /// that this process does not use, and damage; each is named.
  static Result<std::shared_ptr<const PlanFile>> read(std::span<const std::byte> bytes,
                                                      std::shared_ptr<const void> owner);

  Isa isa() const { return isa_; }
  std::string_view text() const { return text_; }
  /// The tensor of a number in the text. One that stands in the file in packed forms only throws
  /// Error when it is read.
  Result<Tensor> tensor(int64_t number, DType dtype, const Shape& shape) const;
  /// Makes the packed forms known, so that nothing is packed again.
  void give_to(WeightStore& weights) const;
  /// Compares all weights with their checksums: the first call does, later ones know. Reads the
  /// whole file once.
  Status check_weights(ThreadPool::Hold& hold) const;

 private:
  struct Section {
    std::span<const std::byte> bytes;
    std::span<const std::byte> sums;  // 8 bytes for each kChecked bytes
  };
  struct Form {
    int64_t tensor;  // -1: joined from several
    kernels::PackRecipe recipe;
    std::shared_ptr<Storage> bytes;
  };
  Status read_tables(std::span<const std::byte> bytes, const std::shared_ptr<const void>& owner);

  Isa isa_ = Isa::kScalar;
  std::string_view text_;
  std::vector<Section> sections_;
  std::vector<std::shared_ptr<Storage>> tensors_;
  std::vector<Form> forms_;
  mutable std::once_flag checked_;
  mutable std::atomic<bool> is_sound_ = false;
  mutable Status soundness_;
};

}  // namespace shipway
