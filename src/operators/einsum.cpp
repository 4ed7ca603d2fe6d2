// Einsum: sums products of elements as an equation of index letters says.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "operators/loops.h"

namespace shipway {
namespace {

/// An equation with its axes numbered. Letters get numbers from 0 by ASCII order; the axes that
/// `...` stands for come after them, counted from the end as broadcasting does.
struct Equation {
  std::vector<std::vector<int>> inputs;  // for every axis of each input, its number
  std::vector<int> output;
  int axis_count = 0;
};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// A term as letters and '.' for an ellipsis.
Result<std::string> parse_term(std::string_view text) {
  std::string term;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ' ') continue;
    if (is_letter(text[i])) {
      term += text[i];
    } else if (text.substr(i, 3) == "..." && term.find('.') == term.npos) {
      term += '.';
      i += 2;
    } else {
      return Status::invalid_model(
          "attribute 'equation': {} is not a list of letters with at most one '...'", quoted(text));
    }
  }
  return term;
}

Result<Equation> parse_equation(std::string_view text, std::span<const size_t> ranks) {
  const size_t arrow = text.find("->");
  std::string_view left = text.substr(0, arrow);
  std::vector<std::string> terms;
  for (bool more = true; more;) {
    const size_t comma = left.find(',');
    more = comma != left.npos;
    SHIPWAY_ASSIGN_OR_RETURN(std::string term, parse_term(left.substr(0, comma)));
    terms.push_back(std::move(term));
    if (more) left = left.substr(comma + 1);
  }
  if (terms.size() != ranks.size())
    return Status::invalid_model(
        "attribute 'equation' has {} terms, expected one for each of {} inputs", terms.size(),
        ranks.size());
  std::array<int, 128> uses{}, number{};
  size_t ellipsis = 0;
  bool has_ellipsis = false;
  for (size_t i = 0; i < terms.size(); ++i) {
    const bool here = terms[i].find('.') != terms[i].npos;
    const size_t letters = terms[i].size() - (here ? 1 : 0);
    if (here ? ranks[i] < letters : ranks[i] != letters)
      return Status::invalid_model(
          "attribute 'equation': term '{}' does not fit input {} of rank {}", terms[i], i,
          ranks[i]);
    if (here) ellipsis = std::max(ellipsis, ranks[i] - letters);
    has_ellipsis = has_ellipsis || here;
    for (char c : terms[i]) ++uses[static_cast<size_t>(c)];
  }
  Equation equation;
  for (size_t c = 0; c < uses.size(); ++c)
    if (is_letter(static_cast<char>(c)) && uses[c] > 0) number[c] = equation.axis_count++;
  const int letters = equation.axis_count;
  equation.axis_count += static_cast<int>(ellipsis);
  const auto numbered = [&](const std::string& term, size_t under_ellipsis) {
    std::vector<int> axes;
    for (char c : term) {
      if (c != '.')
        axes.push_back(number[static_cast<size_t>(c)]);
      else
        for (size_t i = ellipsis - under_ellipsis; i < ellipsis; ++i)
          axes.push_back(letters + static_cast<int>(i));
    }
    return axes;
  };
  for (size_t i = 0; i < terms.size(); ++i)
    equation.inputs.push_back(
        numbered(terms[i], ranks[i] + 1 - std::min(terms[i].size(), ranks[i] + 1)));
  std::string output;
  if (arrow != text.npos) {
    SHIPWAY_ASSIGN_OR_RETURN(output, parse_term(text.substr(arrow + 2)));
    for (size_t i = 0; i < output.size(); ++i) {
      if ((output[i] != '.' && uses[static_cast<size_t>(output[i])] == 0) ||
          (output[i] == '.' && !has_ellipsis))
        return Status::invalid_model("attribute 'equation': '{}' of the output is in no input",
                                     output.substr(i, 1));
      if (output.find(output[i], i + 1) != output.npos)
        return Status::invalid_model("attribute 'equation': '{}' is twice in the output",
                                     output.substr(i, 1));
    }
  } else {
    if (has_ellipsis) output += '.';
    for (size_t c = 0; c < uses.size(); ++c)
      if (is_letter(static_cast<char>(c)) && uses[c] == 1) output += static_cast<char>(c);
  }
  equation.output = numbered(output, ellipsis);
  return equation;
}

Status infer_einsum(InferContext& context) {
  const DType dtype = context.input_dtype(0);
  context.set_output_dtype(0, dtype);
  std::vector<size_t> ranks;
  for (size_t i = 0; i < context.input_count(); ++i) {
    if (!context.input_dims(i)) return Status::ok();
    ranks.push_back(context.input_dims(i)->size());
  }
  SHIPWAY_ASSIGN_OR_RETURN(const Equation equation,
                           parse_equation(context.string_attribute("equation"), ranks));
  std::vector<Dim> sizes(static_cast<size_t>(equation.axis_count), Dim(1));
  for (size_t i = 0; i < ranks.size(); ++i) {
    for (size_t k = 0; k < ranks[i]; ++k) {
      Dim& size = sizes[static_cast<size_t>(equation.inputs[i][k])];
      const Dim found = (*context.input_dims(i))[k];
      if (found == Dim(1) || found == size) continue;
      if (size.is_constant() && size != Dim(1) && found.is_constant())
        return Status::invalid_model("axis {} of input {} has size {}, expected {} by the equation",
                                     k, i, found.value(), size.value());
      if (size == Dim(1) || found.is_constant()) size = found;
    }
  }
  Dims result;
  for (int axis : equation.output) result.push_back(sizes[static_cast<size_t>(axis)]);
  context.set_output(0, dtype, std::move(result));
  return Status::ok();
}

/// For every position of the output: the sum over all other axes of the products of the inputs'
/// elements.
template <typename T>
Status sum_products(EvaluateContext& context) {
  std::vector<size_t> ranks;
  for (size_t i = 0; i < context.input_count(); ++i)
    ranks.push_back(static_cast<size_t>(context.input(i).rank()));
  SHIPWAY_ASSIGN_OR_RETURN(const Equation equation,
                           parse_equation(context.string_attribute("equation"), ranks));
  const auto axis_count = static_cast<size_t>(equation.axis_count);
  Shape sizes(axis_count, 1);
  std::vector<std::vector<T>> values;
  for (size_t i = 0; i < ranks.size(); ++i) {
    SHIPWAY_ASSIGN_OR_RETURN(std::vector<T> elements, read_elements<T>(context.input(i)));
    values.push_back(std::move(elements));
    for (size_t k = 0; k < ranks[i]; ++k) {
      int64_t& size = sizes[static_cast<size_t>(equation.inputs[i][k])];
      const int64_t found = context.input(i).dim(k);
      if (found != size && found != 1 && size != 1)
        return Status::invalid_argument(
            "axis {} of input {} has size {}, expected {} by the equation", k, i, found, size);
      if (found != 1) size = found;
    }
  }
  // Axes in the order of the loops: those of the output, then the summed ones.
  std::vector<size_t> order;
  for (int axis : equation.output) order.push_back(static_cast<size_t>(axis));
  for (size_t axis = 0; axis < axis_count; ++axis)
    if (std::find(order.begin(), order.end(), axis) == order.end()) order.push_back(axis);
  const size_t kept = equation.output.size();
  Shape output, summed;
  for (size_t i = 0; i < axis_count; ++i) (i < kept ? output : summed).push_back(sizes[order[i]]);
  std::vector<Shape> output_strides, summed_strides;
  for (size_t i = 0; i < ranks.size(); ++i) {
    const Shape own = strides_of(context.input(i).shape());
    Shape by_axis(axis_count, 0);  // an axis that stands twice moves along the diagonal
    for (size_t k = 0; k < ranks[i]; ++k)
      if (context.input(i).dim(k) != 1)
        by_axis[static_cast<size_t>(equation.inputs[i][k])] += own[k];
    Shape to_output, to_summed;
    for (size_t k = 0; k < axis_count; ++k)
      (k < kept ? to_output : to_summed).push_back(by_axis[order[k]]);
    output_strides.push_back(std::move(to_output));
    summed_strides.push_back(std::move(to_summed));
  }
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t count, element_count(output));
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t terms, element_count(summed));
  SHIPWAY_RETURN_IF_ERROR(
      context.allocate(DType::kInt64, {terms, static_cast<int64_t>(ranks.size())}).status());
  std::vector<T> results;
  results.reserve(static_cast<size_t>(count));
  const size_t inputs = ranks.size();
  // Where the terms of a sum lie from its start, once for all sums.
  std::vector<std::vector<int64_t>> offsets(inputs);
  for (StridedWalk walk(summed, summed_strides); !walk.done(); walk.next())
    for (size_t i = 0; i < inputs; ++i) offsets[i].push_back(walk.offset(i));
  for (StridedWalk walk(output, output_strides); !walk.done(); walk.next()) {
    if (terms >= 1024 || results.size() % 1024 == 0) SHIPWAY_RETURN_IF_ERROR(context.poll());
    T sum{};
    for (size_t t = 0; t < static_cast<size_t>(terms); ++t) {
      T product = values[0][static_cast<size_t>(walk.offset(0) + offsets[0][t])];
      for (size_t i = 1; i < inputs; ++i)
        product *= values[i][static_cast<size_t>(walk.offset(i) + offsets[i][t])];
      sum += product;
    }
    results.push_back(sum);
  }
  return write_output(context, 0, context.input(0).dtype(), output, results);
}

Status evaluate_einsum(EvaluateContext& context) {
  return kind_of(context.input(0).dtype()) == DTypeKind::kFloat ? sum_products<double>(context)
                                                                : sum_products<uint64_t>(context);
}

}  // namespace

const Operator& einsum_operator() {
  static const Operator definition{
      .name = "Einsum",
      .summary = "Sums products of elements as an equation of index letters says.",
      .versions = {{.since = 12,
                    .signature = "(Inputs...: T) -> (Output: T)",
                    .types = "T: numeric",
                    .attributes = "equation: string!"},
                   {.since = 28,
                    .signature = "(Inputs...: T) -> (Output: T)",
                    .types = "T: numeric bfloat16",
                    .attributes = "equation: string!"}},
      .infer = infer_einsum,
      .evaluate = evaluate_einsum,
  };
  return definition;
}

}  // namespace shipway
