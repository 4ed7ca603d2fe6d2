#include "operators/microsoft/with_body.h"

#include <utility>

namespace shipway {

Operator microsoft_with_body(std::string name, std::string summary, std::string_view signature,
                             std::string_view types, std::string_view attributes,
                             Schema::Rewrite body, Accuracy accuracy) {
  return {.domain = "com.microsoft",
          .name = std::move(name),
          .summary = std::move(summary),
          .versions = {{.since = 1,
                        .signature = signature,
                        .types = types,
                        .attributes = attributes,
                        .upgrade = body}},
          .infer = infer_by_body,
          .evaluate = evaluate_by_body,
          .accuracy = accuracy};
}

}  // namespace shipway
