// Plan files: a model made ready for an instruction set, to be mapped and run.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "shipway/model.h"
#include "shipway/status.h"

namespace shipway {

class Registry;

struct CompileOptions {
  /// 0: the graph as it is; 1 and more: optimised first (see shipway/optimizer.h).
  int level = 3;
  /// Operators to look nodes up in; null: the built-in ones. Who opens the file must bring them
  /// too.
  const Registry* registry = nullptr;
  /// "sse4", "avx2" or "avx512"; empty: what this process uses (see SHIPWAY_ISA).
  std::string isa;
  /// Shapes that these inputs will always have. Other inputs keep the sizes that the model leaves
  /// open.
  std::vector<std::pair<std::string, Shape>> shapes;
};

/// Optimises and lowers `model`, packs its weights and writes all of it to `path`, for
/// Session::open. The same model and options give the same bytes. docs/plan-files.md tells what is
/// in the file, how it is checked, and who can open it. Errors as from Session::create; an unknown
/// input or instruction set, or a shape that contradicts the model, is named.
Status compile(Model model, const std::string& path, const CompileOptions& options = {});

/// True when the bytes begin as a plan file does.
bool is_plan(std::span<const std::byte> bytes);
/// The same for the file at `path`; false when it cannot be read.
bool is_plan_file(const std::string& path);

}  // namespace shipway
