// The smallest program that uses Shipway: makes a tensor and says what it is.
#include <shipway/shipway.h>

#include <cstdio>

int main() {
  const auto tensor = shipway::Tensor::zeros(shipway::DType::kFloat32, {1, 3, 224, 224});
  if (!tensor.is_ok()) {
    std::fprintf(stderr, "%s\n", tensor.status().message().c_str());
    return 1;
  }
  std::printf("a tensor of %s, %lld bytes\n", shipway::to_string(tensor->shape()).c_str(),
              static_cast<long long>(tensor->byte_size()));
  return 0;
}
