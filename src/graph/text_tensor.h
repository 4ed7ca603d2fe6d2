// Tensors in the text form: "float[2,3] {1, 2, 3, 4, 5, 6}", "int64[3] fill 0", "float[8] seeded
// 1".
#pragma once

#include <functional>
#include <limits>
#include <optional>
#include <string>

#include "graph/text_scanner.h"
#include "shipway/tensor.h"

namespace shipway {

/// How much of a tensor is printed, and where the rest is.
struct ElementsOptions {
  int64_t max_elements = std::numeric_limits<int64_t>::max();
  /// The number under which the elements stand elsewhere; null, or nothing: they are printed.
  std::function<std::optional<int64_t>(const Tensor&)> store = {};
};

/// Appends "{1, 2.5, ...}": every element so that it reads back bit by bit (numbers whose bits no
/// decimal gives, such as NaN with a payload, as "0x7fc00001"). Elements past `max_elements` become
/// "...", which does not read back. "stored 3" for elements that stand elsewhere.
Status print_elements(const Tensor& tensor, const ElementsOptions& options, std::string& text);
/// The same after dtype and shape; "undefined" for no tensor.
Status print_tensor(const Tensor& tensor, const ElementsOptions& options, std::string& text);

/// What short forms (fill, seeded, iota) may still allocate, since a line of text asks for any
/// number of elements; and where stored ones come from.
struct TensorBudget {
  int64_t bytes_left = std::numeric_limits<int64_t>::max();
  std::function<Result<Tensor>(int64_t number, DType dtype, const Shape& shape)> stored = {};
};

/// True when elements come next: '{', or one of the words fill, seeded, iota, stored before a
/// number or alone.
bool elements_are_next(const Scanner& scanner);
/// Reads the elements of a tensor of this type:
///   {1, 2, 3}   one after the other, row-major; complex ones as (1, 2)
///   fill 0.5    all the same
///   iota        0, 1, 2, ...
///   seeded 7    the same numbers on every machine: floats uniform in [-1, 1) in steps of 2^-23,
///   signed integers
///               in [-8, 8), unsigned ones in [0, 16) (less where the dtype holds less), bools even
///               odds
///   stored 3    those that the budget's `stored` gives
Result<Tensor> parse_elements(Scanner& scanner, DType dtype, Shape shape, TensorBudget& budget);
/// Reads what print_tensor writes, with any of the forms above for the elements.
Result<Tensor> parse_tensor(Scanner& scanner, TensorBudget& budget);

}  // namespace shipway
