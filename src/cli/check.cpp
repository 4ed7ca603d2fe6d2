#include <nlohmann/json.hpp>

#include "cli/command_line.h"
#include "cli/terminal.h"
#include "operators/registry.h"
#include "shipway/checker.h"

namespace shipway::cli {

Result<bool> check(const CheckArguments& arguments) {
  CheckOptions options;
  options.full_check = arguments.full;
  options.registry = &Registry::built_in();  // what other domains have here is known too
  const Status verdict = check_model_file(arguments.model, options);
  if (!verdict.is_ok() && verdict.code() != StatusCode::kInvalidModel)
    return verdict;  // could not be read at all
  if (arguments.common.json) {
    nlohmann::json result = {{"model", arguments.model}, {"correct", verdict.is_ok()}};
    if (!verdict.is_ok()) result["why"] = verdict.message();
    print_line(result.dump());
  } else {
    print_line(verdict.is_ok() ? "Model correct" : "Model incorrect: " + verdict.message());
  }
  return verdict.is_ok();
}

}  // namespace shipway::cli
