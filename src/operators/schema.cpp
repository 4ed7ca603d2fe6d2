// Reads the texts of operator versions into Schemas.
#include "operators/schema.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <span>

#include "base/text.h"

namespace shipway {
namespace {

constexpr uint32_t bit(DType dtype) { return uint32_t{1} << static_cast<int>(dtype); }
template <typename... DTypes>
constexpr uint32_t bits(DTypes... dtypes) {
  return (bit(dtypes) | ...);
}

constexpr uint32_t kFloats = bits(DType::kFloat16, DType::kFloat32, DType::kFloat64);
constexpr uint32_t kInts = bits(DType::kInt8, DType::kInt16, DType::kInt32, DType::kInt64);
constexpr uint32_t kUInts = bits(DType::kUInt8, DType::kUInt16, DType::kUInt32, DType::kUInt64);
constexpr uint32_t kComplexes = bits(DType::kComplex64, DType::kComplex128);
constexpr uint32_t kFloat8s =
    bits(DType::kFloat8E4M3FN, DType::kFloat8E4M3FNUZ, DType::kFloat8E5M2, DType::kFloat8E5M2FNUZ);
constexpr uint32_t kFloat6s = bits(DType::kFloat6E2M3, DType::kFloat6E3M2);
constexpr uint32_t kInt4s = bits(DType::kInt4, DType::kUInt4);
constexpr uint32_t kInt2s = bits(DType::kInt2, DType::kUInt2);

// Everything a tensor could hold in each IR version that added a dtype.
constexpr uint32_t kAllIr3 =
    kFloats | kInts | kUInts | kComplexes | bits(DType::kBool, DType::kString);
constexpr uint32_t kAllIr4 = kAllIr3 | bit(DType::kBFloat16);
constexpr uint32_t kAllIr9 = kAllIr4 | kFloat8s;
constexpr uint32_t kAllIr10 = kAllIr9 | kInt4s;
constexpr uint32_t kAllIr11 = kAllIr10 | bit(DType::kFloat4E2M1);
constexpr uint32_t kAllIr12 = kAllIr11 | bit(DType::kFloat8E8M0);
constexpr uint32_t kAllIr13 = kAllIr12 | kInt2s;
constexpr uint32_t kAllIr14 = kAllIr13 | kFloat6s;

struct DTypeSet {
  std::string_view name;
  uint32_t mask;
};
constexpr DTypeSet kDTypeSets[] = {
    {"floats", kFloats},       {"ints", kInts},
    {"uints", kUInts},         {"numeric", kFloats | kInts | kUInts},
    {"complexes", kComplexes}, {"float8s", kFloat8s},
    {"float6s", kFloat6s},     {"int4s", kInt4s},
    {"int2s", kInt2s},         {"all_ir3", kAllIr3},
    {"all_ir4", kAllIr4},      {"all_ir9", kAllIr9},
    {"all_ir10", kAllIr10},    {"all_ir11", kAllIr11},
    {"all_ir12", kAllIr12},    {"all_ir13", kAllIr13},
    {"all_ir14", kAllIr14},
};

std::optional<uint32_t> dtype_mask(std::string_view name) {
  for (const DTypeSet& set : kDTypeSets)
    if (set.name == name) return set.mask;
  if (const std::optional<DType> dtype = dtype_from_name(name)) return bit(*dtype);
  return std::nullopt;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

/// When `text` starts (ends) with `part`, removes it and says so.
bool take_front(std::string_view& text, std::string_view part) {
  if (!text.starts_with(part)) return false;
  text.remove_prefix(part.size());
  return true;
}
bool take_back(std::string_view& text, std::string_view part) {
  if (!text.ends_with(part)) return false;
  text.remove_suffix(part.size());
  return true;
}

/// The pieces of `text` between separators outside quotes and brackets, trimmed; none of an empty
/// text.
std::vector<std::string_view> pieces(std::string_view text, char separator) {
  std::vector<std::string_view> result;
  if (trimmed(text).empty()) return result;
  int depth = 0;
  char quote = 0;
  size_t start = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '\'' || c == '"') {
      quote = c;
    } else if (c == '(' || c == '[') {
      ++depth;
    } else if (c == ')' || c == ']') {
      --depth;
    } else if (c == separator && depth == 0) {
      result.push_back(trimmed(text.substr(start, i - start)));
      start = i + 1;
    }
  }
  result.push_back(trimmed(text.substr(start)));
  return result;
}

/// `name: rest` in two; an empty name when there is no colon.
std::pair<std::string_view, std::string_view> split_name(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos) return {{}, text};
  return {trimmed(text.substr(0, colon)), trimmed(text.substr(colon + 1))};
}

Status read_map_type(std::string_view inside, bool in_sequence, TypeSet& types) {
  const std::vector<std::string_view> parts = pieces(inside, ',');
  const std::optional<uint32_t> values = parts.size() == 2 ? dtype_mask(parts[1]) : std::nullopt;
  if (!values || (parts[0] != "int64" && parts[0] != "string"))
    return Status::internal("'{}' is not a key (int64 or string) and values of a map", inside);
  const bool from_int64 = parts[0] == "int64";
  if (in_sequence) {
    types.add_mask(from_int64 ? TypeSet::Kind::kSequenceOfMapFromInt64
                              : TypeSet::Kind::kSequenceOfMapFromString,
                   *values);
  } else {
    types.add_mask(from_int64 ? TypeSet::Kind::kMapFromInt64 : TypeSet::Kind::kMapFromString,
                   *values);
  }
  return Status::ok();
}

/// One type or set of types: `floats`, `seq(int64)`, `optional(seq(all_ir4))`, `map(int64,float)`.
Status read_type(std::string_view text, TypeSet& types) {
  std::string_view rest = text;
  TypeSet::Kind kind = TypeSet::Kind::kTensor;
  if (take_front(rest, "map(") && take_back(rest, ")")) return read_map_type(rest, false, types);
  if (take_front(rest, "seq(map(") && take_back(rest, "))"))
    return read_map_type(rest, true, types);
  if (take_front(rest, "optional(seq(") && take_back(rest, "))")) {
    kind = TypeSet::Kind::kOptionalSequence;
  } else if (take_front(rest, "optional(") && take_back(rest, ")")) {
    kind = TypeSet::Kind::kOptional;
  } else if (take_front(rest, "seq(") && take_back(rest, ")")) {
    kind = TypeSet::Kind::kSequence;
  } else if (take_front(rest, "sparse(") && take_back(rest, ")")) {
    kind = TypeSet::Kind::kSparseTensor;
  }
  const std::optional<uint32_t> dtypes = dtype_mask(rest);
  if (!dtypes) return Status::internal("'{}' is no dtype, set of dtypes or container of one", text);
  types.add_mask(kind, *dtypes);
  return Status::ok();
}

Status read_constraints(std::string_view text, std::vector<TypeConstraint>& constraints) {
  for (const std::string_view piece : pieces(text, ';')) {
    const auto [name, types] = split_name(piece);
    if (name.empty()) return Status::internal("types: '{}' has no name before a colon", piece);
    TypeConstraint constraint{.name = std::string(name), .types = {}};
    for (const std::string_view type : pieces(types, ' '))
      SHIPWAY_RETURN_IF_ERROR(read_type(type, constraint.types).with_context("types"));
    constraints.push_back(std::move(constraint));
  }
  return Status::ok();
}

Status read_parameter(std::string_view text, const Schema& schema, FormalParameter& parameter) {
  auto [name, type] = split_name(text);
  if (take_back(name, "?")) {
    parameter.option = FormalParameter::Option::kOptional;
  } else {
    parameter.homogeneous = !take_back(name, "~");
    if (take_back(name, "}")) {
      const size_t brace = name.rfind('{');
      const std::optional<int64_t> arity =
          brace == std::string_view::npos ? std::nullopt : parse_int(name.substr(brace + 1));
      if (!arity || *arity < 0)
        return Status::internal("signature: '{}' has no number in braces", text);
      parameter.min_arity = static_cast<int>(*arity);
      name = name.substr(0, brace);
    }
    if (take_back(name, "...")) parameter.option = FormalParameter::Option::kVariadic;
  }
  if (name.empty()) return Status::internal("signature: '{}' has no name before a colon", text);
  parameter.name = std::string(name);
  if (const TypeConstraint* constraint = schema.constraint(type)) {
    parameter.type_name = constraint->name;
    parameter.types = constraint->types;
    return Status::ok();
  }
  SHIPWAY_RETURN_IF_ERROR(read_type(type, parameter.types).with_context("signature"));
  const std::vector<std::string> texts = parameter.types.texts();
  if (texts.size() != 1)
    return Status::internal("signature: '{}' names a set of types that has no constraint", text);
  parameter.type_name = texts.front();
  return Status::ok();
}

Status read_parameters(std::string_view text, const Schema& schema,
                       std::vector<FormalParameter>& parameters) {
  text = trimmed(text);
  if (!take_front(text, "(") || !take_back(text, ")"))
    return Status::internal("signature: '{}' is not in round brackets", text);
  for (const std::string_view piece : pieces(text, ',')) {
    FormalParameter parameter;
    SHIPWAY_RETURN_IF_ERROR(read_parameter(piece, schema, parameter));
    parameters.push_back(std::move(parameter));
  }
  return Status::ok();
}

Status read_signature(std::string_view text, Schema& schema) {
  const size_t arrow = text.find("->");
  if (arrow == std::string_view::npos) return Status::internal("signature: '{}' has no '->'", text);
  SHIPWAY_RETURN_IF_ERROR(read_parameters(text.substr(0, arrow), schema, schema.inputs));
  return read_parameters(text.substr(arrow + 2), schema, schema.outputs);
}

std::optional<std::string> read_quoted(std::string_view text) {
  if (text.size() < 2 || text.front() != text.back()) return std::nullopt;
  if (text.front() != '\'' && text.front() != '"') return std::nullopt;
  return std::string(text.substr(1, text.size() - 2));
}

std::optional<float> read_float(std::string_view text) {
  const std::optional<double> value = parse_double(text);
  if (!value) return std::nullopt;
  return static_cast<float>(*value);
}

template <typename T>
bool read_list(std::string_view text, std::optional<T> (*read)(std::string_view),
               AttributeDefault& value) {
  if (!take_front(text, "[") || !take_back(text, "]")) return false;
  std::vector<T> list;
  for (const std::string_view piece : pieces(text, ',')) {
    std::optional<T> element = read(piece);
    if (!element) return false;
    list.push_back(std::move(*element));
  }
  value = std::move(list);
  return true;
}

template <typename T>
bool read_one(std::string_view text, std::optional<T> (*read)(std::string_view),
              AttributeDefault& value) {
  std::optional<T> element = read(text);
  if (element) value = std::move(*element);
  return element.has_value();
}

bool read_default(std::string_view text, AttributeKind type, AttributeDefault& value) {
  switch (type) {
    case AttributeKind::kFloat:
      return read_one<float>(text, read_float, value);
    case AttributeKind::kInt:
      return read_one<int64_t>(text, parse_int, value);
    case AttributeKind::kString:
      return read_one<std::string>(text, read_quoted, value);
    case AttributeKind::kFloats:
      return read_list<float>(text, read_float, value);
    case AttributeKind::kInts:
      return read_list<int64_t>(text, parse_int, value);
    case AttributeKind::kStrings:
      return read_list<std::string>(text, read_quoted, value);
    default:
      return false;
  }
}

/// The kind of that name; kUndefined when there is none.
AttributeKind attribute_kind(std::string_view name) {
  constexpr int kCount = std::variant_size_v<AttributeValue>;
  for (int kind = 1; kind < kCount; ++kind)
    if (to_string(static_cast<AttributeKind>(kind)) == name)
      return static_cast<AttributeKind>(kind);
  return AttributeKind::kUndefined;
}

Status read_attribute(std::string_view text, AttributeSchema& attribute) {
  auto [name, rest] = split_name(text);
  if (name.empty()) return Status::internal("attributes: '{}' has no name before a colon", text);
  attribute.name = std::string(name);
  std::optional<std::string_view> default_text;
  if (const size_t equals = rest.find('='); equals != std::string_view::npos) {
    default_text = trimmed(rest.substr(equals + 1));
    rest = trimmed(rest.substr(0, equals));
  } else if (take_back(rest, "!")) {
    attribute.required = true;
  } else if (!take_back(rest, "?")) {
    return Status::internal("attributes: '{}' has neither '!' nor '?' nor a default", text);
  }
  attribute.type = attribute_kind(rest);
  if (attribute.type == AttributeKind::kUndefined)
    return Status::internal("attributes: '{}' has no type known for attributes", text);
  if (default_text && !read_default(*default_text, attribute.type, attribute.default_value))
    return Status::internal("attributes: the default of '{}' cannot be read", text);
  return Status::ok();
}

Status read_attributes(std::string_view text, std::vector<AttributeSchema>& attributes) {
  for (const std::string_view piece : pieces(text, ';')) {
    AttributeSchema attribute;
    SHIPWAY_RETURN_IF_ERROR(read_attribute(piece, attribute));
    attributes.push_back(std::move(attribute));
  }
  return Status::ok();
}

int min_arity(const std::vector<FormalParameter>& parameters) {
  int result = 0;
  for (size_t i = 0; i < parameters.size(); ++i) {
    if (parameters[i].option == FormalParameter::Option::kSingle) result = static_cast<int>(i) + 1;
    if (parameters[i].option == FormalParameter::Option::kVariadic)
      result = static_cast<int>(i) + parameters[i].min_arity;
  }
  return result;
}

int max_arity(const std::vector<FormalParameter>& parameters) {
  const bool variadic =
      !parameters.empty() && parameters.back().option == FormalParameter::Option::kVariadic;
  return variadic ? Schema::kUnlimited : static_cast<int>(parameters.size());
}

const FormalParameter* parameter_at(const std::vector<FormalParameter>& parameters, size_t index) {
  if (index < parameters.size()) return &parameters[index];
  return max_arity(parameters) == Schema::kUnlimited ? &parameters.back() : nullptr;
}

template <typename Item>
const Item* find_named(const std::vector<Item>& items, std::string_view name) {
  for (const Item& item : items)
    if (item.name == name) return &item;
  return nullptr;
}

}  // namespace

std::string TypeSet::text(Kind kind, DType dtype) {
  const std::string tensor = format_message("tensor({})", {FormatArg(to_string(dtype))});
  switch (kind) {
    case TypeSet::Kind::kTensor:
      return tensor;
    case TypeSet::Kind::kSparseTensor:
      return "sparse_" + tensor;
    case TypeSet::Kind::kSequence:
      return "seq(" + tensor + ")";
    case TypeSet::Kind::kOptional:
      return "optional(" + tensor + ")";
    case TypeSet::Kind::kOptionalSequence:
      return "optional(seq(" + tensor + "))";
    case TypeSet::Kind::kMapFromInt64:
      return "map(int64," + tensor + ")";
    case TypeSet::Kind::kMapFromString:
      return "map(string," + tensor + ")";
    case TypeSet::Kind::kSequenceOfMapFromInt64:
      return "seq(map(int64," + tensor + "))";
    case TypeSet::Kind::kSequenceOfMapFromString:
      return "seq(map(string," + tensor + "))";
  }
  return tensor;
}

std::vector<std::string> TypeSet::texts() const {
  std::vector<std::string> result;
  for (int kind = 0; kind < kKindCount; ++kind)
    for (int dtype = 1; dtype < kDTypeCount; ++dtype)
      if (contains(static_cast<Kind>(kind), static_cast<DType>(dtype)))
        result.push_back(text(static_cast<Kind>(kind), static_cast<DType>(dtype)));
  return result;
}

int Schema::min_inputs() const { return min_arity(inputs); }
int Schema::max_inputs() const { return max_arity(inputs); }
int Schema::min_outputs() const { return min_arity(outputs); }
int Schema::max_outputs() const { return max_arity(outputs); }
const AttributeSchema* Schema::attribute(std::string_view name) const {
  return find_named(attributes, name);
}
const TypeConstraint* Schema::constraint(std::string_view name) const {
  return find_named(constraints, name);
}
const FormalParameter* Schema::input(size_t index) const { return parameter_at(inputs, index); }
const FormalParameter* Schema::output(size_t index) const { return parameter_at(outputs, index); }

VersionList::VersionList(std::initializer_list<VersionSpec> versions) {
  schemas_.reserve(versions.size());
  for (const VersionSpec& version : versions) add(version);
}

VersionList::VersionList(const std::vector<VersionSpec>& versions) {
  schemas_.reserve(versions.size());
  for (const VersionSpec& version : versions) add(version);
}

void VersionList::add(const VersionSpec& spec) {
  Schema schema{.since = spec.since,
                .deprecated = spec.deprecated,
                .experimental = spec.experimental,
                .inputs = {},
                .outputs = {},
                .attributes = {},
                .constraints = {},
                .upgrade = spec.upgrade,
                .downgrade = spec.downgrade};
  const auto keep_error = [&](const Status& status) {
    if (!status.is_ok())
      errors_ +=
          format_message("version {}: {}\n", {FormatArg(spec.since), FormatArg(status.message())});
  };
  keep_error(read_constraints(spec.types, schema.constraints));
  keep_error(read_signature(spec.signature, schema));
  keep_error(read_attributes(spec.attributes, schema.attributes));
  if (!schemas_.empty() && schemas_.back().since >= spec.since)
    keep_error(Status::internal("the versions are not in ascending order"));
  schemas_.push_back(std::move(schema));
}

const Schema* VersionList::version_at(int64_t opset) const {
  const auto after =
      std::upper_bound(schemas_.begin(), schemas_.end(), opset,
                       [](int64_t value, const Schema& schema) { return value < schema.since; });
  return after == schemas_.begin() ? nullptr : &*(after - 1);
}

}  // namespace shipway
