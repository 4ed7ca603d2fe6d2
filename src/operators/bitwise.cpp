// Logic and shifts on the bits of integers, with broadcasting.
#include <functional>

#include "operators/loops.h"
#include "operators/shape_rules.h"

namespace shipway {
namespace {

/// Output 0 = f(input 0, input 1) on bits; the width is cut to the dtype's when stored.
template <typename F>
Status evaluate_bits(EvaluateContext& context) {
  return zip_elements<uint64_t>(context, context.input(0).dtype(),
                                [](uint64_t x, uint64_t y) { return F()(x, y); });
}

Status evaluate_bitwise_not(EvaluateContext& context) {
  return map_elements<uint64_t>(context, context.input(0).dtype(), [](uint64_t x) { return ~x; });
}

/// A shift by less than nothing or by all bits and more leaves copies of the sign (right) or zeros
/// (left).
template <typename T>
Status shift(EvaluateContext& context, bool left) {
  const DType dtype = context.input(0).dtype();
  const int bits = bit_width(dtype);
  return zip_elements<T>(context, dtype, [=](T x, T by) {
    const bool inside = !(by < T{0}) && by < static_cast<T>(bits);
    if (left) return inside ? static_cast<T>(static_cast<uint64_t>(x) << by) : T{0};
    return inside ? static_cast<T>(x >> by) : x < T{0} ? static_cast<T>(-1) : T{0};
  });
}

Status evaluate_bit_shift(EvaluateContext& context) {
  const std::string& direction = context.string_attribute("direction");
  if (direction != "LEFT" && direction != "RIGHT")
    return Status::invalid_model("attribute 'direction' is '{}', expected 'LEFT' or 'RIGHT'",
                                 direction);
  const bool left = direction == "LEFT";
  return kind_of(context.input(0).dtype()) == DTypeKind::kSigned ? shift<int64_t>(context, left)
                                                                 : shift<uint64_t>(context, left);
}

}  // namespace

const Operator& bit_shift_operator() {
  static const Operator definition{
      .name = "BitShift",
      .summary = "Shifts the bits of each element left or right.",
      .versions = {{.since = 11,
                    .signature = "(X: T, Y: T) -> (Z: T)",
                    .types = "T: uints",
                    .attributes = "direction: string!"},
                   {.since = 28,
                    .signature = "(X: T, Y: T) -> (Z: T)",
                    .types = "T: ints uints",
                    .attributes = "direction: string!"}},
      .infer = infer_broadcast,
      .evaluate = evaluate_bit_shift,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

const Operator& bitwise_and_operator() {
  static const Operator definition{
      .name = "BitwiseAnd",
      .summary = "Bits set in both operands, broadcasting.",
      .versions = {{.since = 18, .signature = "(A: T, B: T) -> (C: T)", .types = "T: ints uints"}},
      .infer = infer_broadcast,
      .evaluate = evaluate_bits<std::bit_and<>>,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

const Operator& bitwise_not_operator() {
  static const Operator definition{
      .name = "BitwiseNot",
      .summary = "Flips every bit.",
      .versions = {{.since = 18, .signature = "(X: T) -> (Y: T)", .types = "T: ints uints"}},
      .infer = infer_type_of_first_input,
      .evaluate = evaluate_bitwise_not,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

const Operator& bitwise_or_operator() {
  static const Operator definition{
      .name = "BitwiseOr",
      .summary = "Bits set in either operand, broadcasting.",
      .versions = {{.since = 18, .signature = "(A: T, B: T) -> (C: T)", .types = "T: ints uints"}},
      .infer = infer_broadcast,
      .evaluate = evaluate_bits<std::bit_or<>>,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

const Operator& bitwise_xor_operator() {
  static const Operator definition{
      .name = "BitwiseXor",
      .summary = "Bits set in exactly one operand, broadcasting.",
      .versions = {{.since = 18, .signature = "(A: T, B: T) -> (C: T)", .types = "T: ints uints"}},
      .infer = infer_broadcast,
      .evaluate = evaluate_bits<std::bit_xor<>>,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
