// What ONNX declares about an operator, version by version: names, arity, attributes and types of
// its inputs and outputs. Written as short texts in each operator's file, parsed once into Schemas.
//
//   signature   (X: T, W: T, B?: T) -> (Y: T)   `?` after a name: may be left out
//               (xs...: T) -> (...)             variadic, one or more of the same type
//               (xs...{2}: T) -> (...)          needs two; `xs...~: T` allows each its own type
//               (indices: int64) -> (...)       a type may stand for a constraint
//   types       T: floats bfloat16; I: int32 int64; V: seq(floats) optional(seq(string));
//               M: map(int64,float). A plain name is a tensor of that dtype or set of dtypes (see
//               kDTypeSets in schema.cpp).
//   attributes  axis: int = 0; axes: ints?; to: int!; mode: string = 'nearest'; value: tensor?
//               `!` must be given, `?` may be left out and then means nothing.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "shipway/dtype.h"
#include "shipway/model.h"
#include "shipway/status.h"

namespace shipway {

class NodeRewrite;

/// A set of types: for each kind of container, a mask with bit n set for the DType of number n.
class TypeSet {
 public:
  /// The containers that operators of ONNX take, each around one DType (of the elements, or of a
  /// map's values).
  enum class Kind : uint8_t {
    kTensor,
    kSparseTensor,
    kSequence,
    kOptional,
    kOptionalSequence,
    kMapFromInt64,
    kMapFromString,
    kSequenceOfMapFromInt64,
    kSequenceOfMapFromString,
  };
  static constexpr int kKindCount = 9;
  /// ONNX's text of one member: "tensor(float)", "optional(seq(tensor(int64)))",
  /// "map(string,tensor(float))".
  static std::string text(Kind kind, DType dtype);

  void add(Kind kind, DType dtype) { add_mask(kind, uint32_t{1} << static_cast<int>(dtype)); }
  void add_mask(Kind kind, uint32_t dtypes) { masks_[static_cast<size_t>(kind)] |= dtypes; }
  uint32_t mask(Kind kind) const { return masks_[static_cast<size_t>(kind)]; }
  bool contains(Kind kind, DType dtype) const {
    return (mask(kind) >> static_cast<int>(dtype) & 1) != 0;
  }
  bool empty() const { return *this == TypeSet(); }
  /// Every member as ONNX writes it, kinds and then dtypes in the order of their numbers.
  std::vector<std::string> texts() const;
  bool operator==(const TypeSet&) const = default;

 private:
  std::array<uint32_t, kKindCount> masks_{};
};

/// The value an attribute has when a node does not give it; monostate when it then means nothing.
using AttributeDefault =
    std::variant<std::monostate, float, int64_t, std::string, std::vector<float>,
                 std::vector<int64_t>, std::vector<std::string>>;

struct AttributeSchema {
  std::string name;
  AttributeKind type = AttributeKind::kUndefined;
  bool required = false;
  AttributeDefault default_value;
};

/// One input or output as declared.
struct FormalParameter {
  enum class Option : uint8_t { kSingle, kOptional, kVariadic };

  std::string name;
  Option option = Option::kSingle;
  bool homogeneous = true;  // of a variadic one: every value has the same type
  int min_arity = 1;        // of a variadic one: how many values it needs at least
  std::string type_name;    // of its constraint ("T"), or the type itself ("tensor(int64)")
  TypeSet types;            // what it accepts
};

struct TypeConstraint {
  std::string name;
  TypeSet types;
};

/// One version of an operator.
struct Schema {
  static constexpr int kUnlimited = std::numeric_limits<int>::max();
  using Rewrite = Status (*)(NodeRewrite&);

  int64_t since = 0;  // the first opset that has this version
  bool deprecated = false;
  bool experimental = false;
  std::vector<FormalParameter> inputs;
  std::vector<FormalParameter> outputs;
  std::vector<AttributeSchema> attributes;
  std::vector<TypeConstraint> constraints;
  Rewrite upgrade = nullptr;    // turns a node of this version into the next one
  Rewrite downgrade = nullptr;  // turns a node of this version into the previous one

  /// How many inputs a node may list. An optional input before a single one must have its place.
  int min_inputs() const;
  int max_inputs() const;
  int min_outputs() const;
  int max_outputs() const;
  /// The declaration of the attribute or constraint `name`, or null.
  const AttributeSchema* attribute(std::string_view name) const;
  const TypeConstraint* constraint(std::string_view name) const;
  /// The declaration that the input or output at `index` of a node falls under, or null. Everything
  /// from a variadic one on is its own.
  const FormalParameter* input(size_t index) const;
  const FormalParameter* output(size_t index) const;
};

/// One version as an operator's file writes it; the texts are read when the list is made.
struct VersionSpec {
  int64_t since = 1;
  std::string_view signature;
  std::string_view types = {};
  std::string_view attributes = {};
  bool deprecated = false;
  bool experimental = false;
  Schema::Rewrite upgrade = nullptr;
  Schema::Rewrite downgrade = nullptr;
};

/// All versions of an operator, oldest first.
class VersionList {
 public:
  VersionList() = default;
  VersionList(std::initializer_list<VersionSpec> versions);
  explicit VersionList(const std::vector<VersionSpec>& versions);

  /// The version that a model importing `opset` means: the newest that is not newer. Null when the
  /// operator appeared later.
  const Schema* version_at(int64_t opset) const;
  /// The newest version; null when the list is empty.
  const Schema* newest() const { return schemas_.empty() ? nullptr : &schemas_.back(); }

  auto begin() const { return schemas_.begin(); }
  auto end() const { return schemas_.end(); }
  size_t size() const { return schemas_.size(); }

  /// What could not be read of the texts, a line each; empty for every built-in operator (a test
  /// sees to it).
  const std::string& errors() const { return errors_; }

 private:
  void add(const VersionSpec& spec);

  std::vector<Schema> schemas_;
  std::string errors_;
};

}  // namespace shipway
