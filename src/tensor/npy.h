// NumPy's files: one array (.npy) or several by name (.npz).
// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html (versions 1.0 to 3.0)
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "shipway/tensor.h"

namespace shipway {

using NamedTensors = std::vector<std::pair<std::string, Tensor>>;

/// Numbers, bool, bytes ('S') and text ('U') as string tensors; Fortran order and big-endian
/// numbers are turned into row-major ones of this machine. Arrays of objects (pickles), records and
/// dates are refused by name.
Result<Tensor> parse_npy(std::span<const std::byte> bytes);
/// Entries stored or deflated, names without ".npy". Nothing larger than what the archive can
/// really hold is allocated.
Result<NamedTensors> parse_npz(std::span<const std::byte> bytes);

Result<Tensor> read_npy(const std::string& path);
Result<NamedTensors> read_npz(const std::string& path);

/// Version 1.0 (2.0 for long headers), little-endian, row-major. dtypes that NumPy itself has;
/// others (bfloat16, the float8 kinds, below 8 bits) are refused by name.
Result<std::string> serialize_npy(const Tensor& tensor);
Status write_npy(const std::string& path, const Tensor& tensor);
/// Stored entries, at most 4 GB in all.
Status write_npz(const std::string& path, std::span<const std::pair<std::string, Tensor>> arrays);

}  // namespace shipway
