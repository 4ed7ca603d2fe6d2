// Enlarges a picture with a super-resolution model:  enlarge srcnn.onnx small.png large.png
#include <shipway/shipway.h>

#include <cstdio>

namespace {

shipway::Status enlarge(const char* model_path, const char* small_path, const char* large_path) {
  using namespace shipway;
  SHIPWAY_ASSIGN_OR_RETURN(Model model, load_model(model_path));
  SHIPWAY_ASSIGN_OR_RETURN(const auto session, Session::create(std::move(model)));
  SHIPWAY_ASSIGN_OR_RETURN(const Image small, read_image(small_path));
  SHIPWAY_ASSIGN_OR_RETURN(const Image large, restore(*session, small));
  SHIPWAY_RETURN_IF_ERROR(write_image(large_path, large));
  std::printf("%lld x %lld to %lld x %lld\n", static_cast<long long>(small.width),
              static_cast<long long>(small.height), static_cast<long long>(large.width),
              static_cast<long long>(large.height));
  return Status::ok();
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 4) {
    std::fprintf(stderr, "usage: enlarge MODEL SMALL LARGE\n");
    return 2;
  }
  const shipway::Status status = enlarge(arguments[1], arguments[2], arguments[3]);
  if (!status.is_ok()) std::fprintf(stderr, "%s\n", status.message().c_str());
  return status.is_ok() ? 0 : 1;
}
