#include "shipway/checker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/onnx/fields.h"
#include "formats/onnx/well_formed.h"
#include "graph/text.h"

// Verdicts are compared with onnx's over many broken models in tests/python/test_checker.py; here
// stand the messages, and what a Python test would be slow at.
namespace shipway {
namespace {

namespace f = onnx_fields;
using ::testing::HasSubstr;

// The smallest messages, written by hand.

MessageWriter value_info(std::string_view name, int64_t dtype = 1) {
  MessageWriter shape, tensor, type, value;
  tensor.add_integer(f::type::kElemType, dtype);
  tensor.add_message(f::type::kShape, std::move(shape));
  type.add_message(f::type::kTensor, std::move(tensor));
  value.add_text(f::value_info::kName, name);
  value.add_message(f::value_info::kType, std::move(type));
  return value;
}

MessageWriter node(std::string_view op_type, std::vector<std::string_view> inputs,
                   std::vector<std::string_view> outputs, std::string_view name = "") {
  MessageWriter message;
  for (std::string_view input : inputs) message.add_text(f::node::kInput, input);
  for (std::string_view output : outputs) message.add_text(f::node::kOutput, output);
  message.add_text_if_any(f::node::kName, name);
  message.add_text(f::node::kOpType, op_type);
  return message;
}

MessageWriter int_attribute(std::string_view name, int64_t value) {
  MessageWriter message;
  message.add_text(f::attribute::kName, name);
  message.add_integer(f::attribute::kType, f::attribute::kTypeInt);
  message.add_integer(f::attribute::kInt, value);
  return message;
}

MessageWriter graph(std::string_view input = "x", std::string_view output = "y") {
  MessageWriter message;
  message.add_text(f::graph::kName, "g");
  message.add_message(f::graph::kInput, value_info(input));
  message.add_message(f::graph::kOutput, value_info(output));
  return message;
}

std::string model(MessageWriter graph, int64_t opset = 17, int64_t ir_version = 8) {
  MessageWriter message, import;
  import.add_text(f::opset_id::kDomain, "");
  import.add_integer(f::opset_id::kVersion, opset);
  message.add_integer(f::model::kIrVersion, ir_version);
  message.add_message(f::model::kOpsetImport, std::move(import));
  message.add_message(f::model::kGraph, std::move(graph));
  return message.to_string();
}

/// The verdict on a model whose main graph, x to y, has this node.
std::string verdict_on_node(MessageWriter message, int64_t opset = 17) {
  MessageWriter g = graph();
  g.add_message(f::graph::kNode, std::move(message));
  return check_model_bytes(as_bytes(model(std::move(g), opset))).message();
}

std::string verdict_on_initializer(MessageWriter tensor) {
  tensor.add_text(f::tensor::kName, "w");
  MessageWriter g = graph("x", "x");
  g.add_message(f::graph::kInitializer, std::move(tensor));
  return check_model_bytes(as_bytes(model(std::move(g)))).message();
}

TEST(Checker, AcceptsASoundModel) { EXPECT_EQ(verdict_on_node(node("Relu", {"x"}, {"y"})), ""); }

TEST(Checker, SaysWhatIsWrongWithANodeAndWhere) {
  EXPECT_EQ(verdict_on_node(node("Relu", {"x", "x"}, {"y"}, "act")),
            "node 'act' (Relu): has 2 inputs, expected 1");
  EXPECT_EQ(verdict_on_node(node("Conv", {"x"}, {"y"})),
            "node #0 (Conv): has 1 inputs, expected 2 to 3");
  EXPECT_EQ(verdict_on_node(node("Concat", {}, {"y"}, "join")),
            "2 problems:\n  node 'join' (Concat): has 0 inputs, expected at least 1\n"
            "  node 'join' (Concat): attribute 'axis' is missing, expected int");
  EXPECT_EQ(verdict_on_node(node("Conv", {"x", ""}, {"y"})),
            "node #0 (Conv): input 1 ('W') is left out but required");
  EXPECT_EQ(verdict_on_node(node("Relu", {"z"}, {"y"})),
            "node #0 (Relu): input 0 is 'z', which nothing before this node makes");
  EXPECT_EQ(verdict_on_node(node("Relu", {"x"}, {"x"})),
            "2 problems:\n  node #0 (Relu): output 0 is 'x', which was made before: a name may be "
            "assigned once "
            "only\n  output 'y': no node, input or initializer of the graph makes it");
  EXPECT_EQ(verdict_on_node(node("Rleu", {"x"}, {"y"})),
            "node #0 (Rleu): domain '' has no operator 'Rleu' in opset 17");
  EXPECT_EQ(verdict_on_node(node("GroupNormalization", {"x", "x", "x"}, {"y"}), 18),
            "node #0 (GroupNormalization): the operator is deprecated since opset 18, the model "
            "imports 18");
}

TEST(Checker, SaysWhatIsWrongWithAnAttribute) {
  MessageWriter softmax = node("Softmax", {"x"}, {"y"}, "s");
  softmax.add_message(f::node::kAttribute, int_attribute("axes", 1));
  EXPECT_EQ(
      verdict_on_node(std::move(softmax)),
      "node 's' (Softmax): attribute 'axes': the operator has no such attribute in its version 13");
  MessageWriter elu = node("Elu", {"x"}, {"y"});
  elu.add_message(f::node::kAttribute, int_attribute("alpha", 1));
  EXPECT_EQ(verdict_on_node(std::move(elu)),
            "node #0 (Elu): attribute 'alpha': is of kind int, expected float");
}

TEST(Checker, SaysWhatIsWrongWithATensor) {
  MessageWriter tensor;
  tensor.add_packed(f::tensor::kDims, std::vector<int64_t>{2, 3});
  tensor.add_integer(f::tensor::kDataType, 1);
  tensor.add_text(f::tensor::kRawData, std::string(20, '\0'));
  EXPECT_EQ(verdict_on_initializer(std::move(tensor)),
            "initializer 'w': has 20 bytes in raw_data, expected 24 for float[2,3]");
  MessageWriter wrong_field;
  wrong_field.add_packed(f::tensor::kDims, std::vector<int64_t>{2});
  wrong_field.add_integer(f::tensor::kDataType, 1);
  wrong_field.add_packed(f::tensor::kInt64Data, std::vector<int64_t>{1, 2});
  EXPECT_EQ(verdict_on_initializer(std::move(wrong_field)),
            "initializer 'w': has its elements in int64_data, expected float_data for float");
  MessageWriter huge;
  huge.add_packed(f::tensor::kDims, std::vector<int64_t>{int64_t{1} << 40, int64_t{1} << 40});
  huge.add_integer(f::tensor::kDataType, 1);
  EXPECT_EQ(verdict_on_initializer(std::move(huge)),
            "initializer 'w': its shape [1099511627776,1099511627776] has a negative size or too "
            "many elements");
}

TEST(Checker, NamesThePlaceInsideASubgraph) {
  MessageWriter branch;
  branch.add_text(f::graph::kName, "then");
  branch.add_message(f::graph::kNode, node("Rleu", {"x"}, {"t"}, "inner"));
  MessageWriter attribute;
  attribute.add_text(f::attribute::kName, "then_branch");
  attribute.add_integer(f::attribute::kType, f::attribute::kTypeGraph);
  attribute.add_message(f::attribute::kGraph, std::move(branch));
  MessageWriter choice = node("If", {"x"}, {"y"}, "choice");
  choice.add_message(f::node::kAttribute, std::move(attribute));
  EXPECT_EQ(verdict_on_node(std::move(choice)),
            "2 problems:\n  node 'choice' (If): attribute 'then_branch': graph 'then': node "
            "'inner' (Rleu): domain '' "
            "has no operator 'Rleu' in opset 17\n"
            "  node 'choice' (If): attribute 'else_branch' is missing, expected graph");
}

TEST(Checker, CountsProblemsBeyondTheFirstTwenty) {
  MessageWriter g = graph("x", "x");
  for (int i = 0; i < 30; ++i) g.add_message(f::graph::kNode, node("Rleu", {"x"}, {}));
  const std::string message = check_model_bytes(as_bytes(model(std::move(g)))).message();
  EXPECT_THAT(message, HasSubstr("30 problems:\n"));
  EXPECT_THAT(message, HasSubstr("node #19 (Rleu)"));
  EXPECT_THAT(message, HasSubstr("\n  and 10 more"));
  EXPECT_EQ(message.find("node #20"), std::string::npos);
}

TEST(Checker, SaysWhatIsWrongWithTheModel) {
  EXPECT_EQ(check_model_bytes({}).message(),
            "not an ONNX model, but an empty file: perhaps a download or a copy that failed");
  EXPECT_EQ(check_model_bytes(as_bytes("<!DOCTYPE html><html>")).message().substr(0, 35),
            "not an ONNX model, but a web page (");
  EXPECT_EQ(check_model_bytes(as_bytes(model(graph("x", "x"), 17, 15))).message(),
            "ir_version is 15, the newest known is 14");
  EXPECT_EQ(check_model_bytes(as_bytes(model(graph("x", "x"), 17, 2))).message(),
            "opset_import is given, but ir_version 2 knows none");
}

TEST(Checker, RefusesWhatIsNoProtobuf) {
  const std::string whole = model(graph("x", "x"));
  EXPECT_TRUE(check_model_bytes(as_bytes(whole)).is_ok());
  EXPECT_THAT(
      check_model_bytes(as_bytes(std::string_view(whole).substr(0, whole.size() - 1))).message(),
      HasSubstr("not an ONNX model, or a damaged one: "));
  EXPECT_THAT(check_model_bytes(as_bytes("<!DOCTYPE html>")).message(),
              HasSubstr("not an ONNX model"));
}

TEST(Checker, TakesMessagesAHundredDeepAndNoDeeper) {
  // Sequences of sequences: each takes two messages; around them are model, graph, value and the
  // last type.
  const auto nested = [](int sequences) {
    MessageWriter type;
    for (int i = 0; i < sequences; ++i) {
      MessageWriter element, outer;
      element.add_message(f::type::kElemType, std::move(type));
      outer.add_message(f::type::kSequence, std::move(element));
      type = std::move(outer);
    }
    MessageWriter value, g = graph("x", "x");
    value.add_text(f::value_info::kName, "v");
    value.add_message(f::value_info::kType, std::move(type));
    g.add_message(f::graph::kValueInfo, std::move(value));
    return check_well_formed_onnx(as_bytes(model(std::move(g)))).message();
  };
  EXPECT_EQ(nested(48), "");
  EXPECT_THAT(nested(50), HasSubstr("messages lie more than 100 deep"));
  EXPECT_THAT(nested(20000), HasSubstr("messages lie more than 100 deep"));
}

std::string full_verdict(MessageWriter message) {
  MessageWriter g = graph();
  g.add_message(f::graph::kNode, std::move(message));
  return check_model_bytes(as_bytes(model(std::move(g))), {.full_check = true}).message();
}

TEST(Checker, ChecksAModelInMemory) {
  const auto verdict = [](std::string_view text) {
    Result<Model> model = parse(text);
    EXPECT_TRUE(model.is_ok()) << model.status().message();
    model->ir_version = 8;
    return check_model(*model, {.full_check = true}).message();
  };
  EXPECT_EQ(verdict("opset 17\ngraph main (x: float[2]) -> (y: float[2]) {\n  y = Relu(x)\n}\n"),
            "");
  EXPECT_EQ(
      verdict("opset 17\ngraph main (x: float[2]) -> (y: float[3]) {\n  y = Relu(x)\n}\n"),
      "node #0 (Relu): output 'y': declared as float[3], but float[2] follows from the graph");
  EXPECT_EQ(verdict("opset 17\ngraph main (x: float[2]) -> (y: float[2]) {\n  y = Rleu(x)\n}\n"),
            "node #0 (Rleu): domain '' has no operator 'Rleu' in opset 17");
}

TEST(Checker, HoldsTypesAgainstSchemasInAFullCheck) {
  EXPECT_EQ(full_verdict(node("Relu", {"x"}, {"y"})), "");
  EXPECT_THAT(
      full_verdict(node("Not", {"x"}, {"y"}, "flip")),
      HasSubstr("node 'flip' (Not): input 0 ('X') is tensor(float), expected tensor(bool)"));
}

TEST(Checker, HoldsDeclarationsAgainstWhatFollowsInAFullCheck) {
  EXPECT_THAT(full_verdict(node("Shape", {"x"}, {"y"}, "size")),
              HasSubstr("node 'size' (Shape): output 'y': declared as float[], but int64[0] "
                        "follows from the graph"));
}

TEST(Checker, IsLinearInTheNumberOfNodes) {
  constexpr int kNodes = 1000000;
  MessageWriter g;
  g.add_text(f::graph::kName, "chain");
  g.add_message(f::graph::kInput, value_info("v0"));
  g.add_message(f::graph::kOutput, value_info("v" + std::to_string(kNodes)));
  for (int i = 0; i < kNodes; ++i)
    g.add_message(f::graph::kNode,
                  node("Relu", {"v" + std::to_string(i)}, {"v" + std::to_string(i + 1)}));
  const std::string bytes = model(std::move(g));
  EXPECT_EQ(check_model_bytes(as_bytes(bytes)).message(), "");
  EXPECT_EQ(check_model_bytes(as_bytes(bytes), {.full_check = true}).message(), "");
}

}  // namespace
}  // namespace shipway
