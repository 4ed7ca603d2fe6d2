#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/interrupt.h"
#include "cli/terminal.h"
#include "cli/values.h"
#include "shipway/formats.h"
#include "tensor/convert.h"

namespace shipway::cli {
namespace {

namespace fs = std::filesystem;

/// Nothing when equal within the tolerance, else a sentence about the first difference.
std::optional<std::string> difference(const RuntimeValue& got, const RuntimeValue& want,
                                      const TestArguments& tolerance) {
  if (want.is_absent() || got.is_absent())
    return want.is_absent() && got.is_absent()
               ? std::nullopt
               : std::optional("is " + to_string(got) + ", expected " + to_string(want));
  if (const Sequence* expected = want.sequence()) {
    const Sequence* actual = got.sequence();
    if (!actual || actual->size() != expected->size())
      return "is " + to_string(got) + ", expected " + to_string(want);
    for (size_t i = 0; i < expected->size(); ++i)
      if (auto inner = difference((*actual)[i], (*expected)[i], tolerance))
        return "element " + std::to_string(i) + " " + *inner;
    return std::nullopt;
  }
  const Tensor *a = got.tensor(), *b = want.tensor();
  if (!b) return "holds a kind of value that cannot be compared yet: " + to_string(want);
  if (!a || a->dtype() != b->dtype() || !(a->shape() == b->shape()))
    return "is " + to_string(got) + ", expected " + to_string(*b);
  if (kind_of(a->dtype()) == DTypeKind::kString || kind_of(a->dtype()) == DTypeKind::kBool)
    return identical(*a, *b) ? std::nullopt
                             : std::optional("is " + to_string(*a) + ", expected " + to_string(*b));
  const auto x = to_complexes(*a), y = to_complexes(*b);
  if (!x.is_ok()) return x.status().message();
  if (!y.is_ok()) return y.status().message();
  // bfloat16 has 8 bits: two units in the last place, as the official runner allows.
  const double rtol =
      a->dtype() == DType::kBFloat16 ? std::max(tolerance.rtol, 1.0 / 64) : tolerance.rtol;
  const auto close = [&](double p, double q) {
    if (std::isnan(q)) return std::isnan(p);
    if (std::isinf(p) || std::isinf(q)) return p == q;
    return std::fabs(p - q) <= tolerance.atol + rtol * std::fabs(q);
  };
  for (size_t i = 0; i < y->size(); ++i)
    if (!close((*x)[i].real(), (*y)[i].real()) || !close((*x)[i].imag(), (*y)[i].imag()))
      return "differs at element " + std::to_string(i) + " of [" + to_string(a->shape()) +
             "]: " + element_to_string(*a, static_cast<int64_t>(i)) + ", expected " +
             element_to_string(*b, static_cast<int64_t>(i));
  return std::nullopt;
}

/// All data sets of one folder; the error or difference that ends it.
Status run_folder(const fs::path& folder, const TestArguments& arguments) {
  SHIPWAY_ASSIGN_OR_RETURN(Model model, load_model((folder / "model.onnx").string()));
  SessionOptions options;
  options.threads = arguments.threads;
  options.reference = arguments.reference;
  SHIPWAY_ASSIGN_OR_RETURN(const std::unique_ptr<Session> session,
                           Session::create(std::move(model), options));
  std::vector<fs::path> sets;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.is_directory() && entry.path().filename().string().starts_with("test_data_set_"))
      sets.push_back(entry.path());
  std::sort(sets.begin(), sets.end());
  if (sets.empty())
    return Status::invalid_argument("{} has no test_data_set_*", quoted(folder.string()));
  RunOptions run;
  run.cancelled = interrupted();
  for (const fs::path& set : sets) {
    // Files stand for the inputs without a default, in order; when there are more, for all inputs.
    std::vector<const ValueInfo*> formal;
    for (const ValueInfo& input : session->inputs())
      if (!input.optional) formal.push_back(&input);
    if (fs::exists(set / ("input_" + std::to_string(formal.size()) + ".pb"))) {
      formal.clear();
      for (const ValueInfo& input : session->inputs()) formal.push_back(&input);
    }
    std::vector<NamedValue> inputs;
    for (size_t i = 0; i < formal.size(); ++i) {
      const fs::path file = set / ("input_" + std::to_string(i) + ".pb");
      if (!fs::exists(file)) continue;
      SHIPWAY_ASSIGN_OR_RETURN(RuntimeValue value, read_pb(file.string(), formal[i]->type));
      inputs.emplace_back(formal[i]->name, std::move(value));
    }
    SHIPWAY_ASSIGN_OR_RETURN(const std::vector<RuntimeValue> outputs,
                             session->run(inputs, {}, run));
    for (size_t i = 0; i < outputs.size(); ++i) {
      const fs::path file = set / ("output_" + std::to_string(i) + ".pb");
      if (!fs::exists(file)) return Status::not_found("{} is missing", quoted(file.string()));
      SHIPWAY_ASSIGN_OR_RETURN(const RuntimeValue want,
                               read_pb(file.string(), session->outputs()[i].type));
      if (const auto what = difference(outputs[i], want, arguments))
        return Status::invalid_argument("{}: output {} {}", set.filename().string(),
                                        quoted(session->outputs()[i].name), *what);
    }
  }
  return Status::ok();
}

}  // namespace

Result<bool> test(const TestArguments& arguments) {
  std::vector<fs::path> folders;
  std::error_code error;
  for (const std::string& root : arguments.folders) {
    if (fs::exists(fs::path(root) / "model.onnx")) {
      folders.push_back(root);
      continue;
    }
    const size_t before = folders.size();
    for (auto entry = fs::recursive_directory_iterator(root, error);
         !error && entry != fs::recursive_directory_iterator(); ++entry)
      if (entry->path().filename() == "model.onnx") folders.push_back(entry->path().parent_path());
    if (error) return Status::io("reading folder {}: {}", quoted(root), error.message());
    if (folders.size() == before) return Status::not_found("{} holds no model.onnx", quoted(root));
  }
  std::sort(folders.begin(), folders.end());
  int64_t passed = 0;
  nlohmann::json failures = nlohmann::json::array();
  const GracefulStop stop;
  {
    Progress progress("testing", static_cast<int64_t>(folders.size()), arguments.common.quiet);
    for (size_t i = 0; i < folders.size(); ++i) {
      const Status status = run_folder(folders[i], arguments);
      if (status.code() == StatusCode::kCancelled) return status;
      if (status.is_ok())
        ++passed;
      else {
        failures.push_back({{"test", folders[i].string()}, {"why", status.message()}});
        if (!arguments.common.json)
          print_line("FAILED " + folders[i].string() + ": " + status.message());
      }
      progress.advance(static_cast<int64_t>(i) + 1);
    }
  }
  const int64_t failed = static_cast<int64_t>(folders.size()) - passed;
  if (arguments.common.json)
    print_line(
        nlohmann::json{{"passed", passed}, {"failed", failed}, {"failures", failures}}.dump());
  else
    print_line(std::to_string(passed) + " passed, " + std::to_string(failed) + " failed");
  return failed == 0;
}

}  // namespace shipway::cli
