// Ensembles of decision trees: TreeEnsemble and its older forms, which are deprecated but still run
// as they are: they name nodes by pairs of ids, know class labels and give float32.
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "base/text.h"
#include "operators/loops.h"
#include "operators/post_transform.h"
#include "operators/reals.h"
#include "operators/shape_rules.h"

namespace shipway {
namespace {

constexpr std::string_view kTreeEnsembleClassifierTypes =
    "T1: float int32 int64 double; T2: int64 string";
constexpr std::string_view kTreeEnsembleClassifierAttributesSince3 =
    "base_values: floats?; base_values_as_tensor: tensor?; class_ids: ints?; "
    "class_nodeids: ints?; class_treeids: ints?; class_weights: floats?; "
    "class_weights_as_tensor: tensor?; classlabels_int64s: ints?; "
    "classlabels_strings: strings?; nodes_falsenodeids: ints?; "
    "nodes_featureids: ints?; nodes_hitrates: floats?; "
    "nodes_hitrates_as_tensor: tensor?; nodes_missing_value_tracks_true: ints?; "
    "nodes_modes: strings?; nodes_nodeids: ints?; nodes_treeids: ints?; "
    "nodes_truenodeids: ints?; nodes_values: floats?; nodes_values_as_tensor: tensor?; "
    "post_transform: string = 'NONE'";
constexpr std::string_view kTreeEnsembleRegressorAttributesSince3 =
    "aggregate_function: string = 'SUM'; base_values: floats?; "
    "base_values_as_tensor: tensor?; n_targets: int?; nodes_falsenodeids: ints?; "
    "nodes_featureids: ints?; nodes_hitrates: floats?; "
    "nodes_hitrates_as_tensor: tensor?; nodes_missing_value_tracks_true: ints?; "
    "nodes_modes: strings?; nodes_nodeids: ints?; nodes_treeids: ints?; "
    "nodes_truenodeids: ints?; nodes_values: floats?; nodes_values_as_tensor: tensor?; "
    "post_transform: string = 'NONE'; target_ids: ints?; target_nodeids: ints?; "
    "target_treeids: ints?; target_weights: floats?; target_weights_as_tensor: tensor?";

// ------------------------------------------------------------------------------------------
// forests

// The numbers are those of TreeEnsemble's `nodes_modes`.
enum class Test : uint8_t {
  kLessOrEqual,
  kLess,
  kGreaterOrEqual,
  kGreater,
  kEqual,
  kNotEqual,
  kMember
};

struct Branch {
  Test test = Test::kLessOrEqual;
  bool missing_is_true = false;  // where NaN goes
  int64_t feature = 0;
  double value = 0;
  std::vector<double> members;  // of kMember, sorted
  // What follows: the number of a branch, or ~number of a leaf.
  int64_t if_true = 0, if_false = 0;

  bool holds(double x) const {
    if (std::isnan(x) && missing_is_true) return true;
    switch (test) {
      case Test::kLessOrEqual:
        return x <= value;
      case Test::kLess:
        return x < value;
      case Test::kGreaterOrEqual:
        return x >= value;
      case Test::kGreater:
        return x > value;
      case Test::kEqual:
        return x == value;
      case Test::kNotEqual:
        return x != value;
      case Test::kMember:
        return std::binary_search(members.begin(), members.end(), x);
    }
    return false;
  }
};

struct Weight {
  int64_t target = 0;
  double weight = 0;
};

struct Forest {
  std::vector<Branch> branches;
  std::vector<std::vector<Weight>> leaves;
  std::vector<int64_t> roots;  // as Branch::if_true

  /// Every index in its range, and no way that never ends: each branch is reached once at most.
  Status check(int64_t features, int64_t targets) const {
    std::vector<bool> seen(branches.size());
    std::vector<int64_t> open(roots);
    while (!open.empty()) {
      const int64_t at = open.back();
      open.pop_back();
      if (at < 0) {
        if (static_cast<size_t>(~at) >= leaves.size())
          return Status::invalid_model("a branch leads to leaf {} of {}", ~at, leaves.size());
        continue;
      }
      const auto number = static_cast<size_t>(at);
      if (number >= branches.size())
        return Status::invalid_model("a branch leads to node {} of {}", at, branches.size());
      if (seen[number])
        return Status::invalid_model("node {} can be reached in two ways, so this is no tree", at);
      seen[number] = true;
      const Branch& branch = branches[number];
      if (branch.feature < 0 || branch.feature >= features)
        return Status::invalid_argument("a node tests feature {}, but input 'X' has {}",
                                        branch.feature, features);
      open.push_back(branch.if_true);
      open.push_back(branch.if_false);
    }
    for (const std::vector<Weight>& leaf : leaves)
      for (const Weight& weight : leaf)
        if (weight.target < 0 || weight.target >= targets)
          return Status::invalid_model("a leaf counts for target {}, expected 0 to {}",
                                       weight.target, targets - 1);
    return Status::ok();
  }

  const std::vector<Weight>& leaf_of(int64_t root, const double* sample) const {
    int64_t at = root;
    while (at >= 0) {
      const Branch& branch = branches[static_cast<size_t>(at)];
      at = branch.holds(sample[branch.feature]) ? branch.if_true : branch.if_false;
    }
    return leaves[static_cast<size_t>(~at)];
  }
};

// The numbers are those of TreeEnsemble's `aggregate_function`; PostTransform's are those of its
// `post_transform`.
enum class Aggregate : uint8_t { kAverage, kSum, kMin, kMax };

/// What all trees say of one sample: a number for each target, and whether any leaf spoke of it.
void predict(const Forest& forest, Aggregate aggregate, const double* sample,
             std::vector<double>& scores, std::vector<bool>& spoken) {
  std::fill(scores.begin(), scores.end(), 0.0);
  spoken.assign(scores.size(), false);
  for (int64_t root : forest.roots) {
    for (const Weight& weight : forest.leaf_of(root, sample)) {
      const auto target = static_cast<size_t>(weight.target);
      double& score = scores[target];
      if (!spoken[target])
        score = weight.weight;
      else if (aggregate == Aggregate::kMin)
        score = std::min(score, weight.weight);
      else if (aggregate == Aggregate::kMax)
        score = std::max(score, weight.weight);
      else
        score += weight.weight;
      spoken[target] = true;
    }
  }
  if (aggregate == Aggregate::kAverage)
    for (double& score : scores)
      score /= static_cast<double>(std::max<size_t>(1, forest.roots.size()));
}

/// Samples as rows; a list of features is one sample.
struct SampleRows {
  Reals<double> values;
  int64_t count, features;
};

Result<SampleRows> read_samples(const EvaluateContext& context) {
  const Tensor& x = context.input(0);
  if (x.rank() != 1 && x.rank() != 2)
    return Status::invalid_argument("input 'X' is [{}], expected samples x features",
                                    to_string(x.shape()));
  SHIPWAY_ASSIGN_OR_RETURN(Reals<double> values, Reals<double>::of(x));
  return SampleRows{std::move(values), x.rank() == 1 ? 1 : x.dim(0), x.dim(x.shape().size() - 1)};
}

// ------------------------------------------------------------------- TreeEnsemble (since version
// 5)

template <typename T>
Status expect_length(std::string_view name, std::span<const T> list, size_t expected) {
  if (list.size() == expected) return Status::ok();
  return Status::invalid_model("attribute '{}' has {} values, expected {}", name, list.size(),
                               expected);
}

/// The tensor attribute `name` as numbers, empty when there is none.
Result<std::vector<double>> tensor_values(const AttributeReader& node, std::string_view name) {
  const Tensor* tensor = node.tensor_attribute(name);
  if (!tensor) return std::vector<double>();
  return to_doubles(*tensor);
}

Result<Forest> read_forest(const AttributeReader& node) {
  Forest forest;
  const std::span<const int64_t> features = node.ints_attribute("nodes_featureids");
  const size_t count = features.size();
  const auto ints = [&](std::string_view name) -> Result<std::span<const int64_t>> {
    const std::span<const int64_t> values = node.ints_attribute(name);
    SHIPWAY_RETURN_IF_ERROR(expect_length(name, values, count));
    return values;
  };
  SHIPWAY_ASSIGN_OR_RETURN(const auto true_ids, ints("nodes_truenodeids"));
  SHIPWAY_ASSIGN_OR_RETURN(const auto false_ids, ints("nodes_falsenodeids"));
  SHIPWAY_ASSIGN_OR_RETURN(const auto true_leaves, ints("nodes_trueleafs"));
  SHIPWAY_ASSIGN_OR_RETURN(const auto false_leaves, ints("nodes_falseleafs"));
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<double> splits, tensor_values(node, "nodes_splits"));
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<double> modes, tensor_values(node, "nodes_modes"));
  SHIPWAY_RETURN_IF_ERROR(expect_length("nodes_splits", std::span(splits), count));
  SHIPWAY_RETURN_IF_ERROR(expect_length("nodes_modes", std::span(modes), count));
  const std::span<const int64_t> missing = node.ints_attribute("nodes_missing_value_tracks_true");
  if (!missing.empty())
    SHIPWAY_RETURN_IF_ERROR(expect_length("nodes_missing_value_tracks_true", missing, count));
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<double> members,
                           tensor_values(node, "membership_values"));
  size_t member = 0;  // lists stand one after the other, each ended by NaN
  for (size_t i = 0; i < count; ++i) {
    if (modes[i] < 0 || modes[i] > 6)
      return Status::invalid_model("attribute 'nodes_modes' has the value {}, expected 0 to 6",
                                   modes[i]);
    Branch branch{.test = static_cast<Test>(modes[i]),
                  .missing_is_true = !missing.empty() && missing[i] != 0,
                  .feature = features[i],
                  .value = splits[i],
                  .if_true = true_leaves[i] ? ~true_ids[i] : true_ids[i],
                  .if_false = false_leaves[i] ? ~false_ids[i] : false_ids[i]};
    if (true_ids[i] < 0 || false_ids[i] < 0)
      return Status::invalid_model("node {} leads to {} and {}, expected 0 or more", i, true_ids[i],
                                   false_ids[i]);
    if (branch.test == Test::kMember) {
      for (; member < members.size() && !std::isnan(members[member]); ++member)
        branch.members.push_back(members[member]);
      if (member++ >= members.size())
        return Status::invalid_model(
            "attribute 'membership_values' has no list that ends in NaN for node {}", i);
      std::sort(branch.members.begin(), branch.members.end());
    }
    forest.branches.push_back(std::move(branch));
  }
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<double> weights, tensor_values(node, "leaf_weights"));
  const std::span<const int64_t> targets = node.ints_attribute("leaf_targetids");
  SHIPWAY_RETURN_IF_ERROR(expect_length("leaf_weights", std::span(weights), targets.size()));
  for (size_t i = 0; i < targets.size(); ++i) forest.leaves.push_back({{targets[i], weights[i]}});
  for (int64_t root : node.ints_attribute("tree_roots")) {
    if (root < 0 || static_cast<size_t>(root) >= count)
      return Status::invalid_model("attribute 'tree_roots' has the value {}, expected 0 to {}",
                                   root, static_cast<int64_t>(count) - 1);
    const Branch& branch = forest.branches[static_cast<size_t>(root)];
    // A tree of one leaf is written as a node that leads there either way.
    const bool is_leaf = branch.if_true < 0 && branch.if_true == branch.if_false;
    forest.roots.push_back(is_leaf ? branch.if_true : root);
  }
  return forest;
}

Status infer_tree_ensemble(InferContext& context) {
  const Dims* x = context.input_dims(0);
  Dims y;
  if (!x || x->size() == 2) y.push_back(x ? (*x)[0] : Dim());
  if (x && x->size() == 1) y.push_back(1);
  const bool known = context.has_attribute("n_targets");
  y.push_back(known ? Dim(context.int_attribute("n_targets")) : Dim());
  context.set_output(0, context.input_dtype(0), std::move(y));
  return Status::ok();
}

Status write_scores(EvaluateContext& context, size_t output, DType dtype, int64_t samples,
                    size_t targets, const std::vector<double>& scores) {
  return write_output(context, output, dtype, {samples, static_cast<int64_t>(targets)}, scores);
}

Status evaluate_tree_ensemble(EvaluateContext& context) {
  SHIPWAY_ASSIGN_OR_RETURN(const Forest forest, read_forest(context));
  SHIPWAY_ASSIGN_OR_RETURN(const SampleRows samples, read_samples(context));
  int64_t targets = context.int_attribute("n_targets");
  if (!context.has_attribute("n_targets"))
    for (int64_t target : context.ints_attribute("leaf_targetids"))
      targets = std::max(targets, target + 1);
  SHIPWAY_RETURN_IF_ERROR(forest.check(samples.features, targets));
  const int64_t aggregate = context.int_attribute("aggregate_function");
  const int64_t post = context.int_attribute("post_transform");
  if (aggregate < 0 || aggregate > 3 || post < 0 || post > 4 || targets < 1)
    return Status::invalid_model(
        "attributes 'aggregate_function', 'post_transform', 'n_targets' are {}, {}, {}, expected 0 "
        "to "
        "3, 0 to 4, at least 1",
        aggregate, post, targets);
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t total, element_count(Shape{samples.count, targets}));
  std::vector<double> all, scores(static_cast<size_t>(targets));
  std::vector<bool> spoken;
  all.reserve(static_cast<size_t>(total));
  for (int64_t n = 0; n < samples.count; ++n) {
    predict(forest, static_cast<Aggregate>(aggregate), samples.values.data() + n * samples.features,
            scores, spoken);
    transform_scores(static_cast<PostTransform>(post), scores);
    all.insert(all.end(), scores.begin(), scores.end());
    if (n % 256 == 0) SHIPWAY_RETURN_IF_ERROR(context.poll());
  }
  return write_scores(context, 0, context.input(0).dtype(), samples.count, scores.size(), all);
}

// -------------------------------------------------------------- TreeEnsembleClassifier and
// Regressor

/// Floats of attribute `name`, or of its twin `name`_as_tensor in double.
Result<std::vector<double>> float_values(const AttributeReader& node, const std::string& name) {
  if (node.has_attribute(name + "_as_tensor")) return tensor_values(node, name + "_as_tensor");
  const std::span<const float> values = node.floats_attribute(name);
  return std::vector<double>(values.begin(), values.end());
}

/// The older form: nodes named by (tree, node); weights in lists of their own whose names start
/// with `leaf` ("class" or "target").
Result<Forest> read_named_forest(const AttributeReader& node, const std::string& leaf) {
  using Name = std::pair<int64_t, int64_t>;
  Forest forest;
  const std::span<const int64_t> trees = node.ints_attribute("nodes_treeids");
  const size_t count = trees.size();
  const auto ints = [&](const std::string& name,
                        size_t length) -> Result<std::span<const int64_t>> {
    const std::span<const int64_t> values = node.ints_attribute(name);
    SHIPWAY_RETURN_IF_ERROR(expect_length(name, values, length));
    return values;
  };
  SHIPWAY_ASSIGN_OR_RETURN(const auto ids, ints("nodes_nodeids", count));
  SHIPWAY_ASSIGN_OR_RETURN(const auto features, ints("nodes_featureids", count));
  SHIPWAY_ASSIGN_OR_RETURN(const auto true_ids, ints("nodes_truenodeids", count));
  SHIPWAY_ASSIGN_OR_RETURN(const auto false_ids, ints("nodes_falsenodeids", count));
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<double> values, float_values(node, "nodes_values"));
  SHIPWAY_RETURN_IF_ERROR(expect_length("nodes_values", std::span(values), count));
  const std::span<const std::string> modes = node.strings_attribute("nodes_modes");
  SHIPWAY_RETURN_IF_ERROR(expect_length("nodes_modes", modes, count));
  const std::span<const int64_t> missing = node.ints_attribute("nodes_missing_value_tracks_true");
  if (!missing.empty())
    SHIPWAY_RETURN_IF_ERROR(expect_length("nodes_missing_value_tracks_true", missing, count));

  static constexpr std::pair<std::string_view, Test> kTests[] = {
      {"BRANCH_LEQ", Test::kLessOrEqual},    {"BRANCH_LT", Test::kLess},
      {"BRANCH_GTE", Test::kGreaterOrEqual}, {"BRANCH_GT", Test::kGreater},
      {"BRANCH_EQ", Test::kEqual},           {"BRANCH_NEQ", Test::kNotEqual}};
  std::map<Name, int64_t> places;  // as Branch::if_true
  for (size_t i = 0; i < count; ++i) {
    int64_t place = 0;
    if (modes[i] == "LEAF") {
      place = ~static_cast<int64_t>(forest.leaves.size());
      forest.leaves.emplace_back();
    } else {
      const auto* test = std::find_if(std::begin(kTests), std::end(kTests),
                                      [&](const auto& known) { return known.first == modes[i]; });
      if (test == std::end(kTests))
        return Status::invalid_model("attribute 'nodes_modes' has the value {}, which is no test",
                                     quoted(modes[i]));
      place = static_cast<int64_t>(forest.branches.size());
      forest.branches.push_back({.test = test->second,
                                 .missing_is_true = !missing.empty() && missing[i] != 0,
                                 .feature = features[i],
                                 .value = values[i]});
    }
    if (!places.emplace(Name(trees[i], ids[i]), place).second)
      return Status::invalid_model("tree {} has two nodes {}", trees[i], ids[i]);
  }

  std::vector<bool> is_child(count);
  std::map<Name, size_t> numbers;
  for (size_t i = 0; i < count; ++i) numbers[Name(trees[i], ids[i])] = i;
  for (size_t i = 0; i < count; ++i) {
    if (modes[i] == "LEAF") continue;
    Branch& branch = forest.branches[static_cast<size_t>(places[Name(trees[i], ids[i])])];
    for (const bool way : {true, false}) {
      const Name child(trees[i], way ? true_ids[i] : false_ids[i]);
      const auto found = places.find(child);
      if (found == places.end())
        return Status::invalid_model("node {} of tree {} leads to node {}, which does not exist",
                                     ids[i], trees[i], child.second);
      (way ? branch.if_true : branch.if_false) = found->second;
      is_child[numbers[child]] = true;
    }
  }
  for (size_t i = 0; i < count; ++i)
    if (!is_child[i]) forest.roots.push_back(places[Name(trees[i], ids[i])]);

  const std::span<const int64_t> leaf_trees = node.ints_attribute(leaf + "_treeids");
  SHIPWAY_ASSIGN_OR_RETURN(const auto leaf_nodes, ints(leaf + "_nodeids", leaf_trees.size()));
  SHIPWAY_ASSIGN_OR_RETURN(const auto leaf_targets, ints(leaf + "_ids", leaf_trees.size()));
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<double> weights,
                           float_values(node, leaf + "_weights"));
  SHIPWAY_RETURN_IF_ERROR(expect_length(leaf + "_weights", std::span(weights), leaf_trees.size()));
  for (size_t i = 0; i < leaf_trees.size(); ++i) {
    const auto found = places.find(Name(leaf_trees[i], leaf_nodes[i]));
    if (found == places.end())
      return Status::invalid_model("a weight belongs to node {} of tree {}, which does not exist",
                                   leaf_nodes[i], leaf_trees[i]);
    if (found->second < 0)  // weights of inner nodes count for nothing
      forest.leaves[static_cast<size_t>(~found->second)].push_back({leaf_targets[i], weights[i]});
  }
  return forest;
}

Dim sample_dim(const InferContext& context) {
  const Dims* x = context.input_dims(0);
  return !x ? Dim() : x->size() == 1 ? Dim(1) : (*x)[0];
}

Status infer_regressor(InferContext& context) {
  const bool known = context.has_attribute("n_targets");
  context.set_output(
      0, DType::kFloat32,
      {sample_dim(context), known ? Dim(context.int_attribute("n_targets")) : Dim()});
  return Status::ok();
}

Status evaluate_regressor(EvaluateContext& context) {
  SHIPWAY_ASSIGN_OR_RETURN(const Forest forest, read_named_forest(context, "target"));
  SHIPWAY_ASSIGN_OR_RETURN(const SampleRows samples, read_samples(context));
  SHIPWAY_ASSIGN_OR_RETURN(const PostTransform post, read_post_transform(context));
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<double> base, float_values(context, "base_values"));
  int64_t targets = context.int_attribute("n_targets");
  if (!context.has_attribute("n_targets"))
    for (int64_t target : context.ints_attribute("target_ids"))
      targets = std::max(targets, target + 1);
  if (targets < 1)
    return Status::invalid_model("attribute 'n_targets' is {}, expected at least 1", targets);
  if (!base.empty())
    SHIPWAY_RETURN_IF_ERROR(
        expect_length("base_values", std::span(base), static_cast<size_t>(targets)));
  SHIPWAY_RETURN_IF_ERROR(forest.check(samples.features, targets));
  const std::string& function = context.string_attribute("aggregate_function");
  Aggregate aggregate = Aggregate::kSum;
  if (function == "AVERAGE")
    aggregate = Aggregate::kAverage;
  else if (function == "MIN")
    aggregate = Aggregate::kMin;
  else if (function == "MAX")
    aggregate = Aggregate::kMax;
  else if (function != "SUM")
    return Status::invalid_model(
        "attribute 'aggregate_function' is {}, expected SUM, AVERAGE, MIN or MAX",
        quoted(function));
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t total, element_count(Shape{samples.count, targets}));
  std::vector<double> all, scores(static_cast<size_t>(targets));
  std::vector<bool> spoken;
  all.reserve(static_cast<size_t>(total));
  for (int64_t n = 0; n < samples.count; ++n) {
    predict(forest, aggregate, samples.values.data() + n * samples.features, scores, spoken);
    for (size_t i = 0; i < base.size(); ++i) scores[i] += base[i];
    transform_scores(post, scores);
    all.insert(all.end(), scores.begin(), scores.end());
    if (n % 256 == 0) SHIPWAY_RETURN_IF_ERROR(context.poll());
  }
  return write_scores(context, 0, DType::kFloat32, samples.count, scores.size(), all);
}

Status infer_classifier(InferContext& context) {
  const size_t strings = context.strings_attribute("classlabels_strings").size();
  const size_t ints = context.ints_attribute("classlabels_int64s").size();
  context.set_output(0, strings > 0 ? DType::kString : DType::kInt64, {sample_dim(context)});
  const auto classes = static_cast<int64_t>(std::max(strings, ints));
  context.set_output(1, DType::kFloat32, {sample_dim(context), classes});
  return Status::ok();
}

/// Two classes of which only the first has weights: its score decides. It counts from the
/// threshold, and the other class has the complement of a probability (no weight is negative) or
/// the opposite of a margin. ONNX does not say; this is what ONNX Runtime does.
struct OneScore {
  bool probabilities;
  size_t label(double score) const { return score > (probabilities ? 0.5 : 0.0) ? 1 : 0; }
  std::vector<double> scores(PostTransform post, double score) const {
    if (post == PostTransform::kLogistic) score = logistic(score);
    if (post == PostTransform::kProbit) score = probit(score);
    const bool complement =
        probabilities || post == PostTransform::kLogistic || post == PostTransform::kProbit;
    return {complement ? 1 - score : -score, score};
  }
};

Status evaluate_classifier(EvaluateContext& context) {
  SHIPWAY_ASSIGN_OR_RETURN(const Forest forest, read_named_forest(context, "class"));
  SHIPWAY_ASSIGN_OR_RETURN(const SampleRows samples, read_samples(context));
  SHIPWAY_ASSIGN_OR_RETURN(const PostTransform post, read_post_transform(context));
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<double> base, float_values(context, "base_values"));
  const std::span<const std::string> strings = context.strings_attribute("classlabels_strings");
  const std::span<const int64_t> ints = context.ints_attribute("classlabels_int64s");
  const size_t classes = std::max(strings.size(), ints.size());
  if (classes == 0 || (!strings.empty() && !ints.empty()))
    return Status::invalid_model(
        "expected one of the attributes 'classlabels_strings' and 'classlabels_int64s'");
  SHIPWAY_RETURN_IF_ERROR(forest.check(samples.features, static_cast<int64_t>(classes)));
  if (base.size() > 1)
    SHIPWAY_RETURN_IF_ERROR(expect_length("base_values", std::span(base), classes));
  const std::span<const int64_t> weighted = context.ints_attribute("class_ids");
  const bool one_score = classes == 2 && std::all_of(weighted.begin(), weighted.end(),
                                                     [&](int64_t id) { return id == 0; });
  bool all_positive = true;
  for (const std::vector<Weight>& leaf : forest.leaves)
    for (const Weight& weight : leaf) all_positive = all_positive && weight.weight >= 0;

  std::vector<double> all, scores(classes);
  std::vector<size_t> labels;
  std::vector<bool> spoken;
  for (int64_t n = 0; n < samples.count; ++n) {
    scores.resize(classes);
    predict(forest, Aggregate::kSum, samples.values.data() + n * samples.features, scores, spoken);
    if (one_score) {
      const OneScore binary{.probabilities = all_positive};
      const double score = scores[0] + (base.empty() ? 0 : base.back());
      labels.push_back(binary.label(score));
      scores = binary.scores(post, score);
    } else {
      for (size_t i = 0; i < base.size(); ++i) scores[i] += base[i];
      // Of two classes the second is the positive one: ONNX Runtime asks for its sign only.
      labels.push_back(classes <= 2
                           ? scores.back() > 0
                           : static_cast<size_t>(std::max_element(scores.begin(), scores.end()) -
                                                 scores.begin()));
      transform_scores(post, scores);
    }
    all.insert(all.end(), scores.begin(), scores.end());
    if (n % 256 == 0) SHIPWAY_RETURN_IF_ERROR(context.poll());
  }
  if (context.has_output(0)) {
    // A single label is the positive one; the other is its absence.
    if (!strings.empty()) {
      std::vector<std::string> names;
      for (size_t label : labels)
        names.push_back(classes == 1 ? (label == 1 ? strings[0] : "") : strings[label]);
      context.set_output(0, Tensor::from_strings({samples.count}, std::move(names)));
    } else {
      std::vector<int64_t> numbers;
      for (size_t label : labels)
        numbers.push_back(classes == 1 ? (label == 1 ? ints[0] : 0) : ints[label]);
      context.set_output(0, Tensor::vector(numbers));
    }
  }
  if (!context.has_output(1)) return Status::ok();
  return write_scores(context, 1, DType::kFloat32, samples.count, classes, all);
}

}  // namespace

const Operator& tree_ensemble_operator() {
  static const Operator definition{
      .domain = "ai.onnx.ml",
      .name = "TreeEnsemble",
      .summary = "Sums, averages or compares the leaves that decision trees reach.",
      .versions =
          {{.since = 5,
            .signature = "(X: T) -> (Y: T)",
            .types = "T: floats",
            .attributes =
                "aggregate_function: int = 1; leaf_targetids: ints!; leaf_weights: tensor!; "
                "membership_values: tensor?; n_targets: int?; nodes_falseleafs: ints!; "
                "nodes_falsenodeids: ints!; nodes_featureids: ints!; nodes_hitrates: tensor?; "
                "nodes_missing_value_tracks_true: ints?; nodes_modes: tensor!; "
                "nodes_splits: tensor!; nodes_trueleafs: ints!; nodes_truenodeids: ints!; "
                "post_transform: int = 0; tree_roots: ints!"}},
      .infer = infer_tree_ensemble,
      .evaluate = evaluate_tree_ensemble,
  };
  return definition;
}

const Operator& tree_ensemble_classifier_operator() {
  static const Operator definition{
      .domain = "ai.onnx.ml",
      .name = "TreeEnsembleClassifier",
      .summary = "Class scores gathered from decision trees, and the best class.",
      .versions = {{.since = 1,
                    .signature = "(X: T1) -> (Y: T2, Z: float)",
                    .types = kTreeEnsembleClassifierTypes,
                    .attributes =
                        "base_values: floats?; class_ids: ints?; class_nodeids: ints?; "
                        "class_treeids: ints?; class_weights: floats?; classlabels_int64s: ints?; "
                        "classlabels_strings: strings?; nodes_falsenodeids: ints?; "
                        "nodes_featureids: ints?; nodes_hitrates: floats?; "
                        "nodes_missing_value_tracks_true: ints?; nodes_modes: strings?; "
                        "nodes_nodeids: ints?; nodes_treeids: ints?; nodes_truenodeids: ints?; "
                        "nodes_values: floats?; post_transform: string = 'NONE'"},
                   {.since = 3,
                    .signature = "(X: T1) -> (Y: T2, Z: float)",
                    .types = kTreeEnsembleClassifierTypes,
                    .attributes = kTreeEnsembleClassifierAttributesSince3},
                   {.since = 5,
                    .signature = "(X: T1) -> (Y: T2, Z: float)",
                    .types = kTreeEnsembleClassifierTypes,
                    .attributes = kTreeEnsembleClassifierAttributesSince3,
                    .deprecated = true}},
      .infer = infer_classifier,
      .evaluate = evaluate_classifier,
  };
  return definition;
}

const Operator& tree_ensemble_regressor_operator() {
  static const Operator definition{
      .domain = "ai.onnx.ml",
      .name = "TreeEnsembleRegressor",
      .summary = "Predictions gathered from decision trees.",
      .versions =
          {{.since = 1,
            .signature = "(X: T) -> (Y: float)",
            .types = "T: float int32 int64 double",
            .attributes =
                "aggregate_function: string = 'SUM'; base_values: floats?; n_targets: int?; "
                "nodes_falsenodeids: ints?; nodes_featureids: ints?; nodes_hitrates: floats?; "
                "nodes_missing_value_tracks_true: ints?; nodes_modes: strings?; "
                "nodes_nodeids: ints?; nodes_treeids: ints?; nodes_truenodeids: ints?; "
                "nodes_values: floats?; post_transform: string = 'NONE'; target_ids: ints?; "
                "target_nodeids: ints?; target_treeids: ints?; target_weights: floats?"},
           {.since = 3,
            .signature = "(X: T) -> (Y: float)",
            .types = "T: float int32 int64 double",
            .attributes = kTreeEnsembleRegressorAttributesSince3},
           {.since = 5,
            .signature = "(X: T) -> (Y: float)",
            .types = "T: float int32 int64 double",
            .attributes = kTreeEnsembleRegressorAttributesSince3,
            .deprecated = true}},
      .infer = infer_regressor,
      .evaluate = evaluate_regressor,
  };
  return definition;
}

}  // namespace shipway
