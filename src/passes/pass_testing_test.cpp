#include "passes/pass_testing.h"

#include <gtest/gtest.h>

#include "graph/equal.h"
#include "graph/text.h"
#include "graph/verify.h"
#include "operators/upgrade.h"
#include "passes/pipelines.h"

namespace shipway {
namespace {

Model parsed(std::string_view text) {
  const std::string head =
      text.starts_with("opset") ? "" : "opset " + std::to_string(newest_opset("")) + "\n";
  Result<Model> model = parse(head + std::string(text));
  EXPECT_TRUE(model.is_ok()) << model.status().message() << "\n" << text;
  if (!model.is_ok()) return Model();
  EXPECT_TRUE(verify(*model).is_ok()) << verify(*model).message();
  return *std::move(model);
}

}  // namespace

Model rewritten(const Pass& pass, std::string_view before, OptimizeReport* report) {
  Model model = parsed(before);
  OptimizeOptions options;
  options.verify = true;
  OptimizeReport own;
  PassContext context(model, options, Registry::built_in(), report ? *report : own);
  const Status status = run_pass(pass, context);
  EXPECT_TRUE(status.is_ok()) << status.message();
  OptimizeReport ignored;
  PassContext cleaning(model, options, Registry::built_in(), ignored);
  const Status cleaned = run_pass(kEliminateDeadCode, cleaning);
  EXPECT_TRUE(cleaned.is_ok()) << cleaned.message();
  return model;
}

void expect_rewrite(const Pass& pass, std::string_view before, std::string_view after) {
  OptimizeReport report;
  const Model model = rewritten(pass, before, &report);
  const Model expected = parsed(after);
  std::string difference;
  EXPECT_TRUE(equal_models(model, expected, &difference, CompareOptions::computation()))
      << difference << "\n"
      << pass.name << " made:\n"
      << print(model) << "expected:\n"
      << print(expected);
  EXPECT_GT(report.rewrites, 0) << pass.name << " found nothing to do";
}

void expect_no_rewrite(const Pass& pass, std::string_view text) {
  Model model = parsed(text);
  OptimizeOptions options;
  options.verify = true;
  OptimizeReport report;
  PassContext context(model, options, Registry::built_in(), report);
  const Status status = run_pass(pass, context);
  EXPECT_TRUE(status.is_ok()) << status.message();
  EXPECT_EQ(report.rewrites, 0) << pass.name << " made:\n" << print(model);
}

}  // namespace shipway
