#include "formats/onnx/well_formed.h"

#include <algorithm>
#include <array>

#include "formats/onnx/fields.h"

namespace shipway {
namespace {

namespace f = onnx_fields;

enum class MessageKind : uint8_t {
  kNone,  // the field is no message
  kModel,
  kOpsetId,
  kEntry,
  kTrainingInfo,
  kFunction,
  kConfiguration,
  kGraph,
  kNode,
  kAttribute,
  kValueInfo,
  kTensor,
  kSegment,
  kSparseTensor,
  kAnnotation,
  kType,
  kTensorType,
  kElementType,  // of sequences and optionals
  kMapType,
  kOpaqueType,
  kShape,
  kDim,
  kNodeConfiguration,
  kSharding,
  kDeviceGroup,
  kShardedDim,
  kSimpleShardedDim,
};

/// A field that needs a look inside: a message, or numbers that may be packed. Others are whole
/// when their key and length are.
struct Nested {
  MessageKind in;
  uint32_t number;
  MessageKind message;  // kNone: packed varints
  int packed_size = 0;  // bytes of a packed fixed number; 0: varints
};

using enum MessageKind;
constexpr Nested kNested[] = {
    {kModel, f::model::kOpsetImport, kOpsetId},
    {kModel, f::model::kGraph, kGraph},
    {kModel, f::model::kMetadataProps, kEntry},
    {kModel, f::model::kTrainingInfo, kTrainingInfo},
    {kModel, f::model::kFunctions, kFunction},
    {kModel, f::model::kConfiguration, kConfiguration},
    {kTrainingInfo, 1, kGraph},
    {kTrainingInfo, 2, kGraph},
    {kTrainingInfo, 3, kEntry},
    {kTrainingInfo, 4, kEntry},
    {kFunction, f::function::kAttributeProto, kAttribute},
    {kFunction, f::function::kNode, kNode},
    {kFunction, f::function::kOpsetImport, kOpsetId},
    {kFunction, f::function::kValueInfo, kValueInfo},
    {kFunction, f::function::kMetadataProps, kEntry},
    {kGraph, f::graph::kNode, kNode},
    {kGraph, f::graph::kInitializer, kTensor},
    {kGraph, f::graph::kSparseInitializer, kSparseTensor},
    {kGraph, f::graph::kInput, kValueInfo},
    {kGraph, f::graph::kOutput, kValueInfo},
    {kGraph, f::graph::kValueInfo, kValueInfo},
    {kGraph, f::graph::kQuantizationAnnotation, kAnnotation},
    {kGraph, f::graph::kMetadataProps, kEntry},
    {kAnnotation, 2, kEntry},
    {kNode, f::node::kAttribute, kAttribute},
    {kNode, f::node::kMetadataProps, kEntry},
    {kNode, f::node::kDeviceConfigurations, kNodeConfiguration},
    {kNodeConfiguration, 2, kSharding},
    {kSharding, 2, kNone},
    {kSharding, 3, kDeviceGroup},
    {kSharding, 4, kShardedDim},
    {kDeviceGroup, 2, kNone},
    {kShardedDim, 2, kSimpleShardedDim},
    {kAttribute, f::attribute::kTensor, kTensor},
    {kAttribute, f::attribute::kGraph, kGraph},
    {kAttribute, f::attribute::kSparseTensor, kSparseTensor},
    {kAttribute, f::attribute::kTypeProto, kType},
    {kAttribute, f::attribute::kFloats, kNone, 4},
    {kAttribute, f::attribute::kInts, kNone},
    {kAttribute, f::attribute::kTensors, kTensor},
    {kAttribute, f::attribute::kGraphs, kGraph},
    {kAttribute, f::attribute::kSparseTensors, kSparseTensor},
    {kAttribute, f::attribute::kTypeProtos, kType},
    {kValueInfo, f::value_info::kType, kType},
    {kValueInfo, f::value_info::kMetadataProps, kEntry},
    {kTensor, f::tensor::kDims, kNone},
    {kTensor, f::tensor::kSegment, kSegment},
    {kTensor, f::tensor::kFloatData, kNone, 4},
    {kTensor, f::tensor::kInt32Data, kNone},
    {kTensor, f::tensor::kInt64Data, kNone},
    {kTensor, f::tensor::kDoubleData, kNone, 8},
    {kTensor, f::tensor::kUInt64Data, kNone},
    {kTensor, f::tensor::kExternalData, kEntry},
    {kTensor, f::tensor::kMetadataProps, kEntry},
    {kSparseTensor, f::sparse_tensor::kValues, kTensor},
    {kSparseTensor, f::sparse_tensor::kIndices, kTensor},
    {kSparseTensor, f::sparse_tensor::kDims, kNone},
    {kType, f::type::kTensor, kTensorType},
    {kType, f::type::kSparseTensor, kTensorType},
    {kType, f::type::kSequence, kElementType},
    {kType, f::type::kOptional, kElementType},
    {kType, f::type::kMap, kMapType},
    {kType, f::type::kOpaque, kOpaqueType},
    {kTensorType, f::type::kShape, kShape},
    {kElementType, f::type::kElemType, kType},
    {kMapType, f::type::kValueType, kType},
    {kShape, f::shape::kDim, kDim},
};

constexpr size_t kMessageKinds = static_cast<size_t>(kSimpleShardedDim) + 1;
constexpr size_t kMaxFieldNumber = 32;

/// kNested by message and field number.
constexpr auto kTable = [] {
  std::array<std::array<const Nested*, kMaxFieldNumber>, kMessageKinds> table{};
  for (const Nested& nested : kNested)
    table[static_cast<size_t>(nested.in)][nested.number] = &nested;
  return table;
}();

/// Packed varints are whole when none is longer than 10 bytes and the last one ends.
bool are_varints_whole(Bytes bytes) {
  int length = 0;
  for (const std::byte byte : bytes) {
    if (std::to_integer<unsigned>(byte) < 0x80) {
      length = 0;
    } else if (++length == 10) {
      return false;
    }
  }
  return length == 0;
}

}  // namespace

Status check_well_formed_onnx(Bytes model) {
  constexpr size_t kMaxDepth = 100;  // of messages inside the outermost: protobuf's own limit
  struct Open {
    FieldReader fields;
    MessageKind kind;
  };
  std::vector<Open> open{{FieldReader(model), kModel}};
  while (!open.empty()) {
    Open& message = open.back();
    if (!message.fields.next()) {
      SHIPWAY_RETURN_IF_ERROR(message.fields.status());
      open.pop_back();
      continue;
    }
    const uint32_t number = message.fields.number();
    if (number >= kMaxFieldNumber || message.fields.key() != bytes_field(number)) continue;
    const Nested* nested = kTable[static_cast<size_t>(message.kind)][number];
    if (!nested) continue;
    const Bytes bytes = message.fields.bytes();
    if (nested->message != kNone) {
      if (open.size() > kMaxDepth)
        return Status::invalid_model("messages lie more than {} deep at byte {}", kMaxDepth,
                                     message.fields.offset());
      open.push_back({FieldReader(bytes, model.data()), nested->message});
    } else if (nested->packed_size != 0
                   ? bytes.size() % static_cast<size_t>(nested->packed_size) != 0
                   : !are_varints_whole(bytes)) {
      return Status::invalid_model("field {} at byte {} holds numbers of which one is cut off",
                                   number, message.fields.offset());
    }
  }
  return Status::ok();
}

}  // namespace shipway
