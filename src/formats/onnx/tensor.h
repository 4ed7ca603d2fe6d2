// TensorProto to Tensor and back, in every form that ONNX stores elements.
#pragma once

#include "formats/onnx/external_data.h"
#include "formats/wire/protobuf.h"
#include "shipway/model.h"

namespace shipway {

/// What reading a tensor needs to know of its file.
struct TensorSource {
  const std::byte* origin = nullptr;  // where the file begins, for positions in errors
  std::shared_ptr<const void> owner;  // keeps the bytes alive; null: elements are copied
  ExternalFiles* external = nullptr;  // null: external data is refused
  const MappedFile* file = nullptr;   // the owner, when the message lies in a mapped file
};

/// A tensor and what its message said besides, so that it can be written back as it was.
struct OnnxTensor {
  std::string_view name;  // a view of the message
  Tensor tensor;
  std::shared_ptr<const ExternalData> external;
  /// The field that held the elements ("float_data", ...; "none" when absent); "" stands for the
  /// usual one.
  std::string data_field;
  /// The elements' field as it was, where its numbers were unusual (int8 stored as 300, say).
  std::string payload;
  /// Every other field, encoded: name, doc string, metadata, external data, unknown ones.
  std::string other_fields;
};

/// Elements are not copied when they stand in the message (or external file) as in memory and
/// `source.owner` keeps them alive: where they are suitably aligned for their dtype they are
/// borrowed, else copied when somebody first looks at them.
Result<OnnxTensor> read_onnx_tensor(Bytes message, const TensorSource& source);

/// The numbers of a tensor in one of the typed fields, as TensorProto's writers give them.
std::vector<int64_t> typed_integers(const Tensor& tensor);

/// Where write_onnx_tensor leaves the elements: in the message, or in a file beside.
struct ExternalPlace {
  std::string location;
  int64_t offset = 0;
  int64_t length = 0;
  std::vector<std::pair<std::string, std::string>> entries;  // written as they are when not empty
};

/// `form` gives data_field, payload and other_fields; its tensor is ignored. Raw elements are
/// borrowed: `tensor` must outlive the message.
Status write_onnx_tensor(MessageWriter& message, const Tensor& tensor, const OnnxTensor& form = {},
                         const ExternalPlace* external = nullptr);

}  // namespace shipway
