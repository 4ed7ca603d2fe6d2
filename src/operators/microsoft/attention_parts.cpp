#include "operators/microsoft/attention_parts.h"

#include <limits>

#include "operators/body.h"
#include "operators/downgrade_steps.h"

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

ValueId number(NodeRewrite& rewrite, std::string name, float value) {
  return rewrite.add_constant(std::move(name), Tensor::scalar(value));
}

ValueId cast(NodeRewrite& rewrite, ValueId x, DType from, DType to) {
  return from == to ? x : rewrite.insert("Cast", {x}, {{"to", static_cast<int64_t>(to)}});
}

/// 0 where `keep`, `filter` elsewhere.
void add_where(NodeRewrite& rewrite, ValueId keep, float filter, AttentionParts& parts) {
  parts.biases.push_back(rewrite.insert(
      "Where", {keep, number(rewrite, "kept", 0), number(rewrite, "masked", filter)}));
}

/// keep[b, 0, 0, j] = begin[b] <= j < end[b], from the list of ends and perhaps begins.
Result<ValueId> keep_between(NodeRewrite& rewrite, size_t i, const AttentionParts& parts) {
  const std::optional<int64_t> rows = known_size(rewrite, i, 0), batch = known_size(rewrite, 0, 0);
  const Type& mask_type = rewrite.input_type(i);
  const Type& query_type = rewrite.input_type(0);
  const bool is_one_each = (rows && batch) ? *rows == *batch
                                           : query_type.dims() && !query_type.dims()->empty() &&
                                                 (*mask_type.dims())[0] == (*query_type.dims())[0];
  if (!is_one_each && !(rows && batch))
    return Status::unsupported(
        "how many numbers a mask of rank 1 has for each row of the batch is not known before the "
        "run");
  if (!is_one_each && *rows != 2 * *batch)
    return Status::invalid_model("a mask of rank 1 has {} numbers, expected {} or {}", *rows,
                                 *batch, 2 * *batch);
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

Status check_head_count(const AttributeReader& node, std::string_view name) {
  constexpr int64_t kMost = 1 << 20;  // so that heads times sizes of a tensor fit in an int64
  const int64_t heads = node.int_attribute(name);
  if (heads >= 1 && heads <= kMost) return Status::ok();
  return Status::invalid_model("attribute '{}' is {}, expected 1 to {}", name, heads, kMost);
}

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
    add_where(rewrite, keep, filter, parts);
    return Status::ok();
  }
  if (rank != 2 && rank != 3)
    return Status::unsupported("a mask of rank {} is not computed, expected 1 to 3", rank);
  const ValueId zero = rewrite.add_constant("zero", Tensor::scalar(int32_t{0}));
  const ValueId keep = rewrite.insert("Greater", {rewrite.node().input(i), zero});
  const ValueId axes =
      ints(rewrite, "axes", rank == 2 ? std::vector<int64_t>{1, 2} : std::vector<int64_t>{1});
  add_where(rewrite, rewrite.insert("Unsqueeze", {keep, axes}), filter, parts);
  return Status::ok();
}

Status add_bias(NodeRewrite& rewrite, size_t i, AttentionParts& parts) {
  SHIPWAY_ASSIGN_OR_RETURN(const DType dtype, known_dtype(rewrite, i));
  parts.biases.push_back(cast(rewrite, rewrite.node().input(i), dtype, DType::kFloat32));
  return Status::ok();
}

void add_causal_mask(NodeRewrite& rewrite, AttentionParts& parts) {
  // Below what any mask adds: a query whose keys are all masked still looks at none after its own.
  constexpr float kFilter = std::numeric_limits<float>::lowest();
  ValueId row = counted(rewrite, size_of(rewrite, parts.query, 2));
  if (parts.past_key) row = rewrite.insert("Add", {row, size_of(rewrite, *parts.past_key, 2)});
  const ValueId rows = rewrite.insert("Unsqueeze", {row, ints(rewrite, "axes", {1})});
  const ValueId columns = counted(rewrite, size_of(rewrite, parts.key, 2));
  add_where(rewrite, rewrite.insert("LessOrEqual", {columns, rows}), kFilter, parts);
}

Status attend(NodeRewrite& rewrite, const AttentionParts& parts) {
  // In float32 whatever the dtype: a mask of -10000 would leave nothing of a score in float16.
  SHIPWAY_ASSIGN_OR_RETURN(const DType dtype, known_dtype(rewrite, parts.like));
  const auto wide = [&](ValueId x) { return cast(rewrite, x, dtype, DType::kFloat32); };
  const ValueId keys =
      rewrite.insert("Transpose", {wide(parts.key)}, {{"perm", std::vector<int64_t>{0, 1, 3, 2}}});
  const ValueId products = rewrite.insert("MatMul", {wide(parts.query), keys});
  ValueId scores = rewrite.insert("Mul", {products, number(rewrite, "scale", parts.scale)});
  for (ValueId bias : parts.biases) scores = rewrite.insert("Add", {scores, bias});
  const ValueId shares = rewrite.insert("Softmax", {scores}, {{"axis", int64_t{-1}}});
  const ValueId by_head = rewrite.insert("MatMul", {shares, wide(parts.value)});
  const ValueId by_place =
      rewrite.insert("Transpose", {cast(rewrite, by_head, DType::kFloat32, dtype)},
                     {{"perm", std::vector<int64_t>{0, 2, 1, 3}}});
  make_output(rewrite, 0, "Reshape",
              {by_place, ints(rewrite, "merged", {0, 0, parts.value_hidden})});
  return Status::ok();
}

}  // namespace shipway
