// ONNX's text to ONNX's messages: what onnx.parser reads gives the same message here.
// docs/onnx-text.md has the grammar and lists where this parser takes more, or refuses what onnx's
// silently drops.
#include <charconv>
#include <cmath>
#include <limits>

#include "base/text.h"
#include "formats/onnx/attribute_types.h"
#include "formats/onnx/text_words.h"
#include "formats/wire/protobuf.h"
#include "graph/text_scanner.h"
#include "shipway/formats.h"

namespace shipway {
namespace {

namespace field = onnx_fields;

/// A TypeProto, and what a tensor after it needs to know of it.
struct ParsedType {
  MessageWriter message;
  DType dtype = DType::kUndefined;  // of a tensor; else undefined
  bool has_shape = false;
  std::vector<std::optional<int64_t>> dims;  // nothing: not a number
};

/// "type name" or "name".
struct ParsedValueInfo {
  MessageWriter message;
  std::string name;
  std::optional<ParsedType> type;
};

/// One value of an attribute, as the fields of AttributeProto that hold it.
struct ParsedValue {
  AttributeKind kind = AttributeKind::kUndefined;
  int64_t integer = 0;
  float number = 0;
  std::string string;     // also the name of a referred attribute
  MessageWriter message;  // a tensor, graph or type
  bool is_reference = false;
};

enum class NumberForm : uint8_t { kInteger, kFloat };
struct Number {
  NumberForm form = NumberForm::kInteger;
  std::string_view text;
  size_t position = 0;
};

class TextParser {
 public:
  explicit TextParser(std::string_view text) : in_(text) {}
  Status model(MessageWriter& model);
  Status graph(MessageWriter& graph);
  Status function(MessageWriter& function);
  Status node(MessageWriter& node);
  Status end() const {
    return in_.at_end() ? Status::ok() : in_.error_expected("the end of the text");
  }

 private:
  // Words.
  std::string_view peek_identifier() const;
  Result<std::string_view> identifier(std::string_view what);
  /// An identifier or a string.
  Result<std::string> name(std::string_view what);
  Result<std::string> string(std::string_view what);
  Result<std::string> dotted_name(std::string_view what);
  bool next_is_float_word() const;
  Result<Number> number(std::string_view what);
  template <typename T>
  Result<T> to_real(const Number& number) const;
  template <typename T>
  Result<T> real(std::string_view what);
  Result<int64_t> to_integer(const Number& number) const;
  Result<int64_t> integer(std::string_view what);
  Result<uint64_t> unsigned_integer();
  /// item() once or more, with commas between, up to `close`.
  template <typename Item>
  Status items(std::string_view close, Item item);
  Result<std::vector<std::string>> names(std::string_view close);

  // Messages.
  bool next_is_type() const;
  Result<ParsedType> type();
  Status tensor_type(ParsedType& type, DType dtype, uint32_t field_number);
  Status shape(ParsedType& type, MessageWriter& tensor_type);
  Status container_type(MessageWriter& message, uint32_t field_number);
  Status map_type(MessageWriter& message);
  Status opaque_type(MessageWriter& message);
  Result<ParsedValueInfo> value_info();
  Status value_infos(MessageWriter& parent, uint32_t field_number, std::string_view close);
  Status tensor(MessageWriter& tensor, const ParsedType& type, size_t type_position);
  Status elements(MessageWriter& tensor, DType dtype);
  template <typename T, typename Read>
  Result<std::vector<T>> element_list(Read read);
  Status graph_values(MessageWriter& graph, std::string_view close, uint32_t values_field);
  Status entries(MessageWriter& parent, uint32_t field_number);
  Status attribute(MessageWriter& attribute, const std::string& name);
  Status attribute_list(MessageWriter& attribute, AttributeKind declared);
  Result<ParsedValue> attribute_value(AttributeKind expected);
  Status attributes(MessageWriter& node, bool& has_any);
  Status nodes(MessageWriter& parent, uint32_t field_number);
  Status function_attributes(MessageWriter& function);
  Status function_values(MessageWriter& function, uint32_t names_field);
  Status opset_imports(MessageWriter& parent, uint32_t field_number);
  Status deeper();

  Scanner in_;
  int depth_ = 0;
};

// --- words ---------------------------------------------------------------------------------------

std::string_view TextParser::peek_identifier() const {
  const std::string_view rest = in_.rest();
  if (rest.empty() || !is_identifier_start(rest.front())) return {};
  size_t end = 1;
  while (end < rest.size() && is_identifier_part(rest[end])) ++end;
  return rest.substr(0, end);
}

Result<std::string_view> TextParser::identifier(std::string_view what) {
  const std::string_view word = peek_identifier();
  if (word.empty()) return in_.error_expected(what);
  return in_.take(word.size());
}

Result<std::string> TextParser::name(std::string_view what) {
  if (in_.peek() == '"') return string(what);
  SHIPWAY_ASSIGN_OR_RETURN(const std::string_view word, identifier(what));
  return std::string(word);
}

/// A backslash takes the next character as it is; line breaks may stand inside.
Result<std::string> TextParser::string(std::string_view what) {
  const std::string_view rest = in_.rest();
  if (in_.peek() != '"') return in_.error_expected(what);
  std::string bytes;
  for (size_t i = 1; i < rest.size(); ++i) {
    if (rest[i] == '"') {
      in_.take(i + 1);
      return bytes;
    }
    if (rest[i] == '\\' && ++i == rest.size()) break;
    bytes += rest[i];
  }
  return in_.error_at(in_.position(), "found a string without its closing quotes, expected '\"'");
}

Result<std::string> TextParser::dotted_name(std::string_view what) {
  SHIPWAY_ASSIGN_OR_RETURN(std::string whole, name(what));
  while (in_.accept(".")) {
    SHIPWAY_ASSIGN_OR_RETURN(const std::string part, name("a name after '.'"));
    whole += "." + part;
  }
  return whole;
}

/// "inf", "infinity" or "nan" in any case, not as the beginning of another word.
bool TextParser::next_is_float_word() const {
  const std::string_view word = peek_identifier();
  std::string lower;
  for (char c : word.substr(0, 9)) lower += static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  return lower == "inf" || lower == "infinity" || lower == "nan";
}

Result<Number> TextParser::number(std::string_view what) {
  const std::string_view rest = in_.rest();
  Number result{.position = in_.position()};
  size_t end = rest.starts_with('-') ? 1 : 0;
  const auto at = [&](size_t i) { return i < rest.size() ? rest[i] : '\0'; };
  const auto digits = [&] {
    while (is_text_digit(at(end))) ++end;
  };
  if (is_text_letter(at(end))) {
    TextParser ahead(rest.substr(end));
    if (!ahead.next_is_float_word()) return in_.error_expected(what);
    result.form = NumberForm::kFloat;
    result.text = in_.take(end + ahead.peek_identifier().size());
    return result;
  }
  if (!is_text_digit(at(end))) return in_.error_expected(what);
  digits();
  if (at(end) == '.') {
    result.form = NumberForm::kFloat;
    ++end;
    digits();
  }
  if (at(end) == 'e' || at(end) == 'E') {
    result.form = NumberForm::kFloat;
    ++end;
    if (at(end) == '+' || at(end) == '-') ++end;
    if (!is_text_digit(at(end)))
      return in_.error_at(result.position + end, "expected the digits of an exponent");
    digits();
  }
  result.text = in_.take(end);
  return result;
}

template <typename T>
Result<T> TextParser::to_real(const Number& number) const {
  T value{};
  const char* end = number.text.data() + number.text.size();
  const auto result = std::from_chars(number.text.data(), end, value);
  if (result.ec == std::errc() && result.ptr == end) return value;
  // Out of range: too small for T is zero, as rounding asks. A double may still hold what a float
  // does not.
  const std::optional<double> wide = parse_double(number.text);
  if (wide && std::abs(*wide) < 1) return std::copysign(T{0}, static_cast<T>(*wide));
  return in_.error_at(number.position, "found " + quoted(number.text, 40) + ", expected a " +
                                           (sizeof(T) == 4 ? "float" : "double") + " within range");
}

template <typename T>
Result<T> TextParser::real(std::string_view what) {
  SHIPWAY_ASSIGN_OR_RETURN(const Number read, number(what));
  return to_real<T>(read);
}

Result<int64_t> TextParser::to_integer(const Number& number) const {
  const std::optional<int64_t> value =
      number.form == NumberForm::kInteger ? parse_int(number.text) : std::nullopt;
  if (value) return *value;
  return in_.error_at(number.position,
                      "found " + quoted(number.text, 40) + ", expected an integer of 64 bits");
}

Result<int64_t> TextParser::integer(std::string_view what) {
  SHIPWAY_ASSIGN_OR_RETURN(const Number read, number(what));
  return to_integer(read);
}

Result<uint64_t> TextParser::unsigned_integer() {
  SHIPWAY_ASSIGN_OR_RETURN(const Number read, number("an integer"));
  uint64_t value = 0;
  const char* end = read.text.data() + read.text.size();
  const auto result = std::from_chars(read.text.data(), end, value);
  if (result.ec == std::errc() && result.ptr == end) return value;
  return in_.error_at(read.position, "found " + quoted(read.text, 40) +
                                         ", expected an unsigned integer of 64 bits");
}

template <typename Item>
Status TextParser::items(std::string_view close, Item item) {
  do {
    SHIPWAY_RETURN_IF_ERROR(item());
  } while (in_.accept(","));
  return in_.expect(close);
}

/// Inputs or outputs of a node. A name left out before a comma is an empty one; nothing after the
/// last comma is nothing: "(, x)" are two names, "(x,)" is one.
Result<std::vector<std::string>> TextParser::names(std::string_view close) {
  std::vector<std::string> found;
  while (!in_.next_is(close)) {
    if (in_.accept(",")) {
      found.emplace_back();
      continue;
    }
    SHIPWAY_ASSIGN_OR_RETURN(found.emplace_back(), name("the name of a value"));
    if (!in_.accept(",")) break;
  }
  return found;
}

Status TextParser::deeper() {
  if (++depth_ <= kMaxTextDepth) return Status::ok();
  return in_.error_at(
      in_.position(),
      "graphs or types are nested deeper than " + std::to_string(kMaxTextDepth) + " levels",
      StatusCode::kLimit);
}

// --- types ---------------------------------------------------------------------------------------

bool TextParser::next_is_type() const {
  const std::string_view word = peek_identifier();
  return dtype_from_name(word) || word == "seq" || word == "map" || word == "optional" ||
         word == "sparse_tensor" || word == "opaque";
}

/// "[N, 3, ?]". Nothing is a scalar, "[]" an unknown rank.
Status TextParser::shape(ParsedType& type, MessageWriter& tensor_type) {
  type.has_shape = true;
  MessageWriter sizes;
  if (in_.accept("[")) {
    if (in_.accept("]")) {
      type.has_shape = false;
      return Status::ok();
    }
    const auto one = [&]() -> Status {
      MessageWriter dim;
      std::optional<int64_t> size;
      if (in_.accept("?")) {
        // nothing known
      } else if (in_.peek() == '"' || !peek_identifier().empty()) {
        SHIPWAY_ASSIGN_OR_RETURN(const std::string symbol, name("a size"));
        dim.add_text(field::shape::kDimParam, symbol);
      } else {
        SHIPWAY_ASSIGN_OR_RETURN(size, integer("a size: a number, a name or '?'"));
        dim.add_integer(field::shape::kDimValue, *size);
      }
      type.dims.push_back(size);
      sizes.add_message(field::shape::kDim, std::move(dim));
      return Status::ok();
    };
    SHIPWAY_RETURN_IF_ERROR(items("]", one));
  }
  tensor_type.add_message(field::type::kShape, std::move(sizes));
  return Status::ok();
}

Status TextParser::tensor_type(ParsedType& type, DType dtype, uint32_t field_number) {
  MessageWriter message;
  message.add_integer(field::type::kElemType, static_cast<int64_t>(dtype));
  SHIPWAY_RETURN_IF_ERROR(shape(type, message));
  type.message.add_message(field_number, std::move(message));
  return Status::ok();
}

Status TextParser::container_type(MessageWriter& message, uint32_t field_number) {
  SHIPWAY_RETURN_IF_ERROR(in_.expect("("));
  SHIPWAY_ASSIGN_OR_RETURN(ParsedType element, type());
  MessageWriter container;
  container.add_message(field::type::kElemType, std::move(element.message));
  message.add_message(field_number, std::move(container));
  return in_.expect(")");
}

Status TextParser::map_type(MessageWriter& message) {
  SHIPWAY_RETURN_IF_ERROR(in_.expect("("));
  const std::optional<DType> key = dtype_from_name(peek_identifier());
  if (!key) return in_.error_expected("the element type of a map's keys");
  in_.take(peek_identifier().size());
  SHIPWAY_RETURN_IF_ERROR(in_.expect(","));
  SHIPWAY_ASSIGN_OR_RETURN(ParsedType value, type());
  MessageWriter map;
  map.add_integer(field::type::kKeyType, static_cast<int64_t>(*key));
  map.add_message(field::type::kValueType, std::move(value.message));
  message.add_message(field::type::kMap, std::move(map));
  return in_.expect(")");
}

/// "opaque()", "opaque(name)" or "opaque(domain, name)"; both may have dots.
Status TextParser::opaque_type(MessageWriter& message) {
  SHIPWAY_RETURN_IF_ERROR(in_.expect("("));
  MessageWriter opaque;
  if (!in_.accept(")")) {
    SHIPWAY_ASSIGN_OR_RETURN(const std::string first, dotted_name("a name"));
    if (in_.accept(",")) {
      opaque.add_text(field::type::kOpaqueDomain, first);
      if (in_.peek() != ')') {
        SHIPWAY_ASSIGN_OR_RETURN(const std::string second, dotted_name("a name"));
        opaque.add_text(field::type::kOpaqueName, second);
      }
    } else {
      opaque.add_text(field::type::kOpaqueName, first);
    }
    SHIPWAY_RETURN_IF_ERROR(in_.expect(")"));
  }
  message.add_message(field::type::kOpaque, std::move(opaque));
  return Status::ok();
}

Result<ParsedType> TextParser::type() {
  SHIPWAY_RETURN_IF_ERROR(deeper());
  if (!next_is_type()) return in_.error_expected("a type");
  const std::string_view word = in_.take(peek_identifier().size());
  ParsedType type;
  Status status;
  if (const std::optional<DType> dtype = dtype_from_name(word)) {
    type.dtype = *dtype;
    status = tensor_type(type, *dtype, field::type::kTensor);
  } else if (word == "seq") {
    status = container_type(type.message, field::type::kSequence);
  } else if (word == "optional") {
    status = container_type(type.message, field::type::kOptional);
  } else if (word == "map") {
    status = map_type(type.message);
  } else if (word == "opaque") {
    status = opaque_type(type.message);
  } else {
    SHIPWAY_RETURN_IF_ERROR(in_.expect("("));
    const std::optional<DType> element = dtype_from_name(peek_identifier());
    if (!element) return in_.error_expected("the element type of a sparse tensor");
    in_.take(peek_identifier().size());
    SHIPWAY_RETURN_IF_ERROR(tensor_type(type, *element, field::type::kSparseTensor));
    status = in_.expect(")");
  }
  SHIPWAY_RETURN_IF_ERROR(status);
  --depth_;
  return type;
}

Result<ParsedValueInfo> TextParser::value_info() {
  ParsedValueInfo info;
  if (next_is_type()) {
    SHIPWAY_ASSIGN_OR_RETURN(info.type, type());
    info.message.add_text(field::value_info::kType, info.type->message.to_string());
  }
  SHIPWAY_ASSIGN_OR_RETURN(info.name, name("a type or the name of a value"));
  info.message.add_text(field::value_info::kName, info.name);
  return info;
}

Status TextParser::value_infos(MessageWriter& parent, uint32_t field_number,
                               std::string_view close) {
  if (in_.accept(close)) return Status::ok();
  return items(close, [&]() -> Status {
    SHIPWAY_ASSIGN_OR_RETURN(ParsedValueInfo info, value_info());
    parent.add_message(field_number, std::move(info.message));
    return Status::ok();
  });
}

// --- tensors -------------------------------------------------------------------------------------

template <typename T, typename Read>
Result<std::vector<T>> TextParser::element_list(Read read) {
  std::vector<T> values;
  const auto one = [&]() -> Status {
    SHIPWAY_ASSIGN_OR_RETURN(const T value, read());
    values.push_back(value);
    return Status::ok();
  };
  SHIPWAY_RETURN_IF_ERROR(items("}", one));
  return values;
}

/// What stands up to the closing brace, at least one element, into the field that holds such
/// elements.
Status TextParser::elements(MessageWriter& tensor, DType dtype) {
  namespace t = field::tensor;
  const auto as_raw = [](const auto& values) {
    return std::string_view(reinterpret_cast<const char*>(values.data()),
                            values.size() * sizeof(values[0]));
  };
  switch (dtype) {
    case DType::kFloat32:
    case DType::kComplex64: {
      SHIPWAY_ASSIGN_OR_RETURN(const std::vector<float> values,
                               element_list<float>([&] { return real<float>("a number"); }));
      tensor.add_text(t::kFloatData, as_raw(values));
      return Status::ok();
    }
    case DType::kFloat64:
    case DType::kComplex128: {
      SHIPWAY_ASSIGN_OR_RETURN(const std::vector<double> values,
                               element_list<double>([&] { return real<double>("a number"); }));
      tensor.add_text(t::kDoubleData, as_raw(values));
      return Status::ok();
    }
    case DType::kInt64: {
      SHIPWAY_ASSIGN_OR_RETURN(const std::vector<int64_t> values,
                               element_list<int64_t>([&] { return integer("an integer"); }));
      tensor.add_packed(t::kInt64Data, values);
      return Status::ok();
    }
    case DType::kUInt32:
    case DType::kUInt64: {
      SHIPWAY_ASSIGN_OR_RETURN(const std::vector<uint64_t> values,
                               element_list<uint64_t>([&] { return unsigned_integer(); }));
      tensor.add_packed(t::kUInt64Data, values);
      return Status::ok();
    }
    case DType::kString:
      return items("}", [&]() -> Status {
        SHIPWAY_ASSIGN_OR_RETURN(const std::string value, string("a string"));
        tensor.add_text(t::kStringData, value);
        return Status::ok();
      });
    default: {
      const auto read = [&]() -> Result<int32_t> {
        const size_t position = in_.position();
        SHIPWAY_ASSIGN_OR_RETURN(const int64_t value, integer("an integer"));
        if (value < std::numeric_limits<int32_t>::min() ||
            value > std::numeric_limits<int32_t>::max())
          return in_.error_at(
              position, "found " + std::to_string(value) + ", expected an integer of 32 bits");
        return static_cast<int32_t>(value);
      };
      SHIPWAY_ASSIGN_OR_RETURN(const std::vector<int32_t> values, element_list<int32_t>(read));
      tensor.add_packed(t::kInt32Data, values);
      return Status::ok();
    }
  }
}

/// What follows a tensor's type and name: elements in braces, where they lie outside, or nothing.
Status TextParser::tensor(MessageWriter& tensor, const ParsedType& type, size_t type_position) {
  namespace t = field::tensor;
  if (type.dtype == DType::kUndefined || !type.has_shape)
    return in_.error_at(type_position, "expected a tensor's type with its shape before its data");
  tensor.add_integer(t::kDataType, static_cast<int64_t>(type.dtype));
  for (const std::optional<int64_t>& size : type.dims) {
    if (!size)
      return in_.error_at(type_position, "expected numbers only in the shape of a tensor's data");
    tensor.add_integer(t::kDims, *size);
  }
  if (in_.accept("{")) {
    if (in_.accept("}")) return Status::ok();
    return elements(tensor, type.dtype);
  }
  if (in_.peek() != '[') return Status::ok();
  tensor.add_integer(t::kDataLocation, t::kLocationExternal);
  return entries(tensor, t::kExternalData);
}

/// "["key": "value", ...]"
Status TextParser::entries(MessageWriter& parent, uint32_t field_number) {
  SHIPWAY_RETURN_IF_ERROR(in_.expect("["));
  if (in_.accept("]")) return Status::ok();
  return items("]", [&]() -> Status {
    MessageWriter entry;
    SHIPWAY_ASSIGN_OR_RETURN(const std::string key, string("a key in quotes"));
    SHIPWAY_RETURN_IF_ERROR(in_.expect(":"));
    SHIPWAY_ASSIGN_OR_RETURN(const std::string value, string("a value in quotes"));
    entry.add_text(field::entry::kKey, key);
    entry.add_text(field::entry::kValue, value);
    parent.add_message(field_number, std::move(entry));
    return Status::ok();
  });
}

// --- nodes ---------------------------------------------------------------------------------------

Result<ParsedValue> TextParser::attribute_value(AttributeKind expected) {
  const size_t position = in_.position();
  ParsedValue value;
  if (in_.accept("@")) {
    value.is_reference = true;
    value.kind = expected;
    SHIPWAY_ASSIGN_OR_RETURN(value.string, name("the name of a function's attribute"));
    return value;
  }
  if (expected == AttributeKind::kGraph) {
    value.kind = AttributeKind::kGraph;
    SHIPWAY_RETURN_IF_ERROR(graph(value.message));
  } else if (next_is_type()) {
    SHIPWAY_ASSIGN_OR_RETURN(ParsedType head, type());
    if (expected == AttributeKind::kTensor || in_.peek() == '{' || in_.peek() == '=' ||
        in_.peek() == '"' || !peek_identifier().empty()) {
      value.kind = AttributeKind::kTensor;
      std::string tensor_name;
      if (in_.peek() == '"' || !peek_identifier().empty()) {
        SHIPWAY_ASSIGN_OR_RETURN(tensor_name, name("the name of a tensor"));
      }
      value.message.add_text(field::tensor::kName, tensor_name);
      in_.accept("=");
      SHIPWAY_RETURN_IF_ERROR(tensor(value.message, head, position));
    } else {
      value.kind = AttributeKind::kType;
      value.message = std::move(head.message);
    }
  } else if (in_.peek() == '"') {
    value.kind = AttributeKind::kString;
    SHIPWAY_ASSIGN_OR_RETURN(value.string, string("a string"));
  } else if (!peek_identifier().empty() && !next_is_float_word()) {
    value.kind = AttributeKind::kGraph;
    SHIPWAY_RETURN_IF_ERROR(graph(value.message));
  } else {
    SHIPWAY_ASSIGN_OR_RETURN(
        const Number read,
        number("the value of an attribute: a number, string, tensor, type, graph or '@'"));
    if (read.form == NumberForm::kFloat || expected == AttributeKind::kFloat) {
      value.kind = AttributeKind::kFloat;
      SHIPWAY_ASSIGN_OR_RETURN(value.number, to_real<float>(read));
    } else {
      value.kind = AttributeKind::kInt;
      SHIPWAY_ASSIGN_OR_RETURN(value.integer, to_integer(read));
    }
  }
  if (expected != AttributeKind::kUndefined && expected != value.kind)
    return in_.error_at(position, "found a value of type " + std::string(to_string(value.kind)) +
                                      ", expected " + std::string(to_string(expected)));
  return value;
}

/// The list's kind for its elements' kind; a list's kind stays itself.
AttributeKind list_kind(AttributeKind kind) {
  switch (kind) {
    case AttributeKind::kInt:
      return AttributeKind::kInts;
    case AttributeKind::kFloat:
      return AttributeKind::kFloats;
    case AttributeKind::kString:
      return AttributeKind::kStrings;
    case AttributeKind::kTensor:
      return AttributeKind::kTensors;
    case AttributeKind::kGraph:
      return AttributeKind::kGraphs;
    case AttributeKind::kType:
      return AttributeKind::kTypes;
    case AttributeKind::kSparseTensor:
      return AttributeKind::kSparseTensors;
    default:
      return kind;
  }
}

AttributeKind element_kind(AttributeKind kind) {
  for (AttributeKind element :
       {AttributeKind::kInt, AttributeKind::kFloat, AttributeKind::kString, AttributeKind::kTensor,
        AttributeKind::kGraph, AttributeKind::kType, AttributeKind::kSparseTensor})
    if (list_kind(element) == kind) return element;
  return kind;
}

Status TextParser::attribute_list(MessageWriter& attribute, AttributeKind declared) {
  namespace a = field::attribute;
  AttributeKind kind = declared;
  SHIPWAY_RETURN_IF_ERROR(in_.expect("["));
  if (in_.accept("]")) {
    if (kind == AttributeKind::kUndefined)
      return in_.error_at(in_.position(),
                          "expected the type of an empty list before '=', as in 'axes: ints = []'");
    if (list_kind(kind) != kind)
      return in_.error_at(in_.position(), "found an empty list, expected one value of type " +
                                              std::string(to_string(kind)));
  } else {
    const auto one = [&]() -> Status {
      const size_t position = in_.position();
      SHIPWAY_ASSIGN_OR_RETURN(ParsedValue value, attribute_value(element_kind(kind)));
      if (value.is_reference)
        return in_.error_at(position, "found a reference in a list, expected a value");
      kind = list_kind(value.kind);
      switch (value.kind) {
        case AttributeKind::kInt:
          attribute.add_integer(a::kInts, value.integer);
          break;
        case AttributeKind::kFloat:
          attribute.add_float32(a::kFloats, value.number);
          break;
        case AttributeKind::kString:
          attribute.add_text(a::kStrings, value.string);
          break;
        case AttributeKind::kTensor:
          attribute.add_message(a::kTensors, std::move(value.message));
          break;
        case AttributeKind::kGraph:
          attribute.add_message(a::kGraphs, std::move(value.message));
          break;
        default:
          attribute.add_message(a::kTypeProtos, std::move(value.message));
      }
      return Status::ok();
    };
    SHIPWAY_RETURN_IF_ERROR(items("]", one));
  }
  attribute.add_integer(a::kType, type_of_kind(kind));
  return Status::ok();
}

/// What follows an attribute's name: "= value" or ": type = value".
Status TextParser::attribute(MessageWriter& attribute, const std::string& attribute_name) {
  namespace a = field::attribute;
  attribute.add_text(a::kName, attribute_name);
  AttributeKind declared = AttributeKind::kUndefined;
  if (in_.accept(":")) {
    const std::string_view word = peek_identifier();
    for (const AttributeTypeKind& entry : kAttributeTypes)
      if (to_string(entry.kind) == word) declared = entry.kind;
    if (declared == AttributeKind::kUndefined)
      return in_.error_expected("the type of an attribute: int, floats, tensor, graph, ...");
    in_.take(word.size());
  }
  SHIPWAY_RETURN_IF_ERROR(in_.expect("="));
  if (in_.peek() == '[') return attribute_list(attribute, declared);
  SHIPWAY_ASSIGN_OR_RETURN(ParsedValue value, attribute_value(declared));
  if (value.kind != AttributeKind::kUndefined)
    attribute.add_integer(a::kType, type_of_kind(value.kind));
  if (value.is_reference) {
    attribute.add_text(a::kRefAttrName, value.string);
    return Status::ok();
  }
  switch (value.kind) {
    case AttributeKind::kInt:
      attribute.add_integer(a::kInt, value.integer);
      break;
    case AttributeKind::kFloat:
      attribute.add_float32(a::kFloat, value.number);
      break;
    case AttributeKind::kString:
      attribute.add_text(a::kString, value.string);
      break;
    case AttributeKind::kTensor:
      attribute.add_message(a::kTensor, std::move(value.message));
      break;
    case AttributeKind::kGraph:
      attribute.add_message(a::kGraph, std::move(value.message));
      break;
    default:
      attribute.add_message(a::kTypeProto, std::move(value.message));
  }
  return Status::ok();
}

/// "<name = value, ...>", or nothing.
Status TextParser::attributes(MessageWriter& node, bool& has_any) {
  has_any = in_.accept("<");
  if (!has_any) return Status::ok();
  return items(">", [&]() -> Status {
    SHIPWAY_ASSIGN_OR_RETURN(const std::string attribute_name, name("the name of an attribute"));
    MessageWriter message;
    SHIPWAY_RETURN_IF_ERROR(attribute(message, attribute_name));
    node.add_message(field::node::kAttribute, std::move(message));
    return Status::ok();
  });
}

/// [name] outputs = domain.Op:overload <attributes> (inputs), the attributes before or after the
/// inputs.
Status TextParser::node(MessageWriter& node) {
  if (in_.accept("[")) {
    std::string node_name;
    if (!in_.next_is("]")) {
      SHIPWAY_ASSIGN_OR_RETURN(node_name, name("the name of a node"));
    }
    SHIPWAY_RETURN_IF_ERROR(in_.expect("]"));
    node.add_text(field::node::kName, node_name);
  }
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<std::string> outputs, names("="));
  for (const std::string& output : outputs) node.add_text(field::node::kOutput, output);
  SHIPWAY_RETURN_IF_ERROR(in_.expect("="));
  std::string domain, op_type;
  if (in_.peek() == '"' || !peek_identifier().empty()) {
    SHIPWAY_ASSIGN_OR_RETURN(op_type, name("an operator"));
  }
  while (in_.accept(".")) {
    domain += (domain.empty() ? "" : ".") + op_type;
    SHIPWAY_ASSIGN_OR_RETURN(op_type, name("an operator"));
  }
  node.add_text(field::node::kDomain, domain);
  node.add_text(field::node::kOpType, op_type);
  if (in_.accept(":")) {
    SHIPWAY_ASSIGN_OR_RETURN(const std::string overload, name("an overload"));
    node.add_text(field::node::kOverload, overload);
  }
  bool has_attributes = false;
  SHIPWAY_RETURN_IF_ERROR(attributes(node, has_attributes));
  SHIPWAY_RETURN_IF_ERROR(in_.expect("("));
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<std::string> inputs, names(")"));
  for (const std::string& input : inputs) node.add_text(field::node::kInput, input);
  SHIPWAY_RETURN_IF_ERROR(in_.expect(")"));
  return has_attributes ? Status::ok() : attributes(node, has_attributes);
}

Status TextParser::nodes(MessageWriter& parent, uint32_t field_number) {
  SHIPWAY_RETURN_IF_ERROR(in_.expect("{"));
  while (!in_.accept("}")) {
    MessageWriter message;
    SHIPWAY_RETURN_IF_ERROR(node(message));
    parent.add_message(field_number, std::move(message));
  }
  return Status::ok();
}

// --- graphs, functions, models -------------------------------------------------------------------

/// Values up to `close`; one with "= data" is (among inputs: also) an initializer.
Status TextParser::graph_values(MessageWriter& graph, std::string_view close,
                                uint32_t values_field) {
  if (in_.accept(close)) return Status::ok();
  return items(close, [&]() -> Status {
    const size_t position = in_.position();
    SHIPWAY_ASSIGN_OR_RETURN(ParsedValueInfo info, value_info());
    const bool has_data = in_.accept("=");
    if (!has_data || values_field == field::graph::kInput)
      graph.add_message(values_field, std::move(info.message));
    if (!has_data) return Status::ok();
    MessageWriter initializer;
    initializer.add_text(field::tensor::kName, info.name);
    SHIPWAY_RETURN_IF_ERROR(tensor(initializer, info.type.value_or(ParsedType{}), position));
    graph.add_message(field::graph::kInitializer, std::move(initializer));
    return Status::ok();
  });
}

Status TextParser::graph(MessageWriter& graph) {
  SHIPWAY_RETURN_IF_ERROR(deeper());
  SHIPWAY_ASSIGN_OR_RETURN(const std::string graph_name, name("the name of a graph"));
  graph.add_text(field::graph::kName, graph_name);
  if (in_.accept("(")) SHIPWAY_RETURN_IF_ERROR(graph_values(graph, ")", field::graph::kInput));
  SHIPWAY_RETURN_IF_ERROR(in_.expect("=>"));
  SHIPWAY_RETURN_IF_ERROR(in_.expect("("));
  SHIPWAY_RETURN_IF_ERROR(value_infos(graph, field::graph::kOutput, ")"));
  if (in_.accept("<")) SHIPWAY_RETURN_IF_ERROR(graph_values(graph, ">", field::graph::kValueInfo));
  SHIPWAY_RETURN_IF_ERROR(nodes(graph, field::graph::kNode));
  --depth_;
  return Status::ok();
}

Status TextParser::opset_imports(MessageWriter& parent, uint32_t field_number) {
  SHIPWAY_RETURN_IF_ERROR(in_.expect("["));
  if (in_.accept("]")) return Status::ok();
  return items("]", [&]() -> Status {
    SHIPWAY_ASSIGN_OR_RETURN(const std::string domain, string("a domain in quotes"));
    SHIPWAY_RETURN_IF_ERROR(in_.expect(":"));
    SHIPWAY_ASSIGN_OR_RETURN(const int64_t version, integer("an opset version"));
    MessageWriter import;
    import.add_text(field::opset_id::kDomain, domain);
    import.add_integer(field::opset_id::kVersion, version);
    parent.add_message(field_number, std::move(import));
    return Status::ok();
  });
}

/// "<required, with_default: int = 1>"
Status TextParser::function_attributes(MessageWriter& function) {
  if (!in_.accept("<")) return Status::ok();
  return items(">", [&]() -> Status {
    SHIPWAY_ASSIGN_OR_RETURN(const std::string attribute_name, name("the name of an attribute"));
    if (in_.peek() != ':' && in_.peek() != '=') {
      function.add_text(field::function::kAttribute, attribute_name);
      return Status::ok();
    }
    MessageWriter message;
    SHIPWAY_RETURN_IF_ERROR(attribute(message, attribute_name));
    function.add_message(field::function::kAttributeProto, std::move(message));
    return Status::ok();
  });
}

/// Names, each with a type or not; a type makes a value_info of the function.
Status TextParser::function_values(MessageWriter& function, uint32_t names_field) {
  SHIPWAY_RETURN_IF_ERROR(in_.expect("("));
  if (in_.accept(")")) return Status::ok();
  return items(")", [&]() -> Status {
    SHIPWAY_ASSIGN_OR_RETURN(ParsedValueInfo info, value_info());
    function.add_text(names_field, info.name);
    if (info.type) function.add_message(field::function::kValueInfo, std::move(info.message));
    return Status::ok();
  });
}

Status TextParser::function(MessageWriter& function) {
  namespace fn = field::function;
  if (in_.accept("<")) {
    const auto one = [&]() -> Status {
      const std::string_view key = peek_identifier();
      const uint32_t text_field = key == "domain"       ? fn::kDomain
                                  : key == "overload"   ? fn::kOverload
                                  : key == "doc_string" ? fn::kDocString
                                                        : 0;
      if (text_field == 0 && key != "opset_import")
        return in_.error_expected("domain, opset_import, overload or doc_string");
      in_.take(key.size());
      SHIPWAY_RETURN_IF_ERROR(in_.expect(":"));
      if (text_field == 0) return opset_imports(function, fn::kOpsetImport);
      SHIPWAY_ASSIGN_OR_RETURN(const std::string text, string("a string"));
      function.add_text(text_field, text);
      return Status::ok();
    };
    SHIPWAY_RETURN_IF_ERROR(items(">", one));
  }
  SHIPWAY_ASSIGN_OR_RETURN(const std::string function_name, name("the name of a function"));
  function.add_text(fn::kName, function_name);
  SHIPWAY_RETURN_IF_ERROR(function_attributes(function));
  SHIPWAY_RETURN_IF_ERROR(function_values(function, fn::kInput));
  SHIPWAY_RETURN_IF_ERROR(in_.expect("=>"));
  SHIPWAY_RETURN_IF_ERROR(function_values(function, fn::kOutput));
  if (in_.accept("<")) SHIPWAY_RETURN_IF_ERROR(value_infos(function, fn::kValueInfo, ">"));
  return nodes(function, fn::kNode);
}

Status TextParser::model(MessageWriter& model) {
  namespace m = field::model;
  struct Key {
    std::string_view word;
    uint32_t number;
  };
  constexpr Key kTexts[] = {{"producer_name", m::kProducerName},
                            {"producer_version", m::kProducerVersion},
                            {"domain", m::kDomain},
                            {"doc_string", m::kDocString}};
  constexpr Key kIntegers[] = {{"ir_version", m::kIrVersion}, {"model_version", m::kModelVersion}};
  const auto one = [&]() -> Status {
    const std::string_view key = peek_identifier();
    const auto take_key = [&] {
      in_.take(key.size());
      return in_.expect(":");
    };
    for (const Key& entry : kTexts) {
      if (entry.word != key) continue;
      SHIPWAY_RETURN_IF_ERROR(take_key());
      SHIPWAY_ASSIGN_OR_RETURN(const std::string text, string("a string"));
      model.add_text(entry.number, text);
      return Status::ok();
    }
    for (const Key& entry : kIntegers) {
      if (entry.word != key) continue;
      SHIPWAY_RETURN_IF_ERROR(take_key());
      SHIPWAY_ASSIGN_OR_RETURN(const int64_t value, integer("an integer"));
      model.add_integer(entry.number, value);
      return Status::ok();
    }
    if (key != "opset_import" && key != "metadata_props")
      return in_.error_expected(
          "ir_version, opset_import, producer_name, producer_version, domain, model_version, "
          "doc_string or metadata_props");
    SHIPWAY_RETURN_IF_ERROR(take_key());
    return key == "opset_import" ? opset_imports(model, m::kOpsetImport)
                                 : entries(model, m::kMetadataProps);
  };
  if (in_.accept("<")) {
    SHIPWAY_RETURN_IF_ERROR(items(">", one));
  }
  MessageWriter main_graph;
  SHIPWAY_RETURN_IF_ERROR(graph(main_graph));
  model.add_message(m::kGraph, std::move(main_graph));
  while (!in_.at_end()) {
    MessageWriter message;
    SHIPWAY_RETURN_IF_ERROR(function(message));
    model.add_message(m::kFunctions, std::move(message));
  }
  return Status::ok();
}

}  // namespace

Result<std::string> parse_onnx_text(std::string_view text, OnnxMessage kind) {
  try {
    TextParser parser(text);
    MessageWriter message;
    Status status;
    switch (kind) {
      case OnnxMessage::kModel:
        status = parser.model(message);
        break;
      case OnnxMessage::kGraph:
        status = parser.graph(message);
        break;
      case OnnxMessage::kFunction:
        status = parser.function(message);
        break;
      case OnnxMessage::kNode:
        status = parser.node(message);
        break;
    }
    SHIPWAY_RETURN_IF_ERROR(status);
    SHIPWAY_RETURN_IF_ERROR(parser.end());
    return message.to_string();
  } catch (const std::bad_alloc&) {
    return Status::out_of_memory("no memory for a model read from its text");
  }
}

}  // namespace shipway
