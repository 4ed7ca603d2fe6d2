// The `shipway` command: verbs and their options.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "shipway/status.h"

namespace shipway::cli {

/// What scripts rely on: 0 fine, 1 the model or input is bad, 2 wrong usage.
enum ExitCode : int { kFine = 0, kBad = 1, kUsage = 2 };

/// Options that every verb has.
struct Common {
  bool json = false;   // results as JSON on stdout
  bool quiet = false;  // nothing on stderr but errors
};

struct RunArguments {
  Common common;
  std::string model;
  std::vector<std::string> inputs;   // NAME=FILE, or NAME=random
  std::vector<std::string> outputs;  // NAME=FILE
  std::vector<std::string> shapes;   // NAME=1x3x224x224
  int threads = 0;
  std::string precision = "fp32";
  std::string profile;  // file for a Chrome trace
  bool reference = false;
  // How pictures become tensors and back.
  std::string range = "0..255";
  std::string order = "rgb";
  std::vector<double> mean, std;
  std::string resize;  // WIDTHxHEIGHT
  int64_t tile = 0;    // edge of tiles for large pictures; 0: chosen, -1: never
  uint64_t seed = 0;   // of random inputs
};

struct CheckArguments {
  Common common;
  std::string model;
  bool full = true;
};

struct InfoArguments {
  Common common;
  std::string model;
  bool text = false;
  bool memory = false;
  std::vector<std::string> shapes;
};

struct OptimizeArguments {
  Common common;
  std::string input, output;
  int level = 3;
  int64_t opset = 0;  // 0: the input's
  bool list_passes = false;
  std::string dump_passes;  // folder
  int64_t max_rewrites = -1;
};

struct CompileArguments {
  Common common;
  std::string input, output;
  int level = 3;
  std::string isa;
  std::vector<std::string> shapes;  // NAME=1x3x224x224
};

struct ConvertArguments {
  Common common;
  std::string input, output;
  int64_t opset = 0;  // 0: the input's
};

/// What is measured, and what is told of it.
struct MeasureArguments {
  Common common;
  std::string model;
  std::vector<std::string> inputs, shapes;
  int threads = 0;
  uint64_t seed = 0;
  std::string trace;  // file for a Chrome trace of one run
  bool why_slow = false;
};

struct BenchArguments : MeasureArguments {
  int runs = 0;  // 0: as many as fit into `seconds`
  double seconds = 2;
  bool profile = false;
};

struct ExplainArguments : MeasureArguments {
  int runs = 10;
};

struct TestArguments {
  Common common;
  std::vector<std::string> folders;
  int threads = 0;
  bool reference = false;
  double rtol = 1e-3, atol = 1e-7;
};

struct ViewArguments {
  Common common;
  std::string model;
  std::string output;  // .svg
};

int run_command_line(int argc, char** argv);

Status run(const RunArguments& arguments);
/// True when the model is correct.
Result<bool> check(const CheckArguments& arguments);
Status info(const InfoArguments& arguments);
Status optimize(const OptimizeArguments& arguments);
Status compile(const CompileArguments& arguments);
Status convert(const ConvertArguments& arguments);
Status bench(const BenchArguments& arguments);
Status explain(const ExplainArguments& arguments);
/// True when all tests passed.
Result<bool> test(const TestArguments& arguments);
Status view(const ViewArguments& arguments);

}  // namespace shipway::cli
