// Winograd's minimal filtering F(4, 3) (Lavin and Gray 2016) at the points 0, +-3/4, +-3/2 and
// infinity: four outputs of a filter of three taps from six products. With a the smaller and b the
// larger point, y = A^T ((G g) * (B^T d)):
//
//   B^T: [a2b2, 0, -(a2+b2), 0, 1, 0], [0, -+a b2, -b2, +-a, 1, 0], [0, -+b a2, -a2, +-b, 1, 0],
//        [0, a2b2, 0, -(a2+b2), 0, 1]
//   G:   [1, 0, 0] / a2b2, [1, +-a, a2] / 2a2(a2-b2), [1, +-b, b2] / 2b2(b2-a2), [0, 0, 1]
//   A^T: [1, 1, 1, 1, 1, 0], [0, a, -a, b, -b, 0], [0, a2, a2, b2, b2, 0], [0, a3, -a3, b3, -b3, 1]
//
// These points make about a third of the error that the usual 0, +-1, +-2 make.
#pragma once

namespace shipway::kernels::winograd {

constexpr int kTile = 4, kInput = 6, kPositions = kInput * kInput;
constexpr double kA = 0.75, kB = 1.5;
constexpr double kA2 = kA * kA, kB2 = kB * kB;
/// G, a row for each of the six points.
constexpr double kG[kInput][3] = {
    {1 / (kA2 * kB2), 0, 0},
    {1 / (2 * kA2 * (kA2 - kB2)), kA / (2 * kA2 * (kA2 - kB2)), 1 / (2 * (kA2 - kB2))},
    {1 / (2 * kA2 * (kA2 - kB2)), -kA / (2 * kA2 * (kA2 - kB2)), 1 / (2 * (kA2 - kB2))},
    {1 / (2 * kB2 * (kB2 - kA2)), kB / (2 * kB2 * (kB2 - kA2)), 1 / (2 * (kB2 - kA2))},
    {1 / (2 * kB2 * (kB2 - kA2)), -kB / (2 * kB2 * (kB2 - kA2)), 1 / (2 * (kB2 - kA2))},
    {0, 0, 1}};

}  // namespace shipway::kernels::winograd
