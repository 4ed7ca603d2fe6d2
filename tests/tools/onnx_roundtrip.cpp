// Loads every ONNX file named on the command line and writes it again: IN OUT [IN OUT ...]. One
// process for many files, so that tests/python/test_onnx_roundtrip.py can go through thousands.
#include <cstdio>

#include "shipway/formats.h"

int main(int count, char** arguments) {
  if (count % 2 == 0) {
    std::fprintf(stderr, "usage: onnx_roundtrip [IN OUT]...\n");
    return 2;
  }
  int failures = 0;
  for (int i = 1; i + 1 < count; i += 2) {
    auto model = shipway::load_model(arguments[i]);
    const shipway::Status status =
        model.is_ok() ? shipway::save_model(*model, arguments[i + 1]) : model.status();
    if (status.is_ok()) continue;
    std::fprintf(stderr, "%s\n", status.message().c_str());
    ++failures;
  }
  return failures == 0 ? 0 : 1;
}
