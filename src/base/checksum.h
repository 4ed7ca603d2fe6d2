// A checksum against damage: flipped bits, cut files, blocks of another file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace shipway {

/// 64 bits that every change of a single 8-byte word changes for certain, and any other change but
/// for one time in 2^64. Not meant to withstand somebody who looks for a collision. About as fast
/// as memory is read. Part of the format of plan files: it never changes.
uint64_t checksum(std::span<const std::byte> bytes);

}  // namespace shipway
