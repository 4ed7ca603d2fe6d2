// Bytes as an ONNX model. Nothing crashes or hangs; an error says something; what was read can be
// written, and what was written reads back and is written the same.
#include <cstdint>
#include <cstdlib>

#include "formats/onnx/reader.h"
#include "formats/onnx/value_proto.h"
#include "shipway/formats.h"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace shipway;
  const Bytes bytes = std::as_bytes(std::span<const uint8_t>(data, size));
  (void)read_value_proto(bytes);
  (void)read_value_proto(bytes, Type::sequence(Type::tensor(DType::kFloat32)));
  (void)read_value_proto(bytes, Type::optional(Type::map(DType::kInt64, Type())));
  const Result<Model> model = load_model_from_bytes(bytes);
  if (!model.is_ok()) {
    require(!model.status().message().empty());
    return 0;
  }
  const Result<std::string> written = serialize_model(*model);
  require(written.is_ok());
  const Result<Model> again = read_onnx_model(as_bytes(*written), nullptr, {});
  require(again.is_ok());
  const Result<std::string> rewritten = serialize_model(*again);
  require(rewritten.is_ok() && *rewritten == *written);
  return 0;
}
