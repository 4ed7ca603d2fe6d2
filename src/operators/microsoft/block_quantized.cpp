// Weights of few bits with a scale for each block, as language models carry them: matrix products
// and a lookup.
//
// w = (number - zero point) * scale, numbers of 2, 4 or 8 bits, the first of a byte in the low
// bits; or, in MatMulBnb4, w = table[number] * scale.
#include <algorithm>

#include "operators/loops.h"
#include "operators/microsoft/dot.h"
#include "operators/reals.h"
#include "operators/shape_rules.h"

namespace shipway {
namespace {

/// Number `i` of those of `bits` bits packed from `bytes` on; a byte holds a power of two of them.
int32_t packed_number(const uint8_t* bytes, int64_t i, int64_t bits) {
  const int64_t bit = i * bits;
  return bytes[bit >> 3] >> (bit & 7) & ((1 << bits) - 1);
}

int64_t divide_up(int64_t count, int64_t by) { return count / by + (count % by != 0 ? 1 : 0); }

Result<int64_t> read_bits(const AttributeReader& node) {
  const int64_t bits = node.int_attribute("bits");
  if (bits != 2 && bits != 4 && bits != 8)
    return Status::unsupported("attribute 'bits' is {}, expected 2, 4 or 8", bits);
  return bits;
}

// ---------------------------------------------------------------- MatMulNBits

/// The weights: rows are columns of the product, each of them blocks of numbers.
struct Weights {
  int64_t rows = 0, columns = 0, bits = 0, block_size = 0, blocks = 0;
  const uint8_t* numbers = nullptr;
  std::vector<double> scales;       // [rows, blocks]
  std::vector<double> zero_points;  // [rows, blocks]
  std::vector<int64_t> block_of;    // of each column; empty: in order

  int64_t row_bytes() const { return blocks * block_size * bits / 8; }

  /// The weights of one row into `out` [columns].
  void read_row(int64_t row, double* out) const {
    const uint8_t* bytes = numbers + row * row_bytes();
    const double* row_scales = scales.data() + row * blocks;
    const double* row_zeros = zero_points.data() + row * blocks;
    for (int64_t column = 0, block = 0; column < columns; ++block) {
      const int64_t end = std::min(column + block_size, columns);
      for (; column < end; ++column) {
        const int64_t own = block_of.empty() ? block : block_of[static_cast<size_t>(column)];
        const auto number = static_cast<double>(packed_number(bytes, column, bits));
        out[column] = (number - row_zeros[own]) * row_scales[own];
      }
    }
  }
};

Status check_elements(const EvaluateContext& context, size_t i, int64_t expected) {
  if (context.input(i).element_count() == expected) return Status::ok();
  return Status::invalid_argument("input '{}' is [{}], expected {} elements",
                                  context.schema().inputs[i].name,
                                  to_string(context.input(i).shape()), expected);
}

Result<std::vector<double>> read_zero_points(const EvaluateContext& context,
                                             const Weights& weights) {
  const int64_t count = weights.rows * weights.blocks;
  if (!context.has_input(3))
    return std::vector<double>(static_cast<size_t>(count),
                               static_cast<double>(int64_t{1} << (weights.bits - 1)));
  const Tensor& tensor = context.input(3);
  if (kind_of(tensor.dtype()) == DTypeKind::kFloat) {
    SHIPWAY_RETURN_IF_ERROR(check_elements(context, 3, count));
    return to_doubles(tensor);
  }
  const int64_t row_bytes = divide_up(weights.blocks * weights.bits, 8);
  SHIPWAY_RETURN_IF_ERROR(check_elements(context, 3, weights.rows * row_bytes));
  std::vector<double> values;
  const uint8_t* bytes = tensor.as<uint8_t>().data();
  for (int64_t row = 0; row < weights.rows; ++row)
    for (int64_t block = 0; block < weights.blocks; ++block)
      values.push_back(
          static_cast<double>(packed_number(bytes + row * row_bytes, block, weights.bits)));
  return values;
}

Result<Weights> read_weights(const EvaluateContext& context) {
  Weights weights;
  weights.rows = context.int_attribute("N");
  weights.columns = context.int_attribute("K");
  weights.block_size = context.int_attribute("block_size");
  SHIPWAY_ASSIGN_OR_RETURN(weights.bits, read_bits(context));
  constexpr int64_t kMost = int64_t{1} << 28;  // products of sizes must fit in an int64
  if (weights.rows < 1 || weights.rows > kMost || weights.columns < 1 || weights.columns > kMost ||
      weights.block_size < 8 / weights.bits || weights.block_size > kMost ||
      weights.block_size * weights.bits % 8 != 0)
    return Status::invalid_model("attributes 'N', 'K' and 'block_size' are {}, {} and {}",
                                 weights.rows, weights.columns, weights.block_size);
  weights.blocks = divide_up(weights.columns, weights.block_size);
  SHIPWAY_RETURN_IF_ERROR(check_elements(context, 1, weights.rows * weights.row_bytes()));
  SHIPWAY_RETURN_IF_ERROR(check_elements(context, 2, weights.rows * weights.blocks));
  weights.numbers = context.input(1).as<uint8_t>().data();
  SHIPWAY_ASSIGN_OR_RETURN(weights.scales, to_doubles(context.input(2)));
  SHIPWAY_ASSIGN_OR_RETURN(weights.zero_points, read_zero_points(context, weights));
  if (context.has_input(4)) {
    SHIPWAY_ASSIGN_OR_RETURN(weights.block_of, to_ints(context.input(4)));
    if (static_cast<int64_t>(weights.block_of.size()) < weights.columns)
      return Status::invalid_argument("input 'g_idx' is [{}], expected one for each of {} columns",
                                      to_string(context.input(4).shape()), weights.columns);
    for (int64_t block : weights.block_of)
      if (block < 0 || block >= weights.blocks)
        return Status::invalid_argument("input 'g_idx' has the value {}, expected 0 to {}", block,
                                        weights.blocks - 1);
  }
  return weights;
}

Status infer_matmul_of_few_bits(InferContext& context) {
  const DType dtype = context.input_dtype(0);
  context.set_output_dtype(0, dtype);
  const Dims* a = context.input_dims(0);
  if (!a) return Status::ok();
  const int64_t k = context.int_attribute("K"), n = context.int_attribute("N");
  if (n < 1) return Status::invalid_model("attribute 'N' is {}, expected at least 1", n);
  if (a->empty() || (a->back().is_constant() && a->back().value() != k))
    return Status::invalid_model("the last size of input 'A' is {}, expected {} (attribute 'K')",
                                 a->empty() ? 1 : a->back().value(), k);
  Dims y = *a;
  y.back() = n;
  context.set_output(0, dtype, std::move(y));
  return Status::ok();
}

/// Y = A w^T + bias. The weights are made a row at a time: all at once they would take many times
/// the memory that their author saved.
Status evaluate_matmul_nbits(EvaluateContext& context) {
  SHIPWAY_ASSIGN_OR_RETURN(const Weights weights, read_weights(context));
  const Tensor& a = context.input(0);
  if (a.rank() < 1 || a.shape().back() != weights.columns)
    return Status::invalid_argument("input 'A' is [{}], expected a last size of {}",
                                    to_string(a.shape()), weights.columns);
  Shape shape = a.shape();
  shape.back() = weights.rows;
  const int64_t n = weights.rows, k = weights.columns, m = a.element_count() / k;
  std::vector<double> bias(static_cast<size_t>(n), 0.0);
  if (context.has_input(5)) {
    SHIPWAY_RETURN_IF_ERROR(check_elements(context, 5, n));
    SHIPWAY_ASSIGN_OR_RETURN(bias, to_doubles(context.input(5)));
  }
  SHIPWAY_ASSIGN_OR_RETURN(const Reals<double> x, Reals<double>::of(a));
  SHIPWAY_ASSIGN_OR_RETURN(RealOutput<double> y,
                           RealOutput<double>::allocate(context, 0, a.dtype(), shape));
  std::vector<double> row(static_cast<size_t>(k));
  for (int64_t j = 0; j < n; ++j) {
    SHIPWAY_RETURN_IF_ERROR(context.poll());
    weights.read_row(j, row.data());
    for (int64_t i = 0; i < m; ++i)
      y.data()[i * n + j] = dot(x.data() + i * k, row.data(), k) + bias[static_cast<size_t>(j)];
  }
  return y.finish(context);
}

// ---------------------------------------------------------------- MatMulBnb4

// The sixteen values of each kind, times the largest of a block. bitsandbytes' tables: quarters of
// a normal distribution, and a float of one sign, two exponent and one mantissa bit.
constexpr double kNormal[16] = {-1.0,
                                -0.6961928009986877,
                                -0.5250730514526367,
                                -0.39491748809814453,
                                -0.28444138169288635,
                                -0.18477343022823334,
                                -0.09105003625154495,
                                0.0,
                                0.07958029955625534,
                                0.16093020141124725,
                                0.24611230194568634,
                                0.33791524171829224,
                                0.44070982933044434,
                                0.5626170039176941,
                                0.7229568362236023,
                                1.0};
constexpr double kFloat[16] = {
    0, 0.005208333333,  0.66666667,  1.0,  0.33333333,  0.5,  0.16666667,  0.25,
    0, -0.005208333333, -0.66666667, -1.0, -0.33333333, -0.5, -0.16666667, -0.25};

/// Y = A w^T, where w [N, K] lies flat in blocks across its rows; the first number of a byte is in
/// the high bits.
Status evaluate_matmul_bnb4(EvaluateContext& context) {
  const int64_t n = context.int_attribute("N"), k = context.int_attribute("K");
  const int64_t block = context.int_attribute("block_size");
  constexpr int64_t kMost = int64_t{1} << 28;  // products of sizes must fit in an int64
  if (n < 1 || n > kMost || k < 1 || k > kMost || block < 1 || block > kMost)
    return Status::invalid_model("attributes 'N', 'K' and 'block_size' are {}, {} and {}", n, k,
                                 block);
  const int64_t kind = context.int_attribute("quant_type");
  if (kind != 0 && kind != 1)
    return Status::invalid_model("attribute 'quant_type' is {}, expected 0 or 1", kind);
  if (context.int_attribute("transB") != 1)
    return Status::unsupported("attribute 'transB' is {}, expected 1",
                               context.int_attribute("transB"));
  const double* table = kind == 0 ? kFloat : kNormal;
  const Tensor& a = context.input(0);
  if (a.rank() < 1 || a.shape().back() != k)
    return Status::invalid_argument("input 'A' is [{}], expected a last size of {}",
                                    to_string(a.shape()), k);
  SHIPWAY_RETURN_IF_ERROR(check_elements(context, 1, divide_up(n * k, 2)));
  SHIPWAY_RETURN_IF_ERROR(check_elements(context, 2, divide_up(n * k, block)));
  const uint8_t* bytes = context.input(1).as<uint8_t>().data();
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<double> largest, to_doubles(context.input(2)));
  Shape shape = a.shape();
  shape.back() = n;
  const int64_t m = a.element_count() / k;
  SHIPWAY_ASSIGN_OR_RETURN(const Reals<double> x, Reals<double>::of(a));
  SHIPWAY_ASSIGN_OR_RETURN(RealOutput<double> y,
                           RealOutput<double>::allocate(context, 0, a.dtype(), shape));
  std::vector<double> row(static_cast<size_t>(k));
  for (int64_t j = 0; j < n; ++j) {
    SHIPWAY_RETURN_IF_ERROR(context.poll());
    for (int64_t column = 0; column < k; ++column) {
      const int64_t at = j * k + column;
      const int number = at % 2 == 0 ? bytes[at / 2] >> 4 : bytes[at / 2] & 15;
      row[static_cast<size_t>(column)] = table[number] * largest[static_cast<size_t>(at / block)];
    }
    for (int64_t i = 0; i < m; ++i) y.data()[i * n + j] = dot(x.data() + i * k, row.data(), k);
  }
  return y.finish(context);
}

// ---------------------------------------------------------------- GatherBlockQuantized

struct LookupAxes {
  int64_t gather = 0, quantize = 0;
};

Result<LookupAxes> read_axes(const AttributeReader& node, int64_t rank) {
  LookupAxes axes;
  SHIPWAY_ASSIGN_OR_RETURN(axes.gather, normalize_axis(node.int_attribute("gather_axis"), rank,
                                                       "attribute 'gather_axis'"));
  SHIPWAY_ASSIGN_OR_RETURN(axes.quantize, normalize_axis(node.int_attribute("quantize_axis"), rank,
                                                         "attribute 'quantize_axis'"));
  return axes;
}

/// How many numbers an element of `data` holds, along the last axis.
int64_t numbers_per_element(const AttributeReader& node, DType dtype) {
  return dtype == DType::kUInt8 ? 8 / std::max<int64_t>(node.int_attribute("bits"), 1) : 1;
}

Status infer_gather_block_quantized(InferContext& context) {
  const DType dtype = context.input_dtype(2);
  context.set_output_dtype(0, dtype);
  const Dims *data = context.input_dims(0), *indices = context.input_dims(1);
  if (!data || !indices || context.input_dtype(0) == DType::kUndefined) return Status::ok();
  SHIPWAY_ASSIGN_OR_RETURN(const LookupAxes axes,
                           read_axes(context, static_cast<int64_t>(data->size())));
  Dims sizes = *data;
  sizes.back() =
      context.dims().mul(sizes.back(), numbers_per_element(context, context.input_dtype(0)));
  Dims y;
  for (size_t i = 0; i < sizes.size(); ++i) {
    if (i != static_cast<size_t>(axes.gather))
      y.push_back(sizes[i]);
    else
      for (Dim size : *indices) y.push_back(size);
  }
  context.set_output(0, dtype, std::move(y));
  return Status::ok();
}

/// The numbers of a tensor: packed bytes unpacked, others as they are.
Result<std::vector<double>> read_numbers(const Tensor& tensor, int64_t bits) {
  if (tensor.dtype() != DType::kUInt8 || bits == 8) return to_doubles(tensor);
  const int64_t count = tensor.element_count() * (8 / bits);
  const uint8_t* bytes = tensor.as<uint8_t>().data();
  std::vector<double> numbers;
  for (int64_t i = 0; i < count; ++i)
    numbers.push_back(static_cast<double>(packed_number(bytes, i, bits)));
  return numbers;
}

Status evaluate_gather_block_quantized(EvaluateContext& context) {
  const Tensor &data = context.input(0), &indices = context.input(1), &scales = context.input(2);
  int64_t bits = 8;
  if (data.dtype() == DType::kUInt8) {
    SHIPWAY_ASSIGN_OR_RETURN(bits, read_bits(context));
  }
  SHIPWAY_ASSIGN_OR_RETURN(const LookupAxes axes, read_axes(context, data.rank()));
  Shape sizes = data.shape();
  sizes.back() *= numbers_per_element(context, data.dtype());
  const auto gather = static_cast<size_t>(axes.gather),
             quantize = static_cast<size_t>(axes.quantize);
  int64_t block = context.int_attribute("block_size");
  if (block == 0) block = std::max<int64_t>(sizes[quantize], 1);
  if (block < 1) return Status::invalid_model("attribute 'block_size' is {}", block);
  Shape blocks = sizes;
  blocks[quantize] = divide_up(sizes[quantize], block);
  // A scale may serve a whole axis.
  bool fits = scales.rank() == data.rank();
  for (size_t i = 0; fits && i < sizes.size(); ++i)
    fits = scales.dim(i) == blocks[i] || (i != quantize && scales.dim(i) == 1);
  if (!fits)
    return Status::invalid_argument("input 'scales' is [{}], expected [{}]",
                                    to_string(scales.shape()), to_string(blocks));
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<double> scale, to_doubles(scales));
  const Shape scale_strides = broadcast_strides(scales.shape(), blocks);

  // Packed zero points fill up the last byte of each line.
  std::vector<double> zeros;
  Shape zero_shape = blocks;
  double zero = data.dtype() == DType::kUInt8 ? static_cast<double>(int64_t{1} << (bits - 1)) : 0;
  if (context.has_input(3)) {
    const Tensor& given = context.input(3);
    const int64_t per_element = numbers_per_element(context, given.dtype());
    Shape expected = blocks;
    expected.back() = divide_up(expected.back(), per_element);
    if (given.shape() != expected)
      return Status::invalid_argument("input 'zero_points' is [{}], expected [{}]",
                                      to_string(given.shape()), to_string(expected));
    SHIPWAY_ASSIGN_OR_RETURN(zeros, read_numbers(given, bits));
    zero_shape.back() = expected.back() * per_element;
  }
  const Shape zero_strides = strides_of(zero_shape);
  SHIPWAY_ASSIGN_OR_RETURN(const std::vector<int64_t> places, to_ints(indices));
  Shape shape(std::span<const int64_t>(sizes.data(), gather));
  shape.append(indices.shape());
  shape.append(
      Shape(std::span<const int64_t>(sizes.data() + gather + 1, sizes.size() - gather - 1)));

  // As [before the axis, place, after it].
  const Lines lines = Lines::along(sizes, axes.gather);
  const bool is_packed = data.dtype() == DType::kUInt8 && bits < 8;
  std::vector<double> plain;
  if (!is_packed) {
    SHIPWAY_ASSIGN_OR_RETURN(plain, to_doubles(data));
  }
  const uint8_t* bytes = is_packed ? data.as<uint8_t>().data() : nullptr;
  const Shape strides = strides_of(sizes);
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t count, element_count(shape));
  std::vector<double> y;
  y.reserve(static_cast<size_t>(count));
  for (int64_t outer = 0; outer < lines.outer; ++outer) {
    for (int64_t place : places) {
      SHIPWAY_RETURN_IF_ERROR(context.poll());
      if (place < 0) place += lines.size;
      if (place < 0 || place >= lines.size) {  // not an error here
        y.insert(y.end(), static_cast<size_t>(lines.inner), 0.0);
        continue;
      }
      for (int64_t inner = 0; inner < lines.inner; ++inner) {
        const int64_t at = (outer * lines.size + place) * lines.inner + inner;
        int64_t scale_at = 0, zero_at = 0;
        for (size_t axis = 0; axis < sizes.size(); ++axis) {
          int64_t position = at / strides[axis] % sizes[axis];
          if (axis == quantize) position /= block;
          scale_at += position * scale_strides[axis];
          zero_at += position * zero_strides[axis];
        }
        const double number = is_packed ? static_cast<double>(packed_number(bytes, at, bits))
                                        : plain[static_cast<size_t>(at)];
        y.push_back((number - (zeros.empty() ? zero : zeros[static_cast<size_t>(zero_at)])) *
                    scale[static_cast<size_t>(scale_at)]);
      }
    }
  }
  return write_output(context, 0, scales.dtype(), shape, y);
}

}  // namespace

const Operator& microsoft_gather_block_quantized_operator() {
  static const Operator definition{
      .domain = "com.microsoft",
      .name = "GatherBlockQuantized",
      .summary = "Looks up rows of weights with a scale for each block, as floats.",
      .versions = {{.since = 1,
                    .signature = "(data: T1, indices: Tind, scales: T2, zero_points?: T1) -> "
                                 "(output: T2)",
                    .types = "T1: int4 uint4 uint8 float8e4m3fn float8e4m3fnuz float8e5m2 "
                             "float8e5m2fnuz float4e2m1; T2: float float16 bfloat16; Tind: int32 "
                             "int64",
                    .attributes = "bits: int = 4; block_size: int = 128; gather_axis: int = 0; "
                                  "quantize_axis: int = 1"}},
      .infer = infer_gather_block_quantized,
      .evaluate = evaluate_gather_block_quantized,
  };
  return definition;
}

const Operator& microsoft_matmul_bnb4_operator() {
  static const Operator definition{
      .domain = "com.microsoft",
      .name = "MatMulBnb4",
      .summary = "Matrix product with weights of 4 bits from a table of bitsandbytes.",
      .versions = {{.since = 1,
                    .signature = "(A: T1, B: T2, absmax: T1) -> (Y: T1)",
                    .types = "T1: float float16 bfloat16; T2: uint8",
                    .attributes = "K: int!; N: int!; block_size: int!; quant_type: int!; "
                                  "training_mode: int = 0; transB: int = 1"}},
      .infer = infer_matmul_of_few_bits,
      .evaluate = evaluate_matmul_bnb4,
  };
  return definition;
}

const Operator& microsoft_matmul_nbits_operator() {
  static const Operator definition{
      .domain = "com.microsoft",
      .name = "MatMulNBits",
      .summary = "Matrix product with weights of few bits and a scale for each block.",
      .versions = {{.since = 1,
                    .signature = "(A: T1, B: T2, scales: T1, zero_points?: T3, g_idx?: T4, bias?: "
                                 "T1) -> (Y: T1)",
                    .types = "T1: float float16 bfloat16; T2: uint8; T3: uint8 float16 float "
                             "bfloat16; T4: int32",
                    .attributes = "K: int!; N: int!; accuracy_level: int = 0; bits: int = 4; "
                                  "block_size: int!; weight_prepacked: int = 0"}},
      .infer = infer_matmul_of_few_bits,
      .evaluate = evaluate_matmul_nbits,
  };
  return definition;
}

}  // namespace shipway
