#include "operators/microsoft/attention_parts.h"

#include <limits>

#include "operators/body.h"
#include "operators/downgrade_steps.h"
#include "tensor/convert.h"

namespace shipway {
namespace {

ValueId ints(NodeRewrite& rewrite, std::string name, std::vector<int64_t> values) {
  return rewrite.add_ints(std::move(name), values);
}

/// The size of axis `axis` as a scalar.
ValueId size_of(NodeRewrite& rewrite, ValueId x, int64_t axis) {
  const ValueId size = rewrite.insert("Shape", {x}, {{"start", axis}, {"end", axis + 1}});
  return rewrite.insert("Squeeze", {size});
}

/// 0, 1, ... size - 1 as int64.
ValueId counted(NodeRewrite& rewrite, ValueId size) {
  const ValueId zero = rewrite.add_constant("zero", Tensor::scalar(int64_t{0}));
  const ValueId one = rewrite.add_constant("one", Tensor::scalar(int64_t{1}));
  return rewrite.insert("Range", {zero, size, one});
}

/// A number in the dtype of input `like`.
Result<ValueId> number_like(NodeRewrite& rewrite, size_t like, std::string_view name,
                            double value) {
  SHIPWAY_ASSIGN_OR_RETURN(const DType dtype, known_dtype(rewrite, like));
  SHIPWAY_ASSIGN_OR_RETURN(Tensor number, from_doubles(dtype, {}, std::span(&value, 1)));
  return rewrite.add_constant(std::string(name), std::move(number));
}

/// 0 where `keep`, `filter` elsewhere.
Status add_where(NodeRewrite& rewrite, ValueId keep, float filter, AttentionParts& parts) {
  SHIPWAY_ASSIGN_OR_RETURN(const ValueId zero, number_like(rewrite, parts.like, "kept", 0));
  SHIPWAY_ASSIGN_OR_RETURN(const ValueId masked,
                           number_like(rewrite, parts.like, "masked", static_cast<double>(filter)));
  parts.biases.push_back(rewrite.insert("Where", {keep, zero, masked}));
  return Status::ok();
}

/// keep[b, 0, 0, j] = begin[b] <= j < end[b], from the list of ends and perhaps begins.
Result<ValueId> keep_between(NodeRewrite& rewrite, size_t i, const AttentionParts& parts) {
  const std::optional<int64_t> rows = known_size(rewrite, i, 0), batch = known_size(rewrite, 0, 0);
  const Type& mask_type = rewrite.input_type(i);
  const Type& query_type = rewrite.input_type(0);
  const bool is_one_each = (rows && batch) ? *rows == *batch
                                           : query_type.dims() && !query_type.dims()->empty() &&
                                                 (*mask_type.dims())[0] == (*query_type.dims())[0];
  if (!is_one_each && !(rows && batch && *rows == 2 * *batch))
    return Status::unsupported(
        "a mask of rank 1 must have one or two numbers for each row of the batch, and both sizes "
        "must be known");
  const ValueId list = rewrite.insert("Cast", {rewrite.node().input(i)},
                                      {{"to", static_cast<int64_t>(DType::kInt64)}});
  const ValueId places = counted(rewrite, size_of(rewrite, parts.key, 2));
  const ValueId column = ints(rewrite, "column", {-1, 1, 1, 1});
  const auto part = [&](int64_t begin, int64_t end) {
    const ValueId axes = ints(rewrite, "axes", {0});
    return rewrite.insert(
        "Slice", {list, ints(rewrite, "starts", {begin}), ints(rewrite, "ends", {end}), axes});
  };
  const ValueId ends = is_one_each ? list : part(0, *batch);
  const ValueId before_end =
      rewrite.insert("Less", {places, rewrite.insert("Reshape", {ends, column})});
  if (is_one_each) return before_end;
  const ValueId begins = rewrite.insert("Reshape", {part(*batch, 2 * *batch), column});
  return rewrite.insert("And", {before_end, rewrite.insert("GreaterOrEqual", {places, begins})});
}

}  // namespace

std::optional<int64_t> known_size(const NodeRewrite& rewrite, size_t i, size_t axis) {
  const Dims* dims = rewrite.input_type(i).dims();
  if (!dims || axis >= dims->size() || !(*dims)[axis].is_constant()) return std::nullopt;
  return (*dims)[axis].value();
}

ValueId slice_columns(NodeRewrite& rewrite, ValueId x, int64_t begin, int64_t end) {
  return rewrite.insert("Slice", {x, ints(rewrite, "starts", {begin}), ints(rewrite, "ends", {end}),
                                  ints(rewrite, "axes", {-1})});
}

ValueId split_heads(NodeRewrite& rewrite, ValueId x, int64_t heads, int64_t hidden) {
  // A number rather than -1 where there is one: -1 says nothing of an empty tensor.
  const int64_t size = hidden >= 0 ? hidden / heads : -1;
  const ValueId by_head =
      rewrite.insert("Reshape", {x, ints(rewrite, "heads", {0, 0, heads, size})});
  return rewrite.insert("Transpose", {by_head}, {{"perm", std::vector<int64_t>{0, 2, 1, 3}}});
}

Status add_mask(NodeRewrite& rewrite, size_t i, AttentionParts& parts) {
  const float filter = rewrite.has_attribute("mask_filter_value")
                           ? rewrite.float_attribute("mask_filter_value")
                           : -10000.0f;
  SHIPWAY_ASSIGN_OR_RETURN(const int64_t rank, known_rank(rewrite, i));
  if (rank == 1) {
    SHIPWAY_ASSIGN_OR_RETURN(const ValueId keep, keep_between(rewrite, i, parts));
    return add_where(rewrite, keep, filter, parts);
  }
  if (rank != 2 && rank != 3)
    return Status::unsupported("a mask of rank {} is not computed, expected 1 to 3", rank);
  const ValueId zero = rewrite.add_constant("zero", Tensor::scalar(int32_t{0}));
  const ValueId keep = rewrite.insert("Greater", {rewrite.node().input(i), zero});
  const ValueId axes =
      ints(rewrite, "axes", rank == 2 ? std::vector<int64_t>{1, 2} : std::vector<int64_t>{1});
  return add_where(rewrite, rewrite.insert("Unsqueeze", {keep, axes}), filter, parts);
}

Status add_causal_mask(NodeRewrite& rewrite, AttentionParts& parts) {
  // Below what any mask adds: a query whose keys are all masked still looks at none after its own.
  constexpr float kFilter = std::numeric_limits<float>::lowest();
  ValueId row = counted(rewrite, size_of(rewrite, parts.query, 2));
  if (parts.past_key) row = rewrite.insert("Add", {row, size_of(rewrite, *parts.past_key, 2)});
  const ValueId rows = rewrite.insert("Unsqueeze", {row, ints(rewrite, "axes", {1})});
  const ValueId columns = counted(rewrite, size_of(rewrite, parts.key, 2));
  return add_where(rewrite, rewrite.insert("LessOrEqual", {columns, rows}), kFilter, parts);
}

Status attend(NodeRewrite& rewrite, const AttentionParts& parts) {
  const std::vector<Attribute> swap_last{{"perm", std::vector<int64_t>{0, 1, 3, 2}}};
  ValueId scores =
      rewrite.insert("MatMul", {parts.query, rewrite.insert("Transpose", {parts.key}, swap_last)});
  SHIPWAY_ASSIGN_OR_RETURN(const ValueId scale, number_like(rewrite, parts.like, "scale",
                                                            static_cast<double>(parts.scale)));
  scores = rewrite.insert("Mul", {scores, scale});
  for (ValueId bias : parts.biases) scores = rewrite.insert("Add", {scores, bias});
  const ValueId shares = rewrite.insert("Softmax", {scores}, {{"axis", int64_t{-1}}});
  const ValueId by_head = rewrite.insert("MatMul", {shares, parts.value});
  const ValueId by_place =
      rewrite.insert("Transpose", {by_head}, {{"perm", std::vector<int64_t>{0, 2, 1, 3}}});
  make_output(rewrite, 0, "Reshape",
              {by_place, ints(rewrite, "merged", {0, 0, parts.value_hidden})});
  return Status::ok();
}

}  // namespace shipway
