// AttributeProto's types and the kinds of a Model's attributes: the same things, numbered apart.
#pragma once

#include "formats/onnx/fields.h"
#include "formats/wire/protobuf.h"
#include "shipway/model.h"

namespace shipway {

struct AttributeTypeKind {
  int64_t type;  // AttributeProto.AttributeType
  AttributeKind kind;
};
inline constexpr AttributeTypeKind kAttributeTypes[] = {
    {onnx_fields::attribute::kTypeUndefined, AttributeKind::kUndefined},
    {onnx_fields::attribute::kTypeFloat, AttributeKind::kFloat},
    {onnx_fields::attribute::kTypeInt, AttributeKind::kInt},
    {onnx_fields::attribute::kTypeString, AttributeKind::kString},
    {onnx_fields::attribute::kTypeTensor, AttributeKind::kTensor},
    {onnx_fields::attribute::kTypeGraph, AttributeKind::kGraph},
    {onnx_fields::attribute::kTypeFloats, AttributeKind::kFloats},
    {onnx_fields::attribute::kTypeInts, AttributeKind::kInts},
    {onnx_fields::attribute::kTypeStrings, AttributeKind::kStrings},
    {onnx_fields::attribute::kTypeTensors, AttributeKind::kTensors},
    {onnx_fields::attribute::kTypeGraphs, AttributeKind::kGraphs},
    {onnx_fields::attribute::kTypeSparseTensor, AttributeKind::kSparseTensor},
    {onnx_fields::attribute::kTypeSparseTensors, AttributeKind::kSparseTensors},
    {onnx_fields::attribute::kTypeTypeProto, AttributeKind::kType},
    {onnx_fields::attribute::kTypeTypeProtos, AttributeKind::kTypes},
};

/// kUndefined for numbers that ONNX does not define.
constexpr AttributeKind kind_of_type(int64_t type) {
  for (const AttributeTypeKind& entry : kAttributeTypes)
    if (entry.type == type) return entry.kind;
  return AttributeKind::kUndefined;
}
constexpr int64_t type_of_kind(AttributeKind kind) {
  for (const AttributeTypeKind& entry : kAttributeTypes)
    if (entry.kind == kind) return entry.type;
  return onnx_fields::attribute::kTypeUndefined;
}

/// The type of an attribute without a type field (IR version 1): by the value field that is there.
constexpr int64_t type_from_field(uint32_t key) {
  using namespace onnx_fields::attribute;
  switch (key) {
    case fixed32_field(kFloat):
      return kTypeFloat;
    case varint_field(kInt):
      return kTypeInt;
    case bytes_field(kString):
      return kTypeString;
    case bytes_field(kTensor):
      return kTypeTensor;
    case bytes_field(kGraph):
      return kTypeGraph;
    case fixed32_field(kFloats):
    case bytes_field(kFloats):
      return kTypeFloats;
    case varint_field(kInts):
    case bytes_field(kInts):
      return kTypeInts;
    case bytes_field(kStrings):
      return kTypeStrings;
    case bytes_field(kTensors):
      return kTypeTensors;
    case bytes_field(kGraphs):
      return kTypeGraphs;
    case bytes_field(kSparseTensor):
      return kTypeSparseTensor;
    case bytes_field(kSparseTensors):
      return kTypeSparseTensors;
    case bytes_field(kTypeProto):
      return kTypeTypeProto;
    case bytes_field(kTypeProtos):
      return kTypeTypeProtos;
    default:
      return kTypeUndefined;
  }
}

}  // namespace shipway
