// What a value is made of, read backwards through arithmetic: so a rule knows a formula however an
// exporter ordered and bracketed it, and whichever constants it folded.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "graph/patch.h"
#include "passes/match.h"

namespace shipway {

/// factor * values... / divisors...
struct Product {
  double factor = 1;
  std::vector<ValueId> values, divisors;
};

/// offset + factor * value
struct Affine {
  double offset = 0, factor = 1;
  ValueId value;
};

/// The coefficients of 1, x, x^2 and x^3.
using Polynomial = std::array<double, 4>;

/// Reads the formula that `anchor` ends, and keeps account of the nodes that it consists of: those
/// of the anchor's graph that a reading went through. One Expression serves one attempt.
class Expression {
 public:
  Expression(const Model& model, const Node& anchor) : model_(model), anchor_(anchor) {}

  /// The node that makes the value when its operator is `op_type`; null otherwise.
  const Node* node(ValueId value, std::string_view op_type);
  /// The number that a constant of one element is.
  std::optional<double> number(ValueId value);
  /// The value through Mul, Div, Neg, Reciprocal and Pow by 1, 2 or 3. A value that anything
  /// outside the product reads is not taken apart.
  Product product(ValueId value);
  /// The value through sums and products with numbers.
  Affine affine(ValueId value);
  /// The value as a polynomial in x; nothing when it is none, or of a degree above 3.
  std::optional<Polynomial> polynomial(ValueId value, ValueId x);
  /// The v of sqrt(v) or v^0.5.
  ValueId square_root(ValueId value);
  /// The v of v * v or v^2 (also where the two are computed twice): both factors.
  std::optional<std::array<ValueId, 2>> square(ValueId value);

  /// True when nothing reads what the formula computes on the way, and its result has the shape of
  /// `x`: no number that was read has more axes.
  bool is_closed(ValueId x) const;
  /// Puts one node, made by `spec`, in the place of the formula; it makes output 0 of the anchor
  /// and takes its name.
  void replace_by(NodeSpec spec, Patch& patch) const;
  /// The same with a patch of its own.
  Patch replaced_by(NodeSpec spec) const;

 private:
  const Node* maker(ValueId value) const;
  void note(const Node& node);
  void multiply(ValueId value, bool divides, int depth, Product& product);
  std::optional<Polynomial> polynomial(ValueId value, ValueId x, int depth);

  const Model& model_;
  const Node& anchor_;
  std::vector<NodeId> nodes_;
  size_t rank_ = 0;  // the most axes of a number that was read
};

/// True when `found` is `expected` as far as constants of the dtype tell: exporters write
/// constants with few digits, or round them to the dtype and compute with them.
bool is_near(double found, double expected, DType dtype);

/// The number as an attribute, which is a float; nothing when that is too coarse for an operator
/// that computes in `dtype`.
std::optional<float> attribute_number(double number, DType dtype);

/// The element type of a value when it is one of the floats that arithmetic is defined for
/// (float16, bfloat16, float, double); kUndefined otherwise.
DType float_type(const Model& model, ValueId value);

}  // namespace shipway
