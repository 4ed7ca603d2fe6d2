#include "engine/weights.h"

#include <gtest/gtest.h>

#include <thread>

#include "engine/testing.h"

namespace shipway {
namespace {

/// How some kernel wants the weights of a product [m,k] x [k,n].
kernels::PackRecipe recipe_for(int64_t k, int64_t n) {
  kernels::GemmProblem problem{.packed_b = true};
  problem.k = k;
  problem.n = n;
  return kernels::prepare(problem, std::max(active_isa(), Isa::kSse4)).value_or_throw().weights;
}

TEST(WeightStore, PacksASourceOnceForARecipe) {
  WeightStore store;
  const Tensor source = random({32, 48}, 1);
  const auto first = store.packed(source, recipe_for(32, 48)).value_or_throw();
  EXPECT_EQ(store.packed(source, recipe_for(32, 48)).value_or_throw(), first);
  EXPECT_EQ(store.bytes(), static_cast<int64_t>(first->bytes->size()));
}

TEST(WeightStore, GivesAReleasedSourceBackWhenSomebodyReadsIt) {
  WeightStore store;
  Tensor source = random({32, 48}, 1);
  const Tensor copy = source.clone().value_or_throw();
  const auto packed = store.packed(source, recipe_for(32, 48)).value_or_throw();
  const std::weak_ptr<const Storage> memory = source.storage();
  source = store.released(source);
  EXPECT_TRUE(memory.expired());
  EXPECT_TRUE(source.storage()->is_deferred());
  EXPECT_EQ(store.packed(source, recipe_for(32, 48)).value_or_throw(), packed);
  EXPECT_TRUE(source.storage()->is_deferred()) << "known, so nobody looked at it";
  EXPECT_TRUE(identical(source, copy));
}

TEST(WeightStore, ASourceThatWasNeverPackedStays) {
  WeightStore store;
  const Tensor source = random({4, 4}, 1);
  EXPECT_EQ(store.released(source).data(), source.data());
}

TEST(WeightStore, StoresOfOneProcessShareEqualWeights) {
  std::vector<std::shared_ptr<const PackedWeights>> packed(8);
  std::vector<WeightStore> stores(8);
  const auto pack = [&](size_t i) {  // each from memory of its own
    packed[i] = stores[i].packed(random({64, 64}, 1), recipe_for(64, 64)).value_or_throw();
  };
  pack(0);
  std::vector<std::thread> threads;
  for (size_t i = 1; i < stores.size(); ++i) threads.emplace_back(pack, i);
  for (std::thread& thread : threads) thread.join();
  for (const auto& weights : packed) EXPECT_EQ(weights, packed[0]);
  EXPECT_NE(stores[0].packed(random({64, 64}, 2), recipe_for(64, 64)).value_or_throw(), packed[0]);
}

}  // namespace
}  // namespace shipway
