// Declarations of inputs and outputs, and where external data lies.
#include "base/text.h"
#include "formats/onnx/check_context.h"
#include "formats/onnx/fields.h"

namespace shipway::onnx_check {
namespace {

namespace f = onnx_fields;

/// A tensor type as declared, or the type of a tensor that is there.
struct TensorType {
  uint32_t kind = 0;  // f::type::kTensor or another; 0: nothing declared
  int32_t dtype = 0;
  bool has_shape = false;
  std::vector<std::optional<int64_t>> dims;
};

TensorType read_tensor_type(Bytes message) {
  TensorType type;
  Bytes content;
  FieldReader kinds(message);
  while (kinds.next()) {
    const uint32_t number = kinds.number();
    if (number == f::type::kDenotation || number > f::type::kOptional ||
        kinds.key() != bytes_field(number))
      continue;
    type.kind = number;
    content = kinds.bytes();
  }
  if (type.kind != f::type::kTensor && type.kind != f::type::kSparseTensor) return type;
  FieldReader parts(content);
  while (parts.next()) {
    if (parts.key() == varint_field(f::type::kElemType))
      type.dtype = static_cast<int32_t>(parts.integer());
    if (parts.key() != bytes_field(f::type::kShape)) continue;
    type.has_shape = true;
    FieldReader sizes(parts.bytes());
    while (sizes.next()) {
      if (sizes.key() != bytes_field(f::shape::kDim)) continue;
      std::optional<int64_t> size;
      FieldReader dim(sizes.bytes());
      while (dim.next()) {
        if (dim.key() == varint_field(f::shape::kDimValue)) size = dim.integer();
        if (dim.key() == bytes_field(f::shape::kDimParam)) size.reset();
      }
      type.dims.push_back(size);
    }
  }
  return type;
}

std::string text_of(const std::vector<std::optional<int64_t>>& dims) {
  std::string text = "[";
  for (const std::optional<int64_t>& dim : dims) {
    if (text.size() > 1) text += ",";
    text += dim ? format_message("{}", {FormatArg(*dim)}) : "?";
  }
  return text + "]";
}

}  // namespace

void Checker::check_value_info(Bytes message, const Where& where, bool is_main) {
  std::string_view name;
  std::optional<Bytes> type;
  FieldReader fields(message);
  while (fields.next()) {
    if (fields.key() == bytes_field(f::value_info::kName)) name = fields.text();
    if (fields.key() == bytes_field(f::value_info::kType)) type = joined(type, fields.bytes());
  }
  if (name.empty()) problems_.add(where, "has no name");
  if (!is_main) return;  // the values of subgraphs may leave their types open
  if (!type) {
    problems_.add(where, "has no type");
    return;
  }
  uint32_t kind = 0;  // of the kinds that stand there, the last one counts
  std::optional<Bytes> content;
  FieldReader kinds(*type);
  while (kinds.next()) {
    const uint32_t number = kinds.number();
    const bool is_kind = number == f::type::kTensor || number == f::type::kSequence ||
                         number == f::type::kMap || number == f::type::kOpaque ||
                         number == f::type::kSparseTensor || number == f::type::kOptional;
    if (!is_kind || kinds.key() != bytes_field(number)) continue;
    content = joined(number == kind ? content : std::nullopt, kinds.bytes());
    kind = number;
  }
  bool has_first = false, has_second = false;
  FieldReader parts(content.value_or(Bytes()));
  while (parts.next()) {
    // Element or key types are numbers in tensors and maps, messages in sequences and optionals;
    // second comes the shape, a map's values, or an opaque type's name.
    const bool is_number =
        kind == f::type::kTensor || kind == f::type::kSparseTensor || kind == f::type::kMap;
    if (parts.key() == (is_number ? varint_field(1) : bytes_field(1))) has_first = true;
    if (parts.key() == bytes_field(2))
      has_second = kind != f::type::kOpaque || !parts.text().empty();
  }
  switch (kind) {
    case f::type::kTensor:
    case f::type::kSparseTensor:
      if (!has_first) problems_.add(where, "its type has no element type");
      if (!has_second) problems_.add(where, "its type has no shape (not even an unknown one)");
      break;
    case f::type::kSequence:
    case f::type::kOptional:
      if (!has_first) problems_.add(where, "its type does not say what it holds");
      break;
    case f::type::kMap:
      if (!has_first) problems_.add(where, "its type has no key type");
      if (!has_second) problems_.add(where, "its type has no value type");
      break;
    case f::type::kOpaque:
      if (!has_second) problems_.add(where, "its opaque type has no name");
      break;
    default:
      problems_.add(where,
                    "its type is none of tensor, sparse tensor, sequence, optional, map, opaque");
  }
}

void Checker::check_initializers_as_declared(Bytes graph, const Where& where) {
  std::unordered_map<std::string_view, TensorType> declared;
  for (const uint32_t field : {f::graph::kValueInfo, f::graph::kInput, f::graph::kOutput}) {
    FieldReader fields(graph);
    while (fields.next()) {
      if (fields.key() != bytes_field(field)) continue;
      std::string_view name;
      std::optional<Bytes> type;
      FieldReader value(fields.bytes());
      while (value.next()) {
        if (value.key() == bytes_field(f::value_info::kName)) name = value.text();
        if (value.key() == bytes_field(f::value_info::kType)) type = joined(type, value.bytes());
      }
      if (type) declared[name] = read_tensor_type(*type);
    }
  }
  if (declared.empty()) return;
  const auto check = [&](std::string_view name, const TensorType& found) {
    const auto entry = declared.find(name);
    if (entry == declared.end() || entry->second.kind == 0) return;
    const TensorType& expected = entry->second;
    const Where at{.outer = &where, .what = "initializer", .name = name};
    if (expected.kind != found.kind) {
      problems_.add(at, "is declared as another kind of value than a {}tensor",
                    found.kind == f::type::kSparseTensor ? "sparse " : "");
    } else if (expected.dtype != 0 && found.dtype != 0 && expected.dtype != found.dtype) {
      const auto dtype_text = [](int32_t dtype) {
        return is_valid_dtype(dtype) ? std::string(to_string(static_cast<DType>(dtype)))
                                     : format_message("{}", {FormatArg(dtype)});
      };
      problems_.add(at, "holds {}, but is declared as {}", dtype_text(found.dtype),
                    dtype_text(expected.dtype));
    } else if (expected.has_shape) {
      bool fits = expected.dims.size() == found.dims.size();
      for (size_t i = 0; fits && i < found.dims.size(); ++i)
        fits = !expected.dims[i] || *expected.dims[i] == *found.dims[i];
      if (!fits)
        problems_.add(at, "has shape {}, but is declared as {}", text_of(found.dims),
                      text_of(expected.dims));
    }
  };
  FieldReader fields(graph);
  while (fields.next()) {
    const bool is_sparse = fields.key() == bytes_field(f::graph::kSparseInitializer);
    if (!is_sparse && fields.key() != bytes_field(f::graph::kInitializer)) continue;
    TensorType found{.kind = is_sparse ? f::type::kSparseTensor : f::type::kTensor,
                     .has_shape = true,
                     .dims = {}};
    std::vector<int64_t> dims;
    std::optional<Bytes> tensor = fields.bytes();
    if (is_sparse) {
      tensor.reset();
      FieldReader sparse(fields.bytes());
      while (sparse.next()) {
        if (sparse.key() == bytes_field(f::sparse_tensor::kValues))
          tensor = joined(tensor, sparse.bytes());
        if (sparse.key() == varint_field(f::sparse_tensor::kDims) ||
            sparse.key() == bytes_field(f::sparse_tensor::kDims))
          static_cast<void>(
              sparse.append_integers(dims).is_ok());  // well-formed, so it cannot fail
      }
    }
    std::string_view name;
    FieldReader parts(tensor.value_or(Bytes()));
    while (parts.next()) {
      if (parts.key() == bytes_field(f::tensor::kName)) name = parts.text();
      if (parts.key() == varint_field(f::tensor::kDataType))
        found.dtype = static_cast<int32_t>(parts.integer());
      if (!is_sparse && (parts.key() == varint_field(f::tensor::kDims) ||
                         parts.key() == bytes_field(f::tensor::kDims)))
        static_cast<void>(parts.append_integers(dims).is_ok());  // well-formed, so it cannot fail
    }
    found.dims.assign(dims.begin(), dims.end());
    check(name, found);
  }
}

std::unordered_set<std::string_view> Checker::values_of_unknown_dtype(Bytes graph) {
  std::unordered_set<std::string_view> names;
  FieldReader fields(graph);
  while (fields.next()) {
    const bool is_input = fields.key() == bytes_field(f::graph::kInput);
    if (!is_input && fields.key() != bytes_field(f::graph::kOutput) &&
        fields.key() != bytes_field(f::graph::kValueInfo))
      continue;
    std::string_view name;
    std::optional<Bytes> type;
    FieldReader value(fields.bytes());
    while (value.next()) {
      if (value.key() == bytes_field(f::value_info::kName)) name = value.text();
      if (value.key() == bytes_field(f::value_info::kType)) type = joined(type, value.bytes());
    }
    if (!type) continue;
    const TensorType declared = read_tensor_type(*type);
    if (declared.kind != f::type::kTensor && declared.kind != f::type::kSparseTensor) continue;
    for (size_t axis = 0; axis < declared.dims.size(); ++axis)
      if (declared.dims[axis].value_or(0) < 0)
        negative_sizes_[name].emplace_back(axis, *declared.dims[axis]);
    // Zero leaves the type open, which only what a node makes may do.
    if (!is_valid_dtype(declared.dtype) && (declared.dtype != 0 || (is_input && is_main_graph_)))
      names.insert(name);
  }
  return names;
}

void Checker::check_external_location(std::string_view location, const Where& where) {
  namespace fs = std::filesystem;
  const std::string shown = quoted(location);
  const auto refuse = [&](std::string_view why) {
    problems_.add(where, "its external data {} {}", shown, why);
  };
  if (location.empty()) return refuse("has no file name");
  const fs::path relative = fs::path(location).lexically_normal();
  if (relative.is_absolute())
    return refuse("has an absolute path, expected one inside the model's folder");
  if (relative.native().find("..") != std::string::npos)
    return refuse("has '..' in its path, expected one inside the model's folder");
  const fs::path path = folder_ / relative;
  std::error_code error;
  if (fs::is_symlink(path, error)) return refuse("is a symbolic link, expected a file");
  if (path.native().starts_with("#")) return;  // data that a program keeps in memory
  fs::path inside = fs::weakly_canonical(folder_, error);
  const fs::path real = fs::weakly_canonical(path, error);
  if (error) return refuse("cannot be found");
  if (!inside.empty() && inside != real && !real.native().starts_with((inside / "").native()))
    return refuse("lies outside the model's folder");
  if (!fs::is_regular_file(path, error)) return refuse("is not there, or no file");
  if (fs::hard_link_count(path, error) > 1)
    return refuse("is a file with several hard links, expected one");
}

}  // namespace shipway::onnx_check
