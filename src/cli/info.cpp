#include <algorithm>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/terminal.h"
#include "cli/values.h"
#include "graph/text.h"
#include "operators/body.h"
#include "operators/bound_to_hardware.h"
#include "operators/infer.h"
#include "operators/upgrade.h"
#include "shipway/formats.h"

namespace shipway::cli {
namespace {

/// Multiply-adds of the products and convolutions whose sizes are known; nothing when some are not.
std::optional<int64_t> count_macs(const Model& model) {
  double macs = 0;
  for (const Node& node : model.nodes()) {
    const bool conv = node.is("Conv") || node.is("ConvTranspose");
    if (!conv && !node.is("MatMul") && !node.is("Gemm")) continue;
    const auto shape_of = [&](ValueId id) {
      return id.is_valid() ? model.value(id).type().constant_shape() : std::nullopt;
    };
    const auto a = shape_of(node.input(0)), b = shape_of(node.input(1)),
               y = shape_of(node.output(0));
    if (!a || !b || !y || a->empty() || b->size() < 2) return std::nullopt;
    double count = 1;
    for (int64_t size : node.is("ConvTranspose") ? *a : *y) count *= static_cast<double>(size);
    if (conv) {
      for (size_t i = 1; i < b->size(); ++i) count *= static_cast<double>((*b)[i]);
    } else {
      const Attribute* transposed = node.attribute("transA");
      const int64_t* flag = transposed ? transposed->get<int64_t>() : nullptr;
      count *= static_cast<double>(flag && *flag ? (*a)[0] : a->back());
    }
    macs += count;
  }
  return static_cast<int64_t>(macs);
}

std::string describe_value(const Model& model, ValueId id) {
  return model.value(id).name() + ": " + to_string(model.value(id).type(), model.dims());
}

std::string bytes_text(int64_t bytes) { return human_bytes(static_cast<double>(bytes)); }

std::vector<std::string> memory_lines(const MemoryReport& memory) {
  const double ratio = static_cast<double>(memory.arena_bytes) /
                       static_cast<double>(std::max<int64_t>(memory.arena_lower_bound, 1));
  std::vector<std::string> lines = {
      bytes_text(memory.peak_bytes()) + " at most" +
          (memory.is_complete ? "" : ", and what follows sizes that only the run tells"),
      bytes_text(memory.weight_bytes) + " packed weights, " + bytes_text(memory.constant_bytes) +
          " other constants",
      bytes_text(memory.arena_bytes) + " arena" +
          (memory.arena_lower_bound > 0 ? " (" + fixed(ratio, 3) + " times the most alive at once)"
                                        : ""),
      bytes_text(memory.output_bytes) + " outputs, " + bytes_text(memory.scratch_bytes) +
          " scratch"};
  return lines;
}

}  // namespace

Status info(const InfoArguments& arguments) {
  SHIPWAY_ASSIGN_OR_RETURN(Model model, load_model(arguments.model));
  if (arguments.text) {
    print_line(print(model));
    return Status::ok();
  }
  nlohmann::json report = {
      {"model", arguments.model},
      {"format", model.dialect},
      {"ir_version", model.ir_version},
      {"producer",
       model.producer_name + (model.producer_version.empty() ? "" : " " + model.producer_version)},
      {"nodes", model.graph().node_count()}};
  std::vector<std::string> opsets;
  for (const auto& [domain, version] : model.opset_imports) {
    report["opsets"][domain.empty() ? "ai.onnx" : domain] = version;
    opsets.push_back((domain.empty() ? "ai.onnx" : domain) + " " + std::to_string(version));
  }
  std::map<std::string, int64_t> operators;
  std::map<std::string, std::string_view> bound;  // to one machine: the operator, and why
  for (size_t i = 0; i < model.node_count(); ++i) {
    const Node& node = model.node(NodeId{static_cast<int32_t>(i)});
    if (node.is_removed()) continue;
    const std::string name = (node.domain().empty() ? "" : node.domain() + ".") + node.op_type();
    ++operators[name];
    if (const std::string_view why = why_bound_to_hardware(node.domain(), node.op_type());
        !why.empty())
      bound[name] = why;
  }
  int64_t parameters = 0, bytes = 0;
  for (ValueId id : model.graph().initializers()) {
    const Constant& constant = *model.value(id).constant();
    const Tensor& tensor = constant.sparse ? constant.sparse->values : constant.tensor;
    parameters += tensor.element_count();
    bytes += tensor.byte_size();
  }
  report["operators"] = operators;
  if (!bound.empty()) report["bound_to_hardware"] = bound;
  report["parameters"] = parameters;
  report["parameter_bytes"] = bytes;
  std::vector<std::string> inputs, outputs;
  for (ValueId id : model.graph().inputs())
    if (!model.value(id).is_initializer()) inputs.push_back(describe_value(model, id));
  for (ValueId id : model.graph().outputs()) outputs.push_back(describe_value(model, id));
  report["inputs"] = inputs;
  report["outputs"] = outputs;

  // Multiply-adds need sizes: those of the file, with --shape where they are dynamic.
  std::optional<int64_t> macs;
  Model copy = model;
  std::vector<ValueInfo> infos;
  for (ValueId id : model.graph().inputs())
    infos.push_back({model.value(id).name(), model.value(id).type(), false});
  SHIPWAY_ASSIGN_OR_RETURN(const auto shapes, parse_shapes(arguments.shapes, infos));
  std::vector<std::pair<ValueId, Type>> types;
  for (ValueId id : model.graph().inputs()) {
    const auto found = shapes.find(model.value(id).name());
    if (found == shapes.end()) continue;
    Dims dims;
    for (int64_t size : found->second) dims.push_back(size);
    types.emplace_back(id, Type::tensor(model.value(id).type().dtype(), std::move(dims)));
  }
  const bool is_upgraded = upgrade(copy, Registry::built_in()).is_ok();
  // What cannot be expanded counts as nothing.
  if (is_upgraded) static_cast<void>(expand_bodies(copy, Registry::built_in()));
  if (is_upgraded && infer_shapes_for(copy, Registry::built_in(), types, {.strict = false}).is_ok())
    macs = count_macs(copy);
  if (macs) report["macs"] = *macs;

  std::optional<MemoryReport> memory;
  if (arguments.memory) {
    SessionOptions unlimited;  // what it needs is told whatever SHIPWAY_MAX_MEMORY allows
    unlimited.max_memory = std::numeric_limits<int64_t>::max();
    SHIPWAY_ASSIGN_OR_RETURN(const std::unique_ptr<Session> session,
                             Session::create(model, unlimited));
    std::vector<Shape> wanted;
    for (const ValueInfo& input : session->inputs()) {
      SHIPWAY_ASSIGN_OR_RETURN(Shape shape,
                               shape_for(input, shapes, session->dims(), arguments.common.quiet));
      wanted.push_back(std::move(shape));
    }
    SHIPWAY_ASSIGN_OR_RETURN(memory, session->memory(wanted));
    report["memory"] = {{"peak", memory->peak_bytes()},
                        {"weights", memory->weight_bytes},
                        {"constants", memory->constant_bytes},
                        {"arena", memory->arena_bytes},
                        {"arena_lower_bound", memory->arena_lower_bound},
                        {"outputs", memory->output_bytes},
                        {"scratch", memory->scratch_bytes},
                        {"complete", memory->is_complete}};
    for (size_t i = 0; i < wanted.size(); ++i)
      report["memory"]["shapes"][session->inputs()[i].name] =
          std::vector<int64_t>(wanted[i].begin(), wanted[i].end());
  }
  if (arguments.common.json) {
    print_line(report.dump());
    return Status::ok();
  }
  const auto list = [](const std::string& title, const std::vector<std::string>& lines) {
    for (size_t i = 0; i < lines.size(); ++i)
      print_line((i == 0 ? title : std::string(title.size(), ' ')) + lines[i]);
  };
  print_line("model       " + arguments.model + " (" + model.dialect + ", IR " +
             std::to_string(model.ir_version) + ")");
  if (!model.producer_name.empty())
    print_line("producer    " + report["producer"].get<std::string>());
  list("opsets      ", opsets);
  list("inputs      ", inputs);
  list("outputs     ", outputs);
  print_line("parameters  " + std::to_string(parameters) + " (" +
             human_bytes(static_cast<double>(bytes)) + ")");
  print_line("MACs        " +
             (macs ? std::to_string(*macs) : "depend on sizes (give them by --shape)"));
  std::vector<std::pair<int64_t, std::string>> sorted;
  for (const auto& [name, count] : operators) sorted.emplace_back(-count, name);
  std::sort(sorted.begin(), sorted.end());
  std::vector<std::string> lines;
  for (const auto& [count, name] : sorted) lines.push_back(std::to_string(-count) + " " + name);
  list("operators   ", lines);
  lines.clear();
  for (const auto& [name, why] : bound) lines.push_back(name + ": " + std::string(why));
  list("cannot run  ", lines);
  if (memory) list("memory      ", memory_lines(*memory));
  return Status::ok();
}

}  // namespace shipway::cli
