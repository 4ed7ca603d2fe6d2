// ONNX's messages as ONNX's text: letter for letter what onnx.printer gives, except where that
// loses a value or cannot be read back (docs/onnx-text.md lists the places).
#include <charconv>
#include <cmath>
#include <deque>
#include <limits>

#include "base/checked.h"
#include "base/text.h"
#include "formats/onnx/attribute_types.h"
#include "formats/onnx/text_words.h"
#include "formats/wire/protobuf.h"
#include "shipway/formats.h"

namespace shipway {
namespace {

namespace field = onnx_fields;

/// A field that may be there or not, as in protobuf.
using Text = std::optional<std::string_view>;
using Message = std::optional<Bytes>;

struct TensorFields {
  std::vector<int64_t> dims;
  int32_t data_type = 0;
  std::string_view name;
  bool is_external = false;
  std::vector<Bytes> external_data;
  Message raw_data;
  std::vector<int32_t> int32_data;
  std::vector<int64_t> int64_data;
  std::vector<uint64_t> uint64_data;
  std::vector<float> float_data;
  std::vector<double> double_data;
  std::vector<std::string_view> string_data;
};

struct AttributeFields {
  std::string_view name, string;
  Text refers_to;
  AttributeKind kind = AttributeKind::kUndefined;
  float number = 0;
  int64_t integer = 0;
  Message tensor, graph, type;
  std::vector<float> floats;
  std::vector<int64_t> ints;
  std::vector<std::string_view> strings;
  std::vector<Bytes> tensors, graphs, types;

  bool has_graph() const { return graph || !graphs.empty(); }
};

class TextPrinter {
 public:
  Status model(Bytes message);
  Status graph(Bytes message);
  Status function(Bytes message);
  Status node(Bytes message);
  std::string take_text() { return std::move(text_); }

 private:
  // Letters.
  void indent(int spaces) { text_.append(static_cast<size_t>(spaces), ' '); }
  void quote(std::string_view text);
  /// A name: as it is where the syntax allows that, else in quotes.
  void name(std::string_view text) { is_text_identifier(text) ? add(text) : quote(text); }
  /// A name between dots. The syntax of onnx has no quotes here; without them it could not be read.
  void dotted_name(std::string_view text);
  void add(std::string_view text) { text_ += text; }
  template <typename T>
  void number(T value);
  /// `items` between `open` and `close`; print(item) gives nothing or a Status.
  template <typename Items, typename Print>
  Status list(std::string_view open, std::string_view separator, std::string_view close,
              const Items& items, Print print);
  template <typename T>
  void numbers(std::string_view open, std::string_view separator, std::string_view close,
               const std::vector<T>& values);
  void names(std::string_view open, std::string_view close,
             const std::vector<std::string_view>& names);
  void key(std::string_view word);

  // Messages.
  Status type(Bytes message);
  Status tensor_type(Bytes message);
  Status element_type(Bytes message, std::string_view word);
  Status map_type(Bytes message);
  Status opaque_type(Bytes message);
  Status shape(Bytes message);
  Status dim(Bytes message);
  Status value_info(Bytes message);
  Status tensor(Bytes message, bool is_initializer);
  Status elements(const TensorFields& tensor);
  Status raw_elements(const TensorFields& tensor);
  Status attribute(const AttributeFields& attribute);
  Status attributes(const std::vector<AttributeFields>& attributes);
  Status nodes(const std::vector<Bytes>& messages);
  Status values_and_nodes(const std::vector<Bytes>& initializers,
                          const std::vector<Bytes>& value_infos, const std::vector<Bytes>& nodes);
  Status opset_import(Bytes message);
  Status entry(Bytes message);
  Status read_tensor(Bytes message, TensorFields& tensor);
  Result<AttributeFields> read_attribute(Bytes message);

  /// A message field that comes twice means both together, as protobuf has it.
  void merge(Message& message, Bytes more);
  Status deeper();

  std::string text_;
  int indent_ = 3;
  int depth_ = 0;
  std::deque<std::string> merged_;
};

// --- letters -------------------------------------------------------------------------------------

void TextPrinter::quote(std::string_view text) {
  text_ += '"';
  for (char c : text) {
    if (c == '\\' || c == '"') text_ += '\\';
    text_ += c;
  }
  text_ += '"';
}

void TextPrinter::dotted_name(std::string_view text) {
  for (size_t start = 0; start <= text.size();) {
    const size_t dot = std::min(text.find('.', start), text.size());
    if (!is_text_identifier(text.substr(start, dot - start))) return quote(text);
    start = dot + 1;
  }
  add(text);
}

template <typename T>
void TextPrinter::number(T value) {
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(value)) return add(std::signbit(value) ? "-nan" : "nan");
  }
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  text_.append(buffer, end);
}

template <typename Items, typename Print>
Status TextPrinter::list(std::string_view open, std::string_view separator, std::string_view close,
                         const Items& items, Print print) {
  add(open);
  bool is_first = true;
  for (const auto& item : items) {
    if (!is_first) add(separator);
    is_first = false;
    if constexpr (std::is_void_v<decltype(print(item))>)
      print(item);
    else
      SHIPWAY_RETURN_IF_ERROR(print(item));
  }
  add(close);
  return Status::ok();
}

template <typename T>
void TextPrinter::numbers(std::string_view open, std::string_view separator, std::string_view close,
                          const std::vector<T>& values) {
  (void)list(open, separator, close, values, [&](T value) { number(value); });
}

void TextPrinter::names(std::string_view open, std::string_view close,
                        const std::vector<std::string_view>& names) {
  (void)list(open, ", ", close, names, [&](std::string_view one) { name(one); });
}

/// The beginning of a line of the model's head.
void TextPrinter::key(std::string_view word) {
  if (!text_.ends_with("<\n")) add(",\n");
  add("   ");
  add(word);
  add(": ");
}

// --- types ---------------------------------------------------------------------------------------

void TextPrinter::merge(Message& message, Bytes more) {
  if (!message) {
    message = more;
    return;
  }
  std::string& both = merged_.emplace_back(as_text(*message));
  both += as_text(more);
  message = as_bytes(both);
}

Status TextPrinter::deeper() {
  if (++depth_ <= kMaxTextDepth) return Status::ok();
  return Status::limit("graphs or types are nested deeper than {} levels", kMaxTextDepth);
}

std::string_view element_name(int64_t number) {
  return to_string(is_valid_dtype(number) ? static_cast<DType>(number) : DType::kUndefined);
}

Status TextPrinter::dim(Bytes message) {
  std::optional<int64_t> value;
  Text symbol;
  FieldReader f(message);
  while (f.next()) {
    if (f.key() == varint_field(field::shape::kDimValue)) {
      value = f.integer();
      symbol.reset();
    } else if (f.key() == bytes_field(field::shape::kDimParam)) {
      symbol = f.text();
      value.reset();
    }
  }
  if (value) {
    number(*value);
  } else if (symbol) {
    name(*symbol);
  } else {
    add("?");
  }
  return f.status();
}

Status TextPrinter::shape(Bytes message) {
  std::vector<Bytes> dims;
  FieldReader f(message);
  while (f.next())
    if (f.key() == bytes_field(field::shape::kDim)) dims.push_back(f.bytes());
  SHIPWAY_RETURN_IF_ERROR(f.status());
  if (dims.empty()) return Status::ok();  // a scalar
  return list("[", ",", "]", dims, [&](Bytes one) { return dim(one); });
}

Status TextPrinter::tensor_type(Bytes message) {
  int32_t dtype = 0;
  Message sizes;
  FieldReader f(message);
  while (f.next()) {
    if (f.key() == varint_field(field::type::kElemType)) dtype = static_cast<int32_t>(f.integer());
    if (f.key() == bytes_field(field::type::kShape)) merge(sizes, f.bytes());
  }
  SHIPWAY_RETURN_IF_ERROR(f.status());
  add(element_name(dtype));
  if (sizes) return shape(*sizes);
  add("[]");  // of unknown rank
  return Status::ok();
}

Status TextPrinter::element_type(Bytes message, std::string_view word) {
  Message element;
  FieldReader f(message);
  while (f.next())
    if (f.key() == bytes_field(field::type::kElemType)) merge(element, f.bytes());
  SHIPWAY_RETURN_IF_ERROR(f.status());
  add(word);
  add("(");
  if (element) SHIPWAY_RETURN_IF_ERROR(type(*element));
  add(")");
  return Status::ok();
}

Status TextPrinter::map_type(Bytes message) {
  int32_t key_type = 0;
  Message value;
  FieldReader f(message);
  while (f.next()) {
    if (f.key() == varint_field(field::type::kKeyType))
      key_type = static_cast<int32_t>(f.integer());
    if (f.key() == bytes_field(field::type::kValueType)) merge(value, f.bytes());
  }
  SHIPWAY_RETURN_IF_ERROR(f.status());
  add("map(");
  add(element_name(key_type));
  add(", ");
  if (value) SHIPWAY_RETURN_IF_ERROR(type(*value));
  add(")");
  return Status::ok();
}

Status TextPrinter::opaque_type(Bytes message) {
  std::string_view domain, type_name;
  FieldReader f(message);
  while (f.next()) {
    if (f.key() == bytes_field(field::type::kOpaqueDomain)) domain = f.text();
    if (f.key() == bytes_field(field::type::kOpaqueName)) type_name = f.text();
  }
  SHIPWAY_RETURN_IF_ERROR(f.status());
  add("opaque(");
  if (!domain.empty()) dotted_name(domain);
  if (!domain.empty()) add(",");
  if (!type_name.empty()) dotted_name(type_name);
  add(")");
  return Status::ok();
}

Status TextPrinter::type(Bytes message) {
  SHIPWAY_RETURN_IF_ERROR(deeper());
  uint32_t kind = 0;  // the last field of a oneof is the one that counts
  Message value;
  FieldReader f(message);
  while (f.next()) {
    switch (f.key()) {
      case bytes_field(field::type::kTensor):
      case bytes_field(field::type::kSequence):
      case bytes_field(field::type::kMap):
      case bytes_field(field::type::kOptional):
      case bytes_field(field::type::kSparseTensor):
      case bytes_field(field::type::kOpaque):
        if (f.number() != kind) value.reset();
        kind = f.number();
        merge(value, f.bytes());
        break;
      default:
        break;
    }
  }
  SHIPWAY_RETURN_IF_ERROR(f.status());
  Status status;
  switch (kind) {
    case field::type::kTensor:
      status = tensor_type(*value);
      break;
    case field::type::kSequence:
      status = element_type(*value, "seq");
      break;
    case field::type::kMap:
      status = map_type(*value);
      break;
    case field::type::kOptional:
      status = element_type(*value, "optional");
      break;
    case field::type::kSparseTensor:
      add("sparse_tensor(");
      status = tensor_type(*value);
      add(")");
      break;
    case field::type::kOpaque:
      status = opaque_type(*value);
      break;
    default:
      break;
  }
  --depth_;
  return status;
}

Status TextPrinter::value_info(Bytes message) {
  std::string_view value_name;
  Message value_type;
  FieldReader f(message);
  while (f.next()) {
    if (f.key() == bytes_field(field::value_info::kName)) value_name = f.text();
    if (f.key() == bytes_field(field::value_info::kType)) merge(value_type, f.bytes());
  }
  SHIPWAY_RETURN_IF_ERROR(f.status());
  if (value_type) SHIPWAY_RETURN_IF_ERROR(type(*value_type));
  add(" ");
  name(value_name);
  return Status::ok();
}

// --- tensors -------------------------------------------------------------------------------------

Status TextPrinter::read_tensor(Bytes message, TensorFields& tensor) {
  namespace t = field::tensor;
  FieldReader f(message);
  while (f.next()) {
    Status status;
    switch (f.key()) {
      case varint_field(t::kDims):
      case bytes_field(t::kDims):
        status = f.append_integers(tensor.dims);
        break;
      case varint_field(t::kDataType):
        tensor.data_type = static_cast<int32_t>(f.integer());
        break;
      case bytes_field(t::kName):
        tensor.name = f.text();
        break;
      case varint_field(t::kDataLocation):
        tensor.is_external = f.integer() == t::kLocationExternal;
        break;
      case bytes_field(t::kExternalData):
        tensor.external_data.push_back(f.bytes());
        break;
      case bytes_field(t::kRawData):
        tensor.raw_data = f.bytes();
        break;
      case varint_field(t::kInt32Data):
      case bytes_field(t::kInt32Data):
        status = f.append_integers(tensor.int32_data);
        break;
      case varint_field(t::kInt64Data):
      case bytes_field(t::kInt64Data):
        status = f.append_integers(tensor.int64_data);
        break;
      case varint_field(t::kUInt64Data):
      case bytes_field(t::kUInt64Data):
        status = f.append_integers(tensor.uint64_data);
        break;
      case fixed32_field(t::kFloatData):
      case bytes_field(t::kFloatData):
        status = f.append_floats(tensor.float_data);
        break;
      case fixed64_field(t::kDoubleData):
      case bytes_field(t::kDoubleData):
        status = f.append_floats(tensor.double_data);
        break;
      case bytes_field(t::kStringData):
        tensor.string_data.push_back(f.text());
        break;
      default:
        break;
    }
    SHIPWAY_RETURN_IF_ERROR(status);
  }
  return f.status();
}

Status TextPrinter::tensor(Bytes message, bool is_initializer) {
  TensorFields fields;
  SHIPWAY_RETURN_IF_ERROR(read_tensor(message, fields));
  add(element_name(fields.data_type));
  if (!fields.dims.empty()) numbers("[", ",", "]", fields.dims);
  if (!fields.name.empty()) {
    add(" ");
    name(fields.name);
  }
  // Without a name, the brackets of external data would read as a shape.
  if (is_initializer || (fields.is_external && fields.name.empty())) add(" = ");
  if (fields.is_external)
    return list("[", ", ", "]", fields.external_data, [&](Bytes one) { return entry(one); });
  return elements(fields).with_context("tensor {}", quoted(fields.name));
}

Status TextPrinter::elements(const TensorFields& tensor) {
  if (tensor.raw_data) return raw_elements(tensor);
  const DType dtype =
      is_valid_dtype(tensor.data_type) ? static_cast<DType>(tensor.data_type) : DType::kUndefined;
  switch (dtype) {
    case DType::kUndefined:
      add("...");
      break;
    case DType::kInt64:
      numbers(" {", ",", "}", tensor.int64_data);
      break;
    case DType::kUInt32:
    case DType::kUInt64:
      numbers(" {", ",", "}", tensor.uint64_data);
      break;
    case DType::kFloat32:
    case DType::kComplex64:
      numbers(" {", ",", "}", tensor.float_data);
      break;
    case DType::kFloat64:
    case DType::kComplex128:
      numbers(" {", ",", "}", tensor.double_data);
      break;
    case DType::kString:
      return list("{", ", ", "}", tensor.string_data, [&](std::string_view one) { quote(one); });
    default:
      numbers(" {", ",", "}", tensor.int32_data);
  }
  return Status::ok();
}

/// What raw bytes hold, as the typed field of the dtype would have it: floats narrower than 32 bits
/// by their bits, elements below 8 bits by the bytes they are packed in.
Status TextPrinter::raw_elements(const TensorFields& tensor) {
  const DType dtype =
      is_valid_dtype(tensor.data_type) ? static_cast<DType>(tensor.data_type) : DType::kUndefined;
  if (bit_width(dtype) == 0) {  // strings never lie in raw bytes
    add("...");
    return Status::ok();
  }
  std::optional<int64_t> count = checked_product(tensor.dims);
  for (int64_t size : tensor.dims)
    if (size < 0) count.reset();
  if (count) count = checked_mul<int64_t>(*count, bit_width(dtype));
  const Bytes raw = *tensor.raw_data;
  if (!count || *count > std::numeric_limits<int64_t>::max() - 7 ||
      static_cast<uint64_t>((*count + 7) / 8) != raw.size())
    return Status::invalid_model("raw_data has {} bytes, its shape and dtype {} ask for {}",
                                 raw.size(), to_string(dtype),
                                 count ? std::to_string((*count + 7) / 8) : "an impossible number");
  const auto print = [&]<typename T>(T /*stored*/) {
    std::vector<T> values(raw.size() / sizeof(T));
    if (!raw.empty()) std::memcpy(values.data(), raw.data(), raw.size());
    numbers(" {", ",", "}", values);
  };
  switch (dtype) {
    case DType::kInt8:
      print(int8_t{});
      break;
    case DType::kInt16:
      print(int16_t{});
      break;
    case DType::kInt32:
      print(int32_t{});
      break;
    case DType::kInt64:
      print(int64_t{});
      break;
    case DType::kUInt32:
      print(uint32_t{});
      break;
    case DType::kUInt64:
      print(uint64_t{});
      break;
    case DType::kFloat32:
    case DType::kComplex64:
      print(float{});
      break;
    case DType::kFloat64:
    case DType::kComplex128:
      print(double{});
      break;
    default:
      bit_width(dtype) == 16 ? print(uint16_t{}) : print(uint8_t{});
  }
  return Status::ok();
}

Status TextPrinter::entry(Bytes message) {
  std::string_view entry_key, value;
  FieldReader f(message);
  while (f.next()) {
    if (f.key() == bytes_field(field::entry::kKey)) entry_key = f.text();
    if (f.key() == bytes_field(field::entry::kValue)) value = f.text();
  }
  quote(entry_key);
  add(": ");
  quote(value);
  return f.status();
}

// --- nodes ---------------------------------------------------------------------------------------

Result<AttributeFields> TextPrinter::read_attribute(Bytes message) {
  namespace a = field::attribute;
  AttributeFields read;
  int64_t type = a::kTypeUndefined, implied = a::kTypeUndefined;
  FieldReader f(message);
  while (f.next()) {
    if (implied == a::kTypeUndefined) implied = type_from_field(f.key());
    Status status;
    switch (f.key()) {
      case bytes_field(a::kName):
        read.name = f.text();
        break;
      case bytes_field(a::kRefAttrName):
        read.refers_to = f.text();
        break;
      case varint_field(a::kType):
        type = f.integer();
        break;
      case fixed32_field(a::kFloat):
        read.number = f.float32();
        break;
      case varint_field(a::kInt):
        read.integer = f.integer();
        break;
      case bytes_field(a::kString):
        read.string = f.text();
        break;
      case bytes_field(a::kTensor):
        merge(read.tensor, f.bytes());
        break;
      case bytes_field(a::kGraph):
        merge(read.graph, f.bytes());
        break;
      case bytes_field(a::kTypeProto):
        merge(read.type, f.bytes());
        break;
      case fixed32_field(a::kFloats):
      case bytes_field(a::kFloats):
        status = f.append_floats(read.floats);
        break;
      case varint_field(a::kInts):
      case bytes_field(a::kInts):
        status = f.append_integers(read.ints);
        break;
      case bytes_field(a::kStrings):
        read.strings.push_back(f.text());
        break;
      case bytes_field(a::kTensors):
        read.tensors.push_back(f.bytes());
        break;
      case bytes_field(a::kGraphs):
        read.graphs.push_back(f.bytes());
        break;
      case bytes_field(a::kTypeProtos):
        read.types.push_back(f.bytes());
        break;
      default:
        break;
    }
    SHIPWAY_RETURN_IF_ERROR(status);
  }
  SHIPWAY_RETURN_IF_ERROR(f.status());
  read.kind = kind_of_type(type != a::kTypeUndefined || read.refers_to ? type : implied);
  return read;
}

Status TextPrinter::attribute(const AttributeFields& a) {
  name(a.name);
  add(": ");
  add(to_string(a.kind));
  add(" = ");
  if (a.refers_to) {
    add("@");
    name(*a.refers_to);
    return Status::ok();
  }
  const auto print_graph = [&](Bytes message) { return graph(message); };
  const auto print_type = [&](Bytes message) { return type(message); };
  const auto print_tensor = [&](Bytes message) { return tensor(message, false); };
  Status status;
  switch (a.kind) {
    case AttributeKind::kInt:
      number(a.integer);
      break;
    case AttributeKind::kInts:
      numbers("[", ", ", "]", a.ints);
      break;
    case AttributeKind::kFloat:
      number(a.number);
      break;
    case AttributeKind::kFloats:
      numbers("[", ", ", "]", a.floats);
      break;
    case AttributeKind::kString:
      quote(a.string);
      break;
    case AttributeKind::kStrings:
      return list("[", ", ", "]", a.strings, [&](std::string_view one) { quote(one); });
    case AttributeKind::kGraph:
    case AttributeKind::kGraphs:
      indent_ += 3;
      status = a.kind == AttributeKind::kGraph ? graph(a.graph.value_or(Bytes()))
                                               : list("[", ", ", "]", a.graphs, print_graph);
      indent_ -= 3;
      break;
    case AttributeKind::kTensor:
      return tensor(a.tensor.value_or(Bytes()), false);
    case AttributeKind::kTensors:
      return list("[", ", ", "]", a.tensors, print_tensor);
    case AttributeKind::kType:
      return type(a.type.value_or(Bytes()));
    case AttributeKind::kTypes:
      return list("[", ", ", "]", a.types, print_type);
    default:
      break;  // sparse tensors have no syntax
  }
  return status;
}

Status TextPrinter::attributes(const std::vector<AttributeFields>& attributes) {
  if (attributes.empty()) return Status::ok();
  return list(" <", ", ", ">", attributes, [&](const AttributeFields& one) {
    return attribute(one).with_context("attribute {}", quoted(one.name));
  });
}

Status TextPrinter::node(Bytes message) {
  Text node_name;
  std::string_view domain, op_type, overload;
  std::vector<std::string_view> inputs, outputs;
  std::vector<AttributeFields> own_attributes;
  bool has_graph = false;
  FieldReader f(message);
  while (f.next()) {
    switch (f.key()) {
      case bytes_field(field::node::kName):
        node_name = f.text();
        break;
      case bytes_field(field::node::kDomain):
        domain = f.text();
        break;
      case bytes_field(field::node::kOpType):
        op_type = f.text();
        break;
      case bytes_field(field::node::kOverload):
        overload = f.text();
        break;
      case bytes_field(field::node::kInput):
        inputs.push_back(f.text());
        break;
      case bytes_field(field::node::kOutput):
        outputs.push_back(f.text());
        break;
      case bytes_field(field::node::kAttribute): {
        SHIPWAY_ASSIGN_OR_RETURN(AttributeFields read, read_attribute(f.bytes()));
        has_graph = has_graph || read.has_graph();
        own_attributes.push_back(std::move(read));
        break;
      }
      default:
        break;
    }
  }
  SHIPWAY_RETURN_IF_ERROR(f.status());

  indent(indent_);
  if (node_name) {
    add("[");
    name(*node_name);
    add("] ");
  }
  names("", "", outputs);
  add(" = ");
  if (!domain.empty()) {
    dotted_name(domain);
    add(".");
  }
  if (!op_type.empty()) name(op_type);
  if (!overload.empty()) {
    add(":");
    name(overload);
  }
  // Graphs stand behind the inputs, where they can take many lines.
  Status status = has_graph ? Status::ok() : attributes(own_attributes);
  names(" (", ")", inputs);
  if (has_graph) status = attributes(own_attributes);
  add("\n");
  return status.with_context("node {} ({})", quoted(node_name.value_or("")), quoted(op_type));
}

Status TextPrinter::nodes(const std::vector<Bytes>& messages) {
  add("{\n");
  for (Bytes message : messages) SHIPWAY_RETURN_IF_ERROR(node(message));
  if (indent_ > 3) indent(indent_ - 3);
  add("}");
  return Status::ok();
}

// --- graphs, functions, models -------------------------------------------------------------------

Status TextPrinter::values_and_nodes(const std::vector<Bytes>& initializers,
                                     const std::vector<Bytes>& value_infos,
                                     const std::vector<Bytes>& node_messages) {
  if (!initializers.empty() || !value_infos.empty()) {
    add("\n");
    indent(indent_);
    SHIPWAY_RETURN_IF_ERROR(
        list("<", ", ", "", initializers, [&](Bytes message) { return tensor(message, true); }));
    if (!initializers.empty() && !value_infos.empty()) add(", ");
    SHIPWAY_RETURN_IF_ERROR(
        list("", ", ", ">\n", value_infos, [&](Bytes message) { return value_info(message); }));
  }
  return nodes(node_messages);
}

Status TextPrinter::graph(Bytes message) {
  SHIPWAY_RETURN_IF_ERROR(deeper());
  std::string_view graph_name;
  std::vector<Bytes> inputs, outputs, initializers, value_infos, node_messages;
  FieldReader f(message);
  while (f.next()) {
    switch (f.key()) {
      case bytes_field(field::graph::kName):
        graph_name = f.text();
        break;
      case bytes_field(field::graph::kInput):
        inputs.push_back(f.bytes());
        break;
      case bytes_field(field::graph::kOutput):
        outputs.push_back(f.bytes());
        break;
      case bytes_field(field::graph::kInitializer):
        initializers.push_back(f.bytes());
        break;
      case bytes_field(field::graph::kValueInfo):
        value_infos.push_back(f.bytes());
        break;
      case bytes_field(field::graph::kNode):
        node_messages.push_back(f.bytes());
        break;
      default:
        break;
    }
  }
  SHIPWAY_RETURN_IF_ERROR(f.status());
  const auto print = [&](Bytes one) { return value_info(one); };
  name(graph_name);
  SHIPWAY_RETURN_IF_ERROR(list(" (", ", ", ")", inputs, print));
  SHIPWAY_RETURN_IF_ERROR(list(" => (", ", ", ") ", outputs, print));
  SHIPWAY_RETURN_IF_ERROR(values_and_nodes(initializers, value_infos, node_messages));
  --depth_;
  return Status::ok();
}

Status TextPrinter::opset_import(Bytes message) {
  std::string_view domain;
  int64_t version = 0;
  FieldReader f(message);
  while (f.next()) {
    if (f.key() == bytes_field(field::opset_id::kDomain)) domain = f.text();
    if (f.key() == varint_field(field::opset_id::kVersion)) version = f.integer();
  }
  quote(domain);
  add(" : ");
  number(version);
  return f.status();
}

Status TextPrinter::function(Bytes message) {
  namespace fn = field::function;
  std::string_view function_name, domain, overload, doc_string;
  std::vector<std::string_view> inputs, outputs, required;
  std::vector<AttributeFields> defaults;
  std::vector<Bytes> opset_imports, value_infos, node_messages;
  FieldReader f(message);
  while (f.next()) {
    switch (f.key()) {
      case bytes_field(fn::kName):
        function_name = f.text();
        break;
      case bytes_field(fn::kDomain):
        domain = f.text();
        break;
      case bytes_field(fn::kOverload):
        overload = f.text();
        break;
      case bytes_field(fn::kDocString):
        doc_string = f.text();
        break;
      case bytes_field(fn::kInput):
        inputs.push_back(f.text());
        break;
      case bytes_field(fn::kOutput):
        outputs.push_back(f.text());
        break;
      case bytes_field(fn::kAttribute):
        required.push_back(f.text());
        break;
      case bytes_field(fn::kAttributeProto): {
        SHIPWAY_ASSIGN_OR_RETURN(AttributeFields read, read_attribute(f.bytes()));
        defaults.push_back(std::move(read));
        break;
      }
      case bytes_field(fn::kOpsetImport):
        opset_imports.push_back(f.bytes());
        break;
      case bytes_field(fn::kValueInfo):
        value_infos.push_back(f.bytes());
        break;
      case bytes_field(fn::kNode):
        node_messages.push_back(f.bytes());
        break;
      default:
        break;
    }
  }
  SHIPWAY_RETURN_IF_ERROR(f.status());
  add("<\n  domain: ");
  quote(domain);
  add(",\n");
  if (!overload.empty()) {
    add("  overload: ");
    quote(overload);
    add(",\n");
  }
  SHIPWAY_RETURN_IF_ERROR(list("  opset_import: [", ",", "]", opset_imports,
                               [&](Bytes one) { return opset_import(one); }));
  if (!doc_string.empty()) {
    add(",\n  doc_string: ");
    quote(doc_string);
  }
  add("\n>\n");
  name(function_name);
  add(" ");
  if (!required.empty() || !defaults.empty()) {
    (void)list("<", ",", "", required, [&](std::string_view one) { name(one); });
    if (!required.empty() && !defaults.empty()) add(",");
    SHIPWAY_RETURN_IF_ERROR(
        list("", ",", ">", defaults, [&](const AttributeFields& one) { return attribute(one); }));
  }
  names("(", ")", inputs);
  names(" => (", ")\n", outputs);
  return values_and_nodes({}, value_infos, node_messages)
      .with_context("function {}", quoted(function_name));
}

Status TextPrinter::model(Bytes message) {
  namespace m = field::model;
  int64_t ir_version = 0;
  std::optional<int64_t> model_version;
  Text producer_name, producer_version, domain, doc_string;
  Message main_graph;
  std::vector<Bytes> opset_imports, metadata, functions;
  FieldReader f(message);
  while (f.next()) {
    switch (f.key()) {
      case varint_field(m::kIrVersion):
        ir_version = f.integer();
        break;
      case varint_field(m::kModelVersion):
        model_version = f.integer();
        break;
      case bytes_field(m::kProducerName):
        producer_name = f.text();
        break;
      case bytes_field(m::kProducerVersion):
        producer_version = f.text();
        break;
      case bytes_field(m::kDomain):
        domain = f.text();
        break;
      case bytes_field(m::kDocString):
        doc_string = f.text();
        break;
      case bytes_field(m::kGraph):
        merge(main_graph, f.bytes());
        break;
      case bytes_field(m::kOpsetImport):
        opset_imports.push_back(f.bytes());
        break;
      case bytes_field(m::kMetadataProps):
        metadata.push_back(f.bytes());
        break;
      case bytes_field(m::kFunctions):
        functions.push_back(f.bytes());
        break;
      default:
        break;
    }
  }
  SHIPWAY_RETURN_IF_ERROR(f.status());
  const auto text_line = [&](std::string_view word, const Text& text) {
    if (!text) return;
    key(word);
    quote(*text);
  };
  add("<\n");
  key("ir_version");
  number(ir_version);
  key("opset_import");
  SHIPWAY_RETURN_IF_ERROR(
      list("[", ", ", "]", opset_imports, [&](Bytes one) { return opset_import(one); }));
  text_line("producer_name", producer_name);
  text_line("producer_version", producer_version);
  text_line("domain", domain);
  if (model_version) {
    key("model_version");
    number(*model_version);
  }
  text_line("doc_string", doc_string);
  if (!metadata.empty()) {
    key("metadata_props");
    SHIPWAY_RETURN_IF_ERROR(list("[", ", ", "]", metadata, [&](Bytes one) { return entry(one); }));
  }
  add("\n>\n");
  SHIPWAY_RETURN_IF_ERROR(graph(main_graph.value_or(Bytes())));
  for (Bytes one : functions) {
    add("\n");
    SHIPWAY_RETURN_IF_ERROR(function(one));
  }
  return Status::ok();
}

}  // namespace

Result<std::string> print_onnx_text(std::span<const std::byte> message, OnnxMessage kind) {
  try {
    TextPrinter printer;
    Status status;
    switch (kind) {
      case OnnxMessage::kModel:
        status = printer.model(message);
        break;
      case OnnxMessage::kGraph:
        status = printer.graph(message);
        break;
      case OnnxMessage::kFunction:
        status = printer.function(message);
        break;
      case OnnxMessage::kNode:
        status = printer.node(message);
        break;
    }
    SHIPWAY_RETURN_IF_ERROR(status.with_context("printing as ONNX text"));
    return printer.take_text();
  } catch (const std::bad_alloc&) {
    return Status::out_of_memory("no memory for the text of a model");
  }
}

}  // namespace shipway
