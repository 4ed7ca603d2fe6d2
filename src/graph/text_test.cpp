#include "graph/text.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <limits>

#include "graph/builder.h"
#include "graph/equal.h"
#include "graph/text_type.h"
#include "tensor/convert.h"

namespace shipway {
namespace {

Model parsed(std::string_view text) {
  Result<Model> model = parse(text);
  EXPECT_TRUE(model.is_ok()) << model.status().message() << "\n" << text;
  return model.is_ok() ? *std::move(model) : Model();
}

std::string error_of(std::string_view text) {
  const Result<Model> model = parse(text);
  return model.is_ok() ? "no error" : model.status().message();
}

void expect_round_trip(const Model& model) {
  const std::string text = print(model);
  Result<Model> again = parse(text);
  ASSERT_TRUE(again.is_ok()) << again.status().message() << "\n" << text;
  std::string difference;
  EXPECT_TRUE(equal_models(model, *again, &difference)) << difference << "\n" << text;
  EXPECT_EQ(print(*again), text);
}

void expect_canonical(std::string_view text) {
  const Model model = parsed(text);
  EXPECT_EQ(print(model), text);
  expect_round_trip(model);
}

std::string in_graph(std::string_view statements, std::string_view outputs = "y") {
  return "graph (x: float[N,3]) -> (" + std::string(outputs) + ") {\n" + std::string(statements) +
         "\n}\n";
}

// ---- the form itself

TEST(Text, PrintsWhatItReads) {
  expect_canonical(R"(ir_version 9
opset 17
opset com.example 2
producer_name "pytorch"
metadata "licence" = "CC0\nof \"them\""
graph main (x: float[N,3,H,W]) -> (y: float[N,8,H,W]) {
  w: float[8,3,1,1] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 0.1}
  c: float[N,8,H,W] = Conv[kernel_shape=[1, 1], pads=[0, 0, 0, 0], auto_pad="NOTSET"](x, w) @conv1
  d, _, "odd name" = com.domain.Op[alpha=0.5, beta=1.0](c, _, w)
  y = Relu(d)
}
)");
}

TEST(Text, PrintsEveryKindOfAttribute) {
  expect_canonical(R"(graph (x: float) -> (y) {
  y = my.Op[i=-3, f=1.0, g=1e-10, s="a\"\\\n\t\x01\xff", t=float[2] {1, 2}, u=int64[] {7}, ty=type seq(map(string, float[N])), is=[1, 2], fs=[1.5, inf], ss=["a", ""], none: ints = [], nofloats: floats = [], nostrings: strings = [], nographs: graphs = [], ts=[float[1] {1}, undefined], tys=[type ?, type float], sp=sparse[3,4](float[1] {1}, int64[1] {5}), un: undefined, "odd name"=1](x)
}
)");
}

TEST(Text, PrintsSubgraphsInBraces) {
  expect_canonical(R"(opset 17
graph main (c: bool[], x: float[N]) -> (y: float[N]) {
  y = If[then_branch=graph yes () -> (a) {
    a = Neg(x)
  }, else_branch=graph () -> (x) {
  }](c) @choose
}
)");
}

TEST(Text, PrintsFunctionsStatesAndRanges) {
  expect_canonical(R"(dialect "tf"
opset 17
opset my 1
dim N in [1, 8]
dim "odd size" in [4, *]
function my.Scale:v2[k, alpha, beta=0.5] imports [17, com.other 3] (x) -> (y) {
  y = Mul[alpha: float = @alpha, k: ints = @k](x, x)
}
graph main (x: float[N,"odd size"], past: float[N,T]) -> (y, present: float[N,T + 1]) {
  present, y = my.Scale:v2[k=[1]](x, past)
  state past -> present = float[1,1] {0}
}
)");
}

TEST(Text, PrintsAnnotationsAndSources) {
  expect_canonical(R"(note !{doc="of the model", other "key"="value"}
graph main !{metadata "a"="b"} (x: float[2] !{doc="input"}) -> (y: float[2]) {
  w: float[2] !{doc="value"} = {1, 2} external("w.bin", 4096, 8, "checksum"="00ff") !{doc="data"}
  e: float[N] = constant undefined external("big.bin", 0, -1)
  s: sparse(float[4]) = constant sparse[4](float[1] {1}, int64[1] {2})
  x = {0, 0}
  y !{unknown="\x08\xff"} = Add[alpha=1 !{doc="attribute"}](x, w) @add from [Add @first, my.Mul @second "net.py:7", Sub] !{doc="node"}
}
)");
}

TEST(Text, NumbersValuesThatTheirNameDoesNotReach) {
  Model model;
  ModelBuilder builder(model);
  const GraphId graph = model.main_graph();
  const ValueId x = builder.add_value(graph, "x");
  builder.add_input(graph, x);
  const ValueId unnamed = builder.add_value(graph, "");
  ASSERT_TRUE(
      builder.add_node(graph, {.op_type = "Neg", .inputs = {x}, .outputs = {unnamed}}).is_ok());
  const ValueId twin = builder.add_value(graph, "x");
  ASSERT_TRUE(
      builder.add_node(graph, {.op_type = "Neg", .inputs = {unnamed}, .outputs = {twin}}).is_ok());
  builder.add_output(graph, twin);
  EXPECT_EQ(print(model), "graph (x) -> (x%2) {\n  %1 = Neg(x)\n  x%2 = Neg(%1)\n}\n");
  Result<Model> again = parse(print(model));
  ASSERT_TRUE(again.is_ok()) << again.status().message();
  EXPECT_TRUE(equal_models(model, *again));
  EXPECT_EQ(again->value(again->graph().outputs()[0]).name(), "x");
}

TEST(Text, ReadsShortForms) {
  const Model model = parsed(in_graph(R"(
    a: float[2,3] = fill 0.5   # a comment
    b: int64[4] = iota
    c: float[1000] = seeded 1
    d = constant string[2] fill "ab"
    e = constant float16[3] {1, 2.5, nan}
    y = Op[fs: floats = [1, 2], f: float = 3](a, b, c, d, e))"));
  const auto tensor = [&](const char* name) {
    return *model.constant_tensor(model.find_value(name));
  };
  EXPECT_TRUE(identical(tensor("a"), Tensor::from<float>({2, 3}, {.5f, .5f, .5f, .5f, .5f, .5f})));
  EXPECT_TRUE(identical(tensor("b"), Tensor::from<int64_t>({4}, {0, 1, 2, 3})));
  const auto c = tensor("c").as<float>();
  EXPECT_LT(*std::max_element(c.begin(), c.end()), 1.0f);
  EXPECT_GT(*std::max_element(c.begin(), c.end()), 0.9f);
  EXPECT_LT(*std::min_element(c.begin(), c.end()), -0.9f);
  EXPECT_EQ(tensor("d").strings()[1], "ab");
  EXPECT_EQ(to_string(model.value(model.find_value("e")).type(), model.dims()), "float16[3]");
  EXPECT_EQ(*model.nodes().begin()->attribute("f")->get<float>(), 3.0f);
  expect_round_trip(model);
}

TEST(Text, EveryElementOfEveryDTypeReadsBackBitByBit) {
  for (int number = 1; number < kDTypeCount; ++number) {
    const auto dtype = static_cast<DType>(number);
    if (dtype == DType::kString) continue;
    // All bit patterns of the small dtypes, 4096 scattered ones of the others.
    const int width = bit_width(dtype);
    const int64_t count = width <= 8 ? int64_t{1} << width : 4096;
    Tensor tensor = *Tensor::zeros(is_sub_byte(dtype) ? DType::kUInt8 : dtype, {count});
    auto* bytes = static_cast<uint8_t*>(tensor.mutable_data());
    uint32_t state = 1;
    for (int64_t i = 0; i < tensor.byte_size(); ++i) {
      state = state * 1664525 + 1013904223;
      bytes[i] = static_cast<uint8_t>(width <= 8 ? static_cast<uint32_t>(i) : state >> 24);
    }
    if (is_sub_byte(dtype)) tensor = *pack_from_bytes(dtype, tensor);
    Model model;
    ModelBuilder builder(model);
    builder.add_initializer(builder.add_value(model.main_graph(), "w"), {tensor, nullptr, nullptr});
    SCOPED_TRACE(to_string(dtype));
    expect_round_trip(model);
  }
}

TEST(Text, SpecialFloatsReadBack) {
  const float inf = std::numeric_limits<float>::infinity();
  Model model = parsed(in_graph("y = Op[a=1](x)"));
  ModelBuilder builder(model);
  const std::vector<float> numbers = {-0.0f,
                                      inf,
                                      -inf,
                                      std::numeric_limits<float>::denorm_min(),
                                      std::numeric_limits<float>::max(),
                                      std::bit_cast<float>(0xffc00001u),
                                      std::numeric_limits<float>::quiet_NaN(),
                                      16777216.0f};
  builder.set_attribute(model.graph().first_node(), {"a", numbers, {}, {}});
  expect_round_trip(model);
  EXPECT_NE(
      print(model).find("[-0.0, inf, -inf, 1e-45, 3.4028235e+38, 0xffc00001, nan, 16777216.0]"),
      std::string::npos)
      << print(model);
}

TEST(Text, BriefOptionsCutTensors) {
  const Model model = parsed(in_graph("w: float[100] = iota\ny = Op(x, w)"));
  const std::string text = print(model, PrintOptions::brief());
  EXPECT_NE(text.find("w: float[100] = {0, 1, 2, 3, 4, 5, 6, 7, ...}"), std::string::npos) << text;
  EXPECT_NE(error_of(text).find("elements were left out when this text was printed"),
            std::string::npos);
  EXPECT_EQ(print_node(model, model.graph().first_node()), "y = Op(x, w)");
}

// ---- dims and types

TEST(Text, FunctionAttributesMayHaveAnyName) {
  const std::string text = R"(function my.F["a b", c, d=0.5] (x) -> (y) {
  y = Mul(x, x)
}
graph main (x: float[N]) -> (y) {
  y = my.F(x)
}
)";
  const auto model = parse(text);
  ASSERT_TRUE(model.is_ok()) << model.status().message();
  EXPECT_EQ(model->functions()[0].attributes, (std::vector<std::string>{"a b", "c"}));
  EXPECT_EQ(print(*model), text);
  EXPECT_FALSE(parse("function my.F[, c] (x) -> (y) {\n}\n").is_ok());
}

TEST(Text, DimExpressionsReadBackAsTheSameExpression) {
  DimTable dims;
  for (const char* text :
       {"H*3 + 1", "(N + 1)//2", "min(H, 7)", "H%4", "-(H//2)", "N - H//2", "max(N, H//2) - 3",
        "H*N*W*2", "(N%H)*2", "-5", "?", "\"batch size\"", "?17", "min", "(H//2)%3"}) {
    const Result<Dim> dim = parse_dim(text, dims);
    ASSERT_TRUE(dim.is_ok()) << dim.status().message();
    EXPECT_EQ(print_dim(*dim, dims), text);
    EXPECT_EQ(*parse_dim(print_dim(*dim, dims), dims), *dim);
  }
  EXPECT_EQ(*parse_dim("1 + 2*3", dims), Dim(7));
  EXPECT_EQ(*parse_dim("-7//2", dims), Dim(-4));
  EXPECT_EQ(*parse_dim("--7 - -1", dims), Dim(8));
  EXPECT_EQ(parse_dim("H +", dims).status().message(),
            "line 1, column 4: found the end of the text, expected a size");
  EXPECT_EQ(parse_dim("2 H", dims).status().message(),
            "line 1, column 3: found 'H', expected the end of the expression");
  EXPECT_FALSE(parse_dim(std::string(100000, '('), dims).is_ok());
}

TEST(Text, ModelsThatNumberTheirSymbolsInAnotherOrderAreEqual) {
  const Model a = parsed("graph (x: float[N,H], y: float[N*H + H//2]) -> (x) {}");
  const Model b = parsed("dim H in [0, *]\ngraph (x: float[N,H], y: float[H//2 + H*N]) -> (x) {}");
  EXPECT_TRUE(equal_models(a, b));
  const Model c = parsed("graph (x: float[N,H], y: float[H//2 + H*N + 1]) -> (x) {}");
  std::string difference;
  EXPECT_FALSE(equal_models(a, c, &difference));
  EXPECT_NE(difference.find("value 'y' is float["), std::string::npos) << difference;
}

// ---- errors

TEST(Text, ErrorsSayWhereWhatWasFoundAndWhatWasExpected) {
  EXPECT_EQ(error_of(""), "line 1, column 1: found the end of the text, expected 'graph'");
  EXPECT_EQ(error_of("opset 17\ngrph"),
            "line 2, column 1: found 'grph', expected graph, function, opset or another line of a "
            "model's head");
  EXPECT_EQ(error_of(in_graph("y = Relu(z)")),
            "line 2, column 10: value 'z' is used before anything makes it");
  EXPECT_EQ(error_of(in_graph("y = Relu(x")),
            "line 3, column 1: found '}', expected ',' or ')' after an input");
  EXPECT_EQ(error_of(in_graph("y = Relu[a=](x)")),
            "line 2, column 12: found ']', expected an attribute's value");
  EXPECT_EQ(error_of(in_graph("y = A[a=[1, \"b\"]](x)")),
            "line 2, column 13: found '\"', expected a number (integers have 64 bits)");
  EXPECT_EQ(error_of(in_graph("y = A[a=[\"b\", 1]](x)")),
            "line 2, column 15: all elements of a list are of one kind");
  EXPECT_EQ(error_of(in_graph("y = Neg(x)\ny = Neg(x)")),
            "line 3, column 1: value 'y' is made twice");
  EXPECT_EQ(error_of(in_graph("x = Neg(x)")), "line 2, column 1: value 'x' is made twice");
  EXPECT_EQ(error_of(in_graph("w: float[2] = {1, 2, 3}")),
            "line 2, column 15: found 3 elements, expected 2 for the shape 2");
  EXPECT_EQ(error_of(in_graph("w: int8[1] = {128}")),
            "line 2, column 15: found '128', expected an element of type int8");
  EXPECT_EQ(error_of(in_graph("w = {1}")),
            "line 2, column 1: value 'w' needs a type with sizes that are numbers, as in 'w: "
            "float[2] = {1, 2}' "
            "or 'w = constant float[2] {1, 2}'");
  EXPECT_EQ(error_of(in_graph("y: flot[2] = Neg(x)")),
            "line 2, column 4: found 'flot', expected a type such as float[N,3] or seq(int64)");
  EXPECT_EQ(error_of(in_graph("y: int64 = Neg(x)", "y: float")),
            "line 2, column 1: value 'y' has another type among the graph's outputs");
  EXPECT_EQ(error_of("graph () -> (y) {}"),
            "line 1, column 14: value 'y' is used before anything makes it");
  EXPECT_EQ(error_of("graph () -> () {} graph"),
            "line 1, column 19: a model has one graph outside functions, this is the second");
  EXPECT_EQ(error_of("doc \"abc"), "line 1, column 5: this quotation does not end on its line");
  EXPECT_EQ(error_of("doc \"a\\q\""),
            "line 1, column 7: a backslash in quotes is followed by one of \" \\ n t xNN");
  EXPECT_EQ(
      error_of(in_graph("w: float[1000000,1000000] = fill 1")),
      "line 2, column 29: the shape 1000000x1000000 asks for more memory than is allowed here");
  EXPECT_EQ(error_of(in_graph("w: float[-1] = fill 1")).substr(0, 19), "line 2, column 16: ");
  EXPECT_EQ(error_of("\x01"),
            "line 1, column 1: found '\\x01', expected graph, function, opset or another line of a "
            "model's head");
}

TEST(Text, NestingIsBounded) {
  const auto nested = [](int depth) {
    std::string text = "graph (x: float) -> (y) {\n";
    for (int i = 0; i < depth; ++i) text += "y = If[then_branch=graph () -> (y) {\n";
    text += "y = Neg(x)\n";
    for (int i = 0; i < depth; ++i) text += "}](x)\n";
    return text + "}\n";
  };
  expect_round_trip(parsed(nested(100)));
  EXPECT_NE(error_of(nested(101)).find("graphs are nested deeper than 100"), std::string::npos);
  EXPECT_NE(error_of(nested(100000)).find("graphs are nested deeper than 100"), std::string::npos);
  std::string type;
  for (int i = 0; i < 100000; ++i) type += "seq(";
  EXPECT_NE(error_of("graph (x: " + type).find("a type is nested deeper than 100"),
            std::string::npos);
}

TEST(Text, EveryTruncationOfATextIsAnErrorOrAModel) {
  const std::string text = print(parsed(in_graph(R"(
    w: float[2] !{doc="d"} = {1, 2}
    a, _ = my.If[then_branch=graph () -> (x) {}, t=int64[1] {3}, f=[1.5]](x, _, w) @n from [A @b]
    state x -> a = float[] {1}
    y = Add(a, w))")));
  for (size_t length = 0; length < text.size(); ++length)
    if (const Result<Model> model = parse(text.substr(0, length)); model.is_ok())
      expect_round_trip(*model);
}

TEST(Text, LeavesTensorsThatStandElsewhereToTheCaller) {
  const Model model = parse(R"(graph main (x: float[4]) -> (y: float[4]) {
  w: float[4] = {1, 2, 3, 4}
  s: float[] = {5}
  c = Constant[value=float[2] {6, 7}]()
  a = Add(x, w)
  y = Mul(a, s)
}
)")
                          .value_or_throw();
  std::vector<Tensor> kept;
  PrintOptions print_options;
  print_options.store = [&](const Tensor& tensor) -> std::optional<int64_t> {
    if (tensor.element_count() < 2) return std::nullopt;
    kept.push_back(tensor);
    return static_cast<int64_t>(kept.size()) - 1;
  };
  const std::string text = print(model, print_options);
  EXPECT_NE(text.find("w: float[4] = stored 0"), std::string::npos) << text;
  EXPECT_NE(text.find("s: float[] = {5}"), std::string::npos) << text;
  EXPECT_NE(text.find("value=float[2] stored 1"), std::string::npos) << text;
  ParseOptions parse_options;
  parse_options.stored = [&](int64_t number, DType dtype, const Shape& shape) -> Result<Tensor> {
    const Tensor& tensor = kept[static_cast<size_t>(number)];
    EXPECT_TRUE(tensor.dtype() == dtype && tensor.shape() == shape);
    return tensor;
  };
  EXPECT_TRUE(equal_models(parse(text, parse_options).value_or_throw(), model));
  EXPECT_NE(parse(text).status().message().find("these elements stand elsewhere"),
            std::string::npos);
}

}  // namespace
}  // namespace shipway
