#include <chrono>
#include <map>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/interrupt.h"
#include "cli/profile.h"
#include "cli/terminal.h"
#include "cli/values.h"
#include "shipway/formats.h"
#include "shipway/restorer.h"

namespace shipway::cli {
namespace {

FloatOptions float_options(const RunArguments& arguments, int64_t channels = 3) {
  FloatOptions options;
  options.range = arguments.range == "0..1" ? ValueRange::k0To1 : ValueRange::k0To255;
  options.channels = channels;
  options.order = arguments.order == "bgr" ? ChannelOrder::kBgr : ChannelOrder::kRgb;
  options.mean.assign(arguments.mean.begin(), arguments.mean.end());
  options.std.assign(arguments.std.begin(), arguments.std.end());
  return options;
}

/// Channels that the model wants of a picture: 1 or 3.
int64_t wanted_channels(const ValueInfo& input) {
  const Dims* dims = input.type.dims();
  return dims && dims->size() == 4 && (*dims)[1] == Dim(1) ? 1 : 3;
}

Result<Image> load_picture(const std::string& path, const ValueInfo& input,
                           const RunArguments& arguments) {
  SHIPWAY_ASSIGN_OR_RETURN(Image image, read_image(path));
  if (!arguments.resize.empty()) {
    SHIPWAY_ASSIGN_OR_RETURN(const Shape size, parse_shape(arguments.resize));
    if (size.size() != 2)
      return Status::invalid_argument("--resize {}: expected WIDTHxHEIGHT", arguments.resize);
    SHIPWAY_ASSIGN_OR_RETURN(image, resize(image, size[0], size[1]));
  }
  const int64_t channels = wanted_channels(input);
  print_note("input " + quoted(input.name) + ": " + path + ", " + std::to_string(image.width) +
                 " x " + std::to_string(image.height) + ", as float " + arguments.range + " " +
                 (channels == 1 ? "grey" : arguments.order) + " [1," + std::to_string(channels) +
                 "," + std::to_string(image.height) + "," + std::to_string(image.width) + "]" +
                 (image.has_alpha() ? "; alpha does not go into the model" : ""),
             arguments.common.quiet);
  return image;
}

/// Picture in, picture out: of any size, grey and alpha kept.
Status run_restorer(const RunArguments& arguments, const Session& session, const std::string& from,
                    const std::string& to) {
  SHIPWAY_ASSIGN_OR_RETURN(const Image image, load_picture(from, session.inputs()[0], arguments));
  const FloatOptions floats = float_options(arguments);
  std::vector<StepProfile> steps;
  RestoreOptions options;
  options.tile = arguments.tile;
  options.range = floats.range;
  options.order = floats.order;
  options.mean = floats.mean;
  options.std = floats.std;
  options.run.cancelled = interrupted();
  if (!arguments.profile.empty()) options.run.profile = &steps;
  const auto start = std::chrono::steady_clock::now();
  std::optional<Progress> progress;
  options.on_progress = [&](int64_t done, int64_t total) {
    if (!progress) progress.emplace("tiles", total, arguments.common.quiet);
    progress->advance(done);
  };
  RestoreReport report;
  SHIPWAY_ASSIGN_OR_RETURN(Image result, restore(session, image, options, &report));
  progress.reset();
  if (!report.whole_because.empty())
    print_note("note: computed in one piece, since tiles would differ: " + report.whole_because,
               arguments.common.quiet);
  const double ms =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  if (!arguments.profile.empty()) SHIPWAY_RETURN_IF_ERROR(write_trace(arguments.profile, steps));
  const auto format = image_format_from_name(to);
  if (result.has_alpha() && (format == ImageFormat::kJpeg || format == ImageFormat::kPnm)) {
    print_note("note: " + to + " cannot hold the input's alpha; it is left out",
               arguments.common.quiet);
    SHIPWAY_ASSIGN_OR_RETURN(result, drop_alpha(result));
  }
  if (result.depth() == SampleDepth::k16 && format != ImageFormat::kPng &&
      format != ImageFormat::kPnm) {
    SHIPWAY_ASSIGN_OR_RETURN(result, to_depth(result, SampleDepth::k8));
  }
  SHIPWAY_RETURN_IF_ERROR(
      write_image(to, result).with_context("writing output {}", quoted(session.outputs()[0].name)));
  if (arguments.common.json) {
    print_line(nlohmann::json{{"milliseconds", ms},
                              {"tiles", report.tiles},
                              {"outputs",
                               {{{"name", session.outputs()[0].name},
                                 {"file", to},
                                 {"width", result.width},
                                 {"height", result.height}}}}}
                   .dump());
    return Status::ok();
  }
  print_line(session.outputs()[0].name + ": " + std::to_string(result.width) + " x " +
             std::to_string(result.height) + " written to " + to);
  print_note(
      "ran in " + fixed(ms, 1) + " ms" +
          (report.tiles > 1 ? ", " + std::to_string(report.tiles) + " tiles with " +
                                  std::to_string(report.locality.halo) + " pixels around each"
                            : ""),
      arguments.common.quiet);
  return Status::ok();
}

}  // namespace

Status run(const RunArguments& arguments) {
  const bool quiet = arguments.common.quiet;
  if (arguments.precision != "fp32")
    return Status::unsupported("--precision {}: only fp32 runs yet", arguments.precision);
  SessionOptions options;
  options.threads = arguments.threads;
  options.reference = arguments.reference;
  SHIPWAY_ASSIGN_OR_RETURN(const std::unique_ptr<Session> session,
                           open_session(arguments.model, options));

  SHIPWAY_ASSIGN_OR_RETURN(const auto shapes, parse_shapes(arguments.shapes, session->inputs()));
  std::map<std::string, std::string> files;
  for (const std::string& text : arguments.inputs) {
    SHIPWAY_ASSIGN_OR_RETURN(auto assignment, split_assignment(text, session->inputs(), "--input"));
    if (!files.insert(assignment).second)
      return Status::invalid_argument("--input: {} is given twice", quoted(assignment.first));
  }
  std::map<std::string, std::string> targets;
  for (const std::string& text : arguments.outputs) {
    SHIPWAY_ASSIGN_OR_RETURN(auto assignment,
                             split_assignment(text, session->outputs(), "--output"));
    SHIPWAY_RETURN_IF_ERROR(
        check_target(assignment.second).with_context("output {}", quoted(assignment.first)));
    if (!targets.insert(assignment).second)
      return Status::invalid_argument("--output: {} is given twice", quoted(assignment.first));
  }
  const GracefulStop stop;
  if (session->inputs().size() == 1 && session->outputs().size() == 1 && files.size() == 1 &&
      targets.size() == 1 && is_picture(files.begin()->second) &&
      is_picture(targets.begin()->second))
    return run_restorer(arguments, *session, files.begin()->second, targets.begin()->second);

  std::vector<NamedValue> inputs;
  for (const ValueInfo& input : session->inputs()) {
    const auto file = files.find(input.name);
    RuntimeValue value;
    if (file == files.end()) {
      if (input.optional || input.type.kind() == TypeKind::kOptional) continue;
      return Status::invalid_argument(
          "input {} ({}) is missing: --input {}=FILE or --input {}=random", quoted(input.name),
          to_string(input.type, session->dims()), input.name, input.name);
    }
    if (file->second == "random") {
      SHIPWAY_ASSIGN_OR_RETURN(const Shape shape, shape_for(input, shapes, session->dims(), quiet));
      SHIPWAY_ASSIGN_OR_RETURN(
          value, random_tensor(input.type.dtype(), shape, arguments.seed + inputs.size()));
    } else if (is_picture(file->second)) {
      SHIPWAY_ASSIGN_OR_RETURN(const Image image, load_picture(file->second, input, arguments));
      SHIPWAY_ASSIGN_OR_RETURN(
          Tensor tensor, image_to_tensor(image, float_options(arguments, wanted_channels(input))));
      value = std::move(tensor);
    } else {
      SHIPWAY_ASSIGN_OR_RETURN(value, read_value(file->second, input));
    }
    inputs.emplace_back(input.name, std::move(value));
  }

  std::vector<StepProfile> steps;
  RunOptions run_options;
  run_options.cancelled = interrupted();
  if (!arguments.profile.empty()) run_options.profile = &steps;
  const auto start = std::chrono::steady_clock::now();
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<RuntimeValue> outputs,
                           session->run(inputs, {}, run_options));
  const double ms =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  if (!arguments.profile.empty()) SHIPWAY_RETURN_IF_ERROR(write_trace(arguments.profile, steps));

  nlohmann::json report = {{"milliseconds", ms}};
  for (size_t i = 0; i < outputs.size(); ++i) {
    const std::string& name = session->outputs()[i].name;
    const auto target = targets.find(name);
    const Tensor* tensor = outputs[i].tensor();
    if (target != targets.end()) {
      Status written;
      if (!is_picture(target->second)) {
        written = write_value(target->second, name, outputs[i]);
      } else if (!tensor) {
        written = Status::invalid_argument("it is {}, no picture", to_string(outputs[i]));
      } else {
        SHIPWAY_ASSIGN_OR_RETURN(const Image image,
                                 tensor_to_image(*tensor, float_options(arguments)));
        written = write_image(target->second, image);
      }
      SHIPWAY_RETURN_IF_ERROR(
          written.with_context("writing output {} to {}", quoted(name), quoted(target->second)));
    }
    nlohmann::json entry = {{"name", name}};
    if (tensor) {
      entry["dtype"] = std::string(to_string(tensor->dtype()));
      entry["shape"] = std::vector<int64_t>(tensor->shape().begin(), tensor->shape().end());
    }
    if (target != targets.end()) entry["file"] = target->second;
    report["outputs"].push_back(std::move(entry));
    if (!arguments.common.json)
      print_line(name + ": " +
                 (target == targets.end() ? to_string(outputs[i])
                  : tensor                ? std::string(to_string(tensor->dtype())) + "[" +
                                 to_string(tensor->shape()) + "] written to " + target->second
                           : to_string(outputs[i]) + " written to " + target->second));
  }
  if (arguments.common.json) print_line(report.dump());
  print_note("ran in " + fixed(ms, 1) + " ms", quiet || arguments.common.json);
  return Status::ok();
}

}  // namespace shipway::cli
