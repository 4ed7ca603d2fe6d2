#include "graph/verify.h"

#include <gtest/gtest.h>

#include "graph/builder.h"
#include "graph/text.h"

namespace shipway {

/// Reaches into a good model to break one thing at a time.
class VerifyTest : public ::testing::Test {
 protected:
  static Model good() {
    return parse(R"(
      function my.F (a) -> (b) { b = Neg(a) }
      graph main (x: float[2], c: bool[], s: float[2]) -> (y, t) {
        w: float[2] = {1, 2}
        h = Add[k=1, l=2](x, w) @add
        y = If[then_branch=graph yes () -> (z) { z = Mul(h, w) @mul }, else_branch=graph no () -> (h) {}](c) @if
        t = Add(s, h) @last
        state s -> t = float[2] {0, 0}
      })")
        .value_or_throw();
  }
  static Node& node(Model& model, std::string_view name) {
    for (Node& node : model.nodes_)
      if (node.name_ == name) return node;
    throw std::logic_error("no such node");
  }
  static Value& value(Model& model, std::string_view name) {
    for (Value& value : model.values_)
      if (value.name_ == name) return value;
    throw std::logic_error("no such value");
  }
  static Graph& graph(Model& model, std::string_view name) {
    for (Graph& graph : model.graphs_)
      if (graph.name_ == name) return graph;
    throw std::logic_error("no such graph");
  }
  template <typename Breakage>
  static std::string broken(const Breakage& breakage) {
    Model model = good();
    EXPECT_TRUE(verify(model).is_ok()) << verify(model).message();
    breakage(model);
    const Status status = verify(model);
    return status.is_ok() ? "no error" : status.message();
  }

  // A TEST_F is a class of its own, which friendship does not reach: what they need stands here.
  static void break_value_id(Model& m) { value(m, "h").id_.index = 0; }
  static void unlink(Model& m) { node(m, "if").next_ = {}; }
  static void miscount_nodes(Model& m) { ++graph(m, "main").node_count_; }
  static void break_back_link(Model& m) { node(m, "last").previous_ = node(m, "add").id_; }
  static void make_ring(Model& m) { node(m, "last").next_ = node(m, "add").id_; }
  static void list_in_other_graph(Model& m) { node(m, "last").graph_ = graph(m, "yes").id_; }
  static void forget_owner(Model& m) { graph(m, "yes").owner_ = {}; }
  static void share_graph(Model& m) { node(m, "if").attributes_[1].value = graph(m, "yes").id_; }
  static void own_main(Model& m) { node(m, "if").attributes_[1].value = m.main_graph_; }
  static void orphan_graph(Model& m) {
    graph(m, "yes").owner_ = {};
    node(m, "if").attributes_.erase(node(m, "if").attributes_.begin());
  }
  static void wrong_producer(Model& m) { value(m, "h").producer_ = node(m, "last").id_; }
  static void input_also_made(Model& m) { value(m, "h").is_input_ = true; }
  static void flag_input(Model& m) { value(m, "w").is_input_ = true; }
  static void forget_data(Model& m) { value(m, "w").constant_ = nullptr; }
  static void twin_input(Model& m) { graph(m, "main").inputs_.push_back(value(m, "x").id_); }
  static void retype(Model& m, Type type) { value(m, "w").type_ = std::move(type); }
  static void lose_use(Model& m) { value(m, "x").uses_.clear(); }
  static void extra_use(Model& m) { value(m, "x").uses_.push_back({node(m, "last").id_, 0}); }
  static void wrong_slot(Model& m) { node(m, "add").input_slots_[0] = 5; }
  static void miscount_outputs(Model& m) { ++value(m, "y").output_count_; }
  static void forget_capture(Model& m) { graph(m, "yes").captured_.clear(); }
  static void forget_node_capture(Model& m) { node(m, "if").captures_.pop_back(); }
  static void miscount_capture(Model& m) { ++node(m, "if").capture_counts_[0]; }
  static void remove_used(Model& m) { value(m, "w").removed_ = true; }
  static void twin_name(Model& m) { value(m, "w").name_ = "x"; }
  static void twin_attribute(Model& m) { node(m, "add").attributes_[1].name = "k"; }
  static void move_state(Model& m) { graph(m, "main").states_[0].input = value(m, "w").id_; }
  static void double_state(Model& m) {
    graph(m, "main").states_.push_back(graph(m, "main").states_[0]);
  }
  static void state_from_nowhere(Model& m) {
    graph(m, "main").states_[0].output = ModelBuilder(m).add_value(m.main_graph_, "nowhere");
  }
  static void state_of_other_dtype(Model& m) {
    graph(m, "main").states_[0].initial = Tensor::scalar<int64_t>(1);
  }
  static void lose_source(Model& m) { node(m, "add").sources_[0].index = 99; }
  static void body_twice(Model& m) { m.functions_.push_back(m.functions_[0]); }
};

namespace {

TEST_F(VerifyTest, NamesEachBrokenInvariant) {
  EXPECT_EQ(broken(break_value_id), "value 'h': it stands in place 6 of the values");
  EXPECT_EQ(broken(unlink), "graph 'main': its last node is not where its list ends");
  EXPECT_EQ(broken(miscount_nodes), "graph 'main': it has 3 nodes, counted 4");
  EXPECT_EQ(broken(break_back_link), "node 'last' (Add): its link to the node before is wrong");
  EXPECT_EQ(broken(make_ring), "node 'add' (Add): its link to the node before is wrong");
  EXPECT_EQ(broken(list_in_other_graph), "node 'last' (Add): it is in the list of another graph");
  EXPECT_EQ(broken(forget_owner), "graph 'yes': it is in node 'if' (If) but has another owner");
  EXPECT_EQ(broken(share_graph), "graph 'yes': it belongs to node 'if' (If) and to another one");
  EXPECT_EQ(broken(own_main), "graph 'main': it belongs to node 'if' (If) and to another one");
  EXPECT_EQ(broken(orphan_graph), "graph 'yes': it belongs to no node");
  EXPECT_EQ(broken(wrong_producer),
            "value 'h': it is output 0 of node 'add' (Add), but its producer is another one");
  EXPECT_EQ(broken(input_also_made),
            "value 'h': node 'add' (Add) makes it, and it is a graph input too");
  EXPECT_EQ(broken(flag_input), "value 'w': it says that it is a graph input, but no graph has it");
  EXPECT_EQ(broken(forget_data),
            "value 'w': an initializer of graph 'main' has no data or another graph");
  EXPECT_EQ(broken(twin_input), "value 'x': it is a graph input twice");
  EXPECT_EQ(broken([](Model& m) { retype(m, Type::tensor(DType::kInt64)); }),
            "value 'w': its data is float 2, declared int64");
  EXPECT_EQ(broken([](Model& m) { retype(m, Type::tensor(DType::kFloat32, {3})); }),
            "value 'w': its data is float 2, declared float[3]");
  EXPECT_EQ(
      broken([](Model& m) { retype(m, Type::tensor(DType::kFloat32, {m.dims().symbol("N")})); }),
      "no error");
  EXPECT_EQ(broken(lose_use), "value 'x': it does not list its use as input 0 of node 'add' (Add)");
  EXPECT_EQ(broken(extra_use), "value 'x': it lists 2 uses, nodes have 1");
  EXPECT_EQ(broken(wrong_slot),
            "value 'x': it does not list its use as input 0 of node 'add' (Add)");
  EXPECT_EQ(broken(miscount_outputs),
            "value 'y': it counts 2 places among graph outputs, graphs have 1");
  EXPECT_EQ(broken(forget_capture),
            "graph 'yes': its list of outer values used inside is not exact");
  EXPECT_EQ(broken(forget_node_capture),
            "node 'if' (If): it captures 1 values, its subgraphs use 2");
  EXPECT_EQ(broken(miscount_capture),
            "node 'if' (If): its subgraphs use value 'w', which it does not capture (or another "
            "number of times)");
  EXPECT_EQ(broken(remove_used), "graph 'main': an initializer of it is removed or never was");
  EXPECT_EQ(broken(twin_name), "value 'x': two values of graph 'main' have this name");
  EXPECT_EQ(broken(twin_attribute), "node 'add' (Add): it has two attributes 'k'");
  EXPECT_EQ(broken(move_state),
            "value 'w': a state is read through it, but it is no input of graph 'main'");
  EXPECT_EQ(broken(double_state), "value 's': two states are read through it");
  EXPECT_EQ(broken(state_from_nowhere),
            "value 'nowhere': a state is written by it, but nothing in graph 'main' makes it");
  EXPECT_EQ(broken(state_of_other_dtype),
            "value 's': the initial value of its state is int64 scalar, declared float[2]");
  EXPECT_EQ(broken(lose_source), "node 'add' (Add): its source node #99 does not exist");
  EXPECT_EQ(broken(body_twice),
            "graph #1: it is the body of function 'F' and another one's, or the main graph");
}

TEST_F(VerifyTest, FindsWhatABuilderAllows) {
  Model model;
  ModelBuilder builder(model);
  const GraphId graph = model.main_graph();
  const ValueId a = builder.add_value(graph, "a"), b = builder.add_value(graph, "b");
  ASSERT_TRUE(
      builder.add_node(graph, {.op_type = "Neg", .inputs = {b}, .outputs = {a}, .name = "early"})
          .is_ok());
  EXPECT_EQ(verify(model).message(),
            "value 'b': it is input of node 'early' (Neg), but nothing makes it");
  ASSERT_TRUE(
      builder.add_node(graph, {.op_type = "Neg", .inputs = {a}, .outputs = {b}, .name = "late"})
          .is_ok());
  EXPECT_EQ(verify(model).message(),
            "value 'b': it is input of node 'early' (Neg), which comes before node 'late' (Neg), "
            "which makes it");

  Model other;
  ModelBuilder second(other);
  const GraphId inside = second.add_graph("inside");
  const ValueId hidden = second.add_value(inside, "hidden");
  second.add_input(inside, hidden);
  const ValueId y = second.add_value(other.main_graph(), "y");
  ASSERT_TRUE(
      second
          .add_node(other.main_graph(),
                    {.op_type = "Loop", .outputs = {y}, .attributes = {{"body", inside, {}, {}}}})
          .is_ok());
  EXPECT_TRUE(verify(other).is_ok()) << verify(other).message();
  second.add_output(other.main_graph(), hidden);
  EXPECT_EQ(verify(other).message(),
            "value 'hidden': it is output of graph #0, from where it cannot be seen");
}

}  // namespace
}  // namespace shipway
