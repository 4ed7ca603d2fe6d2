#include "graph/text_type.h"

#include <algorithm>

#include "base/text.h"

namespace shipway {
namespace {

constexpr int kMaxParentheses = 64;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// "min" followed by a parenthesis would be the function, but a symbol never is.
std::string spell_symbol(std::string_view name) {
  const bool fresh = name.size() > 1 && name[0] == '?';
  const std::string_view word = fresh ? name.substr(1) : name;
  const bool plain = is_plain_name(word) && word.find('/') == std::string_view::npos &&
                     (fresh || !is_digit(word[0]));
  return plain ? std::string(name) : quote_text(name);
}

std::string spell_dtype(DType dtype) {
  return dtype == DType::kUndefined ? "tensor" : std::string(to_string(dtype));
}

class DimParser {
 public:
  DimParser(Scanner& scanner, DimTable& dims) : in_(scanner), dims_(dims) {}

  Result<Dim> sum(int depth) {
    SHIPWAY_ASSIGN_OR_RETURN(Dim left, product(depth));
    while (true) {
      const bool plus = in_.accept("+");
      if (!plus && !in_.accept("-")) return left;
      SHIPWAY_ASSIGN_OR_RETURN(const Dim right, product(depth));
      left = plus ? dims_.add(left, right) : dims_.sub(left, right);
    }
  }

 private:
  Result<Dim> product(int depth) {
    SHIPWAY_ASSIGN_OR_RETURN(Dim left, factor(depth));
    while (true) {
      const char operation = in_.accept("//")  ? '/'
                             : in_.accept("*") ? '*'
                             : in_.accept("%") ? '%'
                                               : '\0';
      if (operation == '\0') return left;
      SHIPWAY_ASSIGN_OR_RETURN(const Dim right, factor(depth));
      left = operation == '/'   ? dims_.floordiv(left, right)
             : operation == '*' ? dims_.mul(left, right)
                                : dims_.mod(left, right);
    }
  }

  Result<Dim> factor(int depth) {
    bool negative = false;
    while (!is_digit_after_sign() && in_.accept("-")) negative = !negative;
    SHIPWAY_ASSIGN_OR_RETURN(const Dim dim, primary(depth));
    return negative ? dims_.mul(dim, -1) : dim;
  }

  /// "-5" is read as one number, so that the lowest numbers can be written.
  bool is_digit_after_sign() const {
    Scanner ahead = in_;
    return ahead.accept("-") && ahead.position() == in_.position() + 1 && is_digit(ahead.peek());
  }

  Result<Dim> primary(int depth) {
    if (depth >= kMaxParentheses)
      return in_.error_at(in_.position(), "parentheses are nested deeper than 64",
                          StatusCode::kLimit);
    if (in_.accept("(")) {
      SHIPWAY_ASSIGN_OR_RETURN(const Dim inner, sum(depth + 1));
      SHIPWAY_RETURN_IF_ERROR(in_.expect(")"));
      return inner;
    }
    if (is_digit(in_.peek()) || in_.peek() == '-') return Result<Dim>(number());
    if (in_.peek() == '?') {
      SHIPWAY_ASSIGN_OR_RETURN(const std::string name, in_.dim_symbol());
      return name == "?" ? Dim::unknown() : dims_.symbol(name);
    }
    const bool quoted = in_.peek() == '"';
    SHIPWAY_ASSIGN_OR_RETURN(const std::string name, in_.dim_symbol());
    if (quoted || in_.peek() != '(' || (name != "min" && name != "max")) return dims_.symbol(name);
    in_.accept("(");
    SHIPWAY_ASSIGN_OR_RETURN(const Dim left, sum(depth + 1));
    SHIPWAY_RETURN_IF_ERROR(in_.expect(","));
    SHIPWAY_ASSIGN_OR_RETURN(const Dim right, sum(depth + 1));
    SHIPWAY_RETURN_IF_ERROR(in_.expect(")"));
    return name == "min" ? dims_.min(left, right) : dims_.max(left, right);
  }

  Result<Dim> number() {
    SHIPWAY_ASSIGN_OR_RETURN(const int64_t value,
                             in_.integer("a size (a number, a symbol or '?')"));
    return Dim(value);
  }

  Scanner& in_;
  DimTable& dims_;
};

Result<Dims> parse_dims(Scanner& in, DimTable& table) {
  Dims dims;
  SHIPWAY_RETURN_IF_ERROR(in.expect("["));
  if (in.accept("]")) return dims;
  do {
    SHIPWAY_ASSIGN_OR_RETURN(const Dim dim, parse_dim(in, table));
    dims.push_back(dim);
  } while (in.accept(","));
  if (!in.accept("]")) return in.error_expected("',' or ']' after a size");
  return dims;
}

Result<DType> parse_dtype(Scanner& in) {
  const std::string_view word = in.peek_word();
  const std::optional<DType> dtype = word == "tensor" ? DType::kUndefined : dtype_from_name(word);
  if (!dtype) return in.error_expected("an element type such as float or int64");
  in.take_word();
  return *dtype;
}

Result<Type> parse_type(Scanner& in, DimTable& dims, int depth) {
  if (depth > Type::kMaxDepth)
    return in.error_at(in.position(), "a type is nested deeper than 100", StatusCode::kLimit);
  if (in.accept("?")) return Type();
  const std::string_view word = in.peek_word();
  const bool parentheses = in.peek_after_word() == '(';
  if (parentheses && word == "opaque") {
    in.take_word();
    SHIPWAY_RETURN_IF_ERROR(in.expect("("));
    SHIPWAY_ASSIGN_OR_RETURN(std::string domain, in.name("the domain of an opaque type"));
    SHIPWAY_RETURN_IF_ERROR(in.expect(","));
    SHIPWAY_ASSIGN_OR_RETURN(std::string name, in.name("the name of an opaque type"));
    SHIPWAY_RETURN_IF_ERROR(in.expect(")"));
    return Type::opaque(std::move(domain), std::move(name));
  }
  const bool is_map = word == "map";
  if (parentheses && (is_map || word == "seq" || word == "optional" || word == "sparse")) {
    in.take_word();
    SHIPWAY_RETURN_IF_ERROR(in.expect("("));
    DType key = DType::kUndefined;
    if (is_map) {
      SHIPWAY_ASSIGN_OR_RETURN(key, parse_dtype(in));
      SHIPWAY_RETURN_IF_ERROR(in.expect(","));
    }
    const size_t start = in.position();
    SHIPWAY_ASSIGN_OR_RETURN(Type element, parse_type(in, dims, depth + 1));
    SHIPWAY_RETURN_IF_ERROR(in.expect(")"));
    if (is_map) return Type::map(key, std::move(element));
    if (word == "seq") return Type::sequence(std::move(element));
    if (word == "optional") return Type::optional(std::move(element));
    if (!element.is_tensor()) return in.error_at(start, "only a tensor type can be sparse");
    return Type::sparse_tensor(
        element.dtype(), element.dims() ? std::optional<Dims>(*element.dims()) : std::nullopt);
  }
  if (word != "tensor" && !dtype_from_name(word))
    return in.error_expected("a type such as float[N,3] or seq(int64)");
  SHIPWAY_ASSIGN_OR_RETURN(const DType dtype, parse_dtype(in));
  if (in.peek() != '[') return Type::tensor(dtype);
  SHIPWAY_ASSIGN_OR_RETURN(Dims sizes, parse_dims(in, dims));
  return Type::tensor(dtype, std::move(sizes));
}

}  // namespace

std::string print_dim(Dim dim, const DimTable& dims) { return dims.to_string(dim, spell_symbol); }

std::string print_type(const Type& type, const DimTable& dims) {
  // A loop, not recursion: what encloses is closed at the end.
  std::string text, closing;
  const Type* at = &type;
  for (;; at = &at->element(), closing += ')') {
    if (at->kind() == TypeKind::kSequence)
      text += "seq(";
    else if (at->kind() == TypeKind::kOptional)
      text += "optional(";
    else if (at->kind() == TypeKind::kMap)
      text += "map(" + spell_dtype(at->dtype()) + ", ";
    else
      break;
  }
  if (at->kind() == TypeKind::kUnknown) return text + "?" + closing;
  if (at->kind() == TypeKind::kOpaque)
    return text + "opaque(" + quote_text(at->opaque_domain()) + ", " +
           quote_text(at->opaque_name()) + ")" + closing;
  const bool sparse = at->kind() == TypeKind::kSparseTensor;
  if (sparse) text += "sparse(";
  text += spell_dtype(at->dtype());
  if (const Dims* sizes = at->dims()) {
    text += '[';
    for (size_t i = 0; i < sizes->size(); ++i)
      text += (i ? "," : "") + print_dim((*sizes)[i], dims);
    text += ']';
  }
  return text + (sparse ? ")" : "") + closing;
}

Result<Type> parse_type(Scanner& scanner, DimTable& dims) { return parse_type(scanner, dims, 1); }

bool type_is_next(const Scanner& scanner) {
  const std::string_view word = scanner.peek_word();
  if (scanner.peek() == '?' || word == "tensor" || dtype_from_name(word)) return true;
  return scanner.peek_after_word() == '(' &&
         (word == "seq" || word == "optional" || word == "map" || word == "sparse" ||
          word == "opaque");
}

Result<Dim> parse_dim(Scanner& scanner, DimTable& dims) { return DimParser(scanner, dims).sum(0); }

Result<Dim> parse_dim(std::string_view text, DimTable& dims) {
  Scanner scanner(text);
  SHIPWAY_ASSIGN_OR_RETURN(const Dim dim, parse_dim(scanner, dims));
  if (!scanner.at_end()) return scanner.error_expected("the end of the expression");
  return dim;
}

}  // namespace shipway
