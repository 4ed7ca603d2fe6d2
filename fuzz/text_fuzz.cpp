// Bytes as the text form of a model. Nothing crashes, hangs or takes memory beyond the limit; an
// error says something; what was read prints to a text that reads back as an equal model. (The sums
// in its sizes may come in another order: that of the symbols' first mention.)
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "graph/equal.h"
#include "graph/text.h"
#include "graph/verify.h"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace shipway;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const ParseOptions options{.max_generated_bytes = 1 << 14};
  const Result<Model> model = parse(text, options);
  if (!model.is_ok()) {
    require(!model.status().message().empty());
    return 0;
  }
  (void)verify(
      *model);  // a text may say what verify refuses (a state of another dtype); it must not crash
  const std::string printed = print(*model);
  const Result<Model> again = parse(printed, options);
  require(again.is_ok());
  require(equal_models(*model, *again));
  (void)print(*model, PrintOptions::brief());
  return 0;
}
