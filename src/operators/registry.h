// Registry: which operators exist. The built-in ones, and those that a user adds.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "operators/operator.h"
#include "shipway/status.h"

namespace shipway {

/// The one spelling of a domain: "ai.onnx" and "" both name ONNX's main domain, which is "" here.
constexpr std::string_view normalized_domain(std::string_view domain) {
  return domain == "ai.onnx" ? std::string_view() : domain;
}

/// Finds operators by domain and name. A default Registry knows the built-in ones; `add` puts a
/// user's own on top (and may replace a built-in one). Reading is safe from several threads as long
/// as nobody adds.
class Registry {
 public:
  /// The built-in operators and nothing else.
  static const Registry& built_in();
  /// Of those, the ones in ONNX's own domains: what the `onnx` package knows.
  static const Registry& onnx();

  /// The operator, or null. Lives as long as the registry (a built-in one: as long as the process).
  const Operator* find(std::string_view domain, std::string_view name) const;

  /// Adds a user's operator. Fails when its schemas cannot be read, when it has no name or version,
  /// or when one of that name was added before.
  Status add(Operator definition);

  /// Calls `visit` for every operator, ordered by domain, then name.
  void for_each(const std::function<void(const Operator&)>& visit) const;

 private:
  bool knows(std::string_view domain) const;

  bool only_onnx_ = false;
  std::map<std::pair<std::string, std::string>, std::unique_ptr<const Operator>, std::less<>>
      added_;
};

}  // namespace shipway
