// What `explain`, `bench` and `run` tell of a plan and its profiles.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/command_line.h"
#include "shipway/session.h"

namespace shipway::cli {

/// What is measured: the session and its inputs (files, else random numbers).
struct Measured {
  std::unique_ptr<Session> session;
  std::vector<NamedValue> inputs;
  int threads = 1;
  double load_ms = 0;
};
Result<Measured> prepare_measured(const MeasureArguments& arguments);

/// `runs` runs with a profile, of which the last one's steps go to `trace`, when that is a file.
Result<ProfileReport> measure_profile(const Measured& measured, int runs, const std::string& trace,
                                      const RunOptions& options);

/// Every step in a line.
std::string profile_table(const ProfileReport& report);
/// Which machine, and what it reaches.
std::string peak_text(const MachinePeak& peak);
/// One sentence a line, numbered.
std::string why_slow_text(const ProfileReport& report);
/// "peak", "run_ns", "steps_ns", "steps", "why_slow".
nlohmann::json profile_json(const ProfileReport& report);

/// A file that chrome://tracing and Perfetto open: an event for each step.
Status write_trace(const std::string& path, const std::vector<StepProfile>& steps);

}  // namespace shipway::cli
