#include "engine/weights.h"

#include <sys/mman.h>

namespace shipway {
namespace {

/// Weights are read front to back, again and again: ask for 2 MiB pages, which spare the
/// translation buffers.
void prefer_huge_pages(void* data, size_t bytes) {
  constexpr uintptr_t kHuge = uintptr_t{2} << 20;
  const uintptr_t begin = (reinterpret_cast<uintptr_t>(data) + kHuge - 1) / kHuge * kHuge;
  const uintptr_t end = (reinterpret_cast<uintptr_t>(data) + bytes) / kHuge * kHuge;
  if (begin < end)
    static_cast<void>(madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE));
}

}  // namespace

Result<std::shared_ptr<const PackedWeights>> WeightStore::packed(
    const Tensor& source, const kernels::PackRecipe& recipe) {
  std::lock_guard lock(mutex_);
  const auto [first, last] = entries_.equal_range(source.data());
  for (auto entry = first; entry != last; ++entry)
    if (entry->second.weights->recipe == recipe) return entry->second.weights;
  const auto bytes = static_cast<size_t>(kernels::packed_size(recipe));
  SHIPWAY_ASSIGN_OR_RETURN(std::shared_ptr<Storage> storage, Storage::allocate(bytes));
  prefer_huge_pages(storage->data(), bytes);
  kernels::pack(recipe, source.as<float>().data(), storage->data());
  auto weights = std::make_shared<const PackedWeights>(PackedWeights{recipe, std::move(storage)});
  entries_.emplace(source.data(), Entry{weights, source});
  return weights;
}

int64_t WeightStore::bytes() const {
  std::lock_guard lock(mutex_);
  int64_t sum = 0;
  for (const auto& [key, entry] : entries_)
    sum += static_cast<int64_t>(entry.weights->bytes->size());
  return sum;
}

}  // namespace shipway
