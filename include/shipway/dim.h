// Dim: one size of a shape, a number or an expression over symbols such as `H*3` or `(N + 1)//2`.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "shipway/inline_vector.h"

namespace shipway {

/// A number, an interned expression of one DimTable, or unknown. Two Dims of one table that are
/// equal are the same size for every value of the symbols; an unknown Dim is equal to nothing but
/// compares == to itself so that types can be compared (ask `is_known()` first).
class Dim {
 public:
  constexpr Dim() = default;  // unknown
  /// A number; the lowest 2^32 of int64, which no size reaches, become unknown.
  constexpr Dim(int64_t value) : raw_(value < kSmallestConstant ? kUnknown : value) {}
  static constexpr Dim unknown() { return {}; }
  static constexpr Dim expression(int32_t id) {
    Dim dim;
    dim.raw_ = kExpression + id;
    return dim;
  }

  constexpr bool is_unknown() const { return raw_ == kUnknown; }
  constexpr bool is_known() const { return raw_ != kUnknown; }
  constexpr bool is_constant() const { return raw_ >= kSmallestConstant; }
  constexpr bool is_expression() const { return is_known() && !is_constant(); }
  /// Only when is_constant().
  constexpr int64_t value() const { return raw_; }
  /// Only when is_expression(): the index in the table.
  constexpr int32_t id() const { return static_cast<int32_t>(raw_ - kExpression); }
  friend constexpr bool operator==(Dim, Dim) = default;

 private:
  // The lowest 2^32 numbers stand for expressions.
  static constexpr int64_t kUnknown = std::numeric_limits<int64_t>::min();
  static constexpr int64_t kExpression = kUnknown + 1;
  static constexpr int64_t kSmallestConstant = kUnknown + (int64_t{1} << 32);
  int64_t raw_ = kUnknown;
};

/// Bounds that a Dim keeps for every value of its symbols, both included.
struct DimRange {
  int64_t low = 0;
  int64_t high = std::numeric_limits<int64_t>::max();
  friend bool operator==(const DimRange&, const DimRange&) = default;
};

/// Owns the expressions of one Model. Sums of products are kept in one canonical order, so that
/// equal polynomials are one expression; floordiv, mod, min and max are atoms inside them. Unknown
/// operands, overflow and expressions that grow past a bound (64 terms, 16 levels) give an unknown
/// or a fresh symbol, never an error.
class DimTable {
 public:
  /// The symbol of this name; the same Dim for the same name. Sizes are >= 0.
  Dim symbol(std::string_view name);
  /// A symbol without a name in the source ("?0", "?1", ...): a size nothing is known about, equal
  /// to itself only.
  Dim fresh(DimRange range = {});
  /// Narrows what is known of a symbol; ignored for other Dims.
  void set_range(Dim symbol, DimRange range);

  Dim add(Dim a, Dim b);
  Dim sub(Dim a, Dim b);
  Dim mul(Dim a, Dim b);
  /// Rounds towards minus infinity, as Python's //. A divisor that is or may be zero gives an
  /// unknown.
  Dim floordiv(Dim a, Dim b);
  /// -((-a) // b)
  Dim ceildiv(Dim a, Dim b);
  /// a - b * (a // b)
  Dim mod(Dim a, Dim b);
  Dim min(Dim a, Dim b);
  Dim max(Dim a, Dim b);
  Dim product(std::span<const Dim> dims);

  DimRange range(Dim dim) const;
  bool is_symbol(Dim dim) const;
  /// The name of a symbol ("" for anything else); fresh ones have names that start with '?'.
  std::string_view symbol_name(Dim dim) const;
  bool is_fresh(Dim dim) const { return symbol_name(dim).starts_with('?'); }
  /// True when some symbol inside was made by fresh().
  bool mentions_fresh(Dim dim) const;
  /// The symbols inside, each once, in order of first creation.
  std::vector<Dim> symbols(Dim dim) const;
  /// "H*3 + 1", "(H + 1)//2", "N%4", "min(H, W)"; "?" for unknown.
  std::string to_string(Dim dim) const { return to_string(dim, nullptr); }
  /// The same with every symbol's name as `spell_name` writes it (for notations that quote odd
  /// names).
  std::string to_string(Dim dim, std::string (*spell_name)(std::string_view name)) const;
  /// The number that the Dim is when `value_of(symbol)` gives its symbols; nothing when one is
  /// missing, on overflow or division by zero.
  std::optional<int64_t> evaluate(Dim dim,
                                  const std::function<std::optional<int64_t>(Dim)>& value_of) const;
  /// The same expression over other Dims: every symbol for which `replacement` gives one is
  /// replaced.
  Dim substitute(Dim dim, const std::function<std::optional<Dim>(Dim)>& replacement);
  size_t size() const { return nodes_.size(); }

 private:
  enum class Kind : uint8_t { kSymbol, kPolynomial, kFloorDiv, kMod, kMin, kMax };
  using Monomial = InlineVector<int32_t, 2>;  // atoms (ids of nodes that are no polynomials),
                                              // sorted, repeated for powers
  struct Term {
    Monomial atoms;
    int64_t coefficient = 0;
    friend bool operator==(const Term&, const Term&) = default;
  };
  using Polynomial = std::vector<Term>;  // sorted by atoms; the constant has none and comes first;
                                         // no zero coefficients
  struct Node {
    Kind kind = Kind::kSymbol;
    int16_t depth = 0;
    Dim left, right;        // of the binary atoms
    std::string name;       // of symbols
    Polynomial polynomial;  // of polynomials
    DimRange range;
  };

  Polynomial polynomial_of(Dim dim) const;
  Dim intern(Polynomial polynomial);
  Dim intern_atom(Kind kind, Dim left, Dim right, DimRange range);
  Dim add_node(Node node, std::string key);
  DimRange range_of(const Polynomial& polynomial) const;
  int depth_of(Dim dim) const {
    return dim.is_expression() ? nodes_[static_cast<size_t>(dim.id())].depth : 0;
  }
  Dim atom(int32_t id) const { return Dim::expression(id); }
  using SpellName = std::string (*)(std::string_view);
  void print(Dim dim, int precedence, SpellName spell_name, std::string& text) const;

  std::vector<Node> nodes_;
  std::unordered_map<std::string, int32_t> interned_;
  int32_t next_fresh_ = 0;
};

}  // namespace shipway
