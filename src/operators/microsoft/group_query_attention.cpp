// GroupQueryAttention of ONNX Runtime: causal attention of language models, several query heads to
// one head of keys and values, with a cache that each row of the batch fills to a length of its
// own.
//
// Row b of the batch has seen seqlens_k[b] + 1 places in all, the new ones included. A query at
// place p looks at places up to p, at the last `local_window_size` of them where that is given.
#include <algorithm>
#include <cmath>
#include <limits>

#include "operators/contents.h"
#include "operators/microsoft/attention_parts.h"
#include "operators/microsoft/dot.h"
#include "operators/reals.h"
#include "operators/shape_rules.h"

namespace shipway {
namespace {

constexpr size_t kQuery = 0, kKey = 1, kValue = 2, kPastKey = 3, kPastValue = 4, kLengths = 5,
                 kTotal = 6, kCosines = 7, kSines = 8, kPositions = 9, kBias = 10, kSink = 11,
                 kKeyScale = 12;

struct Heads {
  int64_t query = 0, key = 0;
};

Result<Heads> read_heads(const AttributeReader& node) {
  for (const char* name : {"num_heads", "kv_num_heads"})
    SHIPWAY_RETURN_IF_ERROR(check_head_count(node, name));
  const Heads heads{node.int_attribute("num_heads"), node.int_attribute("kv_num_heads")};
  if (heads.query % heads.key != 0)
    return Status::invalid_model(
        "attributes 'num_heads' and 'kv_num_heads' are {} and {}, expected a multiple", heads.query,
        heads.key);
  return heads;
}

// ---------------------------------------------------------------- inference

Status infer_group_query(InferContext& context) {
  DimTable& table = context.dims();
  const DType dtype = context.input_dtype(kQuery);
  const DType cache = context.has_input(kPastKey) ? context.input_dtype(kPastKey) : dtype;
  for (size_t i : {size_t{0}, size_t{3}}) context.set_output_dtype(i, dtype);
  for (size_t i : {size_t{1}, size_t{2}}) context.set_output_dtype(i, cache);
  SHIPWAY_ASSIGN_OR_RETURN(const Heads heads, read_heads(context));
  const Dims* q = context.input_dims(kQuery);
  if (!q) return Status::ok();
  if (q->size() != 3)
    return Status::invalid_model("input 'query' has rank {}, expected 3: batch, sequence, features",
                                 q->size());
  const bool is_packed = !context.has_input(kKey);
  const Dim size = table.floordiv((*q)[2], is_packed ? heads.query + 2 * heads.key : heads.query);
  context.set_output(0, dtype,
                     {(*q)[0], (*q)[1], is_packed ? table.mul(size, heads.query) : (*q)[2]});
  const std::optional<Contents> total = context.input_contents(kTotal);
  Dim places = total && total->size() == 1 ? (*total)[0] : Dim();
  const Dim all = places;
  if (const Dims* past = context.input_dims(kPastKey); past && past->size() == 4)
    places = places.is_known() && (*past)[2].is_known() ? table.max(places, (*past)[2]) : Dim();
  for (size_t i : {size_t{1}, size_t{2}})
    context.set_output(i, cache, {(*q)[0], heads.key, places, size});
  context.set_output(3, dtype, {(*q)[0], heads.query, (*q)[1], all});
  return Status::ok();
}

// ---------------------------------------------------------------- evaluation

/// Keys or values of all places [batch, heads, places, size], as an output where the node has it.
template <typename T>
struct Cache {
  Shape shape;
  std::optional<RealOutput<T>> output;
  std::vector<T> own;
  T* data = nullptr;

  Status allocate(EvaluateContext& context, size_t i, DType dtype) {
    SHIPWAY_ASSIGN_OR_RETURN(const int64_t count, element_count(shape));
    if (context.has_output(i)) {
      SHIPWAY_ASSIGN_OR_RETURN(RealOutput<T> made,
                               RealOutput<T>::allocate(context, i, dtype, shape));
      output.emplace(std::move(made));
      data = output->data();
    } else {
      own.resize(static_cast<size_t>(count));
      data = own.data();
    }
    std::fill_n(data, count, T{0});
    return Status::ok();
  }
  T* row(int64_t batch, int64_t head, int64_t place) {
    return data + ((batch * shape[1] + head) * shape[2] + place) * shape[3];
  }
};

/// A stretch of each token's features: heads of queries, keys or values.
template <typename T>
struct Features {
  std::vector<T> values;
  int64_t width = 0, offset = 0;

  T* row(int64_t token, int64_t head, int64_t size) {
    return values.data() + token * width + offset + head * size;
  }
};

template <typename T>
std::vector<T> copied(const Reals<T>& values) {
  return std::vector<T>(values.data(), values.data() + values.size());
}

template <typename T>
class Attention {
 public:
  explicit Attention(EvaluateContext& context) : context_(context) {}

  Status run() {
    SHIPWAY_RETURN_IF_ERROR(read());
    if (context_.int_attribute("do_rotary") != 0) SHIPWAY_RETURN_IF_ERROR(rotate_all());
    SHIPWAY_RETURN_IF_ERROR(fill_caches());
    SHIPWAY_RETURN_IF_ERROR(attend());
    for (Cache<T>* cache : {&keys_, &values_})
      if (cache->output) SHIPWAY_RETURN_IF_ERROR(cache->output->finish(context_));
    return Status::ok();
  }

 private:
  Status refuse_what_is_missing() const {
    for (size_t i = kKeyScale; i < context_.input_count(); ++i)
      if (context_.has_input(i))
        return Status::unsupported("input '{}' is not computed", context_.schema().inputs[i].name);
    if (context_.int_attribute("qk_output") != 0 || context_.has_output(3))
      return Status::unsupported("output 'output_qk' is not computed");
    if (context_.int_attribute("sliding_window_cache") != 0)
      return Status::unsupported("attribute 'sliding_window_cache' is not computed");
    for (const char* name : {"k_quant_type", "v_quant_type"})
      if (context_.string_attribute(name) != "NONE")
        return Status::unsupported("a quantised cache (attribute '{}') is not computed", name);
    return Status::ok();
  }

  Status read() {
    SHIPWAY_RETURN_IF_ERROR(refuse_what_is_missing());
    SHIPWAY_ASSIGN_OR_RETURN(heads_, read_heads(context_));
    const Tensor& query = context_.input(kQuery);
    dtype_ = query.dtype();
    const bool is_packed = !context_.has_input(kKey);
    const int64_t all_heads = is_packed ? heads_.query + 2 * heads_.key : heads_.query;
    if (query.rank() != 3 || query.dim(2) % all_heads != 0)
      return Status::invalid_argument(
          "input 'query' is [{}], expected batch, sequence and features that {} heads divide",
          to_string(query.shape()), all_heads);
    batch_ = query.dim(0);
    length_ = query.dim(1);
    size_ = query.dim(2) / all_heads;
    SHIPWAY_ASSIGN_OR_RETURN(const Reals<T> values, Reals<T>::of(query));
    query_.values = copied(values);
    query_.width = query.dim(2);
    if (is_packed) {
      key_ = query_;
      key_.offset = heads_.query * size_;
      value_ = query_;
      value_.offset = key_.offset + heads_.key * size_;
    } else {
      for (size_t i : {kKey, kValue}) {
        Features<T>& features = i == kKey ? key_ : value_;
        features.width = heads_.key * size_;
        if (context_.input(i).shape() != Shape{batch_, length_, features.width})
          return Status::invalid_argument(
              "input '{}' is [{}], expected [{}x{}x{}]", context_.schema().inputs[i].name,
              to_string(context_.input(i).shape()), batch_, length_, features.width);
        SHIPWAY_ASSIGN_OR_RETURN(const Reals<T> given, Reals<T>::of(context_.input(i)));
        features.values = copied(given);
      }
    }
    return read_lengths();
  }

  Status read_lengths() {
    SHIPWAY_ASSIGN_OR_RETURN(total_, int_of(context_.input(kTotal), "total_sequence_length"));
    SHIPWAY_ASSIGN_OR_RETURN(const std::vector<int64_t> last, to_ints(context_.input(kLengths)));
    if (static_cast<int64_t>(last.size()) != batch_)
      return Status::invalid_argument("input 'seqlens_k' is [{}], expected [{}]",
                                      to_string(context_.input(kLengths).shape()), batch_);
    is_prompt_ = length_ == total_;
    for (int64_t place : last) {
      const int64_t length = place + 1, before = is_prompt_ ? 0 : length - length_;
      if (length < 1 || length > total_ || before < 0)
        return Status::invalid_argument(
            "input 'seqlens_k' has the value {}, but {} of {} places are new", place, length_,
            total_);
      lengths_.push_back(length);
      before_.push_back(before);
    }
    return Status::ok();
  }

  /// The place of a token, that its rotation goes by.
  Result<std::vector<int64_t>> token_places() const {
    std::vector<int64_t> places;
    if (context_.has_input(kPositions)) {
      SHIPWAY_ASSIGN_OR_RETURN(places, to_ints(context_.input(kPositions)));
      if (is_prompt_ && !places.empty()) {  // the first is where all begin
        const int64_t begin = places[0];
        places.clear();
        for (int64_t b = 0; b < batch_; ++b)
          for (int64_t s = 0; s < length_; ++s) places.push_back(begin + s);
      }
    } else {
      for (int64_t before : before_)
        for (int64_t s = 0; s < length_; ++s) places.push_back(before + s);
    }
    if (static_cast<int64_t>(places.size()) != batch_ * length_)
      return Status::invalid_argument("input 'position_ids' is [{}], expected [{}x{}]",
                                      to_string(context_.input(kPositions).shape()), batch_,
                                      length_);
    return places;
  }

  /// Pairs of features of queries and keys, turned by the angle of their token's place.
  Status rotate_all() {
    const Tensor &cosines = context_.input(kCosines), &sines = context_.input(kSines);
    if (cosines.rank() != 2 || cosines.shape() != sines.shape() || 2 * cosines.dim(1) > size_)
      return Status::invalid_argument(
          "'cos_cache' is [{}] and 'sin_cache' [{}], expected places and up to {} angles",
          to_string(cosines.shape()), to_string(sines.shape()), size_ / 2);
    SHIPWAY_ASSIGN_OR_RETURN(const std::vector<double> cos, to_doubles(cosines));
    SHIPWAY_ASSIGN_OR_RETURN(const std::vector<double> sin, to_doubles(sines));
    SHIPWAY_ASSIGN_OR_RETURN(const std::vector<int64_t> places, token_places());
    const int64_t half = cosines.dim(1);
    const bool interleaved = context_.int_attribute("rotary_interleaved") != 0;
    for (int64_t token = 0; token < batch_ * length_; ++token) {
      const int64_t place = places[static_cast<size_t>(token)];
      if (place < 0 || place >= cosines.dim(0))
        return Status::invalid_argument("a token is at place {}, but the caches have {}", place,
                                        cosines.dim(0));
      for (int64_t head = 0; head < heads_.query + heads_.key; ++head) {
        T* x = head < heads_.query ? query_.row(token, head, size_)
                                   : key_.row(token, head - heads_.query, size_);
        for (int64_t i = 0; i < half; ++i) {
          T& first = x[interleaved ? 2 * i : i];
          T& second = x[interleaved ? 2 * i + 1 : i + half];
          const auto a = static_cast<double>(first), b = static_cast<double>(second);
          const double c = cos[static_cast<size_t>(place * half + i)],
                       s = sin[static_cast<size_t>(place * half + i)];
          first = static_cast<T>(c * a - s * b);
          second = static_cast<T>(s * a + c * b);
        }
      }
    }
    return Status::ok();
  }

  /// What came before, then the new tokens behind it.
  Status fill_cache(size_t past, Features<T>& features, Cache<T>& cache) {
    const std::string& name = context_.schema().inputs[past].name;
    const Tensor& tensor = context_.input(past);
    int64_t places = 0;
    std::optional<Reals<T>> before;
    if (context_.has_input(past)) {
      places = tensor.rank() == 4 ? tensor.dim(2) : -1;
      if (tensor.shape() != Shape{batch_, heads_.key, places, size_} || tensor.dtype() != dtype_)
        return Status::invalid_argument("input '{}' is {}[{}], expected {}[{}x{}x places x{}]",
                                        name, to_string(tensor.dtype()), to_string(tensor.shape()),
                                        to_string(dtype_), batch_, heads_.key, size_);
      SHIPWAY_ASSIGN_OR_RETURN(Reals<T> given, Reals<T>::of(tensor));
      before.emplace(std::move(given));
    }
    if (total_ > places + length_)
      return Status::invalid_argument(
          "input 'total_sequence_length' is {}, but {} places came before and {} are new", total_,
          places, length_);
    cache.shape = {batch_, heads_.key, std::max(places, total_), size_};
    SHIPWAY_RETURN_IF_ERROR(cache.allocate(context_, past == kPastKey ? 1 : 2, dtype_));
    for (int64_t b = 0; b < batch_; ++b) {
      const int64_t old = before_[static_cast<size_t>(b)];
      if (old > places)
        return Status::invalid_argument("{} places came before, but input '{}' has {}", old, name,
                                        places);
      for (int64_t head = 0; head < heads_.key; ++head) {
        if (old > 0)
          std::copy_n(before->data() + (b * heads_.key + head) * places * size_, old * size_,
                      cache.row(b, head, 0));
        for (int64_t s = 0; s < length_; ++s)
          std::copy_n(features.row(b * length_ + s, head, size_), size_,
                      cache.row(b, head, old + s));
      }
    }
    return Status::ok();
  }
  Status fill_caches() {
    SHIPWAY_RETURN_IF_ERROR(fill_cache(kPastKey, key_, keys_));
    return fill_cache(kPastValue, value_, values_);
  }

  /// What is added to the scores of query `s`, key 0 first; null: nothing.
  const double* bias_row(int64_t b, int64_t head, int64_t s) const {
    if (bias_.empty()) return nullptr;
    const Shape& shape = context_.input(kBias).shape();
    const int64_t row =
        ((shape[0] == 1 ? 0 : b) * shape[1] + (shape[1] == 1 ? 0 : head)) * shape[2] + s;
    return bias_.data() + row * shape[3];
  }

  Status read_bias_and_sinks() {
    if (context_.has_input(kBias)) {
      const Shape& shape = context_.input(kBias).shape();
      if (shape.size() != 4 || (shape[0] != 1 && shape[0] != batch_) ||
          (shape[1] != 1 && shape[1] != heads_.query) || shape[2] != length_ || shape[3] < total_)
        return Status::invalid_argument("input 'attention_bias' is [{}], expected [{}x{}x{}x{}]",
                                        to_string(shape), batch_, heads_.query, length_, total_);
      SHIPWAY_ASSIGN_OR_RETURN(bias_, to_doubles(context_.input(kBias)));
    }
    if (context_.has_input(kSink)) {
      if (context_.input(kSink).shape() != Shape{heads_.query})
        return Status::invalid_argument("input 'head_sink' is [{}], expected [{}]",
                                        to_string(context_.input(kSink).shape()), heads_.query);
      SHIPWAY_ASSIGN_OR_RETURN(sinks_, to_doubles(context_.input(kSink)));
    } else if (context_.int_attribute("smooth_softmax") > 0) {
      sinks_.assign(static_cast<size_t>(heads_.query), 0.0);
    }
    return Status::ok();
  }

  /// Shares of scores[0, count); with a sink, one more score that nothing is taken of.
  void softmax(std::vector<double>& scores, int64_t head) const {
    double largest = -std::numeric_limits<double>::infinity(), sum = 0;
    for (double score : scores) largest = std::max(largest, score);
    if (!sinks_.empty()) {
      const double sink = sinks_[static_cast<size_t>(head)];
      largest = std::max(largest, sink);
      sum = std::exp(sink - largest);
    }
    for (double& score : scores) sum += score = std::exp(score - largest);
    for (double& score : scores) score /= sum;
  }

  Status attend() {
    SHIPWAY_RETURN_IF_ERROR(read_bias_and_sinks());
    const float given = context_.float_attribute("scale");
    const double scale =
        given != 0 ? static_cast<double>(given) : 1 / std::sqrt(static_cast<double>(size_));
    const auto softcap = static_cast<double>(context_.float_attribute("softcap"));
    const int64_t window = context_.int_attribute("local_window_size");
    const bool causal = context_.int_attribute("causal") != 0;
    const int64_t group = heads_.query / heads_.key;
    const Shape shape{batch_, length_, heads_.query * size_};
    SHIPWAY_ASSIGN_OR_RETURN(RealOutput<T> y, RealOutput<T>::allocate(context_, 0, dtype_, shape));
    std::vector<double> scores, sums(static_cast<size_t>(size_));
    for (int64_t b = 0; b < batch_; ++b) {
      const int64_t before = before_[static_cast<size_t>(b)];
      for (int64_t head = 0; head < heads_.query; ++head) {
        SHIPWAY_RETURN_IF_ERROR(context_.poll());
        for (int64_t s = 0; s < length_; ++s) {
          const int64_t end = causal ? before + s + 1 : lengths_[static_cast<size_t>(b)];
          const int64_t begin = window >= 0 ? std::max<int64_t>(end - window, 0) : 0;
          const T* q = query_.row(b * length_ + s, head, size_);
          const double* bias = bias_row(b, head, s);
          scores.clear();
          for (int64_t place = begin; place < end; ++place) {
            double score = scale * dot(q, keys_.row(b, head / group, place), size_);
            if (softcap > 0) score = softcap * std::tanh(score / softcap);
            scores.push_back(bias ? score + bias[place] : score);
          }
          softmax(scores, head);
          std::fill(sums.begin(), sums.end(), 0.0);
          for (int64_t place = begin; place < end; ++place) {
            const T* v = values_.row(b, head / group, place);
            const double share = scores[static_cast<size_t>(place - begin)];
            for (int64_t i = 0; i < size_; ++i)
              sums[static_cast<size_t>(i)] += share * static_cast<double>(v[i]);
          }
          T* out = y.data() + ((b * length_ + s) * heads_.query + head) * size_;
          for (double sum : sums) *out++ = static_cast<T>(sum);
        }
      }
    }
    return y.finish(context_);
  }

  EvaluateContext& context_;
  DType dtype_ = DType::kFloat32;
  Heads heads_;
  int64_t batch_ = 0, length_ = 0, size_ = 0, total_ = 0;
  bool is_prompt_ = false;
  std::vector<int64_t> lengths_, before_;  // of each row: places in all, places that came before
  Features<T> query_, key_, value_;
  Cache<T> keys_, values_;
  std::vector<double> bias_, sinks_;
};

Status evaluate_group_query(EvaluateContext& context) {
  return visit_real_type(context.input(kQuery).dtype(),
                         [&](auto type) { return Attention<decltype(type)>(context).run(); });
}

}  // namespace

const Operator& microsoft_group_query_attention_operator() {
  static const Operator definition{
      .domain = "com.microsoft",
      .name = "GroupQueryAttention",
      .summary = "Causal attention with fewer heads of keys and values, and a cache of them.",
      .versions = {{.since = 1,
                    .signature =
                        "(query: T, key?: T, value?: T, past_key?: T_CACHE, past_value?: T_CACHE, "
                        "seqlens_k: M, total_sequence_length: M, cos_cache?: T, sin_cache?: T, "
                        "position_ids?: int64, attention_bias?: T, head_sink?: T, k_scale?: "
                        "T_KV_SCALE, v_scale?: T_KV_SCALE, q_norm_weight?: T, k_norm_weight?: T, "
                        "query_seqlens?: M) -> (output: T, present_key?: T_CACHE, present_value?: "
                        "T_CACHE, output_qk?: T)",
                    .types = "T: float16 bfloat16 float; T_CACHE: float float16 bfloat16 uint8 "
                             "int8 float8e4m3fn; T_KV_SCALE: float; M: int32",
                    .attributes =
                        "causal: int = 1; do_rotary: int?; k_norm_epsilon: float?; k_quant_type: "
                        "string = 'NONE'; kv_cache_bit_width: int?; kv_num_heads: int!; "
                        "local_window_size: int = -1; num_heads: int!; q_norm_epsilon: float?; "
                        "qk_norm_epsilon: float = 1e-06; qk_output: int = 0; rotary_interleaved: "
                        "int?; scale: float?; sliding_window_cache: int = 0; smooth_softmax: int = "
                        "-1; softcap: float?; v_quant_type: string = 'NONE'"}},
      .infer = infer_group_query,
      .evaluate = evaluate_group_query,
  };
  return definition;
}

}  // namespace shipway
