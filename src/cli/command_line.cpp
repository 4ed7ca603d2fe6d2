#include "cli/command_line.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <functional>

#include "base/text.h"
#include "cli/interrupt.h"
#include "cli/terminal.h"

namespace shipway::cli {
namespace {

constexpr char kVersion[] = SHIPWAY_VERSION;

void add_common(CLI::App& verb, Common& common) {
  verb.add_flag("--json", common.json, "results as JSON on stdout");
  verb.add_flag("--quiet", common.quiet, "nothing on stderr but errors");
}

void add_measure(CLI::App& verb, MeasureArguments& a) {
  verb.add_option("MODEL", a.model, "model file")->required();
  verb.add_option("--input", a.inputs, "NAME=FILE; other inputs are random")
      ->allow_extra_args(false);
  verb.add_option("--shape", a.shapes, "NAME=1x3x224x224, for inputs of dynamic size")
      ->allow_extra_args(false);
  verb.add_option("--threads", a.threads, "threads; 0: all cores of this process")
      ->check(CLI::NonNegativeNumber);
  verb.add_option("--trace", a.trace,
                  "write a Chrome trace of one run to this file, for chrome://tracing or Perfetto");
  verb.add_flag("--why-slow", a.why_slow,
                "a short list of what costs most time above what the machine could do, and why");
  verb.add_option("--seed", a.seed, "of random inputs");
  add_common(verb, a.common);
}

/// 0 or 1, and the error on stderr.
int finish(const Status& status) {
  if (status.is_ok()) return kFine;
  if (status.code() == StatusCode::kCancelled) {
    print_error("interrupted");
    return kInterrupted;
  }
  print_error(status.message());
  return kBad;
}
int finish(const Result<bool>& verdict) {
  if (!verdict.is_ok()) return finish(verdict.status());
  return *verdict ? kFine : kBad;
}

}  // namespace

int run_command_line(int argc, char** argv) {
  CLI::App app("Shipway: from a model file to its results.", "shipway");
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string("shipway ") + kVersion);
  app.footer(
      "Results go to stdout, progress and errors to stderr. Exit codes: 0 fine, 1 the model or "
      "input is bad, "
      "2 wrong usage, 130 interrupted.");
  app.failure_message([](const CLI::App* verb, const CLI::Error& error) {
    return "shipway: " + std::string(error.what()) + "\nRun '" + verb->get_display_name() +
           " --help' for what there is.\n";
  });
  std::function<int()> action;

  RunArguments run_arguments;
  {
    CLI::App& verb =
        *app.add_subcommand("run", "Run a model once on files, pictures or random numbers.");
    RunArguments& a = run_arguments;
    verb.add_option("MODEL", a.model, "model file")->required();
    verb.add_option("--input", a.inputs,
                    "NAME=FILE (.npy .npz .pb .png .jpg .webp .bmp .ppm), or NAME=random")
        ->allow_extra_args(false);
    verb.add_option("--output", a.outputs,
                    "NAME=FILE (.npy .pb .png .jpg .webp); without it a summary is printed")
        ->allow_extra_args(false);
    verb.add_option("--shape", a.shapes, "NAME=1x3x224x224, for random inputs of dynamic size")
        ->allow_extra_args(false);
    verb.add_option("--threads", a.threads, "threads; 0: all cores of this process")
        ->check(CLI::NonNegativeNumber);
    verb.add_option("--precision", a.precision, "fp32 or bf16")
        ->check(CLI::IsMember({"fp32", "bf16"}));
    verb.add_option(
        "--profile,--trace", a.profile,
        "write a Chrome trace of the run to this file, for chrome://tracing or Perfetto");
    verb.add_flag("--reference", a.reference, "run every node by its plain reference loops");
    verb.add_option("--range", a.range, "numbers that a picture's samples become: 0..255 or 0..1")
        ->check(CLI::IsMember({"0..255", "0..1"}));
    verb.add_option("--order", a.order, "channel order of pictures: rgb or bgr")
        ->check(CLI::IsMember({"rgb", "bgr"}));
    verb.add_option("--mean", a.mean, "per channel, subtracted from pictures after --range")
        ->delimiter(',');
    verb.add_option("--std", a.std, "per channel, pictures are divided by it after --mean")
        ->delimiter(',');
    verb.add_option("--resize", a.resize, "WIDTHxHEIGHT that pictures are resized to first");
    verb.add_option(
        "--tile", a.tile,
        "edge of the tiles that a large picture is cut into; 0: chosen by size, -1: never");
    verb.add_option("--seed", a.seed, "of random inputs");
    add_common(verb, a.common);
    verb.callback([&] { action = [&] { return finish(run(run_arguments)); }; });
  }
  CheckArguments check_arguments;
  {
    CLI::App& verb =
        *app.add_subcommand("check", "Is the model correct? Says what is wrong, and where.");
    verb.add_option("MODEL", check_arguments.model, "model file")->required();
    verb.add_flag("--full,!--no-full", check_arguments.full, "infer shapes too (default)");
    add_common(verb, check_arguments.common);
    verb.callback([&] { action = [&] { return finish(check(check_arguments)); }; });
  }
  InfoArguments info_arguments;
  {
    CLI::App& verb =
        *app.add_subcommand("info", "Inputs, outputs, operators, parameters, memory of a model.");
    verb.add_option("MODEL", info_arguments.model, "model file")->required();
    verb.add_flag("--text", info_arguments.text, "print the whole graph");
    verb.add_flag("--memory", info_arguments.memory,
                  "what a run needs (sizes by --shape where dynamic)");
    verb.add_option("--shape", info_arguments.shapes, "NAME=1x3x224x224")->allow_extra_args(false);
    add_common(verb, info_arguments.common);
    verb.callback([&] { action = [&] { return finish(info(info_arguments)); }; });
  }
  OptimizeArguments optimize_arguments;
  {
    CLI::App& verb = *app.add_subcommand(
        "optimize", "Rewrite a model into a smaller, faster one that means the same.");
    OptimizeArguments& a = optimize_arguments;
    CLI::Option* list = verb.add_flag("--list-passes", a.list_passes,
                                      "print the passes of the level in order, and stop");
    CLI::Option* in = verb.add_option("IN", a.input, "model file");
    CLI::Option* out = verb.add_option("OUT", a.output, "file to write");
    verb.add_option("--level", a.level, "0 (nothing) to 3 (everything)")->check(CLI::Range(0, 3));
    verb.add_option("--opset", a.opset, "opset to write; default: the input's");
    verb.add_option("--dump-passes", a.dump_passes, "folder for the graph's text after each pass");
    verb.add_option("--max-rewrites", a.max_rewrites,
                    "stop after so many rewrites, to find a bad one");
    add_common(verb, a.common);
    verb.callback([&action, &a, list, in, out] {
      if (list->count() == 0 && (in->count() == 0 || out->count() == 0))
        throw CLI::RequiredError("IN and OUT");
      action = [&a] { return finish(optimize(a)); };
    });
  }
  CompileArguments compile_arguments;
  {
    CLI::App& verb = *app.add_subcommand(
        "compile", "Write a plan file: optimised, planned, weights packed; it opens at once.");
    CompileArguments& a = compile_arguments;
    verb.add_option("IN", a.input, "model file")->required();
    verb.add_option("OUT", a.output, "file to write (.plan)")->required();
    verb.add_option("--isa", a.isa, "instruction set; default: what this process uses")
        ->check(CLI::IsMember({"sse4", "avx2", "avx512"}));
    verb.add_option("--shape", a.shapes,
                    "NAME=1x3x224x224: the only shape of that input; others stay open")
        ->allow_extra_args(false);
    verb.add_option("--level", a.level, "of optimisation, 0 (nothing) to 3 (everything)")
        ->check(CLI::Range(0, 3));
    add_common(verb, a.common);
    verb.footer(
        "run, bench and explain take a plan file where they take a model. It is for this version "
        "of "
        "Shipway and for machines that have the instruction set.");
    verb.callback([&] { action = [&] { return finish(compile(compile_arguments)); }; });
  }
  ConvertArguments convert_arguments;
  {
    CLI::App& verb = *app.add_subcommand(
        "convert", "Write a model in another opset, older or newer, meaning the same.");
    ConvertArguments& a = convert_arguments;
    verb.add_option("IN", a.input, "model file")->required();
    verb.add_option("OUT", a.output, "file to write; its ending names the format (.onnx)")
        ->required();
    verb.add_option("--opset", a.opset, "opset of ai.onnx to write; default: the input's");
    add_common(verb, a.common);
    verb.footer(
        "Refused, with the names of all nodes, when the opset cannot say what the model does.");
    verb.callback([&] { action = [&] { return finish(convert(convert_arguments)); }; });
  }
  BenchArguments bench_arguments;
  {
    CLI::App& verb = *app.add_subcommand("bench", "Measure how fast a model runs here.");
    BenchArguments& a = bench_arguments;
    add_measure(verb, a);
    verb.add_option("--runs", a.runs, "number of runs; default: what fits into --seconds")
        ->check(CLI::PositiveNumber);
    verb.add_option("--seconds", a.seconds, "time to measure for")->check(CLI::NonNegativeNumber);
    verb.add_flag("--profile", a.profile, "the table of steps that 'shipway explain' prints");
    verb.callback([&] { action = [&] { return finish(bench(bench_arguments)); }; });
  }
  ExplainArguments explain_arguments;
  {
    CLI::App& verb = *app.add_subcommand(
        "explain", "What each step of the plan does, costs, and why it is not faster.");
    ExplainArguments& a = explain_arguments;
    add_measure(verb, a);
    verb.add_option("--runs", a.runs, "runs, of which the least time of each step counts")
        ->check(CLI::PositiveNumber);
    verb.footer(
        "The table: own time of each step (least), arithmetic and memory rates, share of the "
        "roofline (of what the machine reaches: c multiply-adds, m memory; measured now), layout, "
        "kernel (reference: plain loops; shape: no work; dynamic: sizes only known during the "
        "run), "
        "the model file's nodes that it does, and better kernels that refused it.");
    verb.callback([&] { action = [&] { return finish(explain(explain_arguments)); }; });
  }
  TestArguments test_arguments;
  {
    CLI::App& verb = *app.add_subcommand(
        "test", "Run ONNX backend-test folders and compare with their outputs.");
    TestArguments& a = test_arguments;
    verb.add_option("DIR", a.folders,
                    "folders with model.onnx and test_data_set_*, searched for inside too")
        ->required();
    verb.add_option("--threads", a.threads, "threads; 0: all cores of this process")
        ->check(CLI::NonNegativeNumber);
    verb.add_flag("--reference", a.reference, "run every node by its plain reference loops");
    verb.add_option("--rtol", a.rtol, "relative tolerance");
    verb.add_option("--atol", a.atol, "absolute tolerance");
    add_common(verb, a.common);
    verb.callback([&] { action = [&] { return finish(test(test_arguments)); }; });
  }
  ViewArguments view_arguments;
  {
    CLI::App& verb = *app.add_subcommand("view", "Draw a model's graph.");
    verb.add_option("MODEL", view_arguments.model, "model file")->required();
    verb.add_option("--export", view_arguments.output, "file to write (.svg)")->required();
    add_common(verb, view_arguments.common);
    verb.callback([&] { action = [&] { return finish(view(view_arguments)); }; });
  }

  const std::string first = argc > 1 ? argv[1] : "";
  const bool names_verb =
      !app.get_subcommands([&](const CLI::App* verb) { return verb->get_name() == first; }).empty();
  if (!first.empty() && first[0] != '-' && !names_verb) {
    print_error("there is no verb " + quoted(first) + "; 'shipway --help' lists them");
    return kUsage;
  }
  catch_interrupts();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kFine : kUsage;
  }
  try {
    return action();
  } catch (const std::bad_alloc&) {
    print_error("no memory left");
    return kBad;
  }
}

}  // namespace shipway::cli
