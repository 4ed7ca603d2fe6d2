// Types and dim expressions in the text form: "float[N,3,H*2,?]", "seq(int64[])", "map(string,
// float)".
#pragma once

#include <string>

#include "graph/text_scanner.h"
#include "shipway/model.h"

namespace shipway {

/// As to_string(type, dims) writes it, but so that it always reads back: odd symbols quoted, a
/// tensor whose element type is not known as "tensor[2,3]", sparse ones as "sparse(float[3])".
std::string print_type(const Type& type, const DimTable& dims);
std::string print_dim(Dim dim, const DimTable& dims);

/// Reads a type; its symbols and expressions enter `dims`. Trees past Type::kMaxDepth are refused.
Result<Type> parse_type(Scanner& scanner, DimTable& dims);
/// True when a type, rather than something else that starts with a word, comes next.
bool type_is_next(const Scanner& scanner);

/// Reads `H*3 + 1`, `(N + 1)//2`, `H%4`, `min(H, 7)`, `max(...)`, `?` (unknown), `?3` (a size
/// nothing is known about). A sign before a product belongs to its first factor, as in Python. At
/// most 64 parentheses deep.
Result<Dim> parse_dim(Scanner& scanner, DimTable& dims);
/// The whole of `text` as a dim expression.
Result<Dim> parse_dim(std::string_view text, DimTable& dims);

}  // namespace shipway
