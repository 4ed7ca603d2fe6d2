// optimize: makes a Model smaller and faster, as plain ONNX that others can open.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "shipway/model.h"
#include "shipway/status.h"

namespace shipway {

class Registry;

struct OptimizeOptions {
  /// 0: nothing. 1: what leaves every result bit for bit (dead code, identities, constants, common
  /// parts, data moved twice). 2: also what may round differently (batch normalization into
  /// weights, formulas that become one operator) and moves transposes. 3: the same, with more
  /// patience.
  int level = 2;
  /// The opset of ai.onnx to leave the model in. Passes work in the newest one; kInputOpset goes
  /// back to the opsets and the IR version that the model came with, another number to that opset.
  /// Passes whose results that opset cannot say are left out, and the report notes them.
  int64_t opset = kNewestOpset;
  static constexpr int64_t kNewestOpset = 0, kInputOpset = -1;
  /// Stops after this many rewrites, to find a bad one by halving; -1: no limit.
  int64_t max_rewrites = -1;
  /// Constants are folded while each result takes at most this many bytes, or no more than twice
  /// its inputs.
  int64_t max_folded_bytes = int64_t{1} << 20;
  /// Time for evaluating constants, all together.
  double max_fold_seconds = 10;
  /// Verifies the model before and after every pass.
#ifdef NDEBUG
  bool verify = false;
#else
  bool verify = true;
#endif
  /// Gets the text form after each pass that changed something ("03_eliminate_identity"), and
  /// before the first.
  std::function<void(const std::string& name, const std::string& text)> on_dump;
  /// The operators to evaluate and infer by; null: the built-in ones.
  const Registry* registry = nullptr;
};

/// What was done, in order.
struct OptimizeReport {
  struct Step {
    std::string pass;
    int64_t rewrites = 0;
    double seconds = 0;
  };
  std::vector<Step> steps;  // one for each time a pass ran
  int64_t rewrites = 0;
  bool stopped_early = false;      // max_rewrites was reached
  std::vector<std::string> notes;  // what was left undone, and why ("budget ...")
};

/// Optimises `model` in place. It is brought to the newest opset first where it is not there, and
/// to `options.opset` in the end; kUnsupported when that cannot say what the optimised model does
/// (see convert_opset). The values that callers see (inputs and outputs, initializers that are
/// inputs) keep names and types. On an error the model must not be used.
Result<OptimizeReport> optimize(Model& model, const OptimizeOptions& options = {});

/// One pass of the pipelines, for lists.
struct PassInfo {
  std::string name, summary;
  int level = 0;  // the lowest that runs it
};
/// Every pass in the order in which the pipelines run them.
std::vector<PassInfo> optimizer_passes();

}  // namespace shipway
