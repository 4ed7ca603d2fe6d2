// Types and shapes: what each operator accepts, and whether what follows agrees with what the file
// declares.
//
// Inference is written for the newest opset only, so it runs on an upgraded copy; values keep their
// ids, and the types found there are held against the schemas of the file's own opsets.
#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "base/text.h"
#include "formats/onnx/check_context.h"
#include "graph/inline_functions.h"
#include "operators/accepts.h"
#include "operators/infer.h"
#include "operators/upgrade.h"

namespace shipway::onnx_check {
namespace {

/// A type without its shape, as schemas speak of it: "tensor(float)", "seq(tensor(int64))".
std::string plain_text(const Type& type) {
  switch (type.kind()) {
    case TypeKind::kUnknown:
      return "";
    case TypeKind::kTensor:
      return TypeSet::text(TypeSet::Kind::kTensor, type.dtype());
    case TypeKind::kSparseTensor:
      return TypeSet::text(TypeSet::Kind::kSparseTensor, type.dtype());
    case TypeKind::kSequence:
      return "seq(" + plain_text(type.element()) + ")";
    case TypeKind::kOptional:
      return "optional(" + plain_text(type.element()) + ")";
    case TypeKind::kMap:
      return format_message("map({},{})", {FormatArg(to_string(type.dtype())),
                                           FormatArg(plain_text(type.element()))});
    case TypeKind::kOpaque:
      return format_message("opaque({},{})", {FormatArg(quoted(type.opaque_domain())),
                                              FormatArg(quoted(type.opaque_name()))});
  }
  return "";
}

/// The only tensor type of a set, when it holds just that.
std::optional<DType> only_tensor(const TypeSet& set) {
  std::optional<DType> only;
  for (int kind = 0; kind < TypeSet::kKindCount; ++kind)
    for (int dtype = 1; dtype < kDTypeCount; ++dtype) {
      if (!set.contains(static_cast<TypeSet::Kind>(kind), static_cast<DType>(dtype))) continue;
      if (only || kind != static_cast<int>(TypeSet::Kind::kTensor)) return std::nullopt;
      only = static_cast<DType>(dtype);
    }
  return only;
}

std::string shown(const TypeSet& set) {
  constexpr size_t kMost = 8;
  const std::vector<std::string> texts = set.texts();
  std::string text;
  for (size_t i = 0; i < std::min(texts.size(), kMost); ++i)
    text += (i == 0 ? "" : ", ") + texts[i];
  if (texts.size() > kMost)
    text += format_message(" or {} more", {FormatArg(texts.size() - kMost)});
  return text;
}

/// Operators whose first version (of GroupNormalization: the newest) has no shape inference in
/// onnx 1.23.2.
constexpr std::pair<std::string_view, std::string_view> kWithoutShapes[] = {
    {"", "Abs"},
    {"", "Add"},
    {"", "BatchNormalization"},
    {"", "Cast"},
    {"", "Ceil"},
    {"", "Clip"},
    {"", "Concat"},
    {"", "Div"},
    {"", "Dropout"},
    {"", "Elu"},
    {"", "Exp"},
    {"", "Floor"},
    {"", "GRU"},
    {"", "Gemm"},
    {"", "GlobalLpPool"},
    {"", "GroupNormalization"},
    {"", "HardSigmoid"},
    {"", "InstanceNormalization"},
    {"", "LeakyRelu"},
    {"", "Log"},
    {"", "LpPool"},
    {"", "Max"},
    {"", "Mean"},
    {"", "Min"},
    {"", "Mul"},
    {"", "Neg"},
    {"", "PRelu"},
    {"", "Pad"},
    {"", "Reciprocal"},
    {"", "Relu"},
    {"", "Reshape"},
    {"", "Selu"},
    {"", "Sigmoid"},
    {"", "Split"},
    {"", "Sqrt"},
    {"", "Sub"},
    {"", "Sum"},
    {"", "Tanh"},
    {"", "Upsample"},
    {"ai.onnx.ml", "FeatureVectorizer"},
    {"ai.onnx.ml", "Imputer"},
    {"ai.onnx.ml", "LinearRegressor"},
    {"ai.onnx.ml", "Normalizer"},
    {"ai.onnx.ml", "SVMRegressor"},
    {"ai.onnx.ml", "Scaler"},
    {"ai.onnx.ml", "TreeEnsembleRegressor"},
    {"ai.onnx.preview.training", "Gradient"},
};

class TypeChecker {
 public:
  TypeChecker(const Model& model, const Registry& registry, const NegativeSizes& negative_sizes,
              Problems& problems)
      : model_(model), registry_(registry), negative_sizes_(negative_sizes), problems_(problems) {}

  void run() {
    is_after_unknown_ = nodes_after_unknown_ones(model_);
    types_.reserve(model_.value_count());
    for (size_t i = 0; i < model_.value_count(); ++i)
      types_.push_back(model_.value(ValueId{static_cast<int32_t>(i)}).type());
    infer();
    check_graph(model_.main_graph());
  }

 private:
  /// onnx passes over every complaint about nodes that come after one of an unknown operator in
  /// their graph: what flows out of that one is anybody's guess.
  std::vector<bool> nodes_after_unknown_ones(const Model& model) const {
    std::vector<bool> result(model.node_count());
    for (size_t i = 0; i < model.graph_count(); ++i) {
      bool seen = false;
      for (const Node& node : model.nodes(GraphId{static_cast<int32_t>(i)})) {
        result[static_cast<size_t>(node.id().index)] = seen;
        seen = seen || (!registry_.find(node.domain(), node.op_type()) &&
                        !model.find_function(node.domain(), node.op_type(), node.overload()));
      }
    }
    return result;
  }
  bool is_passed_over(const Model& model, NodeId id) const {
    for (; id.is_valid(); id = model.graph(model.node(id).graph()).owner())
      if (is_after_unknown_[static_cast<size_t>(id.index)]) return true;
    return false;
  }

  void infer() {
    Model upgraded = model_;
    for (auto& [domain, version] : upgraded.opset_imports)
      if (const int64_t newest = newest_opset(domain); newest > 0)
        version = std::min(version, newest);
    // What the newest opset cannot say is right all the same; there is nothing to infer with, then.
    if (!upgrade(upgraded, registry_).is_ok()) return;
    const size_t before_inlining = upgraded.node_count();
    if (const Status status = inline_functions(upgraded); !status.is_ok()) {
      problems_.add(status);
      return;
    }
    const std::vector<bool> in_upgraded = nodes_after_unknown_ones(upgraded);
    is_after_unknown_.insert(
        is_after_unknown_.end(),
        in_upgraded.begin() + static_cast<std::ptrdiff_t>(is_after_unknown_.size()),
        in_upgraded.end());
    InferOptions options;
    options.follow_contents = false;  // as onnx.checker does
    options.belief = [&](const Node& node) {
      const bool is_of_file = static_cast<size_t>(node.id().index) < model_.node_count();
      return is_of_file ? belief(node) : Belief::kWhatFollows;
    };
    options.on_problem = [&](NodeId id, const Status& status) {
      if (!is_passed_over(upgraded, id))
        problems_.add(status.with_context("{}", upgraded.describe(id)));
    };
    const Status status = infer_shapes(upgraded, registry_, options);
    if (!status.is_ok()) problems_.add(status);
    types_.clear();
    for (size_t i = 0; i < upgraded.value_count(); ++i)
      types_.push_back(upgraded.value(ValueId{static_cast<int32_t>(i)}).type());
    check_negative_sizes(upgraded);
    // Bodies of functions have types only where they are called.
    for (size_t i = before_inlining; i < upgraded.node_count(); ++i) {
      const Node& node = upgraded.node(NodeId{static_cast<int32_t>(i)});
      const Operator* op =
          node.is_removed() ? nullptr : registry_.find(node.domain(), node.op_type());
      if (op) check_node(upgraded, node, *op->versions.newest());
    }
  }

  Belief belief(const Node& node) const {
    const int64_t opset = model_.opset(node.domain());
    const std::string_view op = node.op_type();
    if (std::find(std::begin(kWithoutShapes), std::end(kWithoutShapes),
                  std::pair{std::string_view(node.domain()), op}) != std::end(kWithoutShapes)) {
      const Operator* declared = registry_.find(node.domain(), op);
      const Schema* schema = declared ? declared->versions.version_at(opset) : nullptr;
      if (schema && (schema->since == 1 || op == "GroupNormalization"))
        return Belief::kDeclaredShape;
    }
    // Their rank hangs on an input: the length of a shape, or which axes.
    const bool has_open_rank =
        (op == "Reshape" && opset < 14) || (op == "Compress" && opset < 11) || op == "Squeeze" ||
        op == "Unsqueeze" || op == "Split" || op == "CenterCropPad" || op.starts_with("Reduce");
    return node.domain().empty() && has_open_rank ? Belief::kDeclaredRank : Belief::kWhatFollows;
  }

  /// The reader takes a negative size for an open one; onnx holds it against the size that follows.
  void check_negative_sizes(const Model& upgraded) {
    if (negative_sizes_.empty()) return;
    for (size_t i = 0; i < model_.value_count(); ++i) {
      const Value& value = upgraded.value(ValueId{static_cast<int32_t>(i)});
      const auto declared = negative_sizes_.find(value.name());
      if (declared == negative_sizes_.end() || !value.producer().is_valid() || !value.type().dims())
        continue;
      if (is_passed_over(upgraded, value.producer())) continue;
      for (const auto& [axis, size] : declared->second)
        if (axis < value.type().dims()->size() && (*value.type().dims())[axis].is_constant())
          problems_.add(Status::invalid_model(
              "value {}: axis {} is declared as {}, but {} follows from the graph",
              quoted(value.name()), axis, size, (*value.type().dims())[axis].value()));
    }
  }

  /// Recursion is as deep as graphs are nested, which the file's form limits.
  void check_graph(GraphId graph) {
    for (const Node& node : model_.nodes(graph)) {
      for (const GraphId inside : node.subgraphs()) check_graph(inside);
      if (const Operator* op = registry_.find(node.domain(), node.op_type()))
        if (const Schema* schema = op->versions.version_at(model_.opset(node.domain())))
          check_node(model_, node, *schema);
    }
  }

  void check_node(const Model& model, const Node& node, const Schema& schema) {
    std::map<std::string_view, std::string> bound;  // what a constraint stands for in this node
    const bool is_silent = is_passed_over(model, node.id());
    const auto complain = [&](std::string_view pattern, auto... arguments) {
      if (!is_silent)
        problems_.add(Status::invalid_model(pattern, arguments...)
                          .with_context("{}", model.describe(node.id())));
    };
    const auto check = [&](std::string_view side, size_t i, ValueId id,
                           const FormalParameter& declared) {
      const Type& type = types_[static_cast<size_t>(id.index)];
      if (is_open(type)) return;
      if (!declared.types.empty() && !accepts(declared.types, type)) {
        complain("{} {} ('{}') is {}, expected {}", side, i, declared.name, plain_text(type),
                 shown(declared.types));
        return;
      }
      if (!declared.homogeneous) return;
      const auto [entry, is_new] = bound.try_emplace(declared.type_name, plain_text(type));
      if (!is_new && entry->second != plain_text(type))
        complain("{} {} ('{}') is {}, expected {} as its other values of type {}", side, i,
                 declared.name, plain_text(type), entry->second, declared.type_name);
    };
    for (size_t i = 0; i < node.inputs().size(); ++i)
      if (const FormalParameter* declared = schema.input(i); declared && node.input(i).is_valid())
        check("input", i, node.input(i), *declared);
    for (size_t i = 0; i < node.outputs().size(); ++i) {
      const FormalParameter* declared = schema.output(i);
      const ValueId id = node.output(i);
      if (!declared || !id.is_valid()) continue;
      Type& type = types_[static_cast<size_t>(id.index)];
      if (type.kind() == TypeKind::kUnknown) {  // the declaration may leave one choice
        if (const std::optional<DType> only = only_tensor(declared->types)) {
          type = Type::tensor(*only);
        } else if (declared->homogeneous) {
          for (size_t j = 0; j < node.inputs().size(); ++j) {
            const FormalParameter* other = schema.input(j);
            if (!other || !node.input(j).is_valid() || other->type_name != declared->type_name)
              continue;
            const Type& same = types_[static_cast<size_t>(node.input(j).index)];
            if (same.is_tensor()) type = Type::tensor(same.dtype());
            break;
          }
        }
      }
      check("output", i, id, *declared);
    }
  }

  const Model& model_;
  const Registry& registry_;
  const NegativeSizes& negative_sizes_;
  Problems& problems_;
  std::vector<bool> is_after_unknown_;
  std::vector<Type> types_;  // by value: declared, and what inference made of it
};

}  // namespace

void check_types(const Model& model, const Registry& registry, const NegativeSizes& negative_sizes,
                 Problems& problems) {
  TypeChecker(model, registry, negative_sizes, problems).run();
}

}  // namespace shipway::onnx_check
