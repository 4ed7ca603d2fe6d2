#include "engine/late_sizes.h"

#include <gtest/gtest.h>

#include "graph/text.h"
#include "operators/infer.h"

namespace shipway {
namespace {

TEST(LateSizes, FindsTheSizeOfTwoSymbolsThatBroadcast) {
  Model model = parse(R"(opset 17
graph main (a: float[N], b: float[M], s: seq(float[K])) -> (y: float[L]) {
  zero: int64[] = {0}
  c = Add(a, b)
  d = Concat[axis=0](c, a)
  e = Mul(d, b)
  f = SequenceAt(s, zero)
  y = Relu(e)
}
)")
                    .value_or_throw();
  ASSERT_TRUE(infer_shapes(model, Registry::built_in()).is_ok());
  const LateSizes late(model, Registry::built_in(), model.main_graph());
  const auto size_of = [&](const char* name, const SymbolSizes& symbols) {
    const Dim dim = (*model.value(model.find_value(name)).type().dims())[0];
    return model.dims().evaluate(dim, [&](Dim symbol) -> std::optional<int64_t> {
      const auto found = symbols.find(symbol.id());
      return found == symbols.end() ? std::nullopt : std::optional(found->second);
    });
  };
  SymbolSizes symbols = {{model.dims().symbol("N").id(), 1}, {model.dims().symbol("M").id(), 1}};
  EXPECT_EQ(size_of("e", symbols), std::nullopt) << "or this test shows nothing";
  late.add_to(symbols);
  EXPECT_EQ(size_of("e", symbols), 2) << "d has 2 elements, b 1";
  symbols = {{model.dims().symbol("N").id(), 1}};
  late.add_to(symbols);
  EXPECT_EQ(size_of("e", symbols), std::nullopt) << "M is not known";
}

}  // namespace
}  // namespace shipway
