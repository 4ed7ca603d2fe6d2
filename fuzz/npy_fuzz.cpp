// Bytes as .npy and .npz. Nothing crashes or takes more memory than the file accounts for; what was
// read is written and reads back the same.
#include <cstdint>
#include <cstdlib>

#include "tensor/npy.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace shipway;
  const auto bytes = std::as_bytes(std::span<const uint8_t>(data, size));
  (void)parse_npz(bytes);
  const Result<Tensor> tensor = parse_npy(bytes);
  if (!tensor.is_ok() || tensor->dtype() == DType::kString)
    return 0;  // text that is not UTF-8 changes its form
  const Result<std::string> written = serialize_npy(*tensor);
  if (!written.is_ok()) std::abort();
  const Result<Tensor> again = parse_npy(std::as_bytes(std::span<const char>(*written)));
  if (!again.is_ok() || !identical(*again, *tensor)) std::abort();
  return 0;
}
