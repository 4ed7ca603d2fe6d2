#include "shipway/status.h"

#include <gtest/gtest.h>

namespace shipway {
namespace {

TEST(Status, GathersContextFromInsideOut) {
  Status status = Status::invalid_model("attribute '{}' has {} values, expected {}", "pads", 3, 4u)
                      .with_context("node '{}' ({})", std::string("conv1"), "Conv")
                      .with_context("reading {}", "m.onnx");
  EXPECT_EQ(status.message(),
            "reading m.onnx: node 'conv1' (Conv): attribute 'pads' has 3 values, expected 4");
  EXPECT_EQ(status.code(), StatusCode::kInvalidModel);
}

TEST(Status, OkHasNoMessageAndTakesNoContext) {
  EXPECT_TRUE(Status::ok().with_context("reading").is_ok());
  EXPECT_EQ(Status::ok().message(), "");
}

Result<int> half(int x) {
  if (x % 2 != 0) return Status::invalid_argument("{} is odd", x);
  return x / 2;
}

Result<int> quarter(int x) {
  SHIPWAY_ASSIGN_OR_RETURN(int h, half(x));
  return half(h);
}

TEST(Result, CarriesValueOrFirstError) {
  EXPECT_EQ(*quarter(8), 2);
  EXPECT_EQ(quarter(6).status().message(), "3 is odd");
  EXPECT_THROW(quarter(3).value_or_throw(), Error);
}

}  // namespace
}  // namespace shipway
