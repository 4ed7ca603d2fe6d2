// TfIdfVectorizer: counts known n-grams of each sequence, optionally weighted.
#include <algorithm>
#include <map>

#include "operators/loops.h"
#include "operators/operator.h"

namespace shipway {

namespace {

/// The width of the output: the largest column that an n-gram counts in, and one.
Result<int64_t> column_count(const AttributeReader& node) {
  int64_t columns = 0;
  for (int64_t index : node.ints_attribute("ngram_indexes")) {
    if (index < 0 || index > INT32_MAX)
      return Status::invalid_model("attribute 'ngram_indexes' has the value {}", index);
    columns = std::max(columns, index + 1);
  }
  return columns;
}

Status infer_tf_idf(InferContext& context) {
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t columns, column_count(context));
  const Dims* dims = context.input_dims(0);
  if (!dims) {
    context.set_output_dtype(0, DType::kFloat32);
  } else if (dims->size() == 2) {
    context.set_output(0, DType::kFloat32, {(*dims)[0], columns});
  } else {
    context.set_output(0, DType::kFloat32, {columns});
  }
  return Status::ok();
}

/// All n-grams of the pool, and the column each one counts in. The pool lists first all 1-grams,
/// then all 2-grams, ...; attribute `ngram_counts` says where each kind begins.
template <typename T>
Result<std::map<std::vector<T>, int64_t>> read_pool(const AttributeReader& node,
                                                    std::span<const T> pool) {
  const std::span<const int64_t> begins = node.ints_attribute("ngram_counts");
  const std::span<const int64_t> columns = node.ints_attribute("ngram_indexes");
  std::map<std::vector<T>, int64_t> ngrams;
  size_t number = 0;
  for (size_t n = 1; n <= begins.size(); ++n) {
    const int64_t begin = begins[n - 1];
    const int64_t end = n < begins.size() ? begins[n] : static_cast<int64_t>(pool.size());
    if (begin < 0 || end < begin || end > static_cast<int64_t>(pool.size()) ||
        static_cast<size_t>(end - begin) % n != 0)
      return Status::invalid_model("attribute 'ngram_counts' cuts {} to {} out of a pool of {}",
                                   begin, end, pool.size());
    for (auto at = static_cast<size_t>(begin); at < static_cast<size_t>(end); at += n, ++number) {
      if (number >= columns.size())
        return Status::invalid_model("attribute 'ngram_indexes' has only {} values",
                                     columns.size());
      ngrams.emplace(std::vector<T>(pool.begin() + static_cast<std::ptrdiff_t>(at),
                                    pool.begin() + static_cast<std::ptrdiff_t>(at + n)),
                     columns[number]);
    }
  }
  return ngrams;
}

/// Counts every n-gram of a row, its items `skip + 1` apart for every allowed skip.
template <typename T>
void count_row(const AttributeReader& node, const std::map<std::vector<T>, int64_t>& ngrams,
               std::span<const T> row, std::span<double> counts) {
  const auto size = static_cast<int64_t>(row.size());
  const int64_t longest = std::min(node.int_attribute("max_gram_length"), size);
  std::vector<T> ngram;
  for (int64_t n = std::max<int64_t>(node.int_attribute("min_gram_length"), 1); n <= longest; ++n) {
    // One item has no distances: all skips are the same.
    const int64_t skips = n == 1 ? 0 : std::min(node.int_attribute("max_skip_count"), size);
    for (int64_t step = 1; step <= skips + 1; ++step)
      for (int64_t start = 0; start + (n - 1) * step < size; ++start) {
        ngram.clear();
        for (int64_t k = 0; k < n; ++k) ngram.push_back(row[static_cast<size_t>(start + k * step)]);
        const auto found = ngrams.find(ngram);
        if (found != ngrams.end()) ++counts[static_cast<size_t>(found->second)];
      }
  }
}

template <typename T>
Status vectorize(EvaluateContext& context, std::span<const T> pool) {
  const Tensor& x = context.input(0);
  if (x.rank() != 1 && x.rank() != 2)
    return Status::invalid_argument("input 'X' has rank {}, expected 1 or 2", x.rank());
  SHIPWAY_ASSIGN_OR_RETURN(const auto ngrams, read_pool(context, pool));
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t columns, column_count(context));
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<T> items, read_elements<T>(x));
  const int64_t rows = x.rank() == 2 ? x.dim(0) : 1;
  const int64_t width = x.shape().back();
  std::vector<double> counts(static_cast<size_t>(rows * columns));
  for (int64_t row = 0; row < rows; ++row) {
    SHIPWAY_RETURN_IF_ERROR(context.poll());
    count_row<T>(
        context, ngrams,
        std::span(items).subspan(static_cast<size_t>(row * width), static_cast<size_t>(width)),
        std::span(counts).subspan(static_cast<size_t>(row * columns),
                                  static_cast<size_t>(columns)));
  }
  const std::string& mode = context.string_attribute("mode");
  if (mode != "TF" && mode != "IDF" && mode != "TFIDF")
    return Status::invalid_model("attribute 'mode' is '{}', expected TF, IDF or TFIDF", mode);
  const std::span<const float> weights = context.floats_attribute("weights");
  for (size_t i = 0; i < counts.size() && mode != "TF"; ++i) {
    const size_t column = i % static_cast<size_t>(columns);
    if (!weights.empty() && column >= weights.size())
      return Status::invalid_model("attribute 'weights' has {} values, expected {}", weights.size(),
                                   columns);
    const double weight = weights.empty() ? 1.0 : static_cast<double>(weights[column]);
    counts[i] = mode == "IDF" ? (counts[i] > 0 ? weight : 0) : counts[i] * weight;
  }
  return write_output(context, 0, DType::kFloat32,
                      x.rank() == 2 ? Shape{rows, columns} : Shape{columns}, counts);
}

Status evaluate_tf_idf(EvaluateContext& context) {
  if (context.input(0).dtype() == DType::kString)
    return vectorize(context, context.strings_attribute("pool_strings"));
  return vectorize(context, context.ints_attribute("pool_int64s"));
}

}  // namespace

const Operator& tf_idf_vectorizer_operator() {
  static const Operator definition{
      .name = "TfIdfVectorizer",
      .summary = "Counts known n-grams of each sequence, optionally weighted.",
      .versions =
          {{.since = 9,
            .signature = "(X: T) -> (Y: T1)",
            .types = "T: int32 int64 string; T1: float",
            .attributes =
                "max_gram_length: int!; max_skip_count: int!; min_gram_length: int!; "
                "mode: string!; ngram_counts: ints!; ngram_indexes: ints!; pool_int64s: ints?; "
                "pool_strings: strings?; weights: floats?"}},
      .infer = infer_tf_idf,
      .evaluate = evaluate_tf_idf,
      .accuracy = Accuracy::rounding(),
  };
  return definition;
}

}  // namespace shipway
