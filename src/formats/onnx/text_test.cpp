#include <gmock/gmock.h>

#include "formats/onnx/fields.h"
#include "formats/wire/protobuf.h"
#include "shipway/formats.h"

namespace shipway {
namespace {

using testing::HasSubstr;

std::string round_trip(std::string_view text, OnnxMessage kind = OnnxMessage::kModel) {
  const auto message = parse_onnx_text(text, kind);
  if (!message.is_ok()) return message.status().message();
  const auto printed = print_onnx_text(as_bytes(*message), kind);
  return printed.is_ok() ? *printed : printed.status().message();
}

// The layout is onnx.printer's (onnx 1.23.2).
constexpr std::string_view kModel = R"(<
   ir_version: 8,
   opset_import: ["" : 17, "local" : 1],
   producer_name: "me"
>
agraph (float[N,3] x, seq(int64[]) s) => (float[N,?] y) 
   <float[3] w =  {1,2.5,1e-07}, float[N,3] t>
{
   [first] t = Add (x, w)
   y = local.Twice <times: int = 2, modes: strings = ["a", "b"]> (t)
}
<
  domain: "local",
  opset_import: ["" : 17]
>
Twice <times>(a) => (b)
{
   b = Add (a, a)
})";

TEST(OnnxText, PrintsAsOnnxDoes) { EXPECT_EQ(round_trip(kModel), kModel); }

TEST(OnnxText, PutsGraphsBehindInputsAndIndentsThem) {
  constexpr std::string_view kText =
      "g (bool c) => (float y) {\n"
      "   y = If (c) <then_branch: graph = a () => (float z) {\n"
      "      z = Zero ()\n"
      "   }, else_branch: graph = b () => (float z) {\n"
      "      z = One ()\n"
      "   }>\n"
      "}";
  EXPECT_EQ(round_trip(kText, OnnxMessage::kGraph), kText);
}

TEST(OnnxText, ReadsNamesLeftOut) {
  EXPECT_EQ(round_trip("y = F(, x,)", OnnxMessage::kNode), "   y = F (\"\", x)\n");
  EXPECT_EQ(round_trip("= F()", OnnxMessage::kNode), "    = F ()\n");
}

TEST(OnnxText, ReadsNumbersByTheirAttributesType) {
  EXPECT_EQ(
      round_trip("y = F<a = 1, b: float = 1, c = 1., d = -inf, e = [1.5, 2]>()",
                 OnnxMessage::kNode),
      "   y = F <a: int = 1, b: float = 1, c: float = 1, d: float = -inf, e: floats = [1.5, 2]>"
      " ()\n");
}

TEST(OnnxText, RoundsTinyNumbersToZeroAndRefusesHugeOnes) {
  EXPECT_EQ(round_trip("y = F<a = -1e-60>()", OnnxMessage::kNode), "   y = F <a: float = -0> ()\n");
  EXPECT_EQ(round_trip("y = F<a = 1e39>()", OnnxMessage::kNode),
            "line 1, column 11: found '1e39', expected a float within range");
}

TEST(OnnxText, KeepsQuotesAndBackslashes) {
  constexpr std::string_view kText = "   \"a b\" = F <s: string = \"say \\\"\\\\\\\"\"> ()\n";
  EXPECT_EQ(round_trip(kText, OnnxMessage::kNode), kText);
}

TEST(OnnxText, SaysWhereAModelsHeadIsWrong) {
  EXPECT_THAT(round_trip("<ir_version: \"7\">"),
              HasSubstr("line 1, column 14: found '\"', expected an integer"));
  EXPECT_THAT(round_trip("<opset: [] >"), HasSubstr("found 'opset', expected ir_version, "));
}

TEST(OnnxText, EveryCutTextIsAnError) {
  for (size_t length = 0; length < kModel.size() - 1; ++length) {
    const auto message = parse_onnx_text(kModel.substr(0, length));
    const std::string_view rest = kModel.substr(length);
    if (rest.starts_with("\n<\n  domain")) continue;  // a whole model without its function
    if (rest.starts_with("<\n  domain")) continue;
    EXPECT_FALSE(message.is_ok()) << kModel.substr(0, length);
  }
}

TEST(OnnxText, EveryCutMessageIsAnErrorOrLessText) {
  const std::string message = *parse_onnx_text(kModel);
  for (size_t length = 0; length < message.size(); ++length) {
    const auto text = print_onnx_text(as_bytes(std::string_view(message).substr(0, length)));
    if (!text.is_ok()) continue;
    EXPECT_LT(text->size(), kModel.size());
  }
}

TEST(OnnxText, RefusesTypesNestedWithoutEnd) {
  MessageWriter type;
  for (int i = 0; i < 200; ++i) {
    MessageWriter element, outer;
    element.add_message(onnx_fields::type::kElemType, std::move(type));
    outer.add_message(onnx_fields::type::kSequence, std::move(element));
    type = std::move(outer);
  }
  MessageWriter input, graph;
  input.add_message(onnx_fields::value_info::kType, std::move(type));
  graph.add_message(onnx_fields::graph::kInput, std::move(input));
  const auto text = print_onnx_text(as_bytes(graph.to_string()), OnnxMessage::kGraph);
  ASSERT_FALSE(text.is_ok());
  EXPECT_EQ(text.status().code(), StatusCode::kLimit);
}

}  // namespace
}  // namespace shipway
