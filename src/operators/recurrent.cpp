// Recurrent layers: RNN, GRU, LSTM.
#include "operators/operator.h"

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
                "output_sequence: int = 0"},
           {.since = 3,
            .signature = kSignatureSince3,
            .types = "T: floats; T1: int32",
            .attributes =
                "activation_alpha: floats?; activation_beta: floats?; activations: strings?; "
                "clip: float?; direction: string = 'forward'; hidden_size: int?; "
                "linear_before_reset: int = 0; output_sequence: int = 0"},
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
                "input_forget: int = 0; output_sequence: int = 0"},
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
                "direction: string = 'forward'; hidden_size: int?; output_sequence: int = 0"},
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
  };
  return definition;
}

}  // namespace shipway
