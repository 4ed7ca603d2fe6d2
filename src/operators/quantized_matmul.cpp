// Matrix products of quantised tensors.
#include <cmath>

#include "operators/matmul_loops.h"
#include "operators/quantization.h"

namespace shipway {
namespace {

enum class Side : uint8_t { kLeft, kRight };

/// Scales or zero points as numbers with a shape that broadcasts against the matrices: a vector
/// counts rows on the left side and columns on the right.
struct Parameters {
  std::vector<double> values{0.0};
  Shape shape;
};

Result<Parameters> read_parameters(const EvaluateContext& context, size_t i, Side side) {
  Parameters parameters;
  if (!context.has_input(i)) return parameters;
  const Tensor& tensor = context.input(i);
  SHIPWAY_ASSIGN_OR_RETURN(parameters.values, to_doubles(tensor));
  if (tensor.element_count() == 1) return parameters;
  parameters.shape = tensor.shape();
  if (side == Side::kLeft && tensor.rank() == 1) parameters.shape.push_back(1);
  return parameters;
}

/// values[i] = f(values[i], parameter of element i); an error when the parameters do not fit into
/// `shape`.
template <typename F>
Status apply(std::vector<double>& values, const Shape& shape, const Parameters& parameters, F&& f) {
  const Result<Shape> both = broadcast_shapes(shape, parameters.shape);
  if (!both.is_ok() || *both != shape)
    return Status::invalid_argument("scales or zero points of shape {} do not fit into {}",
                                    to_string(parameters.shape), to_string(shape));
  zip_broadcast(values.data(), shape, parameters.values.data(), parameters.shape, values.data(),
                shape, static_cast<int64_t>(values.size()), f);
  return Status::ok();
}

/// (a - zero of a) (b - zero of b), exact: products of 8-bit numbers stay whole numbers far below
/// 2^53. Its shape and elements.
struct Product {
  Shape shape;
  std::vector<double> values;
};

Result<Product> multiply_centred(const EvaluateContext& context, size_t a, size_t a_zero, size_t b,
                                 size_t b_zero) {
  const Tensor &left = context.input(a), &right = context.input(b);
  SHIPWAY_ASSIGN_OR_RETURN(const MatMulShape shape, MatMulShape::of(left.shape(), right.shape()));
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t count, shape.output_count());
  SHIPWAY_ASSIGN_OR_RETURN(std::vector<double> x, to_doubles(left));
  SHIPWAY_ASSIGN_OR_RETURN(std::vector<double> y, to_doubles(right));
  const auto subtract = [](double value, double zero) { return value - zero; };
  SHIPWAY_ASSIGN_OR_RETURN(const Parameters x_zero, read_parameters(context, a_zero, Side::kLeft));
  SHIPWAY_ASSIGN_OR_RETURN(const Parameters y_zero, read_parameters(context, b_zero, Side::kRight));
  SHIPWAY_RETURN_IF_ERROR(apply(x, left.shape(), x_zero, subtract));
  SHIPWAY_RETURN_IF_ERROR(apply(y, right.shape(), y_zero, subtract));
  Product product{shape.output, std::vector<double>(static_cast<size_t>(count))};
  SHIPWAY_RETURN_IF_ERROR(
      multiply_stacks(context, shape, x.data(), y.data(), product.values.data()));
  return product;
}

Status infer_matmul_integer(InferContext& context) {
  return infer_matmul(context, 0, 1, DType::kInt32);
}

Status evaluate_matmul_integer(EvaluateContext& context) {
  SHIPWAY_ASSIGN_OR_RETURN(const Product product, multiply_centred(context, 0, 2, 1, 3));
  return write_output(context, 0, DType::kInt32, product.shape, product.values);
}

Status infer_qlinear_matmul(InferContext& context) {
  return infer_matmul(context, 0, 3, context.input_dtype(7));
}

/// y = saturate(round(a b * a_scale * b_scale / y_scale + y_zero_point))
Status evaluate_qlinear_matmul(EvaluateContext& context) {
  SHIPWAY_ASSIGN_OR_RETURN(Product product, multiply_centred(context, 0, 2, 3, 5));
  const auto multiply = [](double value, double scale) { return value * scale; };
  for (size_t i : {size_t{1}, size_t{4}}) {
    SHIPWAY_ASSIGN_OR_RETURN(const Parameters scale,
                             read_parameters(context, i, i == 1 ? Side::kLeft : Side::kRight));
    SHIPWAY_RETURN_IF_ERROR(apply(product.values, product.shape, scale, multiply));
  }
  SHIPWAY_ASSIGN_OR_RETURN(const Parameters y_scale, read_parameters(context, 6, Side::kRight));
  SHIPWAY_ASSIGN_OR_RETURN(const Parameters y_zero, read_parameters(context, 7, Side::kRight));
  SHIPWAY_RETURN_IF_ERROR(apply(product.values, product.shape, y_scale,
                                [](double value, double scale) { return value / scale; }));
  const DType dtype = context.input(7).dtype();
  const bool whole = kind_of(dtype) != DTypeKind::kFloat;
  SHIPWAY_RETURN_IF_ERROR(
      apply(product.values, product.shape, y_zero, [=](double value, double zero) {
        return whole ? saturate_to(dtype, std::nearbyint(value + zero)) : value + zero;
      }));
  return write_output(context, 0, dtype, product.shape, product.values);
}

}  // namespace

const Operator& matmul_integer_operator() {
  static const Operator definition{
      .name = "MatMulInteger",
      .summary = "Matrix product of 8-bit integers, summed in 32 bits.",
      .versions = {{.since = 10,
                    .signature = "(A: T1, B: T2, a_zero_point?: T1, b_zero_point?: T2) -> (Y: T3)",
                    .types = "T1: uint8 int8; T2: uint8 int8; T3: int32"}},
      .infer = infer_matmul_integer,
      .evaluate = evaluate_matmul_integer,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

const Operator& qlinear_matmul_operator() {
  static const Operator definition{
      .name = "QLinearMatMul",
      .summary = "Matrix product of quantised tensors with a quantised result.",
      .versions =
          {{.since = 10,
            .signature = "(a: T1, a_scale: float, a_zero_point: T1, b: T2, b_scale: float, "
                         "b_zero_point: T2, y_scale: float, y_zero_point: T3) -> (y: T3)",
            .types = "T1: uint8 int8; T2: uint8 int8; T3: uint8 int8"},
           {.since = 21,
            .signature =
                "(a: T1, a_scale: TS, a_zero_point: T1, b: T2, b_scale: TS, b_zero_point: T2, "
                "y_scale: TS, y_zero_point: T3) -> (y: T3)",
            .types = "TS: float float16 bfloat16; T1: float8s uint8 int8; T2: float8s uint8 int8; "
                     "T3: float8s uint8 int8"}},
      .infer = infer_qlinear_matmul,
      .evaluate = evaluate_qlinear_matmul,
      .accuracy = Accuracy::exact(),
  };
  return definition;
}

}  // namespace shipway
