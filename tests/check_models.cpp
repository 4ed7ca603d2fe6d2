// Checks ONNX files and prints a verdict for each as a line of JSON, for
// tests/python/test_checker.py:
//
//     check_models [--full] [--custom] [--skip-opsets] FILE...
#include <cstdio>
#include <nlohmann/json.hpp>

#include "shipway/checker.h"

int main(int count, char** arguments) {
  shipway::CheckOptions options;
  for (int i = 1; i < count; ++i) {
    const std::string_view argument = arguments[i];
    if (argument == "--full") {
      options.full_check = true;
    } else if (argument == "--custom") {
      options.check_custom_domain = true;
    } else if (argument == "--skip-opsets") {
      options.skip_opset_compatibility_check = true;
    } else {
      const shipway::Status status = shipway::check_model_file(arguments[i], options);
      const nlohmann::json verdict = {
          {"file", argument}, {"ok", status.is_ok()}, {"message", status.message()}};
      std::puts(verdict.dump().c_str());
    }
  }
}
