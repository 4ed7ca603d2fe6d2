// Tests of passes: graphs before and after, as text.
#pragma once

#include <string>
#include <string_view>

#include "passes/pass.h"

namespace shipway {

/// A test writes graphs of these heads: nodes of the newest ONNX, all types that matter declared.
///
/// `before`, after `pass` until it changes nothing and what it left without use is removed, must
/// compute the same graph as `after` (names of intermediate values, node names and types do not
/// count; data does, bit by bit). The graph is verified at each step, and printed when it differs.
void expect_rewrite(const Pass& pass, std::string_view before, std::string_view after);
/// `pass` finds nothing to do in `text`.
void expect_no_rewrite(const Pass& pass, std::string_view text);
/// The model after one run of the pass and removal of dead code, for tests that look closer.
Model rewritten(const Pass& pass, std::string_view before, OptimizeReport* report = nullptr);

}  // namespace shipway
