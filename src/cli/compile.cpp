#include "shipway/compile.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/terminal.h"
#include "cli/values.h"
#include "shipway/formats.h"

namespace shipway::cli {

Status compile(const CompileArguments& arguments) {
  SHIPWAY_ASSIGN_OR_RETURN(Model model, load_model(arguments.input));
  std::vector<ValueInfo> inputs;
  for (ValueId id : model.graph().inputs())
    inputs.push_back({model.value(id).name(), model.value(id).type(), false});
  CompileOptions options;
  options.level = arguments.level;
  options.isa = arguments.isa;
  SHIPWAY_ASSIGN_OR_RETURN(const auto shapes, parse_shapes(arguments.shapes, inputs));
  options.shapes.assign(shapes.begin(), shapes.end());
  SHIPWAY_RETURN_IF_ERROR(shipway::compile(std::move(model), arguments.output, options));
  std::error_code error;
  const auto bytes = std::filesystem::file_size(arguments.output, error);
  if (arguments.common.json)
    print_line(nlohmann::json{{"plan", arguments.output}, {"bytes", error ? 0 : bytes}}.dump());
  else
    print_note("plan of " + human_bytes(static_cast<double>(error ? 0 : bytes)) + " written to " +
                   arguments.output,
               arguments.common.quiet);
  return Status::ok();
}

}  // namespace shipway::cli
