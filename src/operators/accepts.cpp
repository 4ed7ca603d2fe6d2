#include "operators/accepts.h"

#include <optional>
#include <utility>

namespace shipway {
namespace {

/// Where in a TypeSet the type stands.
std::optional<std::pair<TypeSet::Kind, DType>> member_of(const Type& type) {
  using Kind = TypeSet::Kind;
  const auto tensor_in = [](const Type& outer, Kind kind) -> std::optional<std::pair<Kind, DType>> {
    if (!outer.element().is_tensor()) return std::nullopt;
    return std::pair{kind, outer.element().dtype()};
  };
  const auto map_kind = [](const Type& map, Kind from_int64,
                           Kind from_string) -> std::optional<Kind> {
    if (map.dtype() == DType::kInt64) return from_int64;
    if (map.dtype() == DType::kString) return from_string;
    return std::nullopt;
  };
  switch (type.kind()) {
    case TypeKind::kTensor:
      return std::pair{Kind::kTensor, type.dtype()};
    case TypeKind::kSparseTensor:
      return std::pair{Kind::kSparseTensor, type.dtype()};
    case TypeKind::kOptional:
      if (type.element().kind() == TypeKind::kSequence)
        return tensor_in(type.element(), Kind::kOptionalSequence);
      return tensor_in(type, Kind::kOptional);
    case TypeKind::kMap:
      if (const auto kind = map_kind(type, Kind::kMapFromInt64, Kind::kMapFromString))
        return tensor_in(type, *kind);
      return std::nullopt;
    case TypeKind::kSequence:
      if (type.element().kind() != TypeKind::kMap) return tensor_in(type, Kind::kSequence);
      if (const auto kind = map_kind(type.element(), Kind::kSequenceOfMapFromInt64,
                                     Kind::kSequenceOfMapFromString))
        return tensor_in(type.element(), *kind);
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

}  // namespace

bool is_open(const Type& type) {
  switch (type.kind()) {
    case TypeKind::kUnknown:
      return true;
    case TypeKind::kTensor:
    case TypeKind::kSparseTensor:
      return type.dtype() == DType::kUndefined;
    case TypeKind::kSequence:
    case TypeKind::kOptional:
    case TypeKind::kMap:
      return is_open(type.element());
    case TypeKind::kOpaque:
      return false;
  }
  return true;
}

bool accepts(const TypeSet& set, const Type& type) {
  const auto member = member_of(type);
  return member && set.contains(member->first, member->second);
}

}  // namespace shipway
