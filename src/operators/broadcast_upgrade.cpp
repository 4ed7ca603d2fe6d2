#include "operators/broadcast_upgrade.h"

#include <algorithm>

namespace shipway {

namespace {

bool ends_with(const Dims& all, const Dims& end) {
  return end.size() <= all.size() &&
         std::equal(end.begin(), end.end(), all.end() - static_cast<std::ptrdiff_t>(end.size()));
}

Status say_broadcast(NodeRewrite& rewrite, bool commutes) {
  const Dims* a = rewrite.input_type(0).dims();
  const Dims* b = rewrite.input_type(1).dims();
  if (!a || !b)
    return Status::unsupported("before opset 7 broadcasting must be known, and a rank is not");
  if (*a == *b) return Status::ok();
  const bool swaps = !ends_with(*a, *b);
  if (swaps && !(commutes && ends_with(*b, *a)))
    return Status::unsupported("broadcasting of {} and {} came with opset 7",
                               to_string(rewrite.input_type(0), rewrite.model().dims()),
                               to_string(rewrite.input_type(1), rewrite.model().dims()));
  rewrite.set_attribute({"broadcast", int64_t{1}});
  if (swaps) {
    rewrite.set_input(0, rewrite.node().input(1));
    rewrite.set_input(1, rewrite.node().input(0));
  }
  return Status::ok();
}

}  // namespace

ValueId broadcast_from_axis(NodeRewrite& rewrite, ValueId a, ValueId b, int64_t axis) {
  const Dims* a_dims = rewrite.model().value(a).type().dims();
  const Dims* b_dims = rewrite.model().value(b).type().dims();
  if (b_dims && (axis < 0 || a_dims)) {
    const auto b_rank = static_cast<int64_t>(b_dims->size());
    const int64_t start = axis < 0 ? -axis : static_cast<int64_t>(a_dims->size()) - axis;
    const int64_t behind = start - b_rank;
    if (behind <= 0 || b_rank == 0) return b;
    std::vector<int64_t> axes;
    for (int64_t i = 0; i < behind; ++i) axes.push_back(b_rank + i);
    return rewrite.insert("Unsqueeze", {b}, {{"axes", axes}});
  }
  // Reshape(b, Concat(Shape(b), as many ones as rank(a) - axis - rank(b))); Shape(Shape(x)) is
  // [rank(x)].
  const auto rank_of = [&](ValueId shape) { return rewrite.insert("Shape", {shape}); };
  const ValueId b_shape = rewrite.insert("Shape", {b});
  ValueId start;
  if (axis < 0) {
    start = rewrite.add_ints("start", std::vector<int64_t>{-axis});
  } else {
    const ValueId a_rank = rank_of(rewrite.insert("Shape", {a}));
    start = rewrite.insert("Sub", {a_rank, rewrite.add_ints("axis", std::vector<int64_t>{axis})});
  }
  const ValueId behind = rewrite.insert("Sub", {start, rank_of(b_shape)});
  const ValueId ones =
      rewrite.insert("Tile", {rewrite.add_ints("one", std::vector<int64_t>{1}), behind});
  const ValueId shape = rewrite.insert("Concat", {b_shape, ones}, {{"axis", int64_t{0}}});
  return rewrite.insert("Reshape", {b, shape});
}

Status downgrade_broadcast(NodeRewrite& rewrite) { return say_broadcast(rewrite, false); }

Status downgrade_broadcast_either_way(NodeRewrite& rewrite) { return say_broadcast(rewrite, true); }

Status refuse_broadcast(NodeRewrite& rewrite) {
  const Dims* first = rewrite.input_type(0).dims();
  for (size_t i = 1; i < rewrite.node().inputs().size(); ++i) {
    const Dims* dims = rewrite.input_type(i).dims();
    if (!first || !dims || *first != *dims)
      return Status::unsupported("inputs 0 and {} may have different shapes only from opset 8 on",
                                 i);
  }
  return Status::ok();
}

Status upgrade_broadcast_attributes(NodeRewrite& rewrite) {
  if (rewrite.int_attribute("broadcast") != 0 && rewrite.has_attribute("axis"))
    rewrite.set_input(1,
                      broadcast_from_axis(rewrite, rewrite.node().input(0), rewrite.node().input(1),
                                          rewrite.int_attribute("axis")));
  if (rewrite.has_attribute("axis")) rewrite.remove_attribute("axis");
  if (rewrite.has_attribute("broadcast")) rewrite.remove_attribute("broadcast");
  return Status::ok();
}

}  // namespace shipway
