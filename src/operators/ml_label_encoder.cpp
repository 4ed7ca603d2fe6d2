// LabelEncoder: maps keys to values, element by element.
#include "operators/operator.h"

namespace shipway {

const Operator& label_encoder_operator() {
  static const Operator definition{
      .domain = "ai.onnx.ml",
      .name = "LabelEncoder",
      .summary = "Maps keys to values, element by element.",
      .versions =
          {{.since = 1,
            .signature = "(X: T1) -> (Y: T2)",
            .types = "T1: int64 string; T2: int64 string",
            .attributes = "classes_strings: strings?; default_int64: int = -1; "
                          "default_string: string = '_Unused'"},
           {.since = 2,
            .signature = "(X: T1) -> (Y: T2)",
            .types = "T1: float int64 string; T2: float int64 string",
            .attributes =
                "default_float: float = -0.0; default_int64: int = -1; "
                "default_string: string = '_Unused'; keys_floats: floats?; keys_int64s: ints?; "
                "keys_strings: strings?; values_floats: floats?; values_int64s: ints?; "
                "values_strings: strings?"},
           {.since = 4,
            .signature = "(X: T1) -> (Y: T2)",
            .types = "T1: float int16 int32 int64 string double; "
                     "T2: float int16 int32 int64 string double",
            .attributes = "default_float: float = -0.0; default_int64: int = -1; "
                          "default_string: string = '_Unused'; default_tensor: tensor?; "
                          "keys_floats: floats?; keys_int64s: ints?; keys_strings: strings?; "
                          "keys_tensor: tensor?; values_floats: floats?; values_int64s: ints?; "
                          "values_strings: strings?; values_tensor: tensor?"}},
  };
  return definition;
}

}  // namespace shipway
