#include "shipway/dim.h"

#include <algorithm>
#include <cstring>

namespace shipway {
namespace {

// Past these an expression helps nobody; the bounds also keep every walk over one shallow.
constexpr size_t kMaxTerms = 64;
constexpr size_t kMaxAtoms = 16;
constexpr int kMaxDepth = 16;

constexpr int64_t kLowest = std::numeric_limits<int64_t>::min();
constexpr int64_t kHighest = std::numeric_limits<int64_t>::max();

int64_t saturating_add(int64_t a, int64_t b) {
  int64_t sum;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return a > 0 ? kHighest : kLowest;
}

/// Bounds at the ends of int64 mean "unbounded" and stay so.
int64_t saturating_mul(int64_t a, int64_t b) {
  int64_t product;
  if (!__builtin_mul_overflow(a, b, &product)) return product;
  return (a > 0) == (b > 0) ? kHighest : kLowest;
}

DimRange multiply(DimRange a, DimRange b) {
  const int64_t ends[] = {saturating_mul(a.low, b.low), saturating_mul(a.low, b.high),
                          saturating_mul(a.high, b.low), saturating_mul(a.high, b.high)};
  return {*std::min_element(std::begin(ends), std::end(ends)),
          *std::max_element(std::begin(ends), std::end(ends))};
}

int64_t floor_divide(int64_t a, int64_t b) {
  const int64_t quotient = a / b;
  return quotient - (a % b != 0 && (a < 0) != (b < 0));
}

void append_number(std::string& key, int64_t number) {
  char bytes[sizeof number];
  std::memcpy(bytes, &number, sizeof number);
  key.append(bytes, sizeof number);
}

bool before(std::span<const int32_t> a, std::span<const int32_t> b) {
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end());
}

}  // namespace

Dim DimTable::add_node(Node node, std::string key) {
  const auto id = static_cast<int32_t>(nodes_.size());
  nodes_.push_back(std::move(node));
  interned_.emplace(std::move(key), id);
  return Dim::expression(id);
}

Dim DimTable::symbol(std::string_view name) {
  std::string key = "s";
  key += name;
  if (const auto found = interned_.find(key); found != interned_.end())
    return Dim::expression(found->second);
  Node node;
  node.name = name;
  return add_node(std::move(node), std::move(key));
}

Dim DimTable::fresh(DimRange range) {
  if (range.low == range.high) return range.low;
  std::string name;
  do {
    name = "?" + std::to_string(next_fresh_++);
  } while (interned_.contains("s" + name));  // a file may use such names for its own
  const Dim dim = symbol(name);
  nodes_[static_cast<size_t>(dim.id())].range = range;
  return dim;
}

void DimTable::set_range(Dim dim, DimRange range) {
  if (is_symbol(dim)) nodes_[static_cast<size_t>(dim.id())].range = range;
}

DimTable::Polynomial DimTable::polynomial_of(Dim dim) const {
  if (dim.is_constant()) return dim.value() == 0 ? Polynomial{} : Polynomial{{{}, dim.value()}};
  const Node& node = nodes_[static_cast<size_t>(dim.id())];
  if (node.kind == Kind::kPolynomial) return node.polynomial;
  return {{Monomial{dim.id()}, 1}};
}

DimRange DimTable::range_of(const Polynomial& polynomial) const {
  DimRange sum{0, 0};
  for (const Term& term : polynomial) {
    DimRange product{term.coefficient, term.coefficient};
    for (int32_t id : term.atoms)
      product = multiply(product, nodes_[static_cast<size_t>(id)].range);
    sum = {saturating_add(sum.low, product.low), saturating_add(sum.high, product.high)};
  }
  return sum;
}

Dim DimTable::intern(Polynomial polynomial) {
  std::erase_if(polynomial, [](const Term& term) { return term.coefficient == 0; });
  if (polynomial.empty()) return 0;
  if (polynomial.size() == 1 && polynomial[0].atoms.empty()) return polynomial[0].coefficient;
  if (polynomial.size() == 1 && polynomial[0].atoms.size() == 1 && polynomial[0].coefficient == 1)
    return atom(polynomial[0].atoms[0]);
  std::string key = "p";
  int depth = 0;
  size_t atoms = 0;
  for (const Term& term : polynomial) {
    append_number(key, term.coefficient);
    append_number(key, static_cast<int64_t>(term.atoms.size()));
    for (int32_t id : term.atoms) {
      append_number(key, id);
      depth = std::max(depth, int{nodes_[static_cast<size_t>(id)].depth});
    }
    atoms = std::max(atoms, term.atoms.size());
  }
  if (const auto found = interned_.find(key); found != interned_.end())
    return Dim::expression(found->second);
  const DimRange range = range_of(polynomial);
  if (polynomial.size() > kMaxTerms || atoms > kMaxAtoms) return fresh(range);
  Node node;
  node.kind = Kind::kPolynomial;
  node.depth = static_cast<int16_t>(depth + 1);
  node.polynomial = std::move(polynomial);
  node.range = range;
  return add_node(std::move(node), std::move(key));
}

Dim DimTable::intern_atom(Kind kind, Dim left, Dim right, DimRange range) {
  if (range.low == range.high) return range.low;
  std::string key = "a";
  key += static_cast<char>('0' + static_cast<int>(kind));
  for (Dim dim : {left, right}) {
    key += dim.is_constant() ? 'c' : 'e';
    append_number(key, dim.is_constant() ? dim.value() : dim.id());
  }
  if (const auto found = interned_.find(key); found != interned_.end())
    return Dim::expression(found->second);
  const int depth = std::max(depth_of(left), depth_of(right)) + 1;
  if (depth > kMaxDepth) return fresh(range);
  Node node;
  node.kind = kind;
  node.depth = static_cast<int16_t>(depth);
  node.left = left;
  node.right = right;
  node.range = range;
  return add_node(std::move(node), std::move(key));
}

Dim DimTable::add(Dim a, Dim b) {
  if (a.is_unknown() || b.is_unknown()) return {};
  const Polynomial p = polynomial_of(a), q = polynomial_of(b);
  Polynomial sum;
  for (size_t i = 0, j = 0; i < p.size() || j < q.size();) {
    if (j == q.size() || (i < p.size() && before(p[i].atoms, q[j].atoms))) {
      sum.push_back(p[i++]);
    } else if (i == p.size() || before(q[j].atoms, p[i].atoms)) {
      sum.push_back(q[j++]);
    } else {
      Term term = p[i++];
      if (__builtin_add_overflow(term.coefficient, q[j++].coefficient, &term.coefficient))
        return {};
      sum.push_back(std::move(term));
    }
  }
  return intern(std::move(sum));
}

Dim DimTable::sub(Dim a, Dim b) { return add(a, mul(b, -1)); }

Dim DimTable::mul(Dim a, Dim b) {
  if (a == Dim(0) || b == Dim(0)) return 0;
  if (a.is_unknown() || b.is_unknown()) return {};
  const Polynomial p = polynomial_of(a), q = polynomial_of(b);
  if (p.size() * q.size() > kMaxTerms * kMaxTerms) return fresh(multiply(range(a), range(b)));
  Polynomial product;
  product.reserve(p.size() * q.size());
  for (const Term& s : p) {
    for (const Term& t : q) {
      Term term;
      if (__builtin_mul_overflow(s.coefficient, t.coefficient, &term.coefficient)) return {};
      std::merge(s.atoms.begin(), s.atoms.end(), t.atoms.begin(), t.atoms.end(),
                 std::back_inserter(term.atoms));
      product.push_back(std::move(term));
    }
  }
  std::stable_sort(product.begin(), product.end(),
                   [](const Term& s, const Term& t) { return before(s.atoms, t.atoms); });
  Polynomial merged;
  for (Term& term : product) {
    if (!merged.empty() && merged.back().atoms == term.atoms) {
      if (__builtin_add_overflow(merged.back().coefficient, term.coefficient,
                                 &merged.back().coefficient))
        return {};
    } else {
      merged.push_back(std::move(term));
    }
  }
  return intern(std::move(merged));
}

Dim DimTable::floordiv(Dim a, Dim b) {
  if (a.is_unknown() || b.is_unknown() || b == Dim(0)) return {};
  if (a.is_constant() && b.is_constant()) {
    if (b.value() == -1) return mul(a, -1);
    return floor_divide(a.value(), b.value());
  }
  const DimRange divisor = range(b);
  // Symbols are sizes: one that is zero makes 0//0, for which no answer is wrong, so a divisor
  // known to be >= 0 counts as positive.
  if (divisor.low < 0) return {};
  if (a == b) return 1;

  // Terms that the divisor divides leave the division: (q*x + r)//q = x + r//q.
  const Polynomial q = polynomial_of(b);
  Polynomial quotient, rest;
  for (const Term& term : polynomial_of(a)) {
    if (q.size() == 1 && term.coefficient % q[0].coefficient == 0 &&
        std::includes(term.atoms.begin(), term.atoms.end(), q[0].atoms.begin(), q[0].atoms.end())) {
      Term divided;
      divided.coefficient = term.coefficient / q[0].coefficient;
      std::set_difference(term.atoms.begin(), term.atoms.end(), q[0].atoms.begin(),
                          q[0].atoms.end(), std::back_inserter(divided.atoms));
      quotient.push_back(std::move(divided));
    } else {
      rest.push_back(term);
    }
  }
  std::stable_sort(quotient.begin(), quotient.end(),
                   [](const Term& s, const Term& t) { return before(s.atoms, t.atoms); });
  const Dim whole = intern(std::move(quotient));
  const Dim remainder = intern(std::move(rest));
  const DimRange left = range(remainder);
  if (left.low >= 0 && left.high < std::max<int64_t>(divisor.low, 1)) return whole;
  if (remainder.is_constant() && b.is_constant())
    return add(whole, floor_divide(remainder.value(), b.value()));
  // (x//m)//n = x//(m*n) for positive numbers.
  if (remainder.is_expression() && b.is_constant()) {
    const Node node = nodes_[static_cast<size_t>(remainder.id())];
    if (node.kind == Kind::kFloorDiv && node.right.is_constant())
      return add(whole, floordiv(node.left, mul(node.right, b)));
  }
  const int64_t least = std::max<int64_t>(divisor.low, 1);
  const int64_t most = std::max<int64_t>(divisor.high, 1);
  DimRange bounds;
  bounds.low = left.low >= 0 ? floor_divide(left.low, most) : floor_divide(left.low, least);
  bounds.high = left.high == kHighest ? kHighest
                                      : (left.high >= 0 ? floor_divide(left.high, least)
                                                        : floor_divide(left.high, most));
  return add(whole, intern_atom(Kind::kFloorDiv, remainder, b, bounds));
}

Dim DimTable::ceildiv(Dim a, Dim b) { return mul(floordiv(mul(a, -1), b), -1); }

Dim DimTable::mod(Dim a, Dim b) {
  if (a.is_unknown() || b.is_unknown() || b == Dim(0)) return {};
  if (a.is_constant() && b.is_constant()) {
    if (b.value() == -1) return 0;
    return a.value() - b.value() * floor_divide(a.value(), b.value());
  }
  const DimRange divisor = range(b), value = range(a);
  if (divisor.low < 0) return {};
  if (a == b) return 0;
  if (value.low >= 0 && value.high < std::max<int64_t>(divisor.low, 1)) return a;
  if (b.is_constant()) {  // terms that the divisor divides do not count
    Polynomial rest = polynomial_of(a);
    std::erase_if(rest, [&](const Term& term) { return term.coefficient % b.value() == 0; });
    const Dim remainder = intern(std::move(rest));
    if (!(remainder == a)) return mod(remainder, b);
  }
  const int64_t most = divisor.high == kHighest ? kHighest : std::max<int64_t>(divisor.high - 1, 0);
  return intern_atom(Kind::kMod, a, b, {0, value.low >= 0 ? std::min(most, value.high) : most});
}

Dim DimTable::min(Dim a, Dim b) {
  if (a.is_unknown() || b.is_unknown()) return {};
  if (a == b) return a;
  const DimRange gap = range(sub(a, b));
  if (gap.high <= 0) return a;
  if (gap.low >= 0) return b;
  if (a.is_constant() || (a.is_expression() && b.is_expression() && b.id() < a.id()))
    std::swap(a, b);
  const DimRange r = range(a), s = range(b);
  return intern_atom(Kind::kMin, a, b, {std::min(r.low, s.low), std::min(r.high, s.high)});
}

Dim DimTable::max(Dim a, Dim b) {
  if (a.is_unknown() || b.is_unknown()) return {};
  if (a == b) return a;
  const DimRange gap = range(sub(a, b));
  if (gap.low >= 0) return a;
  if (gap.high <= 0) return b;
  if (a.is_constant() || (a.is_expression() && b.is_expression() && b.id() < a.id()))
    std::swap(a, b);
  const DimRange r = range(a), s = range(b);
  return intern_atom(Kind::kMax, a, b, {std::max(r.low, s.low), std::max(r.high, s.high)});
}

Dim DimTable::product(std::span<const Dim> dims) {
  Dim result = 1;
  for (Dim dim : dims) {
    if (dim == Dim(0)) return 0;
    result = mul(result, dim);
  }
  return result;
}

DimRange DimTable::range(Dim dim) const {
  if (dim.is_constant()) return {dim.value(), dim.value()};
  if (dim.is_unknown()) return {kLowest, kHighest};
  return nodes_[static_cast<size_t>(dim.id())].range;
}

bool DimTable::is_symbol(Dim dim) const {
  return dim.is_expression() && nodes_[static_cast<size_t>(dim.id())].kind == Kind::kSymbol;
}

std::string_view DimTable::symbol_name(Dim dim) const {
  return is_symbol(dim) ? std::string_view(nodes_[static_cast<size_t>(dim.id())].name)
                        : std::string_view();
}

std::vector<Dim> DimTable::symbols(Dim dim) const {
  std::vector<int32_t> found, pending;
  std::vector<int32_t> seen;
  const auto visit = [&](Dim d) {
    if (d.is_expression()) pending.push_back(d.id());
  };
  visit(dim);
  while (!pending.empty()) {
    const int32_t id = pending.back();
    pending.pop_back();
    if (std::find(seen.begin(), seen.end(), id) != seen.end()) continue;
    seen.push_back(id);
    const Node& node = nodes_[static_cast<size_t>(id)];
    if (node.kind == Kind::kSymbol) found.push_back(id);
    for (const Term& term : node.polynomial)
      for (int32_t inner : term.atoms) pending.push_back(inner);
    if (node.kind != Kind::kSymbol && node.kind != Kind::kPolynomial) {
      visit(node.left);
      visit(node.right);
    }
  }
  std::sort(found.begin(), found.end());
  std::vector<Dim> dims;
  for (int32_t id : found) dims.push_back(Dim::expression(id));
  return dims;
}

bool DimTable::mentions_fresh(Dim dim) const {
  for (Dim symbol : symbols(dim))
    if (is_fresh(symbol)) return true;
  return false;
}

// Precedence: 0 term of a sum, 1 factor of a product, 2 inside floordiv and mod. Depth is bounded
// by kMaxDepth, so recursion is too.
void DimTable::print(Dim dim, int precedence, SpellName spell_name, std::string& text) const {
  if (dim.is_unknown()) {
    text += '?';
    return;
  }
  if (dim.is_constant()) {
    text += std::to_string(dim.value());
    return;
  }
  const Node& node = nodes_[static_cast<size_t>(dim.id())];
  switch (node.kind) {
    case Kind::kSymbol:
      text += spell_name ? spell_name(node.name) : node.name;
      return;
    case Kind::kMin:
    case Kind::kMax:
      text += node.kind == Kind::kMin ? "min(" : "max(";
      print(node.left, 0, spell_name, text);
      text += ", ";
      print(node.right, 0, spell_name, text);
      text += ')';
      return;
    case Kind::kFloorDiv:
    case Kind::kMod:
      if (precedence >= 1) text += '(';
      print(node.left, 2, spell_name, text);
      text += node.kind == Kind::kFloorDiv ? "//" : "%";
      print(node.right, 2, spell_name, text);
      if (precedence >= 1) text += ')';
      return;
    case Kind::kPolynomial:
      break;
  }
  const bool parentheses = precedence >= 2 || (precedence == 1 && node.polynomial.size() > 1);
  if (parentheses) text += '(';
  // The constant stands first in memory and last in print: "H*3 + 1".
  for (size_t i = 0; i < node.polynomial.size(); ++i) {
    const bool has_constant = node.polynomial[0].atoms.empty();
    const Term& term = node.polynomial[(i + (has_constant ? 1 : 0)) % node.polynomial.size()];
    int64_t coefficient = term.coefficient;
    if (i > 0) {
      text += coefficient < 0 ? " - " : " + ";
      if (coefficient < 0 && coefficient != kLowest) coefficient = -coefficient;
    }
    if (term.atoms.empty()) {
      text += std::to_string(coefficient);
      continue;
    }
    if (coefficient == -1) text += '-';
    const bool single = term.atoms.size() == 1 && (coefficient == 1 || coefficient == -1);
    bool first = true;
    for (int32_t id : term.atoms) {
      if (!first) text += '*';
      // "-(H//2)": without parentheses the sign would belong to H.
      print(atom(id), single && (i > 0 || coefficient == 1) ? 0 : 1, spell_name, text);
      first = false;
    }
    if (coefficient != 1 && coefficient != -1) text += '*' + std::to_string(coefficient);
  }
  if (parentheses) text += ')';
}

std::string DimTable::to_string(Dim dim, std::string (*spell_name)(std::string_view)) const {
  std::string text;
  print(dim, 0, spell_name, text);
  return text;
}

std::optional<int64_t> DimTable::evaluate(
    Dim dim, const std::function<std::optional<int64_t>(Dim)>& value_of) const {
  if (dim.is_unknown()) return std::nullopt;
  if (dim.is_constant()) return dim.value();
  const Node& node = nodes_[static_cast<size_t>(dim.id())];
  if (node.kind == Kind::kSymbol) return value_of(dim);
  if (node.kind == Kind::kPolynomial) {
    int64_t sum = 0;
    for (const Term& term : node.polynomial) {
      int64_t product = term.coefficient;
      for (int32_t id : term.atoms) {
        const auto factor = evaluate(atom(id), value_of);
        if (!factor || __builtin_mul_overflow(product, *factor, &product)) return std::nullopt;
      }
      if (__builtin_add_overflow(sum, product, &sum)) return std::nullopt;
    }
    return sum;
  }
  const auto a = evaluate(node.left, value_of), b = evaluate(node.right, value_of);
  if (!a || !b) return std::nullopt;
  switch (node.kind) {
    case Kind::kMin:
      return std::min(*a, *b);
    case Kind::kMax:
      return std::max(*a, *b);
    case Kind::kFloorDiv:
      return *b <= 0 ? std::nullopt : std::optional(floor_divide(*a, *b));
    default:
      return *b <= 0 ? std::nullopt : std::optional(*a - *b * floor_divide(*a, *b));
  }
}

Dim DimTable::substitute(Dim dim, const std::function<std::optional<Dim>(Dim)>& replacement) {
  if (!dim.is_expression()) return dim;
  const Node node = nodes_[static_cast<size_t>(dim.id())];  // a copy: the table grows below
  switch (node.kind) {
    case Kind::kSymbol:
      return replacement(dim).value_or(dim);
    case Kind::kPolynomial: {
      Dim sum = 0;
      for (const Term& term : node.polynomial) {
        Dim product = term.coefficient;
        for (int32_t id : term.atoms) product = mul(product, substitute(atom(id), replacement));
        sum = add(sum, product);
      }
      return sum;
    }
    case Kind::kFloorDiv:
      return floordiv(substitute(node.left, replacement), substitute(node.right, replacement));
    case Kind::kMod:
      return mod(substitute(node.left, replacement), substitute(node.right, replacement));
    case Kind::kMin:
      return min(substitute(node.left, replacement), substitute(node.right, replacement));
    case Kind::kMax:
      return max(substitute(node.left, replacement), substitute(node.right, replacement));
  }
  return dim;
}

}  // namespace shipway
