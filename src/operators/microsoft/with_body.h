// The form of nearly every operator of this folder.
#pragma once

#include <string>
#include <string_view>

#include "operators/body.h"

namespace shipway {

/// An operator of com.microsoft with one version, which is computed as its body says (body.h).
Operator microsoft_with_body(std::string name, std::string summary, std::string_view signature,
                             std::string_view types, std::string_view attributes,
                             Schema::Rewrite body, Accuracy accuracy = {});

}  // namespace shipway
