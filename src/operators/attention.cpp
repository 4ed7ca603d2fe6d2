// Attention: scaled dot-product attention with masks, grouped heads and a key/value cache.
#include "operators/operator.h"

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
  };
  return definition;
}

}  // namespace shipway
