// Values of test data and of inputs in files: TensorProto, SequenceProto, OptionalProto, MapProto
// (.pb).
#pragma once

#include "formats/wire/protobuf.h"
#include "shipway/model.h"

namespace shipway {

/// A serialised value. The message does not say what kind it is, so `type` does: that of the
/// model's input or output (unknown: a tensor). The elements are copied. An optional without a
/// value is absent.
Result<RuntimeValue> read_value_proto(Bytes message, const Type& type = {});

/// A serialised TensorProto.
Result<Tensor> read_tensor_proto(Bytes message);

/// The message of a value as `type` says (unknown: as the value itself is), under `name`.
Result<std::string> write_value_proto(const RuntimeValue& value, std::string_view name,
                                      const Type& type = {});

}  // namespace shipway
