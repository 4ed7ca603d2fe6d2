#include "base/text.h"
#include "cli/interrupt.h"
#include "cli/profile.h"
#include "cli/terminal.h"

namespace shipway::cli {

Status explain(const ExplainArguments& arguments) {
  const GracefulStop stop;
  SHIPWAY_ASSIGN_OR_RETURN(const Measured measured, prepare_measured(arguments));
  RunOptions options;
  options.cancelled = interrupted();
  SHIPWAY_ASSIGN_OR_RETURN(const ProfileReport report,
                           measure_profile(measured, arguments.runs, arguments.trace, options));
  if (arguments.common.json) {
    nlohmann::json result = profile_json(report);
    result["model"] = arguments.model;
    result["runs"] = arguments.runs;
    print_line(result.dump());
    return Status::ok();
  }
  print_note(peak_text(report.peak), arguments.common.quiet);
  print_note("a run takes " + fixed(report.run_ns / 1e6, 3) + " ms (the least of " +
                 std::to_string(arguments.runs) + "), its steps " +
                 fixed(report.steps_ns / 1e6, 3) + " ms, what is outside of them " +
                 fixed(report.outside_ns / 1e6, 3) + " ms",
             arguments.common.quiet);
  print_line(arguments.why_slow ? why_slow_text(report) : profile_table(report));
  return Status::ok();
}

}  // namespace shipway::cli
