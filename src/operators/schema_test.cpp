#include "operators/schema.h"

#include <gtest/gtest.h>

namespace shipway {
namespace {

using Option = FormalParameter::Option;

Schema schema_of(std::string_view signature, std::string_view types,
                 std::string_view attributes = {}) {
  const VersionList list{
      {.since = 1, .signature = signature, .types = types, .attributes = attributes}};
  EXPECT_EQ(list.errors(), "");
  return *list.newest();
}

std::string errors_of(std::string_view signature, std::string_view types,
                      std::string_view attributes = {}) {
  return VersionList{{.since = 1, .signature = signature, .types = types, .attributes = attributes}}
      .errors();
}

TEST(Schema, ReadsParameters) {
  const Schema schema = schema_of("(X: T, I: int64, B?: T, rest...{0}~: V) -> (Y: T, more...: T)",
                                  "T: float; V: seq(bool)");
  ASSERT_EQ(schema.inputs.size(), 4u);
  EXPECT_EQ(schema.inputs[0].name, "X");
  EXPECT_EQ(schema.inputs[0].type_name, "T");
  EXPECT_EQ(schema.inputs[1].type_name, "tensor(int64)");
  EXPECT_EQ(schema.inputs[2].name, "B");
  EXPECT_EQ(schema.inputs[2].option, Option::kOptional);
  EXPECT_EQ(schema.inputs[3].name, "rest");
  EXPECT_EQ(schema.inputs[3].option, Option::kVariadic);
  EXPECT_FALSE(schema.inputs[3].homogeneous);
  EXPECT_EQ(schema.inputs[3].min_arity, 0);
  EXPECT_TRUE(schema.outputs[1].homogeneous);
  EXPECT_EQ(schema.outputs[1].min_arity, 1);
  EXPECT_EQ(schema.min_inputs(),
            3);  // as ONNX counts: what stands before the variadic one needs its place
  EXPECT_EQ(schema.max_inputs(), Schema::kUnlimited);
  EXPECT_EQ(schema.min_outputs(), 2);
  EXPECT_EQ(schema.input(17), &schema.inputs[3]);
  EXPECT_EQ(schema_of("() -> (Y: float)", "").input(0), nullptr);
}

TEST(Schema, ReadsTypes) {
  const Schema schema = schema_of(
      "() -> ()",
      "A: floats bfloat16; B: seq(int4s) optional(bool) optional(seq(string)); C: map(int64,float) "
      "seq(map(string,float)) sparse(double)");
  EXPECT_EQ(schema.constraint("A")->types.texts(),
            (std::vector<std::string>{"tensor(float)", "tensor(float16)", "tensor(double)",
                                      "tensor(bfloat16)"}));
  EXPECT_EQ(schema.constraint("B")->types.texts(),
            (std::vector<std::string>{"seq(tensor(uint4))", "seq(tensor(int4))",
                                      "optional(tensor(bool))", "optional(seq(tensor(string)))"}));
  EXPECT_EQ(schema.constraint("C")->types.texts(),
            (std::vector<std::string>{"sparse_tensor(double)", "map(int64,tensor(float))",
                                      "seq(map(string,tensor(float)))"}));
  EXPECT_EQ(schema.constraint("D"), nullptr);
}

TEST(Schema, ReadsAttributes) {
  const Schema schema =
      schema_of("() -> ()", "",
                "a: float = 1e-05; b: int!; c: string = 'x; y'; d: tensor?; e: ints = [0, 2]; "
                "f: strings = ['Tanh', \"T\"]; g: floats = []; h: int = -3");
  EXPECT_EQ(std::get<float>(schema.attribute("a")->default_value), 1e-05f);
  EXPECT_TRUE(schema.attribute("b")->required);
  EXPECT_EQ(schema.attribute("b")->default_value, AttributeDefault());
  EXPECT_EQ(std::get<std::string>(schema.attribute("c")->default_value), "x; y");
  EXPECT_EQ(schema.attribute("d")->type, AttributeKind::kTensor);
  EXPECT_FALSE(schema.attribute("d")->required);
  EXPECT_EQ(std::get<std::vector<int64_t>>(schema.attribute("e")->default_value),
            (std::vector<int64_t>{0, 2}));
  EXPECT_EQ(std::get<std::vector<std::string>>(schema.attribute("f")->default_value),
            (std::vector<std::string>{"Tanh", "T"}));
  EXPECT_TRUE(std::get<std::vector<float>>(schema.attribute("g")->default_value).empty());
  EXPECT_EQ(std::get<int64_t>(schema.attribute("h")->default_value), -3);
  EXPECT_EQ(schema.attribute("i"), nullptr);
}

TEST(Schema, SaysWhatItCannotRead) {
  EXPECT_EQ(errors_of("(X: T)", "T: float"), "version 1: signature: '(X: T)' has no '->'\n");
  EXPECT_EQ(errors_of("X -> (Y: T)", "T: float"),
            "version 1: signature: 'X' is not in round brackets\n");
  EXPECT_EQ(errors_of("(X) -> ()", ""), "version 1: signature: 'X' has no name before a colon\n");
  EXPECT_EQ(errors_of("(X: floats) -> ()", ""),
            "version 1: signature: 'X: floats' names a set of types that has no constraint\n");
  EXPECT_EQ(errors_of("(X...{n}: float) -> ()", ""),
            "version 1: signature: 'X...{n}: float' has no number in braces\n");
  EXPECT_EQ(errors_of("() -> ()", "T: flaot"),
            "version 1: types: 'flaot' is no dtype, set of dtypes or container of one\n");
  EXPECT_EQ(errors_of("() -> ()", "T: map(bool,float)"),
            "version 1: types: 'bool,float' is not a key (int64 or string) and values of a map\n");
  EXPECT_EQ(errors_of("() -> ()", "", "a: int"),
            "version 1: attributes: 'a: int' has neither '!' nor '?' nor a default\n");
  EXPECT_EQ(errors_of("() -> ()", "", "a: number!"),
            "version 1: attributes: 'a: number!' has no type known for attributes\n");
  EXPECT_EQ(errors_of("() -> ()", "", "a: int = 0.5"),
            "version 1: attributes: the default of 'a: int = 0.5' cannot be read\n");
}

TEST(VersionList, FindsTheVersionAnOpsetMeans) {
  const VersionList list{{.since = 6, .signature = "() -> ()"},
                         {.since = 11, .signature = "() -> ()"}};
  EXPECT_EQ(list.version_at(5), nullptr);
  EXPECT_EQ(list.version_at(6)->since, 6);
  EXPECT_EQ(list.version_at(10)->since, 6);
  EXPECT_EQ(list.version_at(1000)->since, 11);
  EXPECT_EQ(list.newest()->since, 11);
  EXPECT_EQ(VersionList().newest(), nullptr);
  EXPECT_EQ(
      (VersionList{{.since = 6, .signature = "() -> ()"}, {.since = 6, .signature = "() -> ()"}})
          .errors(),
      "version 6: the versions are not in ascending order\n");
}

}  // namespace
}  // namespace shipway
