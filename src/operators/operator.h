// Operator: the definition of what a node does.
#pragma once

#include <string>

#include "operators/schema.h"

namespace shipway {

struct Operator {
  std::string domain = "";
  std::string name;
  std::string summary;
  VersionList versions;
};

}  // namespace shipway
