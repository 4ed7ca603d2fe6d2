// LinearAttention: attention kept as a running state, whose cost grows linearly with the length.
//
// For each step: state *= exp(decay) (gated), v = beta * (v - state^T k) (delta), state += k v^T,
// output = scale * state^T q. The state is [key size, value size] for each head of keys and values.
#include <cmath>

#include "base/text.h"
#include "operators/loops.h"
#include "operators/reals.h"
#include "operators/shape_rules.h"

namespace shipway {

namespace {

struct Rule {
  bool gated = false, delta = false;
  int64_t query_heads = 1, heads = 1;
};

Result<Rule> read_rule(const AttributeReader& node) {
  Rule rule{.query_heads = node.int_attribute("q_num_heads"),
            .heads = node.int_attribute("kv_num_heads")};
  const std::string& name = node.string_attribute("update_rule");
  if (name != "linear" && name != "gated" && name != "delta" && name != "gated_delta")
    return Status::invalid_model(
        "attribute 'update_rule' is {}, expected linear, gated, delta or gated_delta",
        quoted(name));
  rule.gated = name.starts_with("gated");
  rule.delta = name.ends_with("delta");
  if (rule.heads < 1 || rule.query_heads < 1 || rule.query_heads % rule.heads != 0)
    return Status::invalid_model(
        "attribute 'q_num_heads' is {}, expected a multiple of 'kv_num_heads', {}",
        rule.query_heads, rule.heads);
  return rule;
}

Status infer_linear_attention(InferContext& context) {
  SHIPWAY_ASSIGN_OR_RETURN(const Rule rule, read_rule(context));
  const DType state = context.input_dtype(context.has_input(3) ? 3 : 0);
  context.set_output_dtype(0, context.input_dtype(0));
  context.set_output_dtype(1, state);
  const Dims *q = context.input_dims(0), *v = context.input_dims(2);
  for (size_t i = 0; i < 3; ++i)
    if (const Dims* dims = context.input_dims(i); dims && dims->size() != 3)
      return Status::invalid_model("input {} has rank {}, expected 3", i, dims->size());
  if (!q || !v) return Status::ok();
  const Dim key_size = context.dims().floordiv((*q)[2], rule.query_heads);
  const Dim value_size = context.dims().floordiv((*v)[2], rule.heads);
  context.set_output(0, context.input_dtype(0),
                     {(*q)[0], (*q)[1], context.dims().mul(value_size, rule.query_heads)});
  context.set_output(1, state, {(*q)[0], rule.heads, key_size, value_size});
  return Status::ok();
}

Status evaluate_linear_attention(EvaluateContext& context) {
  SHIPWAY_ASSIGN_OR_RETURN(const Rule rule, read_rule(context));
  const Tensor &query = context.input(0), &value = context.input(2);
  const auto expect = [&](size_t i, const Shape& shape) -> Status {
    if (!context.has_input(i) || context.input(i).shape() == shape) return Status::ok();
    return Status::invalid_argument("input '{}' is [{}], expected [{}]",
                                    context.schema().inputs[i].name,
                                    to_string(context.input(i).shape()), to_string(shape));
  };
  if (query.rank() != 3 || value.rank() != 3 || query.dim(2) % rule.query_heads != 0 ||
      value.dim(2) % rule.heads != 0)
    return Status::invalid_argument(
        "'query' is [{}] and 'value' [{}], expected rank 3 and sizes that {} "
        "and {} heads divide",
        to_string(query.shape()), to_string(value.shape()), rule.query_heads, rule.heads);
  const int64_t batch = query.dim(0), steps = query.dim(1);
  const int64_t keys = query.dim(2) / rule.query_heads, values = value.dim(2) / rule.heads;
  SHIPWAY_RETURN_IF_ERROR(expect(1, {batch, steps, rule.heads * keys}));
  SHIPWAY_RETURN_IF_ERROR(expect(2, {batch, steps, rule.heads * values}));
  SHIPWAY_RETURN_IF_ERROR(expect(3, {batch, rule.heads, keys, values}));
  if (context.has_input(4) != rule.gated || context.has_input(5) != rule.delta)
    return Status::invalid_argument(
        "inputs 'decay' and 'beta' do not fit attribute 'update_rule' {}",
        quoted(context.string_attribute("update_rule")));
  int64_t decays = 0, betas = 0;  // for each step
  if (rule.gated) {
    decays = context.input(4).rank() == 3 && context.input(4).dim(2) == rule.heads
                 ? rule.heads
                 : rule.heads * keys;
    SHIPWAY_RETURN_IF_ERROR(expect(4, {batch, steps, decays}));
  }
  if (rule.delta) {
    betas = context.input(5).rank() == 3 && context.input(5).dim(2) == 1 ? 1 : rule.heads;
    SHIPWAY_RETURN_IF_ERROR(expect(5, {batch, steps, betas}));
  }
  SHIPWAY_ASSIGN_OR_RETURN(const Reals<double> q, Reals<double>::of(query));
  SHIPWAY_ASSIGN_OR_RETURN(const Reals<double> k, Reals<double>::of(context.input(1)));
  SHIPWAY_ASSIGN_OR_RETURN(const Reals<double> v, Reals<double>::of(value));
  std::vector<double> decay, beta;
  std::vector<double> states(static_cast<size_t>(batch * rule.heads * keys * values), 0.0);
  if (rule.gated) {
    SHIPWAY_ASSIGN_OR_RETURN(decay, to_doubles(context.input(4)));
  }
  if (rule.delta) {
    SHIPWAY_ASSIGN_OR_RETURN(beta, to_doubles(context.input(5)));
  }
  if (context.has_input(3)) {
    SHIPWAY_ASSIGN_OR_RETURN(states, to_doubles(context.input(3)));
  }
  const auto given = static_cast<double>(context.float_attribute("scale"));
  const double scale = given == 0 ? 1 / std::sqrt(static_cast<double>(keys)) : given;
  const int64_t group = rule.query_heads / rule.heads;
  SHIPWAY_ASSIGN_OR_RETURN(RealOutput<double> y,
                           RealOutput<double>::allocate(context, 0, query.dtype(),
                                                        {batch, steps, rule.query_heads * values}));
  std::vector<double> next(static_cast<size_t>(values));
  for (int64_t n = 0; n < batch; ++n) {
    for (int64_t h = 0; h < rule.heads; ++h) {
      SHIPWAY_RETURN_IF_ERROR(context.poll());
      double* state = states.data() + (n * rule.heads + h) * keys * values;
      for (int64_t t = 0; t < steps; ++t) {
        const int64_t step = n * steps + t;
        const double* key = k.data() + (step * rule.heads + h) * keys;
        for (int64_t i = 0; rule.gated && i < keys; ++i) {
          const int64_t at = step * decays + (decays == rule.heads ? h : h * keys + i);
          for (int64_t j = 0; j < values; ++j)
            state[i * values + j] *= std::exp(decay[static_cast<size_t>(at)]);
        }
        std::copy_n(v.data() + (step * rule.heads + h) * values, values, next.begin());
        if (rule.delta) {
          for (int64_t i = 0; i < keys; ++i)
            for (int64_t j = 0; j < values; ++j)
              next[static_cast<size_t>(j)] -= state[i * values + j] * key[i];
          for (double& x : next)
            x *= beta[static_cast<size_t>(step * betas + (betas == 1 ? 0 : h))];
        }
        for (int64_t i = 0; i < keys; ++i)
          for (int64_t j = 0; j < values; ++j)
            state[i * values + j] += key[i] * next[static_cast<size_t>(j)];
        for (int64_t g = h * group; g < (h + 1) * group; ++g) {
          double* out = y.data() + (step * rule.query_heads + g) * values;
          const double* own = q.data() + (step * rule.query_heads + g) * keys;
          std::fill_n(out, values, 0.0);
          for (int64_t i = 0; i < keys; ++i)
            for (int64_t j = 0; j < values; ++j) out[j] += scale * own[i] * state[i * values + j];
        }
      }
    }
  }
  SHIPWAY_RETURN_IF_ERROR(y.finish(context));
  if (!context.has_output(1)) return Status::ok();
  const DType dtype = context.has_input(3) ? context.input(3).dtype() : query.dtype();
  return write_output(context, 1, dtype, {batch, rule.heads, keys, values}, states);
}

}  // namespace

const Operator& linear_attention_operator() {
  static const Operator definition{
      .name = "LinearAttention",
      .summary = "Attention kept as a running state, whose cost grows linearly with the length.",
      .versions =
          {{.since = 27,
            .signature =
                "(query: T, key: T, value: T, past_state?: S, decay?: T, beta?: T) -> (output: T, "
                "present_state: S)",
            .types = "T: float float16 bfloat16; S: float float16 bfloat16",
            .attributes =
                "chunk_size: int = 64; kv_num_heads: int!; q_num_heads: int!; scale: float = 0.0; "
                "update_rule: string = 'gated_delta'"}},
      .infer = infer_linear_attention,
      .evaluate = evaluate_linear_attention,
  };
  return definition;
}

}  // namespace shipway
