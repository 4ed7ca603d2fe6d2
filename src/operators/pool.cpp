// Pooling: one number for each window, or for all spatial axes.
#include "operators/operator.h"

namespace shipway {
namespace {

constexpr std::string_view kAttributesSince1 =
    "auto_pad: string = 'NOTSET'; kernel_shape: ints!; pads: ints?; strides: ints?";
constexpr std::string_view kAveragePoolAttributesSince10 =
    "auto_pad: string = 'NOTSET'; ceil_mode: int = 0; count_include_pad: int = 0; "
    "kernel_shape: ints!; pads: ints?; strides: ints?";
constexpr std::string_view kAveragePoolAttributesSince19 =
    "auto_pad: string = 'NOTSET'; ceil_mode: int = 0; count_include_pad: int = 0; "
    "dilations: ints?; kernel_shape: ints!; pads: ints?; strides: ints?";
constexpr std::string_view kLpPoolAttributesSince2 =
    "auto_pad: string = 'NOTSET'; kernel_shape: ints!; p: int = 2; pads: ints?; "
    "strides: ints?";
constexpr std::string_view kLpPoolAttributesSince18 =
    "auto_pad: string = 'NOTSET'; ceil_mode: int = 0; dilations: ints?; "
    "kernel_shape: ints!; p: int = 2; pads: ints?; strides: ints?";
constexpr std::string_view kMaxPoolAttributesSince10 =
    "auto_pad: string = 'NOTSET'; ceil_mode: int = 0; dilations: ints?; "
    "kernel_shape: ints!; pads: ints?; storage_order: int = 0; strides: ints?";

}  // namespace

const Operator& average_pool_operator() {
  static const Operator definition{
      .name = "AveragePool",
      .summary = "Mean of each window that slides over the spatial axes.",
      .versions =
          {{.since = 1,
            .signature = "(X: T) -> (Y: T)",
            .types = "T: floats",
            .attributes = kAttributesSince1},
           {.since = 7,
            .signature = "(X: T) -> (Y: T)",
            .types = "T: floats",
            .attributes =
                "auto_pad: string = 'NOTSET'; count_include_pad: int = 0; kernel_shape: ints!; "
                "pads: ints?; strides: ints?"},
           {.since = 10,
            .signature = "(X: T) -> (Y: T)",
            .types = "T: floats",
            .attributes = kAveragePoolAttributesSince10},
           {.since = 11,
            .signature = "(X: T) -> (Y: T)",
            .types = "T: floats",
            .attributes = kAveragePoolAttributesSince10},
           {.since = 19,
            .signature = "(X: T) -> (Y: T)",
            .types = "T: floats",
            .attributes = kAveragePoolAttributesSince19},
           {.since = 22,
            .signature = "(X: T) -> (Y: T)",
            .types = "T: floats bfloat16",
            .attributes = kAveragePoolAttributesSince19}},
  };
  return definition;
}

const Operator& global_average_pool_operator() {
  static const Operator definition{
      .name = "GlobalAveragePool",
      .summary = "Mean of each channel over all of its spatial axes.",
      .versions = {{.since = 1, .signature = "(X: T) -> (Y: T)", .types = "T: floats"},
                   {.since = 22, .signature = "(X: T) -> (Y: T)", .types = "T: floats bfloat16"}},
  };
  return definition;
}

const Operator& global_lp_pool_operator() {
  static const Operator definition{
      .name = "GlobalLpPool",
      .summary = "p-norm of each channel over all of its spatial axes.",
      .versions = {{.since = 1,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: floats",
                    .attributes = "p: float = 2.0"},
                   {.since = 2,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: floats",
                    .attributes = "p: int = 2"},
                   {.since = 22,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: floats bfloat16",
                    .attributes = "p: int = 2"}},
  };
  return definition;
}

const Operator& global_max_pool_operator() {
  static const Operator definition{
      .name = "GlobalMaxPool",
      .summary = "Largest value of each channel over all of its spatial axes.",
      .versions = {{.since = 1, .signature = "(X: T) -> (Y: T)", .types = "T: floats"},
                   {.since = 22, .signature = "(X: T) -> (Y: T)", .types = "T: floats bfloat16"}},
  };
  return definition;
}

const Operator& lp_pool_operator() {
  static const Operator definition{
      .name = "LpPool",
      .summary = "p-norm of each window that slides over the spatial axes.",
      .versions =
          {{.since = 1,
            .signature = "(X: T) -> (Y: T)",
            .types = "T: floats",
            .attributes =
                "auto_pad: string = 'NOTSET'; kernel_shape: ints?; p: float = 2.0; pads: ints?; "
                "strides: ints?"},
           {.since = 2,
            .signature = "(X: T) -> (Y: T)",
            .types = "T: floats",
            .attributes = kLpPoolAttributesSince2},
           {.since = 11,
            .signature = "(X: T) -> (Y: T)",
            .types = "T: floats",
            .attributes = kLpPoolAttributesSince2},
           {.since = 18,
            .signature = "(X: T) -> (Y: T)",
            .types = "T: floats",
            .attributes = kLpPoolAttributesSince18},
           {.since = 22,
            .signature = "(X: T) -> (Y: T)",
            .types = "T: floats bfloat16",
            .attributes = kLpPoolAttributesSince18}},
  };
  return definition;
}

const Operator& max_pool_operator() {
  static const Operator definition{
      .name = "MaxPool",
      .summary = "Largest element of each window that slides over the spatial axes.",
      .versions = {{.since = 1,
                    .signature = "(X: T) -> (Y: T)",
                    .types = "T: floats",
                    .attributes = kAttributesSince1},
                   {.since = 8,
                    .signature = "(X: T) -> (Y: T, Indices?: I)",
                    .types = "T: floats; I: int64",
                    .attributes = "auto_pad: string = 'NOTSET'; kernel_shape: ints!; pads: ints?; "
                                  "storage_order: int = 0; strides: ints?"},
                   {.since = 10,
                    .signature = "(X: T) -> (Y: T, Indices?: I)",
                    .types = "T: floats; I: int64",
                    .attributes = kMaxPoolAttributesSince10},
                   {.since = 11,
                    .signature = "(X: T) -> (Y: T, Indices?: I)",
                    .types = "T: floats; I: int64",
                    .attributes = kMaxPoolAttributesSince10},
                   {.since = 12,
                    .signature = "(X: T) -> (Y: T, Indices?: I)",
                    .types = "T: floats uint8 int8; I: int64",
                    .attributes = kMaxPoolAttributesSince10},
                   {.since = 22,
                    .signature = "(X: T) -> (Y: T, Indices?: I)",
                    .types = "T: floats uint8 int8 bfloat16; I: int64",
                    .attributes = kMaxPoolAttributesSince10}},
  };
  return definition;
}

}  // namespace shipway
