// Runs folders of ONNX's backend tests by the operators' reference loops:
//
//   onnx_suite_runner [--quiet] [--shapes] DIR...
//
// Every DIR holds model.onnx and test_data_set_*/input_*.pb, output_*.pb. The model is upgraded,
// inferred and run; outputs are compared (with the tolerances of data.json, as the official runner
// does) and, with --shapes, inferred types with the outputs' own. Failures are printed, then a last
// line `N passed, N failed`. Exit status 1 when any failed.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <vector>

#include "formats/onnx/tensor.h"
#include "formats/wire/protobuf.h"
#include "operators/infer.h"
#include "operators/reference.h"
#include "operators/upgrade.h"
#include "shipway/formats.h"
#include "tensor/convert.h"

namespace shipway {
namespace {

namespace fs = std::filesystem;

Result<RuntimeValue> read_tensor(Bytes message) {
  SHIPWAY_ASSIGN_OR_RETURN(OnnxTensor read, read_onnx_tensor(message, {}));
  return RuntimeValue(std::move(read.tensor));
}

Result<RuntimeValue> read_value(Bytes message, const Type& type);

/// SequenceProto: tensor_values = 3, sequence_values = 5.
Result<RuntimeValue> read_sequence(Bytes message, const Type& element) {
  Sequence sequence;
  FieldReader field(message);
  while (field.next()) {
    if (field.key() != bytes_field(3) && field.key() != bytes_field(5)) continue;
    SHIPWAY_ASSIGN_OR_RETURN(RuntimeValue value, read_value(field.bytes(), element));
    sequence.push_back(std::move(value));
  }
  SHIPWAY_RETURN_IF_ERROR(field.status());
  return RuntimeValue(std::move(sequence));
}

/// OptionalProto: tensor_value = 3, sequence_value = 5; without one it is empty.
Result<RuntimeValue> read_optional(Bytes message, const Type& element) {
  FieldReader field(message);
  while (field.next())
    if (field.key() == bytes_field(3) || field.key() == bytes_field(5))
      return read_value(field.bytes(), element);
  SHIPWAY_RETURN_IF_ERROR(field.status());
  return RuntimeValue();
}

Result<RuntimeValue> read_value(Bytes message, const Type& type) {
  switch (type.kind()) {
    case TypeKind::kSequence:
      return read_sequence(message, type.element());
    case TypeKind::kOptional:
      return read_optional(message, type.element());
    case TypeKind::kUnknown:
    case TypeKind::kTensor:
      return read_tensor(message);
    default:
      return Status::unsupported("test data of this kind cannot be read");
  }
}

Result<RuntimeValue> read_file(const fs::path& path, const Type& type) {
  std::ifstream stream(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  if (!stream) return Status::io("{} cannot be read", path.string());
  auto value = read_value(as_bytes(text), type);
  if (!value.is_ok()) return value.status().with_context("{}", path.filename().string());
  return value;
}

struct Tolerance {
  double relative = 1e-3, absolute = 1e-7;
};

Tolerance read_tolerance(const fs::path& folder) {
  std::ifstream stream(folder / "data.json");
  const auto json = nlohmann::json::parse(stream, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return {};
  return {json.value("rtol", 1e-3), json.value("atol", 1e-7)};
}

bool close_enough(double found, double expected, const Tolerance& tolerance) {
  if (std::isnan(expected)) return std::isnan(found);
  if (std::isinf(expected)) return found == expected;
  return std::abs(found - expected) <= tolerance.absolute + tolerance.relative * std::abs(expected);
}

Status compare(const RuntimeValue& found, const RuntimeValue& expected, const Tolerance& tolerance);

Status compare_tensors(const Tensor& found, const Tensor& expected, const Tolerance& tolerance) {
  if (found.dtype() != expected.dtype() || found.shape() != expected.shape())
    return Status::internal("is {}[{}], expected {}[{}]", to_string(found.dtype()),
                            to_string(found.shape()), to_string(expected.dtype()),
                            to_string(expected.shape()));
  if (identical(found, expected)) return Status::ok();
  if (found.dtype() == DType::kString)
    return Status::internal("is {}, expected {}", to_string(found), to_string(expected));
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<std::complex<double>> a, to_complexes(found));
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<std::complex<double>> b, to_complexes(expected));
  size_t wrong = 0, first = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    if (close_enough(a[i].real(), b[i].real(), tolerance) &&
        close_enough(a[i].imag(), b[i].imag(), tolerance))
      continue;
    if (wrong++ == 0) first = i;
  }
  if (wrong == 0) return Status::ok();
  return Status::internal("{} of {} elements differ; element {} is {}, expected {}", wrong,
                          a.size(), first, a[first].real(), b[first].real());
}

Status compare_sequences(const Sequence& found, const Sequence& expected,
                         const Tolerance& tolerance) {
  if (found.size() != expected.size())
    return Status::internal("has {} elements, expected {}", found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i)
    SHIPWAY_RETURN_IF_ERROR(
        compare(found[i], expected[i], tolerance).with_context("element {}", i));
  return Status::ok();
}

Status compare(const RuntimeValue& found, const RuntimeValue& expected,
               const Tolerance& tolerance) {
  if (found.tensor() && expected.tensor())
    return compare_tensors(*found.tensor(), *expected.tensor(), tolerance);
  if (found.sequence() && expected.sequence())
    return compare_sequences(*found.sequence(), *expected.sequence(), tolerance);
  if (found.is_absent() && expected.is_absent()) return Status::ok();
  return Status::internal("is {}, expected {}", to_string(found), to_string(expected));
}

/// An inferred type that the value itself contradicts is a mistake of inference.
Status check_type(const Type& type, const RuntimeValue& value, const DimTable& dims) {
  const Tensor* tensor = value.tensor();
  if (!tensor || !type.is_tensor()) return Status::ok();
  bool fits = type.dtype() == DType::kUndefined || type.dtype() == tensor->dtype();
  if (type.dims()) {
    fits = fits && type.dims()->size() == tensor->shape().size();
    for (size_t i = 0; fits && i < tensor->shape().size(); ++i) {
      const Dim dim = (*type.dims())[i];
      fits = !dim.is_constant() || dim.value() == tensor->dim(i);
    }
  }
  if (fits) return Status::ok();
  return Status::internal("is {}[{}], but inferred as {}", to_string(tensor->dtype()),
                          to_string(tensor->shape()), to_string(type, dims));
}

Status run_data_set(const Model& model, const fs::path& folder, const Tolerance& tolerance,
                    bool check_shapes) {
  ReferenceRunner runner(model, Registry::built_in());
  std::vector<std::pair<ValueId, RuntimeValue>> inputs;
  // Files of IR 3 and before list every initializer among the inputs; test data is for the others.
  std::vector<ValueId> formal;
  for (ValueId id : model.graph().inputs())
    if (!model.value(id).is_initializer()) formal.push_back(id);
  for (size_t i = 0; i < formal.size(); ++i) {
    const fs::path path = folder / ("input_" + std::to_string(i) + ".pb");
    if (!fs::exists(path)) break;
    SHIPWAY_ASSIGN_OR_RETURN(RuntimeValue value, read_file(path, model.value(formal[i]).type()));
    inputs.emplace_back(formal[i], std::move(value));
  }
  Status wrong_types;
  if (check_shapes)
    runner.set_observer([&](const Node& node, std::span<const RuntimeValue> outputs) {
      for (size_t i = 0; i < outputs.size(); ++i)
        if (wrong_types.is_ok() && node.output(i).is_valid())
          wrong_types = check_type(model.value(node.output(i)).type(), outputs[i], model.dims())
                            .with_context("{}: output {}", model.describe(node.id()), i);
    });
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<RuntimeValue> outputs, runner.run(inputs));
  SHIPWAY_RETURN_IF_ERROR(wrong_types);
  for (size_t i = 0; i < outputs.size(); ++i) {
    const fs::path path = folder / ("output_" + std::to_string(i) + ".pb");
    if (!fs::exists(path)) break;
    const Value& output = model.value(model.graph().outputs()[i]);
    SHIPWAY_ASSIGN_OR_RETURN(const RuntimeValue expected, read_file(path, output.type()));
    SHIPWAY_RETURN_IF_ERROR(
        compare(outputs[i], expected, tolerance)
            .with_context("{}: output '{}'", folder.filename().string(), output.name()));
  }
  return Status::ok();
}

Status run_test(const fs::path& folder, bool check_shapes) {
  SHIPWAY_ASSIGN_OR_RETURN(Model model, load_model((folder / "model.onnx").string()));
  SHIPWAY_RETURN_IF_ERROR(upgrade(model, Registry::built_in()));
  SHIPWAY_RETURN_IF_ERROR(
      infer_shapes(model, Registry::built_in()).with_context("inferring shapes"));
  const Tolerance tolerance = read_tolerance(folder);
  std::vector<fs::path> data_sets;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder))
    if (entry.path().filename().string().starts_with("test_data_set_"))
      data_sets.push_back(entry.path());
  std::sort(data_sets.begin(), data_sets.end());
  for (const fs::path& data_set : data_sets)
    SHIPWAY_RETURN_IF_ERROR(run_data_set(model, data_set, tolerance, check_shapes));
  return Status::ok();
}

int run_all(std::span<char*> arguments) {
  int passed = 0, failed = 0;
  bool quiet = false, check_shapes = false;
  for (std::string_view argument : arguments) {
    if (argument == "--quiet") {
      quiet = true;
    } else if (argument == "--shapes") {
      check_shapes = true;
    } else {
      const fs::path folder(argument);
      const Status status = run_test(folder, check_shapes);
      ++(status.is_ok() ? passed : failed);
      if (!status.is_ok() && !quiet)
        std::printf("FAIL %s: %s\n", folder.filename().c_str(), status.message().c_str());
    }
  }
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace shipway

int main(int argc, char** argv) {
  return shipway::run_all({argv + 1, static_cast<size_t>(argc - 1)});
}
