#include "shipway/model.h"

#include <algorithm>

#include "graph/builder.h"

namespace shipway {

Type Type::tensor(DType dtype, Dims dims) {
  Type type(TypeKind::kTensor, dtype);
  type.has_dims_ = true;
  type.dims_ = std::move(dims);
  return type;
}

Type Type::sparse_tensor(DType dtype, std::optional<Dims> dims) {
  Type type(TypeKind::kSparseTensor, dtype);
  type.has_dims_ = dims.has_value();
  if (dims) type.dims_ = std::move(*dims);
  return type;
}

namespace {
uint8_t deeper(const Type& element) {
  return static_cast<uint8_t>(std::min(element.depth() + 1, 255));
}
}  // namespace

Type Type::sequence(Type element) {
  Type type(TypeKind::kSequence);
  type.depth_ = deeper(element);
  type.element_ = std::make_shared<const Type>(std::move(element));
  return type;
}

Type Type::optional(Type element) {
  Type type = sequence(std::move(element));
  type.kind_ = TypeKind::kOptional;
  return type;
}

Type Type::map(DType key, Type value) {
  Type type = sequence(std::move(value));
  type.kind_ = TypeKind::kMap;
  type.dtype_ = key;
  return type;
}

Type Type::opaque(std::string domain, std::string name) {
  Type type(TypeKind::kOpaque);
  type.opaque_ = std::make_shared<const std::pair<std::string, std::string>>(std::move(domain),
                                                                             std::move(name));
  return type;
}

const Type& Type::element() const {
  static const Type none{};
  return element_ ? *element_ : none;
}

const std::string& Type::opaque_domain() const {
  static const std::string none;
  return opaque_ ? opaque_->first : none;
}

const std::string& Type::opaque_name() const {
  static const std::string none;
  return opaque_ ? opaque_->second : none;
}

std::optional<Shape> Type::constant_shape() const {
  if (!has_dims_) return std::nullopt;
  Shape shape;
  for (Dim dim : dims_) {
    if (!dim.is_constant()) return std::nullopt;
    shape.push_back(dim.value());
  }
  return shape;
}

Type Type::with_dims(Dims dims) const {
  Type type = *this;
  type.has_dims_ = true;
  type.dims_ = std::move(dims);
  return type;
}

bool operator==(const Type& a, const Type& b) {
  return a.kind_ == b.kind_ && a.dtype_ == b.dtype_ && a.has_dims_ == b.has_dims_ &&
         a.dims_ == b.dims_ &&
         (a.element_ == b.element_ || (a.element_ && b.element_ && *a.element_ == *b.element_)) &&
         a.opaque_domain() == b.opaque_domain() && a.opaque_name() == b.opaque_name();
}

std::string to_string(const Type& type, const DimTable& dims) {
  std::string text;
  switch (type.kind()) {
    case TypeKind::kUnknown:
      return "?";
    case TypeKind::kSequence:
      return "seq(" + to_string(type.element(), dims) + ")";
    case TypeKind::kOptional:
      return "optional(" + to_string(type.element(), dims) + ")";
    case TypeKind::kMap:
      return "map(" + std::string(to_string(type.dtype())) + "," + to_string(type.element(), dims) +
             ")";
    case TypeKind::kOpaque:
      return "opaque(" + type.opaque_domain() + "," + type.opaque_name() + ")";
    case TypeKind::kSparseTensor:
      text = "sparse_";
      break;
    case TypeKind::kTensor:
      break;
  }
  text += type.dtype() == DType::kUndefined ? std::string_view("?") : to_string(type.dtype());
  if (!type.dims()) return text;
  text += '[';
  for (size_t i = 0; i < type.dims()->size(); ++i)
    text += (i ? "," : "") + dims.to_string((*type.dims())[i]);
  return text + ']';
}

std::string_view to_string(AttributeKind kind) {
  constexpr std::string_view kNames[] = {
      "undefined",     "int",     "float",          "string", "tensor",
      "sparse_tensor", "graph",   "type_proto",     "ints",   "floats",
      "strings",       "tensors", "sparse_tensors", "graphs", "type_protos"};
  const auto index = static_cast<size_t>(kind);
  return index < std::size(kNames) ? kNames[index] : "undefined";
}

const Attribute* Node::attribute(std::string_view name) const {
  for (const Attribute& attribute : attributes_)
    if (attribute.name == name) return &attribute;
  return nullptr;
}

std::vector<GraphId> Node::subgraphs() const {
  std::vector<GraphId> found;
  for (const Attribute& attribute : attributes_) {
    if (const GraphId* graph = attribute.get<GraphId>()) found.push_back(*graph);
    if (const auto* graphs = attribute.get<std::vector<GraphId>>())
      found.insert(found.end(), graphs->begin(), graphs->end());
  }
  return found;
}

Model::Model() { main_graph_ = ModelBuilder(*this).add_graph(""); }

int64_t Model::opset(std::string_view wanted) const {
  for (const auto& [name, version] : opset_imports)
    if (name == wanted || (wanted.empty() && name == "ai.onnx")) return version;
  return 0;
}

const Function* Model::find_function(std::string_view function_domain, std::string_view name,
                                     std::string_view overload) const {
  for (const Function& function : functions_)
    if (function.name == name && function.domain == function_domain &&
        function.overload == overload)
      return &function;
  return nullptr;
}

const Tensor* Model::constant_tensor(ValueId id) const {
  if (!id.is_valid()) return nullptr;
  const Value& v = value(id);
  if (v.constant() && !v.is_input())
    return v.constant()->tensor.is_defined() ? &v.constant()->tensor : nullptr;
  if (!v.producer().is_valid()) return nullptr;
  const Node& maker = node(v.producer());
  if (!maker.is("Constant")) return nullptr;
  const Attribute* attribute = maker.attribute("value");
  return attribute ? attribute->get<Tensor>() : nullptr;
}

ValueId Model::find_value(std::string_view name, GraphId where) const {
  for (GraphId graph_id = where;;) {
    for (const Value& v : values_)
      if (v.graph() == graph_id && !v.is_removed() && v.name() == name) return v.id();
    const NodeId owner = graph(graph_id).owner();
    if (!owner.is_valid()) return {};
    graph_id = node(owner).graph();
  }
}

std::string Model::describe(NodeId id) const {
  const Node& n = node(id);
  std::string text =
      n.name().empty() ? "node #" + std::to_string(id.index) : "node '" + n.name() + "'";
  text += " (" + (n.domain().empty() ? "" : n.domain() + ".") + n.op_type() + ")";
  if (n.domain() == "shipway" && !n.sources().empty()) {
    constexpr size_t kShown = 4;
    text += " made from";
    for (size_t i = 0; i < std::min(kShown, n.sources().size()); ++i) {
      const SourceNode& from = source(n.sources()[i]);
      text += (i ? ", " : " ") + ("'" + from.name + "' (" + from.op_type + ")");
    }
    if (n.sources().size() > kShown) text += ", ...";
  }
  return text;
}

const Annotation* Model::annotation(const Entity& entity) const {
  const auto found = annotations_.find(entity);
  return found == annotations_.end() ? nullptr : &found->second;
}

}  // namespace shipway
