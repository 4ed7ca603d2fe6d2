// Runs passes: rules through a worklist until none applies, each change counted and, when asked,
// verified.
#include <deque>

#include "graph/verify.h"
#include "passes/pass.h"

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

/// One sweep over all nodes, and again over those near each change; the number of changes.
Result<size_t> sweep(const Pass& pass, PassContext& context) {
  const Model& model = context.model();
  Worklist worklist;
  for (GraphId graph : context.graphs())
    for (const Node& node : model.nodes(graph)) worklist.push(model, node.id());
  // A rule that undoes itself must not hang an honest model; none needs more steps than this.
  const size_t limit = 1000 + 20 * model.node_count();
  size_t changed = 0;
  while (!worklist.empty() && !context.is_exhausted()) {
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
  return changed;
}

Status run_rule(const Pass& pass, PassContext& context) {
  // The neighbourhood of a change is cut where a value has very many users, so a last sweep must
  // find nothing.
  while (!context.is_exhausted()) {
    SHIPWAY_ASSIGN_OR_RETURN(const size_t changed, sweep(pass, context));
    if (changed == 0) return Status::ok();
  }
  return Status::ok();
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
  return infer_shapes_and_contents(model_, registry_, {.strict = false, .graph_wins = true});
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

}  // namespace shipway
