// Weights in the forms that kernels read, made once and shared by plans and sessions.
#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "kernels/kernels.h"
#include "shipway/tensor.h"

namespace shipway {

/// One weight in one packed form, in 64-byte aligned memory of its own.
struct PackedWeights {
  kernels::PackRecipe recipe;
  std::shared_ptr<Storage> bytes;
  const void* data() const { return bytes->data(); }
};

/// Packs each (source, recipe) pair once, whoever asks first; later askers share it. Thread-safe.
class WeightStore {
 public:
  /// `source` must stay unchanged while the store lives: it is known by its memory.
  Result<std::shared_ptr<const PackedWeights>> packed(const Tensor& source,
                                                      const kernels::PackRecipe& recipe);
  int64_t bytes() const;

 private:
  struct Entry {
    std::shared_ptr<const PackedWeights> weights;
    Tensor source;  // keeps the memory, and so the key, alive
  };
  mutable std::mutex mutex_;
  std::multimap<const void*, Entry> entries_;
};

}  // namespace shipway
