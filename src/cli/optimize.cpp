#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "cli/command_line.h"
#include "cli/terminal.h"
#include "shipway/formats.h"
#include "shipway/optimizer.h"

namespace shipway::cli {

namespace {

/// What passes write may need a newer opset than the input's, and then the user must choose one.
Result<OptimizeReport> optimize_with_advice(Model& model, const OptimizeOptions& options,
                                            bool is_opset_open) {
  Result<OptimizeReport> report = shipway::optimize(model, options);
  if (report.is_ok() || !is_opset_open || report.status().code() != StatusCode::kUnsupported)
    return report;
  return report.status().with_context("writing the input's opset (choose another by --opset)");
}

}  // namespace

Status optimize(const OptimizeArguments& arguments) {
  if (arguments.list_passes) {
    for (const PassInfo& pass : optimizer_passes())
      if (pass.level <= arguments.level)
        print_line(pass.name + "  (level " + std::to_string(pass.level) + "): " + pass.summary);
    return Status::ok();
  }
  SHIPWAY_ASSIGN_OR_RETURN(Model model, load_model(arguments.input));
  const size_t before = model.graph().node_count();
  OptimizeOptions options;
  options.level = arguments.level;
  options.opset = arguments.opset != 0 ? arguments.opset : OptimizeOptions::kInputOpset;
  options.max_rewrites = arguments.max_rewrites;
  Status dumped;
  if (!arguments.dump_passes.empty()) {
    std::error_code error;
    std::filesystem::create_directories(arguments.dump_passes, error);
    if (error) return Status::io("making folder '{}': {}", arguments.dump_passes, error.message());
    options.on_dump = [&](const std::string& name, const std::string& text) {
      std::ofstream file(std::filesystem::path(arguments.dump_passes) / (name + ".txt"));
      file << text;
      if (!file) dumped = Status::io("writing the dump of pass {} failed", name);
    };
  }
  SHIPWAY_ASSIGN_OR_RETURN(const OptimizeReport report,
                           optimize_with_advice(model, options, arguments.opset == 0));
  SHIPWAY_RETURN_IF_ERROR(dumped);
  SHIPWAY_RETURN_IF_ERROR(save_model(model, arguments.output));
  if (arguments.common.json) {
    nlohmann::json result = {
        {"model", arguments.output},   {"opset", model.opset()},
        {"nodes_before", before},      {"nodes_after", model.graph().node_count()},
        {"rewrites", report.rewrites}, {"notes", report.notes}};
    for (const auto& step : report.steps)
      result["passes"].push_back(
          {{"pass", step.pass}, {"rewrites", step.rewrites}, {"seconds", step.seconds}});
    print_line(result.dump());
    return Status::ok();
  }
  for (const auto& step : report.steps)
    if (step.rewrites > 0)
      print_note(step.pass + ": " + std::to_string(step.rewrites), arguments.common.quiet);
  for (const std::string& note : report.notes) print_note("note: " + note, arguments.common.quiet);
  print_line(arguments.output + ": " + std::to_string(before) + " nodes became " +
             std::to_string(model.graph().node_count()) + ", opset " +
             std::to_string(model.opset()));
  return Status::ok();
}

}  // namespace shipway::cli
