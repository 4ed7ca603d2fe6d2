// Inputs and outputs of the command: files, pictures and random numbers to values and back.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/command_line.h"
#include "shipway/image.h"
#include "shipway/session.h"

namespace shipway::cli {

/// "NAME=VALUE" as a pair; NAME may be left out where the model has one input or output (`names`).
Result<std::pair<std::string, std::string>> split_assignment(const std::string& text,
                                                             std::span<const ValueInfo> names,
                                                             std::string_view option);
/// "1x3x224x224" as a Shape.
Result<Shape> parse_shape(const std::string& text);
/// The shape for an input: as given by --shape, as the model fixes it, dynamic sizes 1 (noted on
/// stderr unless quiet).
Result<Shape> shape_for(const ValueInfo& input, const std::map<std::string, Shape>& given,
                        const DimTable& dims, bool quiet);
Result<std::map<std::string, Shape>> parse_shapes(const std::vector<std::string>& texts,
                                                  std::span<const ValueInfo> inputs);

/// Random numbers that suit a dtype: floats of the normal distribution, integers 0 and 1, bools.
Result<Tensor> random_tensor(DType dtype, const Shape& shape, uint64_t seed);

/// A session of the model or plan file at `path`.
Result<std::unique_ptr<Session>> open_session(const std::string& path,
                                              const SessionOptions& options);

bool is_picture(const std::string& path);
/// A serialised TensorProto, SequenceProto, OptionalProto or MapProto, as `type` says.
Result<RuntimeValue> read_pb(const std::string& path, const Type& type);
/// A tensor file: .npy, .npz (its only array, or the one of the input's name), .pb.
Result<RuntimeValue> read_value(const std::string& path, const ValueInfo& input);
/// Can `path` be written at all (a known kind of file, in a folder that exists)? Asked before the
/// run.
Status check_target(const std::string& path);
Status write_value(const std::string& path, const std::string& name, const RuntimeValue& value);

}  // namespace shipway::cli
