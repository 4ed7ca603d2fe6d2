// The interface of the fast kernels. Three steps, each plain data:
//
//   prepare(problem, isa) -> KernelPlan      once per node: which kernel, which layout, how weights
//   are packed bind(plan, dims)      -> BoundKernel     once per input shape: work units, scratch,
//   cost bound.run(bound, views, part, scratch)   any number of times, from any number of threads
//
// The result is the same bytes however the range [0, parts) is divided, because a work unit
// computes its outputs alone and in one fixed order. `run` allocates nothing, takes no lock and
// starts no thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/cpu.h"
#include "kernels/problems.h"
#include "shipway/status.h"

namespace shipway::kernels {

enum class KernelKind : uint8_t {  // in the order of the alternatives of Problem
  kElementwise,
  kGemm,
  kConv,
  kPool,
  kSoftmax,
  kNorm,
  kReduce,
  kResize,
  kStridedCopy,
  kReorder,
  kRecurrent,
  kAttention,
};
std::string_view to_string(KernelKind kind);
inline KernelKind kind_of(const Problem& problem) {
  return static_cast<KernelKind>(problem.index());
}

// ---------------------------------------------------------------- packed weights

enum class PackKind : uint8_t {
  kNone,           // used as they are
  kGemmPanels,     // {n, k, transposed, panel, vector}
  kConvPanels,     // {out, in per group, taps, group, block of in (0: plain), panel, vector, groups
                   // packed as one, whether the source is transposed}
  kDepthwise,      // {channels, taps, block}
  kTransposeRows,  // ConvTranspose by output phases, rows of one output channel: {in, out per
                   // group, group, k d h w, stride d h w, dilation d h w}
  kWinograd,       // 3x3 filters transformed for F(4x4, 3x3): {out, in, panel, vector}
  kRecurrent,      // {cell, directions, hidden, input, lanes, peepholes, linear_before_reset}; the
                   // source is W, R, B and, with peepholes, P, one after the other
};
/// How a weight is laid out for a kernel. Equal recipes of one weight give equal bytes: share them.
struct PackRecipe {
  PackKind kind = PackKind::kNone;
  std::array<int32_t, 12> parameters{};
  bool operator==(const PackRecipe&) const = default;
};
/// Bytes that `recipe` needs (for kNone: 0; use the source).
int64_t packed_size(const PackRecipe& recipe);
/// Writes `source` (fp32, contiguous, as in ONNX) in the form of `recipe` to `destination`, which
/// is 64-byte aligned and has packed_size(recipe) bytes. Every byte is written. Thread-safe.
void pack(const PackRecipe& recipe, const float* source, void* destination);
/// True when packing only moves values, so that unpack can bring the source back (of recurrent
/// layers, biases are added; Winograd's filters are transformed).
inline bool is_unpackable(const PackRecipe& recipe) {
  return recipe.kind != PackKind::kRecurrent && recipe.kind != PackKind::kWinograd;
}
/// The way back, for unpackable recipes: writes the `source` that pack() got from what it made.
/// Slow, for the rare case that a weight whose original was released is read once more.
void unpack(const PackRecipe& recipe, const void* packed, std::span<float> source);

// ---------------------------------------------------------------- plan, bind, run

/// Why a row of the table does not take a problem, or a node does not become one.
enum class RefusalCode : uint8_t {
  kNone,
  kIsa,
  kKind,  // what the row is not for: no loss that it does not take it
  kLayout,
  kShape,
  kGroup,
  kStride,
  kDilation,
  kEpilogue,
  kMode,  // a mode, an activation or another attribute
  kType,
  kSize,
  kCost,          // it could, but another is expected to be faster
  kOperator,      // no kernel is written for the operator
  kForced,        // the user asks for reference loops
  kRank,          // not known, or more axes than kernels have
  kNotConstant,   // an input that only the run brings
  kDynamicShape,  // a size that is not fixed
  kOutputs,       // an output that no kernel gives
};
/// One word for people and programs, stable: "layout", "dtype", "not-constant", ...
std::string_view to_string(RefusalCode code);
struct Refusal {
  RefusalCode code = RefusalCode::kNone;
  const char* text = "";    // static
  std::string_view kernel;  // the row that refused
};

/// The outcome of `prepare`: trivially copyable, independent of free dims, good for every input
/// shape.
struct KernelPlan {
  int32_t row = -1;  // in kernel_table(); the number changes between versions of the library, the
                     // name does not
  Isa isa = Isa::kScalar;
  Layout input, output;                 // of the first input and of the outputs
  PackRecipe weights;                   // of inputs[1]
  std::array<int32_t, 8> parameters{};  // tile sizes and variants, the kernel's own
  Problem problem;
};
static_assert(std::is_trivially_copyable_v<KernelPlan>);

struct Range {
  int64_t begin = 0, end = 0;
};

/// Pointers in the order that the Problem states; an absent optional input is null.
struct Views {
  std::span<const void* const> inputs;
  std::span<void* const> outputs;
  const float* input(size_t i) const {
    return i < inputs.size() ? static_cast<const float*>(inputs[i]) : nullptr;
  }
  float* output(size_t i) const {
    return i < outputs.size() ? static_cast<float*>(outputs[i]) : nullptr;
  }
};

struct Cost {
  double flops = 0;        // counted as usual: two per multiply-add
  double bytes = 0;        // read and written once each
  double nanoseconds = 0;  // estimate for one thread
  double saved_flops = 0;  // of `flops`, what the algorithm does not do
};

struct BoundKernel;
/// Computes work units [part.begin, part.end). `scratch` has scratch_bytes, is 64-byte aligned and
/// belongs to this call alone; its contents mean nothing before and after.
using RunFunction = void (*)(const BoundKernel& bound, const Views& views, Range part,
                             void* scratch);

/// A kernel for one concrete shape. Trivially copyable; points to its plan, which must outlive it.
struct BoundKernel {
  const KernelPlan* plan = nullptr;
  RunFunction run = nullptr;
  int64_t parts = 0;  // work units of about equal cost; 0 when there is nothing to do
  int64_t scratch_bytes = 0;
  Cost cost;
  static constexpr size_t kStateBytes = 1024;
  alignas(8) std::array<std::byte, kStateBytes> storage{};

  /// The kernel's own bound data.
  template <typename T>
  T& state() {
    static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= kStateBytes && alignof(T) <= 8);
    return *reinterpret_cast<T*>(storage.data());
  }
  template <typename T>
  const T& state() const {
    static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= kStateBytes && alignof(T) <= 8);
    return *reinterpret_cast<const T*>(storage.data());
  }
};
static_assert(std::is_trivially_copyable_v<BoundKernel>);

/// The best kernel for `problem` on `isa`: the first row of the table that takes it. The error
/// names every row and its reason. `refusals`, when given, gets the rows passed over before the one
/// chosen that are for such problems.
Result<KernelPlan> prepare(const Problem& problem, Isa isa,
                           std::vector<Refusal>* refusals = nullptr);
/// Every plan that could do it, best first; for tuning.
std::vector<KernelPlan> prepare_all(const Problem& problem, Isa isa);
/// Fixes the shape. Fails when `dims` is of another kind than the problem or contradicts it.
Result<BoundKernel> bind(const KernelPlan& plan, const Dims& dims);

/// The layouts in which a convolution runs best on `isa`: for instance plain in, blocked out for
/// the first layer.
struct LayoutChoice {
  Layout input, output;
};
LayoutChoice preferred_layouts(const ConvProblem& problem, Isa isa);
/// The channel block of blocked layouts: 16 for AVX-512, 8 for AVX2, 4 for SSE4, 0 (none) for
/// scalar.
int channel_block(Isa isa);

// ---------------------------------------------------------------- the table

/// What a row's prepare says: a plan (row and isa are filled in by the caller), or a refusal.
struct Prepared {
  std::optional<KernelPlan> plan;
  Refusal refusal;
  static Prepared refuse(RefusalCode code, const char* text) {
    return {std::nullopt, {code, text, {}}};
  }
};

struct KernelRow {
  std::string_view name;
  KernelKind kind;
  Isa isa;  // the instruction set its code needs
  Prepared (*prepare)(const Problem& problem, Isa isa);
  Result<BoundKernel> (*bind)(const KernelPlan& plan, const Dims& dims);
};
/// Every kernel; within a kind the better ones stand first.
std::span<const KernelRow> kernel_table();

}  // namespace shipway::kernels
