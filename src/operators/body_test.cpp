#include "operators/body.h"

#include <gtest/gtest.h>

#include "operators/testing.h"

namespace shipway {
namespace {

constexpr char kDomain[] = "com.microsoft";

std::string type_of(std::string_view name, const std::vector<InferInput>& inputs,
                    std::vector<Attribute> attributes = {}, size_t output = 0,
                    std::string_view domain = kDomain) {
  const auto result = infer(name, inputs, std::move(attributes), output + 1, domain);
  return result.is_ok() ? result->types[output] : result.status().message();
}

TEST(Body, BelongsToOperatorsThatAreNotOfOnnx) {
  Registry::built_in().for_each([](const Operator& op) {
    const bool is_of_onnx = Registry::onnx().find(op.domain, op.name) != nullptr;
    EXPECT_FALSE(has_body(op) && is_of_onnx) << op.name;
    EXPECT_TRUE((op.infer && op.evaluate) || is_of_onnx) << op.name;
  });
}

TEST(Body, KeepsValuesOfTheNodeItReplaces) {
  SingleNode single = *single_node("SkipLayerNormalization", {true, true, true},
                                   {attr("epsilon", 1e-5f)}, 4, kDomain, 1);
  Model& model = single.model;
  model.opset_imports.push_back({"", newest_opset("")});
  ModelBuilder builder(model);
  const Dim batch = model.dims().symbol("N");
  for (size_t i : {size_t{0}, size_t{1}})
    builder.set_type(single.inputs[i], Type::tensor(DType::kFloat32, {batch, 3, 8}));
  builder.set_type(single.inputs[2], Type::tensor(DType::kFloat32, {8}));
  ASSERT_TRUE(expand_bodies(model, Registry::built_in()).is_ok());
  std::vector<std::string> made;
  for (const Node& node : model.nodes(model.main_graph())) made.push_back(node.op_type());
  EXPECT_EQ(made, (std::vector<std::string>{"Add", "LayerNormalization"}));
  for (size_t i = 0; i < 4; ++i)
    EXPECT_EQ(model.value(single.outputs[i]).name(), "out" + std::to_string(i));
  EXPECT_EQ(model.node(model.value(single.outputs[3]).producer()).op_type(), "Add");
}

TEST(Body, InfersSymbolicSizes) {
  EXPECT_EQ(type_of("BiasGelu", {"float16[N,S,64]", "float16[64]"}), "float16[N,S,64]");
  EXPECT_EQ(type_of("EmbedLayerNormalization",
                    {"int32[N,S]", "int32[N,S]", "float[W,64]", "float[512,64]", "float[2,64]",
                     "float[64]", "float[64]"}),
            "float[N,S,64]");
  EXPECT_EQ(type_of("Attention", {"float[N,S,64]", "float[64,192]", "float[192]"},
                    {attr("num_heads", 8)}),
            "float[N,S,64]");
  EXPECT_EQ(
      type_of("Attention", {"float[N,S,64]", "float[64,192]", "float[192]", "", "float[2,N,8,P,8]"},
              {attr("num_heads", 8)}, 1),
      "float[2,N,8,S + P,8]");
  EXPECT_EQ(type_of("MultiHeadAttention", {"float[N,S,64]", "float[N,T,64]", "float[N,T,32]"},
                    {attr("num_heads", 8)}),
            "float[N,S,32]");
  EXPECT_EQ(
      type_of("FusedConv", {"float[N,3,H,W]", "float[8,3,3,3]"}, {attr("activation", "Relu")}),
      "float[N,8,H - 2,W - 2]");
  EXPECT_EQ(type_of("QLinearAdd", {"uint8[N,1,4]", "float", "uint8", "uint8[5,1]", "float", "uint8",
                                   "float", "uint8"}),
            "uint8[N,5,4]");
}

TEST(Body, InfersElementTypesWhereRanksAreNotKnown) {
  EXPECT_EQ(
      type_of("MultiHeadAttention", {"float16", "float16", "float16"}, {attr("num_heads", 2)}),
      "float16");
  EXPECT_EQ(type_of("EmbedLayerNormalization",
                    {"int32", "", "float", "float", "", "float", "float"}, {}, 1),
            "int32");
}

TEST(Body, NamesWhatIsWrong) {
  EXPECT_NE(type_of("FusedGemm", {"float[2,3]", "float[4,5]"}).find("3 columns"),
            std::string::npos);
  EXPECT_EQ(
      evaluate_tensor("FusedGemm",
                      {*from_doubles(DType::kFloat32, {1, 1}, std::vector<double>{1}),
                       *from_doubles(DType::kFloat32, {1, 1}, std::vector<double>{1})},
                      {attr("activation", "Softbounce")}, kDomain)
          .status()
          .message(),
      "node #0 (com.microsoft.FusedGemm): attribute 'activation' is 'Softbounce', which is no "
      "activation known here");
  EXPECT_EQ(type_of("Attention", {"float[1,4,8]", "float[8,25]"}, {attr("num_heads", 2)}),
            "input 1 has 25 columns, expected three equal parts");
}

TEST(Body, IsRefusedForAllNodesAtOnceWhenNoSizesHelp) {
  Model model;
  model.opset_imports = {{"", newest_opset("")}, {kDomain, 1}};
  ModelBuilder builder(model);
  const GraphId graph = model.main_graph();
  const auto value = [&](std::string name, Dims dims) {
    const ValueId id =
        builder.add_value(graph, std::move(name), Type::tensor(DType::kFloat32, std::move(dims)));
    builder.add_input(graph, id);
    return id;
  };
  const ValueId x = value("x", {model.dims().symbol("N"), 4, 8}), w = value("w", {8, 24});
  for (const char* name : {"rotary", "shared", "right"}) {
    NodeSpec spec;
    spec.op_type = "Attention";
    spec.domain = kDomain;
    spec.name = name;
    spec.inputs = {x, w};
    spec.outputs = {builder.add_value(graph, std::string(name) + "_out")};
    spec.attributes = {attr("num_heads", 2)};
    if (spec.name == "rotary") spec.attributes.push_back(attr("do_rotary", 1));
    if (spec.name == "shared") spec.attributes.push_back(attr("past_present_share_buffer", 1));
    builder.add_output(graph, spec.outputs[0]);
    ASSERT_TRUE(builder.add_node(graph, std::move(spec)).is_ok());
  }
  const Status status = expand_bodies(model, Registry::built_in());
  EXPECT_EQ(status.code(), StatusCode::kUnsupported);
  EXPECT_EQ(
      status.message(),
      "node 'rotary' (com.microsoft.Attention): attribute 'do_rotary' is not computed; rotate "
      "with RotaryEmbedding; node 'shared' (com.microsoft.Attention): attribute "
      "'past_present_share_buffer' is not computed");
}

TEST(Body, EvaluatesOnWhatComes) {
  // By hand: leaky([1 2] [1 -1; 1 0] + [-4 1.5]) = leaky([-1 0.5])
  const auto number = [](const Shape& shape, std::vector<double> values) {
    return *from_doubles(DType::kFloat32, shape, values);
  };
  const auto y = evaluate_tensor(
      "FusedGemm", {number({1, 2}, {1, 2}), number({2, 2}, {1, -1, 1, 0}), number({2}, {-4, 1.5})},
      {attr("activation", "LeakyRelu"), attr("activation_alpha", 0.5f)}, kDomain);
  ASSERT_TRUE(y.is_ok()) << y.status().message();
  EXPECT_EQ(doubles(y), (std::vector<double>{-0.5, 0.5}));
}

TEST(Body, OfLayerNormalizationInOpsetsBeforeOnnxHadIt) {
  const Tensor x = *from_doubles(DType::kFloat32, {1, 2}, std::vector<double>{-3, 3});
  const Tensor scale = *from_doubles(DType::kFloat32, {2}, std::vector<double>{1, 2});
  const auto y = evaluate_at(12, "LayerNormalization", {x, scale}, {attr("epsilon", 0.0f)});
  ASSERT_TRUE(y.is_ok()) << y.status().message();
  EXPECT_EQ(doubles(*(*y)[0].tensor()), (std::vector<double>{-1, 2}));
}

}  // namespace
}  // namespace shipway
