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

/// Writes the elements of a contiguous tensor to `to`; deferred ones without making memory that
/// would stay.
void copy_elements(const Tensor& tensor, void* to);

/// Packs each (source, recipe) pair once, whoever asks first; later askers share it, and so do
/// other stores of this process that pack equal weights. Thread-safe.
class WeightStore {
 public:
  /// `source` must not change: it is known by its storage.
  Result<std::shared_ptr<const PackedWeights>> packed(const Tensor& source,
                                                      const kernels::PackRecipe& recipe);
  /// For a source that only packed forms of it are read of: gives its pages back to the file they
  /// are from, or a tensor to keep in its stead that has the same elements and no memory until
  /// somebody reads them. Itself when it was never packed.
  Tensor released(const Tensor& source);
  int64_t bytes() const;

 private:
  struct Entry {
    std::weak_ptr<const Storage> source;
    size_t offset = 0;
    std::shared_ptr<const PackedWeights> weights;
  };
  Entry* find(const Tensor& source, const kernels::PackRecipe* recipe);

  mutable std::mutex mutex_;
  std::multimap<const Storage*, Entry> entries_;
};

}  // namespace shipway
