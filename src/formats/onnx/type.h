// TypeProto to Type and back.
#pragma once

#include "formats/wire/protobuf.h"
#include "shipway/model.h"

namespace shipway {

/// Sizes that are absent, empty or negative become unknown, element types that ONNX does not define
/// kUndefined. An error when the tree is deeper than Type::kMaxDepth.
Result<Type> read_onnx_type(Bytes message, DimTable& dims, const std::byte* origin, int depth = 1);

/// The type's message; sizes that are expressions are written as text, fresh symbols as unknown.
MessageWriter write_onnx_type(const Type& type, const DimTable& dims);

/// The bytes to keep beside a Type when writing it anew would not give the same message; nothing
/// otherwise.
std::optional<std::string> unusual_onnx_type(Bytes message, const Type& type, const DimTable& dims);

/// Writes field `number`: the `kept` bytes (if any) while they still mean `type`, else the type
/// anew. `dims` is the model's table or a copy of it: asking what the kept bytes mean may add
/// symbols.
void add_onnx_type(MessageWriter& message, uint32_t number, const Type& type, DimTable& dims,
                   const std::string* kept);

}  // namespace shipway
