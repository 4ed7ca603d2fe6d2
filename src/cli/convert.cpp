#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/command_line.h"
#include "cli/terminal.h"
#include "shipway/formats.h"
#include "shipway/opset.h"

namespace shipway::cli {

Status convert(const ConvertArguments& arguments) {
  const std::string ending = std::filesystem::path(arguments.output).extension().string();
  if (ending != ".onnx")
    return Status::unsupported("writing '{}': the formats that can be written are .onnx",
                               arguments.output);
  SHIPWAY_ASSIGN_OR_RETURN(Model model, load_model(arguments.input));
  const int64_t before = model.opset();
  if (arguments.opset != 0)
    SHIPWAY_RETURN_IF_ERROR(
        convert_opset(model, arguments.opset).with_context("converting {}", arguments.input));
  SHIPWAY_RETURN_IF_ERROR(save_model(model, arguments.output));
  if (arguments.common.json) {
    print_line(nlohmann::json{{"model", arguments.output},
                              {"opset_before", before},
                              {"opset", model.opset()},
                              {"ir_version", model.ir_version},
                              {"nodes", model.graph().node_count()}}
                   .dump());
    return Status::ok();
  }
  print_line(arguments.output + ": opset " + std::to_string(before) + " became " +
             std::to_string(model.opset()) + ", " + std::to_string(model.graph().node_count()) +
             " nodes");
  return Status::ok();
}

}  // namespace shipway::cli
