// Weights in the forms that kernels read, made once and shared by plans and sessions.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

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
  /// Weights that `join` puts together from several constants, so that none of them names the
  /// result. Known by their place in the order of these calls, which is the same whenever a model
  /// is lowered.
  using Join = std::function<Result<Tensor>()>;
  Result<std::shared_ptr<const PackedWeights>> packed_joined(const kernels::PackRecipe& recipe,
                                                             const Join& join);
  /// The next of those that was packed before, by somebody else.
  void adopt_joined(const kernels::PackRecipe& recipe, std::shared_ptr<Storage> bytes);
  /// All of them, in order.
  std::vector<std::shared_ptr<const PackedWeights>> joined() const;
  /// A form of `source` that was packed before, by somebody else: it is used in place where
  /// `packed` is asked for exactly this recipe. `source` may have no elements of its own.
  void adopt(const std::shared_ptr<Storage>& source, const kernels::PackRecipe& recipe,
             std::shared_ptr<Storage> bytes);
  /// Everything that `source` was packed into so far.
  std::vector<std::shared_ptr<const PackedWeights>> forms_of(const Tensor& source) const;
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
    enum class Origin : uint8_t { kPacked, kOffered, kTaken };  // by adopt; asked for since
    Origin origin = Origin::kPacked;
  };
  Entry* find(const Tensor& source, const kernels::PackRecipe* recipe);

  mutable std::mutex mutex_;
  std::multimap<const Storage*, Entry> entries_;
  std::vector<std::shared_ptr<const PackedWeights>> joined_;
  size_t next_joined_ = 0;  // how many of them were asked for
};

}  // namespace shipway
