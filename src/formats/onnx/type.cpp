#include "formats/onnx/type.h"

#include "formats/onnx/fields.h"

namespace shipway {
namespace {

namespace field = onnx_fields::type;
namespace shape_field = onnx_fields::shape;

DType dtype_from(int64_t number) {
  return is_valid_dtype(number) ? static_cast<DType>(number) : DType::kUndefined;
}

Result<Dim> read_dim(Bytes message, DimTable& dims, const std::byte* origin) {
  Dim dim;
  FieldReader fields(message, origin);
  while (fields.next()) {
    if (fields.key() == varint_field(shape_field::kDimValue))
      dim = fields.integer() >= 0 ? Dim(fields.integer()) : Dim::unknown();
    // Paddle's exporter names every size that it does not know "?": they are not one symbol.
    if (fields.key() == bytes_field(shape_field::kDimParam))
      dim = fields.text().empty() || fields.text() == "?" ? Dim::unknown()
                                                          : dims.symbol(fields.text());
  }
  SHIPWAY_RETURN_IF_ERROR(fields.status());
  return dim;
}

Result<Dims> read_shape(Bytes message, DimTable& dims, const std::byte* origin) {
  Dims shape;
  FieldReader fields(message, origin);
  while (fields.next()) {
    if (fields.key() != bytes_field(shape_field::kDim)) continue;
    SHIPWAY_ASSIGN_OR_RETURN(const Dim dim, read_dim(fields.bytes(), dims, origin));
    shape.push_back(dim);
  }
  SHIPWAY_RETURN_IF_ERROR(fields.status());
  return shape;
}

Result<Type> read_tensor_type(Bytes message, DimTable& dims, const std::byte* origin,
                              TypeKind kind) {
  DType dtype = DType::kUndefined;
  std::optional<Dims> shape;
  FieldReader fields(message, origin);
  while (fields.next()) {
    if (fields.key() == varint_field(field::kElemType)) dtype = dtype_from(fields.integer());
    if (fields.key() == bytes_field(field::kShape)) {
      SHIPWAY_ASSIGN_OR_RETURN(shape, read_shape(fields.bytes(), dims, origin));
    }
  }
  SHIPWAY_RETURN_IF_ERROR(fields.status());
  if (kind == TypeKind::kSparseTensor) return Type::sparse_tensor(dtype, std::move(shape));
  return shape ? Type::tensor(dtype, std::move(*shape)) : Type::tensor(dtype);
}

Result<Type> read_container(Bytes message, DimTable& dims, const std::byte* origin, int depth,
                            TypeKind kind) {
  Type element;
  DType key = DType::kUndefined;
  const uint32_t element_field = kind == TypeKind::kMap ? field::kValueType : field::kElemType;
  FieldReader fields(message, origin);
  while (fields.next()) {
    if (fields.key() == bytes_field(element_field)) {
      SHIPWAY_ASSIGN_OR_RETURN(element, read_onnx_type(fields.bytes(), dims, origin, depth + 1));
    }
    if (kind == TypeKind::kMap && fields.key() == varint_field(field::kKeyType))
      key = dtype_from(fields.integer());
  }
  SHIPWAY_RETURN_IF_ERROR(fields.status());
  if (kind == TypeKind::kMap) return Type::map(key, std::move(element));
  return kind == TypeKind::kSequence ? Type::sequence(std::move(element))
                                     : Type::optional(std::move(element));
}

Result<Type> read_opaque(Bytes message, const std::byte* origin) {
  std::string domain, name;
  FieldReader fields(message, origin);
  while (fields.next()) {
    if (fields.key() == bytes_field(field::kOpaqueDomain)) domain = fields.text();
    if (fields.key() == bytes_field(field::kOpaqueName)) name = fields.text();
  }
  SHIPWAY_RETURN_IF_ERROR(fields.status());
  return Type::opaque(std::move(domain), std::move(name));
}

MessageWriter write_tensor_type(const Type& type, const DimTable& table) {
  MessageWriter message;
  message.add_integer(field::kElemType, static_cast<int64_t>(type.dtype()));
  if (!type.dims()) return message;
  MessageWriter shape;
  for (Dim dim : *type.dims()) {
    MessageWriter size;
    if (dim.is_constant())
      size.add_integer(shape_field::kDimValue, dim.value());
    else if (dim.is_expression() && !table.mentions_fresh(dim))
      size.add_text(shape_field::kDimParam, table.to_string(dim));
    shape.add_message(shape_field::kDim, std::move(size));
  }
  message.add_message(field::kShape, std::move(shape));
  return message;
}

}  // namespace

Result<Type> read_onnx_type(Bytes message, DimTable& dims, const std::byte* origin, int depth) {
  if (depth > Type::kMaxDepth)
    return Status::limit("a type is nested deeper than {} levels", int{Type::kMaxDepth});
  Type type;
  FieldReader fields(message, origin);
  while (fields.next()) {
    const Bytes inner = fields.bytes();
    switch (fields.key()) {
      case bytes_field(field::kTensor): {
        SHIPWAY_ASSIGN_OR_RETURN(type, read_tensor_type(inner, dims, origin, TypeKind::kTensor));
        break;
      }
      case bytes_field(field::kSparseTensor): {
        SHIPWAY_ASSIGN_OR_RETURN(type,
                                 read_tensor_type(inner, dims, origin, TypeKind::kSparseTensor));
        break;
      }
      case bytes_field(field::kSequence): {
        SHIPWAY_ASSIGN_OR_RETURN(type,
                                 read_container(inner, dims, origin, depth, TypeKind::kSequence));
        break;
      }
      case bytes_field(field::kOptional): {
        SHIPWAY_ASSIGN_OR_RETURN(type,
                                 read_container(inner, dims, origin, depth, TypeKind::kOptional));
        break;
      }
      case bytes_field(field::kMap): {
        SHIPWAY_ASSIGN_OR_RETURN(type, read_container(inner, dims, origin, depth, TypeKind::kMap));
        break;
      }
      case bytes_field(field::kOpaque): {
        SHIPWAY_ASSIGN_OR_RETURN(type, read_opaque(inner, origin));
        break;
      }
      default:
        break;
    }
  }
  SHIPWAY_RETURN_IF_ERROR(fields.status());
  return type;
}

MessageWriter write_onnx_type(const Type& type, const DimTable& dims) {
  MessageWriter message;
  MessageWriter inner;
  switch (type.kind()) {
    case TypeKind::kUnknown:
      break;
    case TypeKind::kTensor:
      message.add_message(field::kTensor, write_tensor_type(type, dims));
      break;
    case TypeKind::kSparseTensor:
      message.add_message(field::kSparseTensor, write_tensor_type(type, dims));
      break;
    case TypeKind::kSequence:
    case TypeKind::kOptional:
      inner.add_message(field::kElemType, write_onnx_type(type.element(), dims));
      message.add_message(type.kind() == TypeKind::kSequence ? field::kSequence : field::kOptional,
                          std::move(inner));
      break;
    case TypeKind::kMap:
      inner.add_integer(field::kKeyType, static_cast<int64_t>(type.dtype()));
      inner.add_message(field::kValueType, write_onnx_type(type.element(), dims));
      message.add_message(field::kMap, std::move(inner));
      break;
    case TypeKind::kOpaque:
      inner.add_text_if_any(field::kOpaqueDomain, type.opaque_domain());
      inner.add_text_if_any(field::kOpaqueName, type.opaque_name());
      message.add_message(field::kOpaque, std::move(inner));
      break;
  }
  return message;
}

std::optional<std::string> unusual_onnx_type(Bytes message, const Type& type,
                                             const DimTable& dims) {
  if (type.kind() != TypeKind::kUnknown &&
      write_onnx_type(type, dims).to_string() == as_text(message))
    return std::nullopt;
  return std::string(as_text(message));
}

void add_onnx_type(MessageWriter& message, uint32_t number, const Type& type, DimTable& dims,
                   const std::string* kept) {
  if (kept) {
    const auto meaning = read_onnx_type(as_bytes(*kept), dims, nullptr);
    if (meaning.is_ok() && *meaning == type) return message.add_text(number, *kept);
  }
  if (type.kind() != TypeKind::kUnknown) message.add_message(number, write_onnx_type(type, dims));
}

}  // namespace shipway
