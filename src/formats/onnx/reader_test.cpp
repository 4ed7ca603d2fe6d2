#include "formats/onnx/reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <protozero/pbf_writer.hpp>

#include "graph/annotation_keys.h"
#include "shipway/formats.h"

namespace shipway {
namespace {

using protozero::pbf_writer;
using ::testing::HasSubstr;

// The messages are made with protozero's writer and the numbers of onnx.proto, not with the code
// under test.
std::string value_info(std::string_view name, std::initializer_list<int64_t> dims) {
  std::string shape, tensor, type, info;
  for (int64_t size : dims) {
    std::string dim;
    pbf_writer(dim).add_int64(1, size);
    pbf_writer(shape).add_message(1, dim);
  }
  pbf_writer(tensor).add_int32(1, 1);
  pbf_writer(tensor).add_message(2, shape);
  pbf_writer(type).add_message(1, tensor);
  pbf_writer(info).add_string(1, std::string(name));
  pbf_writer(info).add_message(2, type);
  return info;
}

std::string node(std::string_view op, std::initializer_list<std::string> inputs,
                 std::initializer_list<std::string> outputs,
                 std::initializer_list<std::string> attributes = {}) {
  std::string bytes;
  pbf_writer writer(bytes);
  for (const auto& input : inputs) writer.add_string(1, input);
  for (const auto& output : outputs) writer.add_string(2, output);
  writer.add_string(3, std::string(op) + "_node");
  writer.add_string(4, std::string(op));
  for (const auto& attribute : attributes) writer.add_message(5, attribute);
  return bytes;
}

std::string model_of(const std::string& graph) {
  std::string opset, bytes;
  pbf_writer(opset).add_int64(2, 17);
  pbf_writer writer(bytes);
  writer.add_int64(1, 8);
  writer.add_message(7, graph);
  writer.add_message(8, opset);
  return bytes;
}

Result<Model> read(const std::string& bytes) { return load_model_from_bytes(as_bytes(bytes)); }

std::string float_tensor(std::string_view name, int64_t count) {
  std::string bytes;
  pbf_writer writer(bytes);
  writer.add_int64(1, count);
  writer.add_int32(2, 1);
  writer.add_string(8, std::string(name));
  writer.add_string(9, std::string(static_cast<size_t>(count) * 4, '\0'));
  return bytes;
}

TEST(OnnxReader, ReadsNodesValuesAndInitializers) {
  std::string graph, attribute;
  pbf_writer a(attribute);
  a.add_string(1, "alpha");
  a.add_float(2, 0.5f);
  a.add_int32(20, 1);
  pbf_writer g(graph);
  g.add_message(1, node("Add", {"x", "w"}, {"s"}));
  g.add_message(1, node("LeakyRelu", {"s"}, {"y"}, {attribute}));
  g.add_string(2, "main");
  g.add_message(5, float_tensor("w", 3));
  g.add_message(11, value_info("x", {2, 3}));
  g.add_message(12, value_info("y", {2, 3}));
  auto model = read(model_of(graph));
  ASSERT_TRUE(model.is_ok()) << model.status().message();
  EXPECT_EQ(model->ir_version, 8);
  EXPECT_EQ(model->opset(), 17);
  EXPECT_EQ(model->graph().name(), "main");
  ASSERT_EQ(model->graph().node_count(), 2u);
  const Node& add = model->node(model->graph().first_node());
  EXPECT_EQ(add.op_type(), "Add");
  EXPECT_EQ(model->value(add.input(1)).constant()->tensor.shape(), Shape{3});
  EXPECT_EQ(to_string(model->value(add.input(0)).type(), model->dims()), "float[2,3]");
  const Node& relu = model->node(model->graph().last_node());
  EXPECT_EQ(*relu.attribute("alpha")->get<float>(), 0.5f);
  EXPECT_EQ(relu.output(0), model->graph().outputs()[0]);
}

TEST(OnnxReader, LoadsUndefinedAndRepeatedNamesForTheChecker) {
  std::string graph;
  pbf_writer g(graph);
  g.add_message(1, node("Neg", {"nobody"}, {"y"}));
  g.add_message(1, node("Abs", {"y"}, {"y"}));
  g.add_message(12, value_info("y", {1}));
  auto model = read(model_of(graph));
  ASSERT_TRUE(model.is_ok()) << model.status().message();
  EXPECT_FALSE(
      model->value(model->node(model->graph().first_node()).input(0)).producer().is_valid());
  const Annotation* note = model->annotation({Entity::Kind::kGraph, model->main_graph().index, {}});
  ASSERT_NE(note, nullptr);
  EXPECT_THAT(note->other.at(std::string(kDuplicateDefinitions)),
              HasSubstr("'y' is made by node 'Abs_node' ('Abs') after node 'Neg_node' (Neg)"));
}

TEST(OnnxReader, NamesNodeAndAttributeOfABrokenTensor) {
  std::string graph, attribute, tensor;
  pbf_writer t(tensor);
  t.add_int64(1, 3);
  t.add_int32(2, 1);
  t.add_string(9, "1234");
  pbf_writer a(attribute);
  a.add_string(1, "value");
  a.add_message(5, tensor);
  a.add_int32(20, 4);
  pbf_writer(graph).add_message(1, node("Constant", {}, {"c"}, {attribute}));
  const auto model = read(model_of(graph));
  ASSERT_FALSE(model.is_ok());
  EXPECT_THAT(model.status().message(), HasSubstr("node #0 'Constant_node' ('Constant')"));
  EXPECT_THAT(model.status().message(), HasSubstr("attribute 'value'"));
  EXPECT_THAT(model.status().message(), HasSubstr("4 bytes in raw_data, expected 12 for float[3]"));
}

TEST(OnnxReader, RefusesGraphsNestedBeyondTheLimit) {
  std::string graph;
  for (int depth = 0; depth < 150; ++depth) {
    std::string attribute, outer;
    pbf_writer a(attribute);
    a.add_string(1, "then_branch");
    a.add_message(6, graph);
    a.add_int32(20, 5);
    pbf_writer(outer).add_message(1, node("If", {}, {}, {attribute}));
    graph = outer;
  }
  const auto model = read(model_of(graph));
  ASSERT_FALSE(model.is_ok());
  EXPECT_EQ(model.status().code(), StatusCode::kLimit);
  EXPECT_THAT(model.status().message(), HasSubstr("nested deeper than 100 levels"));
}

TEST(OnnxReader, EveryCutOffFileIsAnErrorNotACrash) {
  std::string graph;
  pbf_writer g(graph);
  g.add_message(1, node("Add", {"x", "w"}, {"y"}));
  g.add_message(5, float_tensor("w", 3));
  g.add_message(12, value_info("y", {2, 3}));
  const std::string whole = model_of(graph);
  for (size_t size = 0; size + 5 < whole.size(); ++size)
    EXPECT_FALSE(read(whole.substr(0, size)).is_ok()) << size;
}

}  // namespace
}  // namespace shipway
