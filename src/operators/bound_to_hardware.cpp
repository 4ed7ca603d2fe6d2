#include "operators/bound_to_hardware.h"

namespace shipway {

std::string_view why_bound_to_hardware(std::string_view domain, std::string_view op_type) {
  if (domain == "com.microsoft.nchwc")
    return "onnxruntime laid it out for the vectors of one CPU; take the original model, or write "
           "it with graph_optimization_level ORT_ENABLE_EXTENDED in place of ORT_ENABLE_ALL";
  if (domain == "com.ms.internal.nhwc")
    return "onnxruntime made it for one execution provider while loading; take the original model";
  if (domain == "com.microsoft" && op_type == "EPContext")
    return "it holds what an execution provider of onnxruntime compiled for one accelerator; take "
           "the model that it was compiled from";
  return {};
}

}  // namespace shipway
