// Pad: adds a border: constant, reflected, repeated edge, or wrapped around.
#include "operators/operator.h"

namespace shipway {
namespace {

constexpr std::string_view kSignature =
    "(data: T, pads: int64, constant_value?: T, axes?: Tind) -> (output: T)";

}  // namespace

const Operator& pad_operator() {
  static const Operator definition{
      .name = "Pad",
      .summary = "Adds a border: constant, reflected, repeated edge, or wrapped around.",
      .versions = {{.since = 1,
                    .signature = "(data: T) -> (output: T)",
                    .types = "T: floats",
                    .attributes = "mode: string = 'constant'; paddings: ints!; value: float = 0.0"},
                   {.since = 2,
                    .signature = "(data: T) -> (output: T)",
                    .types = "T: floats",
                    .attributes = "mode: string = 'constant'; pads: ints!; value: float = 0.0"},
                   {.since = 11,
                    .signature = "(data: T, pads: int64, constant_value?: T) -> (output: T)",
                    .types = "T: numeric",
                    .attributes = "mode: string = 'constant'"},
                   {.since = 13,
                    .signature = "(data: T, pads: int64, constant_value?: T) -> (output: T)",
                    .types = "T: all_ir4",
                    .attributes = "mode: string = 'constant'"},
                   {.since = 18,
                    .signature = kSignature,
                    .types = "T: all_ir4; Tind: int32 int64",
                    .attributes = "mode: string = 'constant'"},
                   {.since = 19,
                    .signature = kSignature,
                    .types = "T: all_ir4; Tind: int32 int64",
                    .attributes = "mode: string = 'constant'"},
                   {.since = 21,
                    .signature = kSignature,
                    .types = "T: all_ir10; Tind: int32 int64",
                    .attributes = "mode: string = 'constant'"},
                   {.since = 23,
                    .signature = kSignature,
                    .types = "T: all_ir11; Tind: int32 int64",
                    .attributes = "mode: string = 'constant'"},
                   {.since = 24,
                    .signature = kSignature,
                    .types = "T: all_ir12; Tind: int32 int64",
                    .attributes = "mode: string = 'constant'"},
                   {.since = 25,
                    .signature = kSignature,
                    .types = "T: all_ir13; Tind: int32 int64",
                    .attributes = "mode: string = 'constant'"}},
  };
  return definition;
}

}  // namespace shipway
