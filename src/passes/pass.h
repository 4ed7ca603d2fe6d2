// Pass: a rewrite of graphs. Most are a rule: a small function that looks at one node and may
// propose a Patch.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "graph/patch.h"
#include "operators/infer.h"
#include "operators/registry.h"
#include "shipway/optimizer.h"

namespace shipway {

/// Looks at the surroundings of one node; returns edits, or nothing. It must not look far, and what
/// it proposes must bring the graph nearer to an end (rules run until none applies).
using Rule = std::optional<Patch> (*)(const Model& model, const Node& node);

/// What a pass over the whole model works with. The Model changes through apply() only.
class PassContext {
 public:
  PassContext(Model& model, const OptimizeOptions& options, const Registry& registry,
              OptimizeReport& report)
      : model_(model),
        options_(options),
        registry_(registry),
        report_(report),
        fold_seconds_left_(options.max_fold_seconds) {}

  const Model& model() const { return model_; }
  const OptimizeOptions& options() const { return options_; }
  const Registry& registry() const { return registry_; }
  /// True when max_rewrites is reached: nothing more is applied, so a pass may return.
  bool is_exhausted() const {
    return options_.max_rewrites >= 0 && report_.rewrites >= options_.max_rewrites;
  }
  /// Makes the edits and counts them as one rewrite. An empty patch, and any once exhausted, does
  /// nothing.
  Status apply(Patch patch);
  /// Says in the report what was left undone.
  void note(std::string text);
  /// Works the types out anew; gives the elements of small integer values too.
  Result<ContentsMap> infer();
  /// What is left of max_fold_seconds, in seconds; passes take from it what they use.
  double& fold_seconds_left() { return fold_seconds_left_; }

  /// The graphs that a run computes: the main graph and those inside its nodes, outer ones first.
  /// Bodies of functions are not among them: their attributes and types depend on the caller.
  std::vector<GraphId> graphs() const;

 private:
  Model& model_;
  const OptimizeOptions& options_;
  const Registry& registry_;
  OptimizeReport& report_;
  double fold_seconds_left_;
};

struct Pass {
  const char* name;
  const char* summary;  // one line, in the present tense
  int level;            // the lowest level that runs it
  Rule rule = nullptr;  // either this, on every node until nothing changes,
  Status (*run)(PassContext& context) = nullptr;  // or this, once
  /// The opset of ai.onnx that its results need; a model that goes back to an older one is spared.
  int64_t opset = 1;
};

/// Runs one pass; an error names it. `verify` of the options checks the model before and after.
Status run_pass(const Pass& pass, PassContext& context);

}  // namespace shipway
