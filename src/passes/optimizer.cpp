// optimize: rounds of a pipeline's passes until nothing changes.
#include "shipway/optimizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <new>

#include "graph/text.h"
#include "operators/upgrade.h"
#include "passes/pipelines.h"
#include "shipway/opset.h"

namespace shipway {
namespace {

std::string dump_name(size_t number, const std::string& pass) {
  return fmt::format("{:02}_{}", number, pass);
}

using Opsets = std::vector<std::pair<std::string, int64_t>>;

/// The opset of ai.onnx that the model is left in, when it came with `opsets`.
int64_t opset_to_leave_in(int64_t opset, const Opsets& opsets) {
  if (opset == OptimizeOptions::kNewestOpset) return newest_opset("");
  if (opset != OptimizeOptions::kInputOpset) return opset;
  for (const auto& [domain, version] : opsets)
    if (normalized_domain(domain).empty()) return version;
  return newest_opset("");
}

/// The passes whose results `opset` can say; those that it cannot are noted.
std::vector<const Pass*> passes_for(int level, int64_t opset, PassContext& context) {
  std::vector<const Pass*> passes = pipeline(level);
  std::string left_out;
  std::erase_if(passes, [&](const Pass* pass) {
    if (pass->opset <= opset) return false;
    left_out += fmt::format("{}{} ({})", left_out.empty() ? "" : ", ", pass->name, pass->opset);
    return true;
  });
  if (!left_out.empty())
    context.note(fmt::format("opset {} has no operators for the results of {}", opset, left_out));
  return passes;
}

/// Writes the model in the opset that the caller asked for; `opsets` and `ir_version` are those it
/// came with.
Status leave_in(int64_t opset, Opsets opsets, int64_t ir_version, Model& model,
                const Registry& registry) {
  if (opset == OptimizeOptions::kNewestOpset) return Status::ok();
  // Domains that are not ONNX's own were never changed.
  std::erase_if(opsets, [](const auto& import) { return newest_opset(import.first) == 0; });
  if (opset != OptimizeOptions::kInputOpset) {
    for (auto& [domain, version] : opsets)
      if (normalized_domain(domain).empty()) {
        if (opset > version) ir_version = std::max(ir_version, ir_version_of_opset(opset));
        version = opset;
      }
  }
  SHIPWAY_RETURN_IF_ERROR(convert_opsets(model, opsets, &registry));
  set_ir_version(model, ir_version);
  return Status::ok();
}

}  // namespace

Result<OptimizeReport> optimize(Model& model, const OptimizeOptions& options) try {
  const Registry& registry = options.registry ? *options.registry : Registry::built_in();
  OptimizeReport report;
  const Opsets opsets = model.opset_imports;
  const int64_t ir_version = model.ir_version;
  if (options.level <= 0) {
    SHIPWAY_RETURN_IF_ERROR(leave_in(options.opset, opsets, ir_version, model, registry));
    return report;
  }
  PassContext context(model, options, registry, report);
  for (const auto& [domain, version] : model.opset_imports) {
    const int64_t newest = newest_opset(normalized_domain(domain));
    if (newest == 0 || version == newest) continue;
    SHIPWAY_RETURN_IF_ERROR(upgrade(model, registry));
    break;
  }
  SHIPWAY_RETURN_IF_ERROR(context.infer().status());
  if (options.on_dump) options.on_dump("00_before", print(model));

  // What one pass finds opens ways for others; a round that changes nothing ends it.
  const int max_rounds = options.level >= 3 ? 10 : 3;
  const std::vector<const Pass*> passes =
      passes_for(options.level, opset_to_leave_in(options.opset, opsets), context);
  size_t dumps = 0;
  for (int round = 0; round < max_rounds && !context.is_exhausted(); ++round) {
    const int64_t before_round = report.rewrites;
    for (const Pass* pass : passes) {
      if (context.is_exhausted()) break;
      const int64_t before = report.rewrites;
      const auto start = std::chrono::steady_clock::now();
      SHIPWAY_RETURN_IF_ERROR(run_pass(*pass, context));
      const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
      report.steps.push_back({pass->name, report.rewrites - before, seconds.count()});
      if (report.rewrites == before) continue;
      if (options.on_dump) options.on_dump(dump_name(++dumps, pass->name), print(model));
    }
    if (report.rewrites == before_round) break;
    SHIPWAY_RETURN_IF_ERROR(context.infer().status());
  }
  report.stopped_early = context.is_exhausted();
  SHIPWAY_RETURN_IF_ERROR(leave_in(options.opset, opsets, ir_version, model, registry));
  return report;
} catch (const std::bad_alloc&) {
  return Status::out_of_memory("not enough memory to optimise the model");
}

std::vector<PassInfo> optimizer_passes() {
  std::vector<PassInfo> list;
  for (const Pass* pass : pipeline(std::numeric_limits<int>::max())) {
    const auto known = [&](const PassInfo& info) { return info.name == pass->name; };
    if (std::none_of(list.begin(), list.end(), known))
      list.push_back({pass->name, pass->summary, pass->level});
  }
  return list;
}

}  // namespace shipway
