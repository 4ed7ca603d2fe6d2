// Bytes as changes to a plan file whose head is then sealed again, since nobody gets past the
// checksum by chance: each three bytes say where (two) and what (one). Nothing crashes, hangs or
// reads outside of the file; an error says something; what opens, runs or says why not.
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "base/mapped_file.h"
#include "engine/plan_format.h"
#include "graph/text.h"
#include "shipway/compile.h"
#include "shipway/session.h"

namespace {

using namespace shipway;

void require(bool condition) {
  if (!condition) std::abort();
}

/// A small plan with a convolution, a product, a recurrent layer and a branch.
std::vector<std::byte> make_plan() {
  Model model = parse(R"(opset 17
graph main (c: bool[], x: float[1,2,4,4]) -> (y: float[?,?], t: float[?,?,?,?]) {
  w: float[4,2,3,3] = seeded 1
  m: float[16,8] = seeded 2
  g: float[1,8,4] = seeded 3
  r: float[1,8,2] = seeded 4
  shape: int64[2] = {4, 16}
  wide: int64[3] = {4, 1, 4}
  a = Conv[pads=[1, 1, 1, 1]](x, w)
  b = Reshape(a, shape)
  y = If[then_branch=graph () -> (p: float[?,?]) {
    p = MatMul(b, m)
  }, else_branch=graph () -> (q: float[?,?]) {
    q = Relu(b)
  }](c)
  s: int64[3] = {16, 1, 4}
  f = Reshape(a, s)
  t = LSTM[hidden_size=2](f, g, r)
}
)")
                    .value_or_throw();
  const std::string path = "/tmp/shipway_plan_fuzz." + std::to_string(getpid());
  const Status status = compile(std::move(model), path, {.isa = "sse4"});
  require(status.is_ok());
  const auto file = MappedFile::open(path).value_or_throw();
  unlink(path.c_str());
  return {file->bytes().begin(), file->bytes().end()};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::vector<std::byte> good = make_plan();
  std::vector<std::byte> plan = good;
  uint64_t head_bytes = 0;
  std::memcpy(&head_bytes, plan.data() + 24, sizeof head_bytes);
  for (size_t i = 0; i + 3 <= size; i += 3)
    plan[(size_t{data[i]} * 256 + data[i + 1]) % head_bytes] = static_cast<std::byte>(data[i + 2]);
  seal_head(plan);
  SessionOptions options;
  options.threads = 1;
  options.max_memory = 1 << 24;
  options.timeout = 5;
  const auto session = Session::open(plan, nullptr, options);
  if (!session.is_ok()) {
    require(!session.status().message().empty());
    return 0;
  }
  std::vector<NamedValue> inputs;
  for (const ValueInfo& input : (*session)->inputs()) {
    if (!input.type.is_tensor() || !input.type.dims()) return 0;
    Shape shape;
    for (Dim dim : *input.type.dims()) shape.push_back(dim.is_constant() ? dim.value() : 2);
    const Result<int64_t> count = element_count(shape);
    if (!count.is_ok() || *count > 1 << 16 || bit_width(input.type.dtype()) < 8) return 0;
    Result<Tensor> tensor = Tensor::zeros(input.type.dtype(), shape);
    if (!tensor.is_ok()) return 0;
    inputs.emplace_back(input.name, *std::move(tensor));
  }
  const auto outputs = (*session)->run(inputs);
  require(outputs.is_ok() || !outputs.status().message().empty());
  return 0;
}
