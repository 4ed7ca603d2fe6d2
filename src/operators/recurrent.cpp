// Recurrent layers: RNN, GRU, LSTM.
//
// Gates stand one after the other in W, R and B: i o f c in LSTM, z r h in GRU. Each step computes
// x W^T + Wb and h R^T + Rb for all gates, then the cell's own formula (see step_rnn and its kin).
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "base/text.h"
#include "operators/loops.h"
#include "operators/reals.h"
#include "operators/shape_rules.h"

namespace shipway {
namespace {

constexpr std::string_view kSignatureSince3 =
    "(X: T, W: T, R: T, B?: T, sequence_lens?: T1, initial_h?: T) -> (Y?: T, Y_h?: T)";
constexpr std::string_view kGRUAttributesSince14 =
    "activation_alpha: floats?; activation_beta: floats?; activations: strings?; "
    "clip: float?; direction: string = 'forward'; hidden_size: int?; layout: int = 0; "
    "linear_before_reset: int = 0";
constexpr std::string_view kLSTMSignatureSince1 =
    "(X: T, W: T, R: T, B?: T, sequence_lens?: T1, initial_h?: T, initial_c?: T, "
    "P?: T) -> (Y?: T, Y_h?: T, Y_c?: T)";
constexpr std::string_view kLSTMAttributesSince14 =
    "activation_alpha: floats?; activation_beta: floats?; activations: strings?; "
    "clip: float?; direction: string = 'forward'; hidden_size: int?; "
    "input_forget: int = 0; layout: int = 0";
constexpr std::string_view kRNNAttributesSince14 =
    "activation_alpha: floats?; activation_beta: floats?; "
    "activations: strings = ['Tanh', 'Tanh']; clip: float?; "
    "direction: string = 'forward'; hidden_size: int?; layout: int = 0";

enum class Cell : uint8_t { kRnn, kGru, kLstm };

int64_t gate_count(Cell cell) { return cell == Cell::kRnn ? 1 : cell == Cell::kGru ? 3 : 4; }
size_t activation_count(Cell cell) {
  return static_cast<size_t>(gate_count(cell) - (cell == Cell::kRnn ? 0 : 1));
}

// --------------------------------------------------------------------------------------
// activations

struct Activation {
  enum class Kind : uint8_t {
    kRelu,
    kTanh,
    kSigmoid,
    kAffine,
    kLeakyRelu,
    kThresholdedRelu,
    kScaledTanh,
    kHardSigmoid,
    kElu,
    kSoftsign,
    kSoftplus
  };
  Kind kind = Kind::kTanh;
  double alpha = 0, beta = 0;

  double operator()(double x) const {
    switch (kind) {
      case Kind::kRelu:
        return std::max(x, 0.0);
      case Kind::kTanh:
        return std::tanh(x);
      case Kind::kSigmoid:
        return 1 / (1 + std::exp(-x));
      case Kind::kAffine:
        return alpha * x + beta;
      case Kind::kLeakyRelu:
        return x >= 0 ? x : alpha * x;
      case Kind::kThresholdedRelu:
        return x > alpha ? x : 0;
      case Kind::kScaledTanh:
        return alpha * std::tanh(beta * x);
      case Kind::kHardSigmoid:
        return std::clamp(alpha * x + beta, 0.0, 1.0);
      case Kind::kElu:
        return x >= 0 ? x : alpha * std::expm1(x);
      case Kind::kSoftsign:
        return x / (1 + std::abs(x));
      case Kind::kSoftplus:
        return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x));
    }
    return x;
  }
};

struct ActivationName {
  std::string_view name;  // compared without regard to case
  Activation::Kind kind;
  double alpha, beta;  // defaults
  int parameters;      // how many it takes of activation_alpha and activation_beta
};
constexpr ActivationName kActivations[] = {
    {"affine", Activation::Kind::kAffine, 1, 0, 2},
    {"elu", Activation::Kind::kElu, 1, 0, 1},
    {"hardsigmoid", Activation::Kind::kHardSigmoid, 0.2, 0.5, 2},
    {"leakyrelu", Activation::Kind::kLeakyRelu, 0.01, 0, 1},
    {"relu", Activation::Kind::kRelu, 0, 0, 0},
    {"scaledtanh", Activation::Kind::kScaledTanh, 1, 1, 2},
    {"sigmoid", Activation::Kind::kSigmoid, 0, 0, 0},
    {"softplus", Activation::Kind::kSoftplus, 0, 0, 0},
    {"softsign", Activation::Kind::kSoftsign, 0, 0, 0},
    {"tanh", Activation::Kind::kTanh, 0, 0, 0},
    {"thresholdedrelu", Activation::Kind::kThresholdedRelu, 1, 0, 1},
};

/// The activations of all directions, one after the other.
Result<std::vector<Activation>> read_activations(const AttributeReader& node, Cell cell,
                                                 size_t directions) {
  std::vector<std::string> names;
  for (const std::string& name : node.strings_attribute("activations")) {
    names.push_back(name);
    for (char& letter : names.back())
      if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  const size_t count = activation_count(cell) * directions;
  if (!node.has_attribute("activations")) {
    names.clear();
    for (size_t i = 0; i < count; ++i)
      names.push_back(cell != Cell::kRnn && i % activation_count(cell) == 0 ? "sigmoid" : "tanh");
  }
  if (names.size() != count)
    return Status::invalid_model(
        "attribute 'activations' has {} values, expected {}: {} for each direction", names.size(),
        count, activation_count(cell));
  const std::span<const float> alphas = node.floats_attribute("activation_alpha");
  const std::span<const float> betas = node.floats_attribute("activation_beta");
  std::vector<Activation> activations;
  size_t alpha = 0, beta = 0;  // those given go to the functions that take some, in order
  for (const std::string& name : names) {
    const auto* known = std::find_if(std::begin(kActivations), std::end(kActivations),
                                     [&](const ActivationName& a) { return a.name == name; });
    if (known == std::end(kActivations))
      return Status::invalid_model("attribute 'activations' names {}, which is no activation",
                                   quoted(name));
    Activation activation{known->kind, known->alpha, known->beta};
    if (known->parameters >= 1 && alpha < alphas.size())
      activation.alpha = static_cast<double>(alphas[alpha++]);
    if (known->parameters >= 2 && beta < betas.size())
      activation.beta = static_cast<double>(betas[beta++]);
    activations.push_back(activation);
  }
  return activations;
}

// ------------------------------------------------------------------------------------------ layout

struct Directions {
  size_t count = 1;
  bool first_reversed = false;
};

Result<Directions> read_directions(const AttributeReader& node) {
  const std::string& direction = node.string_attribute("direction");
  if (direction == "forward") return Directions{};
  if (direction == "reverse") return Directions{.first_reversed = true};
  if (direction == "bidirectional") return Directions{.count = 2};
  return Status::invalid_model(
      "attribute 'direction' is {}, expected forward, reverse or bidirectional", quoted(direction));
}

template <Cell kCell>
Status infer_recurrent(InferContext& context) {
  for (size_t i = 0; i < 3; ++i) context.set_output_dtype(i, context.input_dtype(0));
  SHIPWAY_ASSIGN_OR_RETURN(const Directions directions, read_directions(context));
  SHIPWAY_RETURN_IF_ERROR(read_activations(context, kCell, directions.count).status());
  const Dims *x = context.input_dims(0), *r = context.input_dims(2);
  for (size_t i = 0; i < 3; ++i)
    if (const Dims* dims = context.input_dims(i); dims && dims->size() != 3)
      return Status::invalid_model("input {} has rank {}, expected 3", i, dims->size());
  if (r && (*r)[0].is_constant() && (*r)[0].value() != static_cast<int64_t>(directions.count))
    return Status::invalid_model(
        "input 'R' is for {} directions, but attribute 'direction' means {}", (*r)[0].value(),
        directions.count);
  if (!x) return Status::ok();
  Dim hidden =
      context.has_attribute("hidden_size") ? Dim(context.int_attribute("hidden_size")) : Dim();
  if (r && (hidden.is_unknown() || !(*r)[2].is_constant()))
    hidden = hidden.is_known() ? hidden : (*r)[2];
  if (r && hidden.is_constant() && (*r)[2].is_constant() && hidden != (*r)[2])
    return Status::invalid_model("attribute 'hidden_size' is {}, but input 'R' has {}",
                                 hidden.value(), (*r)[2].value());
  const auto count = static_cast<int64_t>(directions.count);
  if (context.int_attribute("layout") == 0) {
    context.set_output(0, context.input_dtype(0), {(*x)[0], count, (*x)[1], hidden});
    for (size_t i = 1; i < 3; ++i)
      context.set_output(i, context.input_dtype(0), {count, (*x)[1], hidden});
  } else {
    context.set_output(0, context.input_dtype(0), {(*x)[0], (*x)[1], count, hidden});
    for (size_t i = 1; i < 3; ++i)
      context.set_output(i, context.input_dtype(0), {(*x)[0], count, hidden});
  }
  return Status::ok();
}

// ------------------------------------------------------------------------------------------- steps

/// The weights of one direction, turned so that the gates of one input stand together.
struct Weights {
  std::vector<double> w, r;       // [input][gate * hidden], [hidden][gate * hidden]
  std::vector<double> wb, rb;     // [gate * hidden]
  std::vector<double> peepholes;  // LSTM: i o f, [3 * hidden]
  std::vector<Activation> activations;
};

struct Step {
  Cell cell;
  int64_t hidden = 0;
  double clip = 0;  // 0: none
  bool linear_before_reset = false;
  bool input_forget = false;

  double limit(double x) const { return clip > 0 ? std::clamp(x, -clip, clip) : x; }

  /// sums += x M, M [size of x][size of sums].
  static void add_product(const double* x, size_t size, const std::vector<double>& m,
                          std::vector<double>& sums) {
    const double* row = m.data();
    for (size_t i = 0; i < size; ++i, row += sums.size())
      for (size_t g = 0; g < sums.size(); ++g) sums[g] += x[i] * row[g];
  }

  /// `gates` holds x W^T + Wb; `h` and `c` (LSTM) become the next state.
  void run(const Weights& weights, const std::vector<double>& gates, std::vector<double>& h,
           std::vector<double>& c, std::vector<double>& recurrent) const {
    recurrent = weights.rb;
    add_product(h.data(), h.size(), weights.r, recurrent);
    const auto size = static_cast<size_t>(hidden);
    const auto& f = weights.activations;
    switch (cell) {
      case Cell::kRnn:  // h = f(x W + Wb + h R + Rb)
        for (size_t j = 0; j < size; ++j) h[j] = f[0](limit(gates[j] + recurrent[j]));
        return;
      case Cell::kGru:
        step_gru(weights, gates, h, c, recurrent);
        return;
      case Cell::kLstm:
        step_lstm(weights, gates, h, c, recurrent);
        return;
    }
  }

  // z = f(x Wz + h Rz), r = f(x Wr + h Rr), h' = (1 - z) * n + z * h, biases left out, with
  // n = g(x Wh + (r * h) Rh), or g(x Wh + r * (h Rh)) with linear_before_reset
  void step_gru(const Weights& weights, const std::vector<double>& gates, std::vector<double>& h,
                std::vector<double>& reset, std::vector<double>& recurrent) const {
    const auto size = static_cast<size_t>(hidden);
    const auto& f = weights.activations;
    reset.resize(size);
    for (size_t j = 0; j < size; ++j) reset[j] = f[0](limit(gates[size + j] + recurrent[size + j]));
    if (linear_before_reset) {
      for (size_t j = 0; j < size; ++j) recurrent[2 * size + j] *= reset[j];
    } else {
      std::copy(weights.rb.begin() + 2 * hidden, weights.rb.end(), recurrent.begin() + 2 * hidden);
      for (size_t i = 0; i < size; ++i) {
        const double* row = weights.r.data() + i * 3 * size + 2 * size;
        for (size_t j = 0; j < size; ++j) recurrent[2 * size + j] += reset[i] * h[i] * row[j];
      }
    }
    for (size_t j = 0; j < size; ++j) {
      const double z = f[0](limit(gates[j] + recurrent[j]));
      const double n = f[1](limit(gates[2 * size + j] + recurrent[2 * size + j]));
      h[j] = (1 - z) * n + z * h[j];
    }
  }

  // i = f(x Wi + h Ri + Pi * c), f likewise (or 1 - i with input_forget), n = g(x Wc + h Rc),
  // c' = f * c + i * n, o = f(x Wo + h Ro + Po * c'), h' = o * h(c'), biases left out
  void step_lstm(const Weights& weights, const std::vector<double>& gates, std::vector<double>& h,
                 std::vector<double>& c, const std::vector<double>& recurrent) const {
    const auto size = static_cast<size_t>(hidden);
    const auto& f = weights.activations;
    const double* peephole = weights.peepholes.data();
    for (size_t j = 0; j < size; ++j) {
      const auto gate = [&](size_t number, size_t place, double state) {
        return limit(gates[number * size + j] + recurrent[number * size + j] +
                     peephole[place * size + j] * state);
      };
      const double input = f[0](gate(0, 0, c[j]));
      const double forget = input_forget ? 1 - input : f[0](gate(2, 2, c[j]));
      const double next = f[1](limit(gates[3 * size + j] + recurrent[3 * size + j]));
      c[j] = forget * c[j] + input * next;
      h[j] = f[0](gate(1, 1, c[j])) * f[2](c[j]);
    }
  }
};

// -------------------------------------------------------------------------------------- evaluation

Status expect_shape(const EvaluateContext& context, size_t i, const Shape& shape) {
  if (!context.has_input(i) || context.input(i).shape() == shape) return Status::ok();
  return Status::invalid_argument("input '{}' is [{}], expected [{}]",
                                  context.schema().inputs[i].name,
                                  to_string(context.input(i).shape()), to_string(shape));
}

/// The rows of matrix number `number` of a tensor [n, rows, columns] become columns.
std::vector<double> transposed(const Reals<double>& tensor, int64_t number, int64_t rows,
                               int64_t columns) {
  std::vector<double> result(static_cast<size_t>(rows * columns));
  const double* from = tensor.data() + number * rows * columns;
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t column = 0; column < columns; ++column)
      result[static_cast<size_t>(column * rows + row)] = *from++;
  return result;
}

Result<std::vector<Weights>> read_weights(EvaluateContext& context, Cell cell, int64_t directions,
                                          int64_t hidden, int64_t input) {
  const int64_t gates = gate_count(cell) * hidden;
  SHIPWAY_RETURN_IF_ERROR(expect_shape(context, 1, {directions, gates, input}));
  SHIPWAY_RETURN_IF_ERROR(expect_shape(context, 2, {directions, gates, hidden}));
  SHIPWAY_RETURN_IF_ERROR(expect_shape(context, 3, {directions, 2 * gates}));
  if (cell == Cell::kLstm)
    SHIPWAY_RETURN_IF_ERROR(expect_shape(context, 7, {directions, 3 * hidden}));
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<Activation> activations,
                           read_activations(context, cell, static_cast<size_t>(directions)));
  SHIPWAY_ASSIGN_OR_RETURN(const Reals<double> w, Reals<double>::of(context.input(1)));
  SHIPWAY_ASSIGN_OR_RETURN(const Reals<double> r, Reals<double>::of(context.input(2)));
  std::vector<double> bias(static_cast<size_t>(directions * 2 * gates), 0.0);
  if (context.has_input(3)) {
    SHIPWAY_ASSIGN_OR_RETURN(bias, to_doubles(context.input(3)));
  }
  std::vector<double> peepholes(static_cast<size_t>(directions * 3 * hidden), 0.0);
  if (cell == Cell::kLstm && context.has_input(7)) {
    SHIPWAY_ASSIGN_OR_RETURN(peepholes, to_doubles(context.input(7)));
  }
  std::vector<Weights> all;
  const size_t per_direction = activation_count(cell);
  for (int64_t d = 0; d < directions; ++d) {
    Weights weights;
    weights.w = transposed(w, d, gates, input);
    weights.r = transposed(r, d, gates, hidden);
    const auto at = bias.begin() + d * 2 * gates;
    weights.wb.assign(at, at + gates);
    weights.rb.assign(at + gates, at + 2 * gates);
    weights.peepholes.assign(peepholes.begin() + d * 3 * hidden,
                             peepholes.begin() + (d + 1) * 3 * hidden);
    const auto first = activations.begin() + d * static_cast<int64_t>(per_direction);
    weights.activations.assign(first, first + static_cast<int64_t>(per_direction));
    all.push_back(std::move(weights));
  }
  return all;
}

template <Cell kCell>
Status evaluate_recurrent(EvaluateContext& context) {
  const Tensor& input = context.input(0);
  if (input.rank() != 3 || context.input(2).rank() != 3)
    return Status::invalid_argument("'X' is [{}] and 'R' [{}], expected rank 3 of both",
                                    to_string(input.shape()), to_string(context.input(2).shape()));
  SHIPWAY_ASSIGN_OR_RETURN(const Directions directions, read_directions(context));
  const bool batch_first = context.int_attribute("layout") != 0;
  const int64_t steps = input.dim(batch_first ? 1 : 0), batch = input.dim(batch_first ? 0 : 1);
  const int64_t size = input.dim(2), hidden = context.input(2).dim(2);
  const auto count = static_cast<int64_t>(directions.count);
  if (context.has_attribute("hidden_size") && context.int_attribute("hidden_size") != hidden)
    return Status::invalid_argument("attribute 'hidden_size' is {}, but input 'R' has {}",
                                    context.int_attribute("hidden_size"), hidden);
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<Weights> weights,
                           read_weights(context, kCell, count, hidden, size));
  SHIPWAY_RETURN_IF_ERROR(expect_shape(context, 4, {batch}));
  const Shape state_shape = batch_first ? Shape{batch, count, hidden} : Shape{count, batch, hidden};
  std::vector<int64_t> lengths(static_cast<size_t>(batch), steps);
  if (context.has_input(4)) {
    SHIPWAY_ASSIGN_OR_RETURN(lengths, to_ints(context.input(4)));
  }
  for (int64_t length : lengths)
    if (length < 0 || length > steps)
      return Status::invalid_argument("input 'sequence_lens' has the value {}, expected 0 to {}",
                                      length, steps);
  std::vector<double> states[2];  // h, c
  for (size_t i = 0; i < (kCell == Cell::kLstm ? 2 : 1); ++i) {
    SHIPWAY_RETURN_IF_ERROR(expect_shape(context, 5 + i, state_shape));
    states[i].assign(static_cast<size_t>(count * batch * hidden), 0.0);
    if (context.has_input(5 + i)) {
      SHIPWAY_ASSIGN_OR_RETURN(states[i], to_doubles(context.input(5 + i)));
    }
  }

  Step step{.cell = kCell, .hidden = hidden};
  step.clip = static_cast<double>(context.float_attribute("clip"));
  step.linear_before_reset =
      kCell == Cell::kGru && context.int_attribute("linear_before_reset") != 0;
  step.input_forget = kCell == Cell::kLstm && context.int_attribute("input_forget") != 0;
  SHIPWAY_ASSIGN_OR_RETURN(const Reals<double> x, Reals<double>::of(input));
  const Shape y_shape =
      batch_first ? Shape{batch, steps, count, hidden} : Shape{steps, count, batch, hidden};
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t y_count, element_count(y_shape));
  std::vector<double> y(context.has_output(0) ? static_cast<size_t>(y_count) : 0, 0.0);
  std::vector<double> h, c, gates, recurrent;
  for (int64_t d = 0; d < count; ++d) {
    const Weights& own = weights[static_cast<size_t>(d)];
    const bool reversed = directions.first_reversed || d == 1;
    for (int64_t n = 0; n < batch; ++n) {
      SHIPWAY_RETURN_IF_ERROR(context.poll());
      const int64_t state = (batch_first ? n * count + d : d * batch + n) * hidden;
      h.assign(states[0].begin() + state, states[0].begin() + state + hidden);
      if (kCell == Cell::kLstm)
        c.assign(states[1].begin() + state, states[1].begin() + state + hidden);
      const int64_t length = lengths[static_cast<size_t>(n)];
      for (int64_t s = 0; s < length; ++s) {
        const int64_t t = reversed ? length - 1 - s : s;
        gates = own.wb;
        Step::add_product(x.data() + (batch_first ? n * steps + t : t * batch + n) * size,
                          static_cast<size_t>(size), own.w, gates);
        step.run(own, gates, h, c, recurrent);
        if (!y.empty())
          std::copy(h.begin(), h.end(),
                    y.begin() +
                        (batch_first ? (n * steps + t) * count + d : (t * count + d) * batch + n) *
                            hidden);
      }
      std::copy(h.begin(), h.end(), states[0].begin() + state);
      if (kCell == Cell::kLstm) std::copy(c.begin(), c.end(), states[1].begin() + state);
    }
  }
  if (context.has_output(0))
    SHIPWAY_RETURN_IF_ERROR(write_output(context, 0, input.dtype(), y_shape, y));
  for (size_t i = 0; i < 2; ++i)
    if (context.has_output(1 + i))
      SHIPWAY_RETURN_IF_ERROR(write_output(context, 1 + i, input.dtype(), state_shape, states[i]));
  return Status::ok();
}

// ---------------------------------------------------------------------------------- older versions

// Until version 7, `output_sequence` said whether output Y is wanted; the node's outputs say it
// too.
Status drop_output_sequence(NodeRewrite& rewrite) {
  if (rewrite.has_attribute("output_sequence")) rewrite.remove_attribute("output_sequence");
  return Status::ok();
}

// The default of `direction` in version 1 of GRU was misspelt.
Status upgrade_gru_1(NodeRewrite& rewrite) {
  if (rewrite.string_attribute("direction") == "foward")
    rewrite.set_attribute({"direction", std::string("forward")});
  return Status::ok();
}

}  // namespace

const Operator& gru_operator() {
  static const Operator definition{
      .name = "GRU",
      .summary = "Gated recurrent unit over a sequence, in one or both directions.",
      .versions =
          {{.since = 1,
            .signature =
                "(X: T, W: T, R: T, B?: T, sequence_lens?: T1, initial_h?: T) -> (Y?: T, Y_h: T)",
            .types = "T: floats; T1: int32",
            .attributes =
                "activation_alpha: floats?; activation_beta: floats?; activations: strings?; "
                "clip: float?; direction: string = 'foward'; hidden_size: int?; "
                "output_sequence: int = 0",
            .upgrade = upgrade_gru_1},
           {.since = 3,
            .signature = kSignatureSince3,
            .types = "T: floats; T1: int32",
            .attributes =
                "activation_alpha: floats?; activation_beta: floats?; activations: strings?; "
                "clip: float?; direction: string = 'forward'; hidden_size: int?; "
                "linear_before_reset: int = 0; output_sequence: int = 0",
            .upgrade = drop_output_sequence},
           {.since = 7,
            .signature = kSignatureSince3,
            .types = "T: floats; T1: int32",
            .attributes =
                "activation_alpha: floats?; activation_beta: floats?; activations: strings?; "
                "clip: float?; direction: string = 'forward'; hidden_size: int?; "
                "linear_before_reset: int = 0"},
           {.since = 14,
            .signature = kSignatureSince3,
            .types = "T: floats; T1: int32",
            .attributes = kGRUAttributesSince14},
           {.since = 22,
            .signature = kSignatureSince3,
            .types = "T: floats bfloat16; T1: int32",
            .attributes = kGRUAttributesSince14}},
      .infer = infer_recurrent<Cell::kGru>,
      .evaluate = evaluate_recurrent<Cell::kGru>,
  };
  return definition;
}

const Operator& lstm_operator() {
  static const Operator definition{
      .name = "LSTM",
      .summary = "Long short-term memory over a sequence, in one or both directions.",
      .versions =
          {{.since = 1,
            .signature = kLSTMSignatureSince1,
            .types = "T: floats; T1: int32",
            .attributes =
                "activation_alpha: floats?; activation_beta: floats?; activations: strings?; "
                "clip: float?; direction: string = 'forward'; hidden_size: int?; "
                "input_forget: int = 0; output_sequence: int = 0",
            .upgrade = drop_output_sequence},
           {.since = 7,
            .signature = kLSTMSignatureSince1,
            .types = "T: floats; T1: int32",
            .attributes =
                "activation_alpha: floats?; activation_beta: floats?; activations: strings?; "
                "clip: float?; direction: string = 'forward'; hidden_size: int?; "
                "input_forget: int = 0"},
           {.since = 14,
            .signature = kLSTMSignatureSince1,
            .types = "T: floats; T1: int32",
            .attributes = kLSTMAttributesSince14},
           {.since = 22,
            .signature = kLSTMSignatureSince1,
            .types = "T: floats bfloat16; T1: int32",
            .attributes = kLSTMAttributesSince14}},
      .infer = infer_recurrent<Cell::kLstm>,
      .evaluate = evaluate_recurrent<Cell::kLstm>,
  };
  return definition;
}

const Operator& rnn_operator() {
  static const Operator definition{
      .name = "RNN",
      .summary = "Plain recurrent layer over a sequence, in one or both directions.",
      .versions =
          {{.since = 1,
            .signature = kSignatureSince3,
            .types = "T: floats; T1: int32",
            .attributes =
                "activation_alpha: floats?; activation_beta: floats?; "
                "activations: strings = ['Tanh', 'Tanh']; clip: float?; "
                "direction: string = 'forward'; hidden_size: int?; output_sequence: int = 0",
            .upgrade = drop_output_sequence},
           {.since = 7,
            .signature = kSignatureSince3,
            .types = "T: floats; T1: int32",
            .attributes = "activation_alpha: floats?; activation_beta: floats?; "
                          "activations: strings = ['Tanh', 'Tanh']; clip: float?; "
                          "direction: string = 'forward'; hidden_size: int?"},
           {.since = 14,
            .signature = kSignatureSince3,
            .types = "T: floats; T1: int32",
            .attributes = kRNNAttributesSince14},
           {.since = 22,
            .signature = kSignatureSince3,
            .types = "T: floats bfloat16; T1: int32",
            .attributes = kRNNAttributesSince14}},
      .infer = infer_recurrent<Cell::kRnn>,
      .evaluate = evaluate_recurrent<Cell::kRnn>,
  };
  return definition;
}

}  // namespace shipway
