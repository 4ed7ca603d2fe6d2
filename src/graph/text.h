// The text form of a Model: everything it holds, written so that people read it and parse() reads
// it back.
//
//   opset 17
//   graph main (x: float[N,3,H,W]) -> (y: float[N,8,H,W]) {
//     w: float[8,3,3,3] = seeded 1
//     c: float[N,8,H,W] = Conv[kernel_shape=[3, 3], pads=[1, 1, 1, 1]](x, w) @conv1
//     y = Relu(c)
//   }
//
// docs/text-form.md has the grammar.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "shipway/model.h"

namespace shipway {

struct PrintOptions {
  /// Elements shown per tensor; a text that leaves some out ("...") does not parse.
  int64_t max_elements = std::numeric_limits<int64_t>::max();
  bool node_names = true;  // "@conv1" after a node
  bool value_types =
      true;  // types of values that nodes make (graph inputs and outputs always have theirs)
  bool sources = true;      // "from [...]" after a node that stands for others (Model::source)
  bool annotations = true;  // "!{doc=...}"
  /// Tensors whose elements the caller keeps elsewhere, under a number: printed as "stored 3".
  std::function<std::optional<int64_t>(const Tensor&)> store = {};

  /// What a person wants on a screen: the first few elements, no annotations.
  static PrintOptions brief() {
    return {.max_elements = 8, .sources = false, .annotations = false};
  }
};

/// The whole model. With default options `parse(print(model))` is an equal model (graph/equal.h)
/// whenever verify() accepts it. `model.path` is not printed. Linear in the model's size.
std::string print(const Model& model, const PrintOptions& options = {});
/// One node as its line, without indentation or line break (subgraphs on lines of their own): for
/// logs and errors.
std::string print_node(const Model& model, NodeId node,
                       const PrintOptions& options = PrintOptions::brief());

struct ParseOptions {
  /// Memory that `fill`, `seeded` and `iota` may take together: a few bytes of text ask for any
  /// amount.
  int64_t max_generated_bytes = int64_t{1} << 30;
  /// Gives the tensor of this dtype and shape that stands elsewhere under a number ("stored 3");
  /// without it such a text does not parse.
  std::function<Result<Tensor>(int64_t number, DType dtype, const Shape& shape)> stored = {};
};

/// Reads the text form. Errors say line and column, what was found and what was expected. Subgraphs
/// may be nested 100 deep. Values must be made before they are used.
Result<Model> parse(std::string_view text, const ParseOptions& options = {});

}  // namespace shipway
