// Field numbers of ONNX's messages. Stored on disk: do not change.
// Source: onnx/onnx.proto and onnx/onnx-data.proto of onnx 1.23.2
// (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
#pragma once

#include <cstdint>

namespace shipway::onnx_fields {

namespace model {
inline constexpr uint32_t kIrVersion = 1, kProducerName = 2, kProducerVersion = 3, kDomain = 4,
                          kModelVersion = 5, kDocString = 6, kGraph = 7, kOpsetImport = 8,
                          kMetadataProps = 14, kTrainingInfo = 20, kFunctions = 25,
                          kConfiguration = 26;
}
namespace opset_id {
inline constexpr uint32_t kDomain = 1, kVersion = 2;
}
namespace entry {  // StringStringEntryProto
inline constexpr uint32_t kKey = 1, kValue = 2;
}
namespace graph {
inline constexpr uint32_t kNode = 1, kName = 2, kInitializer = 5, kDocString = 10, kInput = 11,
                          kOutput = 12, kValueInfo = 13, kQuantizationAnnotation = 14,
                          kSparseInitializer = 15, kMetadataProps = 16;
}
namespace value_info {
inline constexpr uint32_t kName = 1, kType = 2, kDocString = 3, kMetadataProps = 4;
}
namespace node {
inline constexpr uint32_t kInput = 1, kOutput = 2, kName = 3, kOpType = 4, kAttribute = 5,
                          kDocString = 6, kDomain = 7, kOverload = 8, kMetadataProps = 9,
                          kDeviceConfigurations = 10;
}
namespace attribute {
inline constexpr uint32_t kName = 1, kFloat = 2, kInt = 3, kString = 4, kTensor = 5, kGraph = 6,
                          kFloats = 7, kInts = 8, kStrings = 9, kTensors = 10, kGraphs = 11,
                          kDocString = 13, kTypeProto = 14, kTypeProtos = 15, kType = 20,
                          kRefAttrName = 21, kSparseTensor = 22, kSparseTensors = 23;
/// AttributeProto.AttributeType.
enum Type : int64_t {
  kTypeUndefined = 0,
  kTypeFloat = 1,
  kTypeInt = 2,
  kTypeString = 3,
  kTypeTensor = 4,
  kTypeGraph = 5,
  kTypeFloats = 6,
  kTypeInts = 7,
  kTypeStrings = 8,
  kTypeTensors = 9,
  kTypeGraphs = 10,
  kTypeSparseTensor = 11,
  kTypeSparseTensors = 12,
  kTypeTypeProto = 13,
  kTypeTypeProtos = 14,
};
}  // namespace attribute
namespace function {
inline constexpr uint32_t kName = 1, kInput = 4, kOutput = 5, kAttribute = 6, kNode = 7,
                          kDocString = 8, kOpsetImport = 9, kDomain = 10, kAttributeProto = 11,
                          kValueInfo = 12, kOverload = 13, kMetadataProps = 14;
}
namespace tensor {
inline constexpr uint32_t kDims = 1, kDataType = 2, kSegment = 3, kFloatData = 4, kInt32Data = 5,
                          kStringData = 6, kInt64Data = 7, kName = 8, kRawData = 9,
                          kDoubleData = 10, kUInt64Data = 11, kDocString = 12, kExternalData = 13,
                          kDataLocation = 14, kMetadataProps = 16;
inline constexpr int64_t kLocationExternal = 1;
}  // namespace tensor
namespace sparse_tensor {
inline constexpr uint32_t kValues = 1, kIndices = 2, kDims = 3;
}
namespace type {
inline constexpr uint32_t kTensor = 1, kSequence = 4, kMap = 5, kDenotation = 6, kOpaque = 7,
                          kSparseTensor = 8, kOptional = 9;
inline constexpr uint32_t kElemType = 1,
                          kShape = 2;  // of tensors; kElemType of sequences and optionals too
inline constexpr uint32_t kKeyType = 1, kValueType = 2;  // of maps
inline constexpr uint32_t kOpaqueDomain = 1, kOpaqueName = 2;
}  // namespace type
namespace shape {
inline constexpr uint32_t kDim = 1;
inline constexpr uint32_t kDimValue = 1, kDimParam = 2, kDimDenotation = 3;
}  // namespace shape

// onnx-data.proto: the values of test data files.
namespace sequence_value {
inline constexpr uint32_t kName = 1, kElemType = 2, kTensors = 3, kSparseTensors = 4,
                          kSequences = 5, kMaps = 6, kOptionals = 7;
}
namespace map_value {
inline constexpr uint32_t kName = 1, kKeyType = 2, kKeys = 3, kStringKeys = 4, kValues = 5;
}
namespace optional_value {
inline constexpr uint32_t kName = 1, kElemType = 2, kTensor = 3, kSparseTensor = 4, kSequence = 5,
                          kMap = 6, kOptional = 7;
}

}  // namespace shipway::onnx_fields
