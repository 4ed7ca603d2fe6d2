// Sequences of tensors: make, look into, change, split and join.
#include "operators/operator.h"

namespace shipway {

const Operator& concat_from_sequence_operator() {
  static const Operator definition{
      .name = "ConcatFromSequence",
      .summary = "Joins the tensors of a sequence along an existing or a new axis.",
      .versions = {{.since = 11,
                    .signature = "(input_sequence: S) -> (concat_result: T)",
                    .types = "S: seq(all_ir3); T: all_ir3",
                    .attributes = "axis: int!; new_axis: int = 0"}},
  };
  return definition;
}

const Operator& sequence_at_operator() {
  static const Operator definition{
      .name = "SequenceAt",
      .summary = "Takes one tensor out of a sequence.",
      .versions = {{.since = 11,
                    .signature = "(input_sequence: S, position: I) -> (tensor: T)",
                    .types = "S: seq(all_ir3); T: all_ir3; I: int32 int64"}},
  };
  return definition;
}

const Operator& sequence_construct_operator() {
  static const Operator definition{
      .name = "SequenceConstruct",
      .summary = "Makes a sequence of its inputs.",
      .versions = {{.since = 11,
                    .signature = "(inputs...: T) -> (output_sequence: S)",
                    .types = "T: all_ir3; S: seq(all_ir3)"}},
  };
  return definition;
}

const Operator& sequence_empty_operator() {
  static const Operator definition{
      .name = "SequenceEmpty",
      .summary = "A sequence without elements.",
      .versions = {{.since = 11,
                    .signature = "() -> (output: S)",
                    .types = "S: seq(all_ir3)",
                    .attributes = "dtype: int?"}},
  };
  return definition;
}

const Operator& sequence_erase_operator() {
  static const Operator definition{
      .name = "SequenceErase",
      .summary = "Removes one tensor from a sequence.",
      .versions = {{.since = 11,
                    .signature = "(input_sequence: S, position?: I) -> (output_sequence: S)",
                    .types = "S: seq(all_ir3); I: int32 int64"}},
  };
  return definition;
}

const Operator& sequence_insert_operator() {
  static const Operator definition{
      .name = "SequenceInsert",
      .summary = "Puts a tensor into a sequence.",
      .versions = {{.since = 11,
                    .signature =
                        "(input_sequence: S, tensor: T, position?: I) -> (output_sequence: S)",
                    .types = "T: all_ir3; S: seq(all_ir3); I: int32 int64"}},
  };
  return definition;
}

const Operator& sequence_length_operator() {
  static const Operator definition{
      .name = "SequenceLength",
      .summary = "Number of tensors in a sequence.",
      .versions = {{.since = 11,
                    .signature = "(input_sequence: S) -> (length: I)",
                    .types = "S: seq(all_ir3); I: int64"}},
  };
  return definition;
}

const Operator& split_to_sequence_operator() {
  static const Operator definition{
      .name = "SplitToSequence",
      .summary = "Cuts a tensor along one axis into a sequence.",
      .versions = {{.since = 11,
                    .signature = "(input: T, split?: I) -> (output_sequence: S)",
                    .types = "T: all_ir3; I: int32 int64; S: seq(all_ir3)",
                    .attributes = "axis: int = 0; keepdims: int = 1"},
                   {.since = 24,
                    .signature = "(input: T, split?: I) -> (output_sequence: S)",
                    .types = "T: all_ir4; I: int32 int64; S: seq(all_ir4)",
                    .attributes = "axis: int = 0; keepdims: int = 1"}},
  };
  return definition;
}

}  // namespace shipway
