// Operators that onnxruntime writes for one machine or one accelerator only: what they are, and
// what to do.
#pragma once

#include <string_view>

namespace shipway {

/// A clause on an operator that no other machine can run, with advice; empty for all others.
std::string_view why_bound_to_hardware(std::string_view domain, std::string_view op_type);

}  // namespace shipway
