// What several `downgrade` steps do. An error says what an older opset cannot express.
#pragma once

#include <optional>
#include <vector>

#include "operators/operator.h"

namespace shipway {

/// The integers of input `i`, which an older version takes as an attribute.
Result<std::vector<int64_t>> constant_ints(const NodeRewrite& rewrite, size_t i,
                                           std::string_view name);

/// The one number of input `i`; nothing when it is left out.
Result<std::optional<float>> constant_float(const NodeRewrite& rewrite, size_t i,
                                            std::string_view name);

/// Input `input`, a constant, becomes an attribute; nothing to do when it is left out.
Status move_input_to_ints(NodeRewrite& rewrite, size_t input, std::string_view attribute);

/// The rank of input `i`, or an error that says it is not known before the run.
Result<int64_t> known_rank(const NodeRewrite& rewrite, size_t i);

/// Attribute `name` counts from the front, as it had to before opset 11: `rank` of them there are;
/// without one, those of input 0.
Status count_axis_from_front(NodeRewrite& rewrite, std::string_view name,
                             std::optional<int64_t> rank = {});
/// The step 11 -> 10 and before of operators with the attribute `axis` (`axes`).
Status axis_from_front(NodeRewrite& rewrite);
Status axes_from_front(NodeRewrite& rewrite);

/// `dilations` of 1 say nothing, so an older version can do without.
Status drop_unit_dilations(NodeRewrite& rewrite);

/// A scalar of the dtype of input 0, for arithmetic beside it.
Result<ValueId> scalar_like_input(NodeRewrite& rewrite, std::string_view name, double value);

/// The axes from attribute `axis` to the last.
Result<std::vector<int64_t>> trailing_axes(const NodeRewrite& rewrite);

/// The shape of input `i` when every size is a number; an error says it is not known.
Result<Shape> known_shape(const NodeRewrite& rewrite, size_t i);

}  // namespace shipway
