// Attention: scaled dot-product attention with masks, grouped heads and a key/value cache.
//
// Y = softmax(Q K^T * scale + bias) V, where the bias holds the mask, the causal frontier, the
// window and the padding: 0 where a query may look, -inf where not.
#include <algorithm>
#include <cmath>
#include <limits>

#include "operators/loops.h"
#include "operators/reals.h"
#include "operators/rounding.h"
#include "operators/shape_rules.h"

namespace shipway {
namespace {

constexpr std::string_view kTypes =
    "T1: floats bfloat16; T2: floats bfloat16; U: numeric bool bfloat16";
constexpr std::string_view kAttributes =
    "is_causal: int = 0; kv_num_heads: int?; q_num_heads: int?; "
    "qk_matmul_output_mode: int = 0; scale: float?; softcap: float = 0.0; "
    "softmax_precision: int?";
constexpr std::string_view kSignature =
    "(Q: T1, K: T1, V: T2, attn_mask?: U, past_key?: T1, past_value?: T2, "
    "nonpad_kv_seqlen?: int64) -> (Y: T1, present_key?: T1, present_value?: T2, "
    "qk_matmul_output?: T1)";

constexpr double kMasked = -std::numeric_limits<double>::infinity();

// ----------------------------------------------------------------------------------------
// inference

Status infer_attention(InferContext& context) {
  DimTable& table = context.dims();
  for (size_t i : {0, 1, 3}) context.set_output_dtype(i, context.input_dtype(0));
  context.set_output_dtype(2, context.input_dtype(2));
  const Dims *q = context.input_dims(0), *k = context.input_dims(1), *v = context.input_dims(2);
  if (!q || !k || !v) return Status::ok();
  if (q->size() != k->size() || q->size() != v->size() || (q->size() != 3 && q->size() != 4))
    return Status::invalid_model("'Q', 'K', 'V' have ranks {}, {}, {}, expected 3 or 4 for all",
                                 q->size(), k->size(), v->size());
  const bool flat = q->size() == 3;  // [batch, sequence, heads * size]
  Dim heads = flat ? Dim(context.int_attribute("q_num_heads")) : (*q)[1];
  Dim kv_heads = flat ? Dim(context.int_attribute("kv_num_heads")) : (*k)[1];
  if (flat && (heads.value() < 1 || kv_heads.value() < 1))
    return Status::invalid_model(
        "attributes 'q_num_heads' and 'kv_num_heads' are {} and {}, expected at "
        "least 1 for inputs of rank 3",
        heads.value(), kv_heads.value());
  const Dim key_size = flat ? table.floordiv((*k)[2], kv_heads) : (*k)[3];
  const Dim value_size = flat ? table.floordiv((*v)[2], kv_heads) : (*v)[3];
  const size_t sequence = flat ? 1 : 2;
  Dim total = (*k)[sequence];
  if (context.has_input(4)) {
    const Dims* past = context.input_dims(4);
    total = past && past->size() == 4 ? table.add((*past)[2], total) : Dim();
  }
  const DType dtype = context.input_dtype(0);
  if (flat)
    context.set_output(0, dtype, {(*q)[0], (*q)[1], table.mul(heads, value_size)});
  else
    context.set_output(0, dtype, {(*q)[0], heads, (*q)[2], value_size});
  context.set_output(1, dtype, {(*q)[0], kv_heads, total, key_size});
  context.set_output(2, context.input_dtype(2), {(*q)[0], kv_heads, total, value_size});
  context.set_output(3, dtype, {(*q)[0], heads, (*q)[sequence], total});
  return Status::ok();
}

// ---------------------------------------------------------------------------------------
// evaluation

/// Q, K or V as [batch, heads, sequence, size], whatever its layout.
struct Heads {
  std::vector<double> values;
  int64_t batch = 0, heads = 0, sequence = 0, size = 0;

  const double* row(int64_t n, int64_t h, int64_t s) const {
    return values.data() + ((n * heads + h) * sequence + s) * size;
  }
  Shape shape() const { return {batch, heads, sequence, size}; }
};

Result<Heads> read_heads(const Tensor& tensor, int64_t heads, std::string_view name) {
  Heads result;
  SHIPWAY_ASSIGN_OR_RETURN(std::vector<double> values, to_doubles(tensor));
  result.batch = tensor.dim(0);
  if (tensor.rank() == 4) {
    result.heads = tensor.dim(1);
    result.sequence = tensor.dim(2);
    result.size = tensor.dim(3);
    result.values = std::move(values);
    return result;
  }
  if (heads < 1 || tensor.dim(2) % heads != 0)
    return Status::invalid_argument("input '{}' is [{}], expected a last size that {} heads divide",
                                    name, to_string(tensor.shape()), heads);
  result.heads = heads;
  result.sequence = tensor.dim(1);
  result.size = tensor.dim(2) / heads;
  result.values.resize(values.size());
  const double* from = values.data();
  for (int64_t n = 0; n < result.batch; ++n)
    for (int64_t s = 0; s < result.sequence; ++s)
      for (int64_t h = 0; h < heads; ++h, from += result.size)
        std::copy_n(from, result.size,
                    result.values.data() + ((n * heads + h) * result.sequence + s) * result.size);
  return result;
}

/// `past` [batch, heads, steps, size] goes before the sequence of `now`.
Result<Heads> prepend(const Tensor& past, Heads now, std::string_view name) {
  const Shape expected{now.batch, now.heads, past.rank() == 4 ? past.dim(2) : -1, now.size};
  if (past.shape() != expected)
    return Status::invalid_argument("input '{}' is [{}], expected [{}x{}x steps x{}]", name,
                                    to_string(past.shape()), now.batch, now.heads, now.size);
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<double> before, to_doubles(past));
  Heads all = now;
  all.sequence += past.dim(2);
  all.values.clear();
  const int64_t old_size = past.dim(2) * now.size, new_size = now.sequence * now.size;
  for (int64_t plane = 0; plane < now.batch * now.heads; ++plane) {
    all.values.insert(all.values.end(), before.begin() + plane * old_size,
                      before.begin() + (plane + 1) * old_size);
    all.values.insert(all.values.end(), now.values.begin() + plane * new_size,
                      now.values.begin() + (plane + 1) * new_size);
  }
  return all;
}

/// The bias of every query on every key.
class Bias {
 public:
  static Result<Bias> read(const EvaluateContext& context, const Heads& q, const Heads& k,
                           int64_t past) {
    Bias bias;
    bias.keys_ = k.sequence;
    bias.causal_ = context.int_attribute("is_causal") != 0;
    bias.left_ = context.int_attribute("left_window_size");
    bias.right_ = context.int_attribute("right_window_size");
    if (bias.left_ < -1 || bias.right_ < -1)
      return Status::invalid_model(
          "attributes 'left_window_size' and 'right_window_size' are {} and {}, expected at least "
          "-1",
          bias.left_, bias.right_);
    bias.offsets_.assign(static_cast<size_t>(q.batch), past);
    if (context.has_input(6)) {
      SHIPWAY_ASSIGN_OR_RETURN(bias.lengths_, to_ints(context.input(6)));
      if (bias.lengths_.size() != static_cast<size_t>(q.batch))
        return Status::invalid_argument("input 'nonpad_kv_seqlen' is [{}], expected [{}]",
                                        to_string(context.input(6).shape()), q.batch);
      for (size_t n = 0; n < bias.offsets_.size() && !context.has_input(4); ++n)
        bias.offsets_[n] = bias.lengths_[n] - q.sequence;
    }
    if (!context.has_input(3)) return bias;
    const Tensor& mask = context.input(3);
    SHIPWAY_ASSIGN_OR_RETURN(bias.mask_, to_doubles(mask));
    if (mask.dtype() == DType::kBool)
      for (double& value : bias.mask_) value = value != 0 ? 0 : kMasked;
    // The last axis may be shorter than the keys: what it leaves out is masked.
    bias.mask_keys_ = mask.rank() > 0 ? mask.shape().back() : 1;
    Shape all{q.batch, q.heads, q.sequence, bias.mask_keys_};
    const Result<Shape> both = broadcast_shapes(mask.shape(), all);
    if (!both.is_ok() || *both != all || bias.mask_keys_ > k.sequence)
      return Status::invalid_argument("input 'attn_mask' is [{}], which does not broadcast to [{}]",
                                      to_string(mask.shape()),
                                      to_string(Shape{q.batch, q.heads, q.sequence, k.sequence}));
    bias.strides_ = broadcast_strides(mask.shape(), all);
    return bias;
  }

  /// The bias of query i on each key.
  void row(int64_t n, int64_t h, int64_t i, std::vector<double>& out) const {
    for (int64_t j = 0; j < keys_; ++j) {
      double value = 0;
      if (!mask_.empty())
        value = j < mask_keys_ ? mask_[static_cast<size_t>(n * strides_[0] + h * strides_[1] +
                                                           i * strides_[2] + j * strides_[3])]
                               : kMasked;
      const int64_t ahead = j - (i + offsets_[static_cast<size_t>(n)]);
      if ((causal_ && ahead > 0) || (left_ >= 0 && -ahead > left_) ||
          (right_ >= 0 && ahead > right_) ||
          (!lengths_.empty() && j >= lengths_[static_cast<size_t>(n)]))
        value += kMasked;
      out[static_cast<size_t>(j)] = value;
    }
  }

 private:
  int64_t keys_ = 0, mask_keys_ = 0, left_ = -1, right_ = -1;
  bool causal_ = false;
  std::vector<double> mask_;
  Shape strides_;
  std::vector<int64_t> offsets_,
      lengths_;  // by batch: the position of query 0; how many keys count
};

/// Probabilities of one row; zeros where nothing may be looked at.
void softmax(std::vector<double>& row, const Rounding& round) {
  double largest = kMasked;
  for (double& value : row) {
    value = round(value);
    if (std::isnan(value))
      largest = value;
    else if (!(largest >= value))
      largest = std::isnan(largest) ? largest : value;
  }
  if (largest == kMasked) largest = 0;
  double sum = 0;
  for (double& value : row) {
    value = round(std::exp(round(value - largest)));
    sum = round.keeps_sums() ? round(sum + value) : sum + value;
  }
  sum = round(sum);
  for (double& value : row) value = sum == 0 ? 0 : round(value / sum);
}

enum class Exposed : uint8_t { kProducts, kCapped, kBiased, kProbabilities };

Status evaluate_attention(EvaluateContext& context) {
  const Tensor& query = context.input(0);
  for (size_t i = 0; i < 3; ++i)
    if (context.input(i).rank() != query.rank() || (query.rank() != 3 && query.rank() != 4))
      return Status::invalid_argument(
          "input '{}' is [{}] and 'Q' [{}], expected rank 3 or 4 for all",
          context.schema().inputs[i].name, to_string(context.input(i).shape()),
          to_string(query.shape()));
  if (context.has_input(4) != context.has_input(5))
    return Status::invalid_argument("only one of inputs 'past_key' and 'past_value' is given");
  const int64_t kv_heads = context.int_attribute("kv_num_heads");
  SHIPWAY_ASSIGN_OR_RETURN(const Heads q,
                           read_heads(query, context.int_attribute("q_num_heads"), "Q"));
  SHIPWAY_ASSIGN_OR_RETURN(Heads k, read_heads(context.input(1), kv_heads, "K"));
  SHIPWAY_ASSIGN_OR_RETURN(Heads v, read_heads(context.input(2), kv_heads, "V"));
  if (k.heads != v.heads || k.heads < 1 || q.heads % k.heads != 0 || k.size != q.size ||
      k.batch != q.batch || v.batch != q.batch || k.sequence != v.sequence)
    return Status::invalid_argument(
        "'Q' [{}], 'K' [{}] and 'V' [{}] (batch, heads, sequence, size) do not "
        "fit each other",
        to_string(q.shape()), to_string(k.shape()), to_string(v.shape()));
  const int64_t past =
      context.has_input(4) && context.input(4).rank() == 4 ? context.input(4).dim(2) : 0;
  if (context.has_input(4)) {
    SHIPWAY_ASSIGN_OR_RETURN(k, prepend(context.input(4), std::move(k), "past_key"));
    SHIPWAY_ASSIGN_OR_RETURN(v, prepend(context.input(5), std::move(v), "past_value"));
    if (k.sequence != v.sequence)
      return Status::invalid_argument("'past_key' has {} steps more than 'past_value'",
                                      k.sequence - v.sequence);
  }
  SHIPWAY_ASSIGN_OR_RETURN(const Bias bias, Bias::read(context, q, k, past));

  const Rounding round(query.dtype());
  const int64_t precision = context.int_attribute("softmax_precision");
  if (precision != 0 &&
      (!is_valid_dtype(precision) || kind_of(static_cast<DType>(precision)) != DTypeKind::kFloat))
    return Status::invalid_model(
        "attribute 'softmax_precision' is {}, expected the number of a float dtype", precision);
  const Rounding softmax_round(precision != 0 ? static_cast<DType>(precision) : query.dtype());
  const double given = context.has_attribute("scale")
                           ? static_cast<double>(context.float_attribute("scale"))
                           : 1 / std::sqrt(static_cast<double>(q.size));
  const double root = round(std::sqrt(given));  // both factors get the root of the scale
  const auto softcap = static_cast<double>(context.float_attribute("softcap"));
  const int64_t exposed_number = context.int_attribute("qk_matmul_output_mode");
  if (exposed_number < 0 || exposed_number > 3)
    return Status::invalid_model("attribute 'qk_matmul_output_mode' is {}, expected 0 to 3",
                                 exposed_number);
  const auto exposed = static_cast<Exposed>(exposed_number);

  const int64_t group = q.heads / k.heads;
  std::vector<double> y(static_cast<size_t>(q.batch * q.heads * q.sequence * v.size), 0.0),
      products;
  std::vector<double> scores(static_cast<size_t>(k.sequence)), row_bias(scores.size()), own;
  const auto expose = [&](Exposed stage) {
    if (context.has_output(3) && exposed == stage)
      products.insert(products.end(), scores.begin(), scores.end());
  };
  for (int64_t n = 0; n < q.batch; ++n) {
    for (int64_t h = 0; h < q.heads; ++h) {
      SHIPWAY_RETURN_IF_ERROR(context.poll());
      for (int64_t i = 0; i < q.sequence; ++i) {
        own.assign(q.row(n, h, i), q.row(n, h, i) + q.size);
        for (double& value : own) value = round(value * root);
        for (int64_t j = 0; j < k.sequence; ++j) {
          const double* key = k.row(n, h / group, j);
          double sum = 0;
          for (int64_t e = 0; e < q.size; ++e)
            sum += own[static_cast<size_t>(e)] * round(key[e] * root);
          scores[static_cast<size_t>(j)] = round(sum);
        }
        expose(Exposed::kProducts);
        if (softcap > 0)
          for (double& score : scores)
            score = round(round(std::tanh(round(score / softcap))) * softcap);
        expose(Exposed::kCapped);
        bias.row(n, h, i, row_bias);
        const bool sees_nothing = std::all_of(row_bias.begin(), row_bias.end(),
                                              [](double value) { return value == kMasked; });
        for (size_t j = 0; j < scores.size(); ++j) scores[j] = round(scores[j] + row_bias[j]);
        expose(Exposed::kBiased);
        if (sees_nothing)
          std::fill(scores.begin(), scores.end(), 0.0);
        else
          softmax(scores, softmax_round);
        expose(Exposed::kProbabilities);
        double* out = y.data() + (query.rank() == 4 ? (n * q.heads + h) * q.sequence + i
                                                    : (n * q.sequence + i) * q.heads + h) *
                                     v.size;
        for (int64_t j = 0; j < k.sequence; ++j) {
          const double probability = round(scores[static_cast<size_t>(j)]);
          if (probability == 0) continue;  // what is masked may hold anything
          const double* value = v.row(n, h / group, j);
          for (int64_t e = 0; e < v.size; ++e) out[e] += probability * value[e];
        }
      }
    }
  }
  const DType dtype = query.dtype();
  const Shape y_shape = query.rank() == 4 ? Shape{q.batch, q.heads, q.sequence, v.size}
                                          : Shape{q.batch, q.sequence, q.heads * v.size};
  SHIPWAY_RETURN_IF_ERROR(write_output(context, 0, dtype, y_shape, y));
  if (context.has_output(1))
    SHIPWAY_RETURN_IF_ERROR(write_output(context, 1, dtype, k.shape(), k.values));
  if (context.has_output(2))
    SHIPWAY_RETURN_IF_ERROR(
        write_output(context, 2, context.input(2).dtype(), v.shape(), v.values));
  if (!context.has_output(3)) return Status::ok();
  return write_output(context, 3, dtype, {q.batch, q.heads, q.sequence, k.sequence}, products);
}

}  // namespace

const Operator& attention_operator() {
  static const Operator definition{
      .name = "Attention",
      .summary = "Scaled dot-product attention with masks, grouped heads and a key/value cache.",
      .versions =
          {{.since = 23,
            .signature =
                "(Q: T1, K: T1, V: T2, attn_mask?: U, past_key?: T1, past_value?: T2) -> (Y: T1, "
                "present_key?: T1, present_value?: T2, qk_matmul_output?: T1)",
            .types = kTypes,
            .attributes = kAttributes},
           {.since = 24, .signature = kSignature, .types = kTypes, .attributes = kAttributes},
           {.since = 25,
            .signature = kSignature,
            .types = kTypes,
            .attributes =
                "is_causal: int = 0; kv_num_heads: int?; left_window_size: int = -1; "
                "q_num_heads: int?; qk_matmul_output_mode: int = 0; right_window_size: int = -1; "
                "scale: float?; softcap: float = 0.0; softmax_precision: int?"}},
      .infer = infer_attention,
      .evaluate = evaluate_attention,
  };
  return definition;
}

}  // namespace shipway
