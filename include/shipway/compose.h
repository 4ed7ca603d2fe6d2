// Putting models together and taking them apart: merge, extract, prefix, rename,
// inlining. What the onnx package does in onnx.compose, onnx.utils and onnx.inliner.
//
// Functions that return a Model leave their arguments alone; tensors are shared, not copied. What a
// file says of its main graph beyond ONNX's graph itself (quantisation annotations, fields of later
// versions) may name values, and is not carried into a merged or extracted model.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shipway/model.h"

namespace shipway {

/// Pairs of an old and a new name, or of an output and the input that it becomes.
using NamePairs = std::vector<std::pair<std::string, std::string>>;

/// Which names get the prefix. A value that is several things gets it when one of them is asked
/// for.
struct PrefixOptions {
  bool nodes = true;
  bool edges = true;  // values that nodes make and the graph does not give out
  bool inputs = true;
  bool outputs = true;
  bool initializers = true;
  bool functions = true;  // the model's own, and the calls of them
};

/// The model with `prefix` before its names, in subgraphs too; empty names stay empty. Inside a
/// function's body names are its own and stay.
Result<Model> add_prefix(const Model& model, std::string_view prefix,
                         const PrefixOptions& options = {});

/// The model with values and nodes renamed, those in subgraphs too. Errors: an old name that
/// nothing has, a new one that something else has.
Result<Model> rename(const Model& model, const NamePairs& values, const NamePairs& nodes = {});

struct MergeOptions {
  /// Outputs of the first model, and the inputs of the second that they become.
  NamePairs connections;
  /// What the result takes and gives; empty: all that is not connected, the first model's before
  /// the second's. Names are those after prefixing; what is then not needed is left out.
  std::vector<std::string> inputs, outputs;
  std::string prefix1, prefix2;
  std::optional<std::string> name;  // of the graph; by default FIRST_SECOND
};

/// Both models as one. They must have the same IR version, agree on the opset of every domain both
/// import, and on metadata under one key. Errors name what clashes: values (a prefix helps),
/// functions, opsets, metadata; and connections that do not exist.
Result<Model> merge(const Model& first, const Model& second, const MergeOptions& options = {});

/// The part of the main graph that computes `outputs` from `inputs`, which may be any values whose
/// types are known (infer shapes first for those inside), with the initializers and functions it
/// needs. Errors name values that do not exist, inputs that are missing, values without a type.
Result<Model> extract(const Model& model, std::span<const std::string> inputs,
                      std::span<const std::string> outputs);

struct InlineOptions {
  /// Domain and name of the functions to inline, or (`exclude`) of those to leave.
  NamePairs functions;
  bool exclude = true;
};

/// The model with calls of its own functions replaced by their bodies, and without the functions
/// that nothing calls any more. A function stays when it imports another opset version of a domain
/// than the model does: its body would mean something else there. Errors: functions that call each
/// other in a circle, by name; more than two million nodes in the end, said before they are made.
Result<Model> inline_local_functions(const Model& model, const InlineOptions& options = {});

}  // namespace shipway
