#include "operators/microsoft/quantized_parts.h"

#include <algorithm>
#include <numeric>

#include "operators/body.h"

namespace shipway {

namespace {

ValueId cast(NodeRewrite& rewrite, ValueId x, DType dtype) {
  return rewrite.insert("Cast", {x}, {{"to", static_cast<int64_t>(dtype)}});
}

}  // namespace

ValueId centred(NodeRewrite& rewrite, ValueId x, ValueId zero) {
  const ValueId number = cast(rewrite, x, DType::kFloat32);
  if (zero == ValueId{}) return number;
  return rewrite.insert("Sub", {number, cast(rewrite, zero, DType::kFloat32)});
}

ValueId multiply_quantized(NodeRewrite& rewrite, const QuantizedProduct& product) {
  // Sums of products of 8-bit numbers are beyond float16.
  const bool is_wide = product.dtype == DType::kFloat32;
  const auto widened = [&](ValueId x) { return is_wide ? x : cast(rewrite, x, DType::kFloat32); };
  ValueId scale = widened(product.scales.front());
  for (size_t i = 1; i < product.scales.size(); ++i)  // computed once where they are constant
    scale = rewrite.insert("Mul", {scale, widened(product.scales[i])});
  ValueId y = rewrite.insert("Mul", {rewrite.insert("MatMul", {product.a, product.b}), scale});
  if (product.bias != ValueId{}) y = rewrite.insert("Add", {y, widened(product.bias)});
  return is_wide ? y : cast(rewrite, y, product.dtype);
}

Quantized quantized_input(const NodeRewrite& rewrite, size_t x) {
  const Node& node = rewrite.node();
  return {node.input(x), node.input(x + 1), node.input(x + 2)};
}

ValueId as_scalar(NodeRewrite& rewrite, ValueId x) {
  const Dims* dims = rewrite.model().value(x).type().dims();
  if (dims && dims->empty()) return x;
  return rewrite.insert("Reshape", {x, rewrite.add_ints("scalar", std::vector<int64_t>{})});
}

ValueId dequantized(NodeRewrite& rewrite, const Quantized& tensor) {
  std::vector<ValueId> inputs{tensor.x, as_scalar(rewrite, tensor.scale)};
  if (tensor.zero != ValueId{}) inputs.push_back(as_scalar(rewrite, tensor.zero));
  return rewrite.insert("DequantizeLinear", std::move(inputs));
}

Status replace_by_quantized(NodeRewrite& rewrite, ValueId x, ValueId scale, ValueId zero,
                            size_t like) {
  std::vector<ValueId> inputs{x, as_scalar(rewrite, scale)};
  if (zero != ValueId{}) {
    inputs.push_back(as_scalar(rewrite, zero));
  } else {
    SHIPWAY_ASSIGN_OR_RETURN(const DType dtype, known_dtype(rewrite, like));
    SHIPWAY_ASSIGN_OR_RETURN(Tensor none, Tensor::zeros(dtype, {}));
    inputs.push_back(rewrite.add_constant("zero_point", std::move(none)));
  }
  rewrite.replace("QuantizeLinear", std::move(inputs));
  return Status::ok();
}

std::vector<int64_t> channels_to_front(int64_t rank) {
  std::vector<int64_t> order(static_cast<size_t>(rank));
  std::iota(order.begin(), order.end(), int64_t{0});
  if (rank > 2) std::rotate(order.begin() + 1, order.end() - 1, order.end());
  return order;
}

std::vector<int64_t> channels_to_back(int64_t rank) {
  std::vector<int64_t> order(static_cast<size_t>(rank));
  std::iota(order.begin(), order.end(), int64_t{0});
  if (rank > 2) std::rotate(order.begin() + 1, order.begin() + 2, order.end());
  return order;
}

}  // namespace shipway
