#include "engine/weights.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <set>
#include <unordered_map>

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

/// A few words spread over the bytes: tells most weights apart; equal ones are compared in full.
uint64_t sample(const Storage& bytes) {
  constexpr size_t kSamples = 64;
  uint64_t hash = bytes.size();
  const size_t step = std::max<size_t>(bytes.size() / kSamples / sizeof hash, 1) * sizeof hash;
  for (size_t at = 0; at + sizeof hash <= bytes.size(); at += step) {
    uint64_t word;
    std::memcpy(&word, bytes.data() + at, sizeof word);
    hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
    hash ^= hash >> 29;
  }
  return hash;
}

/// `weights`, or equal ones that another session of this process holds: sessions of one model share
/// a copy, wherever each of them has read the model from.
std::shared_ptr<const PackedWeights> only_copy(std::shared_ptr<const PackedWeights> weights) {
  static std::mutex mutex;
  static auto& known = *new std::unordered_multimap<uint64_t, std::weak_ptr<const PackedWeights>>();
  static size_t sweep_at = 1024;
  const uint64_t key = sample(*weights->bytes);
  std::vector<std::shared_ptr<const PackedWeights>> candidates;
  {
    std::lock_guard lock(mutex);
    const auto [first, last] = known.equal_range(key);
    for (auto entry = first; entry != last; ++entry)
      if (auto held = entry->second.lock()) candidates.push_back(std::move(held));
  }
  for (auto& held : candidates)
    if (held->recipe == weights->recipe && held->bytes->size() == weights->bytes->size() &&
        std::memcmp(held->data(), weights->data(), held->bytes->size()) == 0)
      return std::move(held);
  std::lock_guard lock(mutex);
  known.emplace(key, weights);
  if (known.size() >= sweep_at) {
    std::erase_if(known, [](const auto& entry) { return entry.second.expired(); });
    sweep_at = std::max<size_t>(1024, 2 * known.size());
  }
  return weights;
}

}  // namespace

void copy_elements(const Tensor& tensor, void* to) {
  const auto bytes = static_cast<size_t>(tensor.byte_size());
  if (bytes == 0) return;
  if (tensor.storage()->is_deferred() && tensor.storage()->size() == bytes)
    tensor.storage()->copy_to({static_cast<std::byte*>(to), bytes});
  else
    std::memcpy(to, tensor.data(), bytes);
}

WeightStore::Entry* WeightStore::find(const Tensor& source, const kernels::PackRecipe* recipe) {
  const auto [first, last] = entries_.equal_range(source.storage().get());
  for (auto entry = first; entry != last; ++entry) {
    Entry& found = entry->second;
    if (found.offset == source.byte_offset() && found.source.lock() == source.storage() &&
        (recipe ? found.weights->recipe == *recipe : found.origin != Entry::Origin::kOffered))
      return &found;
  }
  return nullptr;
}

Result<std::shared_ptr<const PackedWeights>> WeightStore::packed(
    const Tensor& source, const kernels::PackRecipe& recipe) {
  std::lock_guard lock(mutex_);
  const auto bytes = static_cast<size_t>(kernels::packed_size(recipe));
  if (Entry* entry = find(source, &recipe)) {
    if (entry->weights->bytes->size() != bytes)  // only where a stranger's file says so
      return Status::invalid_model("packed weights have {} bytes, expected {}",
                                   entry->weights->bytes->size(), bytes);
    if (entry->origin == Entry::Origin::kOffered) entry->origin = Entry::Origin::kTaken;
    return entry->weights;
  }
  SHIPWAY_ASSIGN_OR_RETURN(std::shared_ptr<Storage> storage, Storage::allocate(bytes));
  prefer_huge_pages(storage->data(), bytes);
  const Storage& from = *source.storage();
  if (from.is_deferred()) {
    SHIPWAY_ASSIGN_OR_RETURN(const auto copy,
                             Storage::allocate(static_cast<size_t>(source.byte_size())));
    copy_elements(source, copy->data());
    kernels::pack(recipe, reinterpret_cast<const float*>(copy->data()), storage->data());
  } else {
    kernels::pack(recipe, source.as<float>().data(), storage->data());
  }
  from.rest();
  const auto weights =
      only_copy(std::make_shared<const PackedWeights>(PackedWeights{recipe, std::move(storage)}));
  entries_.emplace(&from, Entry{source.storage(), source.byte_offset(), weights});
  return weights;
}

Result<std::shared_ptr<const PackedWeights>> WeightStore::packed_joined(
    const kernels::PackRecipe& recipe, const Join& join) {
  {
    std::lock_guard lock(mutex_);
    if (next_joined_ < joined_.size()) {
      const std::shared_ptr<const PackedWeights>& weights = joined_[next_joined_];
      if (weights->recipe == recipe &&
          weights->bytes->size() == static_cast<size_t>(kernels::packed_size(recipe))) {
        ++next_joined_;
        return weights;
      }
      return Status::invalid_model("packed weights do not belong to the model they stand with");
    }
  }
  SHIPWAY_ASSIGN_OR_RETURN(const Tensor source, join());
  SHIPWAY_ASSIGN_OR_RETURN(auto weights, packed(source, recipe));
  std::lock_guard lock(mutex_);
  joined_.push_back(weights);
  next_joined_ = joined_.size();
  return weights;
}

void WeightStore::adopt_joined(const kernels::PackRecipe& recipe, std::shared_ptr<Storage> bytes) {
  std::lock_guard lock(mutex_);
  joined_.push_back(std::make_shared<const PackedWeights>(PackedWeights{recipe, std::move(bytes)}));
}

std::vector<std::shared_ptr<const PackedWeights>> WeightStore::joined() const {
  std::lock_guard lock(mutex_);
  return joined_;
}

void WeightStore::adopt(const std::shared_ptr<Storage>& source, const kernels::PackRecipe& recipe,
                        std::shared_ptr<Storage> bytes) {
  std::lock_guard lock(mutex_);
  auto weights = std::make_shared<const PackedWeights>(PackedWeights{recipe, std::move(bytes)});
  entries_.emplace(source.get(), Entry{source, 0, std::move(weights), Entry::Origin::kOffered});
}

std::vector<std::shared_ptr<const PackedWeights>> WeightStore::forms_of(
    const Tensor& source) const {
  std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<const PackedWeights>> forms;
  const auto [first, last] = entries_.equal_range(source.storage().get());
  for (auto entry = first; entry != last; ++entry)
    if (entry->second.offset == source.byte_offset() &&
        entry->second.source.lock() == source.storage())
      forms.push_back(entry->second.weights);
  return forms;
}

Tensor WeightStore::released(const Tensor& source) {
  std::lock_guard lock(mutex_);
  const Entry* entry = find(source, nullptr);
  if (!entry) return source;
  const bool has_no_elements =
      entry->origin == Entry::Origin::kTaken && source.storage()->is_deferred();
  if (!(source.storage()->holds_memory() || has_no_elements) ||
      !kernels::is_unpackable(entry->weights->recipe))
    return source;
  const std::shared_ptr<const PackedWeights> weights = entry->weights;
  auto storage = Storage::deferred(
      static_cast<size_t>(source.byte_size()), [weights](std::span<std::byte> to) {
        kernels::unpack(weights->recipe, weights->data(),
                        {reinterpret_cast<float*>(to.data()), to.size() / sizeof(float)});
      });
  Result<Tensor> tensor = Tensor::from_storage(source.dtype(), source.shape(), storage);
  if (!tensor.is_ok()) return source;
  entries_.emplace(storage.get(), Entry{storage, 0, weights});
  return *std::move(tensor);
}

int64_t WeightStore::bytes() const {
  std::lock_guard lock(mutex_);
  std::set<const PackedWeights*> all;  // a weight may be known by several sources
  for (const auto& [key, entry] : entries_) all.insert(entry.weights.get());
  for (const auto& weights : joined_) all.insert(weights.get());
  int64_t sum = 0;
  for (const PackedWeights* weights : all) sum += static_cast<int64_t>(weights->bytes->size());
  return sum;
}

}  // namespace shipway
