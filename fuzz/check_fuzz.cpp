// The checker on any bytes: no crash, no hang, and the same verdict twice.
#include <cstdint>
#include <cstdlib>

#include "shipway/checker.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::span<const std::byte> bytes(reinterpret_cast<const std::byte*>(data), size);
  shipway::CheckOptions options;
  options.check_custom_domain = size % 2 == 1;
  options.full_check = size % 3 != 0;
  const shipway::Status first = shipway::check_model_bytes(bytes, options);
  const shipway::Status second = shipway::check_model_bytes(bytes, options);
  if (first.message() != second.message()) std::abort();
  return 0;
}
