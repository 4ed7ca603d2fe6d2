// If, Loop, Scan and SequenceMap in whole graphs: captured values, nesting, states that change
// their shape. And chains of shape operators as exporters write them.
#include <gmock/gmock.h>

#include "graph/text.h"
#include "operators/testing.h"

namespace shipway {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Model model_of(std::string_view text) {
  Result<Model> model = parse(text);
  EXPECT_TRUE(model.is_ok()) << model.status().message();
  return model.is_ok() ? std::move(model).value() : Model();
}

/// The inferred type of a value of the main graph, or the error's message.
std::string type_of(std::string_view text, std::string_view value = "y") {
  Model model = model_of(text);
  const Status status = infer_shapes(model, Registry::built_in());
  if (!status.is_ok()) return status.message();
  return to_string(model.value(model.find_value(value)).type(), model.dims());
}

Result<Tensor> run(std::string_view text, const std::vector<RuntimeValue>& inputs) {
  Model model = model_of(text);
  SHIPWAY_RETURN_IF_ERROR(infer_shapes(model, Registry::built_in()));
  std::vector<std::pair<ValueId, RuntimeValue>> given;
  for (size_t i = 0; i < inputs.size(); ++i)
    given.emplace_back(model.graph().inputs()[i], inputs[i]);
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<RuntimeValue> outputs,
                           ReferenceRunner(model, Registry::built_in()).run(given));
  if (!outputs[0].tensor()) return Status::internal("output 0 is {}", to_string(outputs[0]));
  return *outputs[0].tensor();
}

constexpr std::string_view kBranches = R"(opset 28
graph (c: bool[], x: float[N,3]) -> (y) {
  axis = constant int64[1] {0}
  y = If[then_branch=graph () -> (a) { a = Identity(x) },
         else_branch=graph () -> (b) { b = Concat[axis=0](x, x) }](c)
})";

TEST(If, JoinsTheTypesOfItsBranches) { EXPECT_THAT(type_of(kBranches), HasSubstr(",3]")); }

TEST(If, RunsTheChosenBranchOnCapturedValues) {
  const Tensor x = Tensor::from<float>({1, 3}, {1, 2, 3});
  EXPECT_THAT(doubles(run(kBranches, {Tensor::scalar(true), x})), ElementsAre(1, 2, 3));
  EXPECT_THAT(doubles(run(kBranches, {Tensor::scalar(false), x})), ElementsAre(1, 2, 3, 1, 2, 3));
}

TEST(If, TakesTheTypeOfTheOnlyBranchThatCanRun) {
  // The other branch is wrong for this shape, which does not matter.
  EXPECT_EQ(type_of(R"(opset 28
graph (x: float[N,3]) -> (y) {
  c = constant bool[] {true}
  axes = constant int64[1] {1}
  y = If[then_branch=graph () -> (a) { a = Identity(x) },
         else_branch=graph () -> (b) { b = Squeeze(x, axes) }](c)
})"),
            "float[N,3]");
}

// Doubles the length of a list in every iteration, and yields the number of each.
constexpr std::string_view kGrowing = R"(opset 28
graph (n: int64[], x: float[K]) -> (y, numbers) {
  t = constant bool[] {true}
  y, numbers = Loop[body=graph (i: int64[], go: bool[], s) -> (go_on, s2, i2) {
    go_on = Identity(go)
    s2 = Concat[axis=0](s, s)
    i2 = Identity(i)
  }](n, t, x)
})";

TEST(Loop, ForgetsSizesThatAnIterationChanges) {
  const std::string type = type_of(kGrowing);
  EXPECT_THAT(type, ::testing::StartsWith("float[?"));
  EXPECT_THAT(type_of(kGrowing, "numbers"), ::testing::StartsWith("int64[?"));
}

TEST(Loop, CarriesStateOfChangingShape) {
  const Tensor x = Tensor::from<float>({1}, {7});
  const Result<Tensor> y = run(kGrowing, {Tensor::scalar(int64_t{3}), x});
  ASSERT_TRUE(y.is_ok()) << y.status().message();
  EXPECT_EQ(y->shape(), Shape{8});
  EXPECT_THAT(doubles(run(kGrowing, {Tensor::scalar(int64_t{0}), x})), ElementsAre(7));
}

TEST(Loop, KeepsSizesThatNoIterationChanges) {
  EXPECT_EQ(type_of(R"(opset 28
graph (n: int64[], x: float[N,3]) -> (y) {
  y = Loop[body=graph (i: int64[], go: bool[], s) -> (go_on, s2) {
    go_on = Identity(go)
    s2 = Identity(s)
  }](n, _, x)
})"),
            "float[N,3]");
}

TEST(Loop, NestsAndStopsByItsCondition) {
  // The inner loop runs as often as the outer one's number says, and appends it each time: 1 2 2.
  const std::string_view text = R"(opset 28
graph (n: int64[], start: int64[K]) -> (y) {
  axes = constant int64[1] {0}
  t = constant bool[] {true}
  y = Loop[body=graph (i: int64[], go: bool[], s) -> (go_on, s2) {
    go_on = Identity(go)
    number = Unsqueeze(i, axes)
    s2 = Loop[body=graph (j: int64[], go2: bool[], u) -> (go3, u2) {
      go3 = Identity(go2)
      u2 = Concat[axis=0](u, number)
    }](i, t, s)
  }](n, t, start)
})";
  const Result<Tensor> y = run(text, {Tensor::scalar(int64_t{3}), Tensor::vector({})});
  ASSERT_TRUE(y.is_ok()) << y.status().message();
  EXPECT_THAT(doubles(y), ElementsAre(1, 2, 2));
}

TEST(Loop, WithoutIterationsYieldsEmptyStacksOfTheDeclaredType) {
  const Result<Tensor> y = run(R"(opset 28
graph (n: int64[]) -> (y) {
  t = constant bool[] {true}
  y = Loop[body=graph (i: int64[], go: bool[]) -> (go_on, v: float[2,3]) {
    go_on = Identity(go)
    v = constant float[2,3] fill 1
  }](n, t)
})",
                               {Tensor::scalar(int64_t{0})});
  ASSERT_TRUE(y.is_ok()) << y.status().message();
  EXPECT_EQ(y->shape(), (Shape{0, 2, 3}));
  EXPECT_EQ(y->dtype(), DType::kFloat32);
}

TEST(Loop, EndsAtTheDeadline) {
  const Model model = model_of(R"(opset 28
graph (x: float[1]) -> (y) {
  y = Loop[body=graph (i: int64[], go: bool[], s) -> (go_on, s2) {
    go_on = Identity(go)
    s2 = Identity(s)
  }](_, _, x)
})");
  ReferenceRunner runner(model, Registry::built_in());
  RunLimits limits;
  limits.deadline_ns = 0;
  runner.set_limits(limits);
  const std::vector<std::pair<ValueId, RuntimeValue>> inputs = {
      {model.graph().inputs()[0], Tensor::from<float>({1}, {1})}};
  EXPECT_EQ(runner.run(inputs).status().code(), StatusCode::kLimit);
}

constexpr std::string_view kScan = R"(opset 28
graph (state: float[2], xs: float[T,2]) -> (y, ys) {
  y, ys = Scan[num_scan_inputs=1, scan_output_axes=[1], scan_output_directions=[1],
               body=graph (s, x) -> (s2, o) {
    s2 = Identity(x)
    o = Identity(s)
  }](state, xs)
})";

TEST(Scan, StacksAlongItsAxis) {
  EXPECT_EQ(type_of(kScan), "float[2]");
  EXPECT_EQ(type_of(kScan, "ys"), "float[2,T]");
  const Result<Tensor> last =
      run(kScan, {Tensor::from<float>({2}, {0, 0}), Tensor::from<float>({2, 2}, {1, 2, 3, 4})});
  EXPECT_THAT(doubles(last), ElementsAre(3, 4));
}

TEST(SequenceMap, RunsItsBodyOnEveryElement) {
  EXPECT_EQ(type_of(R"(opset 28
graph (xs: seq(float[N,3])) -> (y) {
  y = SequenceMap[body=graph (x) -> (o) { o = Transpose(x) }](xs)
})"),
            "seq(float[3,N])");
}

TEST(ShapeChain, ReshapeFromShapeGatherConcat) {
  // How PyTorch exports x.view(x.size(0), -1, 2).
  EXPECT_EQ(type_of(R"(opset 28
graph (x: float[N,H,W]) -> (y) {
  shape = Shape(x)
  zero = constant int64[] {0}
  axes = constant int64[1] {0}
  rest = constant int64[1] {-1}
  two = constant int64[1] {2}
  n = Gather(shape, zero)
  n1 = Unsqueeze(n, axes)
  sizes = Concat[axis=0](n1, rest, two)
  y = Reshape(x, sizes)
})"),
            "float[N,(H*W)//2,2]");
}

TEST(ShapeChain, SlicesOfAShapeAreFollowedIntoExpand) {
  EXPECT_EQ(type_of(R"(opset 28
graph (x: float[N,C,H,W], v: float[1]) -> (y) {
  shape = Shape(x)
  start = constant int64[1] {2}
  end = constant int64[1] {9223372036854775807}
  axes = constant int64[1] {0}
  sizes = Slice(shape, start, end, axes)
  y = Expand(v, sizes)
})"),
            "float[H,W]");
}

TEST(ShapeChain, PadsWorkedOutThroughMatricesAreFollowed) {
  // How PyTorch exports F.pad(x, (1, 2)) of a tensor of rank 2: begins and ends in reverse order.
  EXPECT_EQ(type_of(R"(opset 28
graph (x: float[N,W]) -> (y) {
  pads = constant int64[2] {1, 2}
  two = constant int64[1] {2}
  zeros = ConstantOfShape[value=int64[1] {0}](two)
  all = Concat[axis=0](pads, zeros)
  rows = constant int64[2] {-1, 2}
  matrix = Reshape(all, rows)
  start = constant int64[1] {-1}
  end = constant int64[1] {-9223372036854775807}
  axis = constant int64[1] {0}
  reversed = Slice(matrix, start, end, axis, start)
  turned = Transpose[perm=[1, 0]](reversed)
  flat = constant int64[1] {-1}
  list = Reshape(turned, flat)
  cast = Cast[to=7](list)
  y = Pad(x, cast)
})"),
            "float[N,W + 3]");
}

}  // namespace
}  // namespace shipway
