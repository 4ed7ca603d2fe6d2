// Runs passes: rules through a worklist until none applies, each change counted and, when asked,
// verified.
#include <chrono>
#include <cstdio>
#include <deque>

#include "graph/text.h"
#include "graph/verify.h"
#include "operators/upgrade.h"
#include "passes/pass.h"
#include "passes/pipelines.h"

namespace shipway {
namespace {

constexpr size_t kMaxNotes = 100;

/// Nodes that a rule has still to look at, each at most once at a time, first come first served.
class Worklist {
 public:
  void push(const Model& model, NodeId id) {
    if (model.node(id).is_removed()) return;
    const auto index = static_cast<size_t>(id.index);
    if (index >= waiting_.size()) waiting_.resize(model.node_count());
    if (waiting_[index]) return;
    waiting_[index] = true;
    queue_.push_back(id);
  }
  bool empty() const { return queue_.empty(); }
  NodeId pop() {
    const NodeId id = queue_.front();
    queue_.pop_front();
    waiting_[static_cast<size_t>(id.index)] = false;
    return id;
  }

 private:
  std::deque<NodeId> queue_;
  std::vector<bool> waiting_;
};

/// One sweep over all nodes, and again over those near each change. Sets `changed` to the number of
/// changes.
Status sweep(const Pass& pass, PassContext& context, size_t& changed) {
  const Model& model = context.model();
  Worklist worklist;
  for (GraphId graph : context.graphs())
    for (const Node& node : model.nodes(graph)) worklist.push(model, node.id());
  // A rule that undoes itself must not hang an honest model; none needs more steps than this.
  const size_t limit = 1000 + 20 * model.node_count();
  for (changed = 0; !worklist.empty() && !context.is_exhausted();) {
    const NodeId id = worklist.pop();
    if (model.node(id).is_removed()) continue;
    std::optional<Patch> patch = pass.rule(model, model.node(id));
    if (!patch || patch->empty()) continue;
    if (++changed > limit) return Status::internal("its rewrites do not come to an end");
    const std::vector<NodeId> near = patch->neighbourhood(model);
    const size_t known = model.node_count();
    const std::string node = model.describe(id);
    SHIPWAY_RETURN_IF_ERROR(context.apply(*std::move(patch)).with_context("{}", node));
    for (NodeId neighbour : near) worklist.push(model, neighbour);
    for (size_t i = known; i < model.node_count(); ++i)
      worklist.push(model, NodeId{static_cast<int32_t>(i)});
  }
  return Status::ok();
}

Status run_rule(const Pass& pass, PassContext& context) {
  // The neighbourhood of a change is cut where a value has very many users, so a last sweep must
  // find nothing.
  for (size_t changed = 1; changed > 0 && !context.is_exhausted();)
    SHIPWAY_RETURN_IF_ERROR(sweep(pass, context, changed));
  return Status::ok();
}

std::string dump_name(size_t number, const std::string& pass) {
  char prefix[24];
  std::snprintf(prefix, sizeof prefix, "%02zu_", number);
  return prefix + pass;
}

}  // namespace

Status PassContext::apply(Patch patch) {
  if (patch.empty() || is_exhausted()) return Status::ok();
  ++report_.rewrites;
  return std::move(patch).apply(model_);
}

void PassContext::note(std::string text) {
  if (report_.notes.size() < kMaxNotes) report_.notes.push_back(std::move(text));
}

Result<ContentsMap> PassContext::infer() {
  return infer_shapes_and_contents(model_, registry_, {.strict = false});
}

std::vector<GraphId> PassContext::graphs() const {
  std::vector<GraphId> found = {model_.main_graph()};
  for (size_t i = 0; i < found.size(); ++i)
    for (const Node& node : model_.nodes(found[i])) {
      if (node.attributes().empty()) continue;
      const std::vector<GraphId> inside = node.subgraphs();
      found.insert(found.end(), inside.begin(), inside.end());
    }
  return found;
}

Status run_pass(const Pass& pass, PassContext& context) {
  if (context.options().verify)
    SHIPWAY_RETURN_IF_ERROR(verify(context.model()).with_context("before pass {}", pass.name));
  const Status status = pass.rule ? run_rule(pass, context) : pass.run(context);
  SHIPWAY_RETURN_IF_ERROR(status.with_context("pass {}", pass.name));
  if (context.options().verify)
    SHIPWAY_RETURN_IF_ERROR(verify(context.model()).with_context("after pass {}", pass.name));
  return Status::ok();
}

Result<OptimizeReport> optimize(Model& model, const OptimizeOptions& options) try {
  const Registry& registry = options.registry ? *options.registry : Registry::built_in();
  OptimizeReport report;
  if (options.level <= 0) return report;
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
  size_t dumps = 0;
  for (int round = 0; round < max_rounds && !context.is_exhausted(); ++round) {
    const int64_t before_round = report.rewrites;
    for (const Pass* pass : pipeline(options.level)) {
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
  return report;
} catch (const std::bad_alloc&) {
  return Status::out_of_memory("not enough memory to optimise the model");
}

std::vector<PassInfo> optimizer_passes() {
  std::vector<PassInfo> list;
  for (const Pass* pass : pipeline(3)) {
    const auto known = [&](const PassInfo& info) { return info.name == pass->name; };
    if (std::none_of(list.begin(), list.end(), known))
      list.push_back({pass->name, pass->summary, pass->level});
  }
  return list;
}

}  // namespace shipway
