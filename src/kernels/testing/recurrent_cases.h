// Cases and plain loops of recurrent layers, after the equations in ONNX's text of RNN, GRU and
// LSTM.
#pragma once

#include <cmath>

#include "kernels/testing/kernel_case.h"

namespace shipway::kernels::testing {

inline std::vector<KernelCase> recurrent_cases() {
  std::vector<KernelCase> cases;
  struct Size {
    int64_t steps, batch, input, hidden;
  };
  for (const Size& size :
       {Size{1, 1, 1, 1}, Size{5, 1, 3, 16}, Size{70, 1, 7, 33}, Size{9, 3, 20, 8},
        Size{4, 17, 5, 40}, Size{3, 33, 2, 5}, Size{0, 2, 3, 4}, Size{2, 0, 3, 4}})
    for (int variant = 0; variant < 8; ++variant) {
      RecurrentProblem problem{.cell = static_cast<RecurrentCell>(variant % 3),
                               .directions = variant % 4 == 3 ? 2 : 1,
                               .input = size.input,
                               .hidden = size.hidden};
      problem.first_reversed = variant % 4 == 1;
      problem.batch_first = variant % 2 == 1;
      problem.relu = problem.cell == RecurrentCell::kRnn && variant >= 3;
      problem.linear_before_reset = problem.cell == RecurrentCell::kGru && variant >= 4;
      problem.has_peepholes = problem.cell == RecurrentCell::kLstm && variant >= 3;
      cases.push_back({"steps" + std::to_string(size.steps) + "_batch" +
                           std::to_string(size.batch) + "_" + std::to_string(size.input) + "to" +
                           std::to_string(size.hidden) + "_variant" + std::to_string(variant),
                       problem, RecurrentDims{size.steps, size.batch}});
    }
  return cases;
}

inline Instance recurrent_instance(const KernelCase& kernel_case, Random& random, bool expect) {
  const auto& p = std::get<RecurrentProblem>(kernel_case.problem);
  const auto& d = std::get<RecurrentDims>(kernel_case.dims);
  const bool lstm = p.cell == RecurrentCell::kLstm, gru = p.cell == RecurrentCell::kGru;
  const int64_t gates = lstm ? 4 : gru ? 3 : 1, rows = gates * p.hidden;
  const int64_t states = p.directions * d.batch * p.hidden;
  const int64_t w_size = p.directions * rows * p.input, r_size = p.directions * rows * p.hidden,
                b_size = p.directions * 2 * rows,
                p_size = p.has_peepholes ? p.directions * 3 * p.hidden : 0;
  const float scale = 1.5f / std::sqrt(static_cast<float>(p.hidden));
  Instance instance;
  instance.inputs = {input_operand(random.values(d.steps * d.batch * p.input)),
                     input_operand(random.values(w_size + r_size + b_size + p_size, -scale, scale)),
                     input_operand(random.values(states)),
                     lstm ? input_operand(random.values(states)) : absent_operand()};
  const auto zeros = [](int64_t n) { return std::vector<double>(static_cast<size_t>(n)); };
  instance.outputs = {output_operand(zeros(d.steps * states)), output_operand(zeros(states)),
                      output_operand(zeros(lstm ? states : 0))};
  // Errors of a step go into the next ones, damped by the gates.
  instance.tolerance = 1e-5;
  if (!expect) return instance;
  const auto index = [](int64_t i) { return static_cast<size_t>(i); };
  const auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
  const std::vector<float>&x = instance.inputs[0].values, &weights = instance.inputs[1].values;
  for (int64_t direction = 0; direction < p.directions; ++direction)
    for (int64_t row = 0; row < d.batch; ++row) {
      const int64_t edge =
          (p.batch_first ? row * p.directions + direction : direction * d.batch + row) * p.hidden;
      std::vector<double> h, c, next(index(p.hidden)), reset(index(p.hidden));
      for (int64_t j = 0; j < p.hidden; ++j) {
        h.push_back(instance.inputs[2].values[index(edge + j)]);
        c.push_back(lstm ? instance.inputs[3].values[index(edge + j)] : 0);
      }
      for (int64_t step = 0; step < d.steps; ++step) {
        const int64_t t = p.first_reversed || direction == 1 ? d.steps - 1 - step : step;
        const int64_t x_at = (p.batch_first ? row * d.steps + t : t * d.batch + row) * p.input;
        // What gate g of unit j gets from the input, and from a state.
        const auto from_input = [&](int64_t g, int64_t j) {
          double sum = weights[index(w_size + r_size + direction * 2 * rows + g * p.hidden + j)];
          for (int64_t i = 0; i < p.input; ++i)
            sum += static_cast<double>(
                       weights[index((direction * rows + g * p.hidden + j) * p.input + i)]) *
                   static_cast<double>(x[index(x_at + i)]);
          return sum;
        };
        const auto from_state = [&](int64_t g, int64_t j, const std::vector<double>& state) {
          double sum =
              weights[index(w_size + r_size + direction * 2 * rows + rows + g * p.hidden + j)];
          for (int64_t i = 0; i < p.hidden; ++i)
            sum +=
                static_cast<double>(
                    weights[index(w_size + (direction * rows + g * p.hidden + j) * p.hidden + i)]) *
                state[index(i)];
          return sum;
        };
        const auto gate = [&](int64_t g, int64_t j) {
          return from_input(g, j) + from_state(g, j, h);
        };
        const auto peephole = [&](int64_t g, int64_t j) {
          return p.has_peepholes
                     ? static_cast<double>(weights[index(w_size + r_size + b_size +
                                                         (direction * 3 + g) * p.hidden + j)])
                     : 0.0;
        };
        for (int64_t j = 0; gru && j < p.hidden; ++j)
          reset[index(j)] = sigmoid(gate(1, j)) * h[index(j)];
        for (int64_t j = 0; j < p.hidden; ++j) {
          if (lstm) {
            const double before = c[index(j)];
            const double after =
                sigmoid(gate(2, j) + peephole(2, j) * before) * before +
                sigmoid(gate(0, j) + peephole(0, j) * before) * std::tanh(gate(3, j));
            c[index(j)] = after;
            next[index(j)] = sigmoid(gate(1, j) + peephole(1, j) * after) * std::tanh(after);
          } else if (gru) {
            const double z = sigmoid(gate(0, j));
            const double n = p.linear_before_reset
                                 ? from_input(2, j) + sigmoid(gate(1, j)) * from_state(2, j, h)
                                 : from_input(2, j) + from_state(2, j, reset);
            next[index(j)] = (1 - z) * std::tanh(n) + z * h[index(j)];
          } else {
            next[index(j)] = p.relu ? std::max(gate(0, j), 0.0) : std::tanh(gate(0, j));
          }
        }
        h = next;
        const int64_t y_at = p.batch_first
                                 ? ((row * d.steps + t) * p.directions + direction) * p.hidden
                                 : ((t * p.directions + direction) * d.batch + row) * p.hidden;
        for (int64_t j = 0; j < p.hidden; ++j)
          instance.outputs[0].expected[index(y_at + j)] = h[index(j)];
      }
      for (int64_t j = 0; j < p.hidden; ++j) {
        instance.outputs[1].expected[index(edge + j)] = h[index(j)];
        if (lstm) instance.outputs[2].expected[index(edge + j)] = c[index(j)];
      }
    }
  return instance;
}

}  // namespace shipway::kernels::testing
