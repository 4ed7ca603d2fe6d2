// Cases and plain loops of convolutions. Layouts are part of the problem, so every case is made for
// each layout that some row takes.
#pragma once

#include "kernels/testing/epilogue_cases.h"

namespace shipway::kernels::testing {

/// What a case needs in short: [batch, in, out, group], image, kernel, stride, dilation, pads at
/// the begin and end of height and width.
struct ConvShape {
  int64_t batch, in, out, group;
  Spatial image;
  Spatial kernel;
  Spatial strides{1, 1, 1}, dilations{1, 1, 1}, pads{0, 0, 0}, pads_end{0, 0, 0};
  bool transposed = false;
};

inline KernelCase conv_case(const ConvShape& shape, const Epilogue& epilogue, Layout input,
                            Layout output) {
  ConvProblem problem{.transposed = shape.transposed,
                      .channels_in = shape.in,
                      .channels_out = shape.out,
                      .group = shape.group};
  problem.kernel = shape.kernel;
  problem.strides = shape.strides;
  problem.dilations = shape.dilations;
  problem.input = input;
  problem.output = output;
  problem.epilogue = epilogue;
  ConvDims dims;
  dims.batch = shape.batch;
  dims.in = shape.image;
  dims.pads = shape.pads;
  std::string name = "n" + std::to_string(shape.batch) + "_" + std::to_string(shape.in) + "to" +
                     std::to_string(shape.out) + "g" + std::to_string(shape.group);
  for (size_t i = 0; i < 3; ++i) {
    const int64_t reach = (shape.kernel[i] - 1) * shape.dilations[i] + 1;
    dims.out[i] =
        shape.transposed
            ? (shape.image[i] - 1) * shape.strides[i] + reach - shape.pads[i] - shape.pads_end[i]
            : (shape.image[i] + shape.pads[i] + shape.pads_end[i] - reach) / shape.strides[i] + 1;
    name += (i ? "x" : "_") + std::to_string(shape.image[i]) + "k" +
            std::to_string(shape.kernel[i]) + "s" + std::to_string(shape.strides[i]);
  }
  return {name + (shape.transposed ? "_transposed" : ""), problem, dims};
}

/// `shape` in every combination of layouts that a kernel has.
inline void add_layouts(std::vector<KernelCase>& cases, const ConvShape& shape,
                        const Epilogue& epilogue, const char* name = "") {
  std::vector<std::pair<Layout, Layout>> layouts{{Layout::plain(), Layout::plain()}};
  for (int block : {4, 8, 16}) {
    layouts.push_back({Layout::blocked(block), Layout::blocked(block)});
    layouts.push_back({Layout::plain(), Layout::blocked(block)});
  }
  for (const auto& [input, output] : layouts) {
    cases.push_back(conv_case(shape, epilogue, input, output));
    cases.back().name += std::string("_") + name + "_" + std::to_string(input.block) + "_" +
                         std::to_string(output.block);
  }
}

inline std::vector<KernelCase> conv_cases() {
  std::vector<KernelCase> cases;
  Epilogue bias;
  bias.has_bias = true;
  const ConvShape shapes[] = {
      {1, 1, 1, 1, {1, 1, 1}, {1, 1, 1}},
      {1, 3, 16, 1, {1, 9, 11}, {1, 3, 3}, {1, 1, 1}, {1, 1, 1}, {0, 1, 1}, {0, 1, 1}},
      {2, 16, 32, 1, {1, 7, 7}, {1, 1, 1}},
      {1, 20, 37, 1, {1, 5, 19}, {1, 1, 1}},
      {1, 24, 17, 1, {1, 8, 9}, {1, 1, 1}, {1, 2, 2}},
      {1, 33, 48, 1, {1, 14, 14}, {1, 3, 3}, {1, 1, 1}, {1, 1, 1}, {0, 1, 1}, {0, 1, 1}},
      {2, 17, 3, 1, {1, 13, 37}, {1, 5, 5}, {1, 1, 1}, {1, 1, 1}, {0, 2, 2}, {0, 2, 2}},
      {1, 3, 64, 1, {1, 31, 30}, {1, 7, 7}, {1, 2, 2}, {1, 1, 1}, {0, 3, 3}, {0, 3, 3}},
      {1, 16, 16, 1, {1, 12, 15}, {1, 3, 3}, {1, 1, 1}, {1, 2, 3}, {0, 2, 3}, {0, 2, 3}},
      {1, 4, 4, 1, {1, 6, 5}, {1, 3, 2}, {1, 2, 1}, {1, 1, 1}, {0, 0, 1}, {0, 1, 0}},
      {1, 8, 12, 1, {1, 9, 200}, {1, 3, 3}, {1, 1, 1}, {1, 1, 1}, {0, 1, 1}, {0, 1, 1}},
      {1, 16, 16, 1, {1, 60, 58}, {1, 3, 3}, {1, 1, 1}, {1, 1, 1}, {0, 1, 1}, {0, 1, 1}},
      {1, 40, 24, 1, {1, 3, 3}, {1, 5, 5}, {1, 1, 1}, {1, 1, 1}, {0, 2, 2}, {0, 2, 2}},
      {1, 1, 2, 1, {1, 4, 400}, {1, 1, 9}, {1, 1, 1}, {1, 1, 2}, {0, 0, 8}, {0, 0, 8}},
      {1, 6, 3, 1, {1, 5, 300}, {1, 1, 1}},
      // groups: depthwise, whole blocks, anything
      {2, 19, 19, 19, {1, 9, 9}, {1, 3, 3}, {1, 1, 1}, {1, 1, 1}, {0, 1, 1}, {0, 1, 1}},
      {1, 32, 32, 32, {1, 15, 17}, {1, 5, 5}, {1, 2, 2}, {1, 1, 1}, {0, 2, 2}, {0, 2, 2}},
      {1, 16, 16, 16, {1, 40, 130}, {1, 3, 3}, {1, 1, 1}, {1, 2, 2}, {0, 2, 2}, {0, 2, 2}},
      {1, 16, 16, 16, {1, 7, 6}, {1, 3, 3}},
      {1, 64, 32, 2, {1, 6, 6}, {1, 3, 3}, {1, 1, 1}, {1, 1, 1}, {0, 1, 1}, {0, 1, 1}},
      {1, 6, 9, 3, {1, 6, 6}, {1, 3, 3}, {1, 1, 1}, {1, 1, 1}, {0, 1, 1}, {0, 1, 1}},
      {1, 4, 8, 4, {1, 6, 6}, {1, 3, 3}, {1, 1, 1}, {1, 1, 1}, {0, 1, 1}, {0, 1, 1}},
      {2, 32, 32, 8, {1, 7, 9}, {1, 3, 3}, {1, 1, 1}, {1, 1, 1}, {0, 1, 1}, {0, 1, 1}},
      {1, 16, 48, 8, {1, 5, 5}, {1, 3, 3}, {1, 2, 2}, {1, 1, 1}, {0, 1, 1}, {0, 1, 1}},
      // depth
      {1, 5, 18, 1, {6, 7, 8}, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}},
      {1, 5, 18, 1, {6, 7, 8}, {2, 3, 1}, {2, 1, 3}, {2, 1, 1}, {1, 0, 0}, {0, 1, 0}},
      {2, 16, 16, 1, {3, 7, 8}, {1, 3, 3}, {1, 1, 1}, {1, 1, 1}, {0, 1, 1}, {0, 1, 1}},
      // nothing to do, or padding only
      {0, 16, 16, 1, {1, 7, 8}, {1, 3, 3}},
      {1, 16, 16, 1, {1, 1, 1}, {1, 3, 3}, {1, 1, 1}, {1, 1, 1}, {0, 3, 3}, {0, 3, 3}},
  };
  for (const ConvShape& shape : shapes) add_layouts(cases, shape, bias);
  // Winograd: whole and cut blocks of tiles, tails of channels, pads on one side only, depth
  for (const ConvShape& wide : {
           ConvShape{
               1, 32, 32, 1, {1, 4, 4}, {1, 3, 3}, {1, 1, 1}, {1, 1, 1}, {0, 1, 1}, {0, 1, 1}},
           ConvShape{
               2, 70, 50, 1, {1, 31, 43}, {1, 3, 3}, {1, 1, 1}, {1, 1, 1}, {0, 1, 1}, {0, 1, 1}},
           ConvShape{
               1, 40, 33, 1, {1, 9, 150}, {1, 3, 3}, {1, 1, 1}, {1, 1, 1}, {0, 2, 0}, {0, 0, 2}},
           ConvShape{1, 36, 130, 1, {1, 11, 6}, {1, 3, 3}},
           ConvShape{
               1, 33, 35, 1, {3, 5, 6}, {1, 3, 3}, {1, 1, 1}, {1, 1, 1}, {0, 1, 1}, {0, 1, 1}},
           ConvShape{
               1, 32, 32, 1, {1, 1, 1}, {1, 3, 3}, {1, 1, 1}, {1, 1, 1}, {0, 4, 3}, {0, 3, 5}},
       })
    add_layouts(cases, wide, bias);
  // dilated so widely that a band would be mostly zeros: tap by tap, in several passes, strided
  for (const ConvShape& wide :
       {ConvShape{1,
                  480,
                  40,
                  1,
                  {1, 13, 15},
                  {1, 3, 3},
                  {1, 1, 1},
                  {1, 12, 12},
                  {0, 12, 12},
                  {0, 12, 12}},
        ConvShape{
            2, 500, 24, 1, {1, 9, 11}, {1, 3, 3}, {1, 1, 1}, {1, 20, 16}, {0, 20, 16}, {0, 20, 16}},
        ConvShape{
            1, 300, 20, 1, {1, 40, 33}, {1, 3, 2}, {1, 2, 3}, {1, 10, 9}, {0, 3, 5}, {0, 4, 1}},
        ConvShape{
            1, 640, 64, 2, {1, 20, 21}, {1, 3, 3}, {1, 1, 1}, {1, 9, 9}, {0, 9, 9}, {0, 9, 9}}})
    add_layouts(cases, wide, bias);
  // k in several passes
  add_layouts(cases,
              {1, 160, 40, 1, {1, 5, 7}, {1, 3, 3}, {1, 1, 1}, {1, 1, 1}, {0, 1, 1}, {0, 1, 1}},
              bias);
  add_layouts(cases, {1, 1200, 20, 1, {1, 3, 7}, {1, 1, 1}}, bias);
  for (const NamedEpilogue& named : epilogue_cases()) {
    add_layouts(cases,
                {2, 17, 35, 1, {1, 6, 23}, {1, 3, 3}, {1, 1, 1}, {1, 1, 1}, {0, 1, 1}, {0, 1, 1}},
                named.epilogue, named.name);
    add_layouts(cases,
                {2, 37, 35, 1, {1, 6, 23}, {1, 3, 3}, {1, 1, 1}, {1, 1, 1}, {0, 1, 1}, {0, 1, 1}},
                named.epilogue, named.name);
    add_layouts(cases, {1, 9, 3, 1, {1, 6, 23}, {1, 1, 1}}, named.epilogue, named.name);
    add_layouts(cases,
                {1, 21, 21, 21, {1, 6, 23}, {1, 3, 3}, {1, 1, 1}, {1, 1, 1}, {0, 1, 1}, {0, 1, 1}},
                named.epilogue, named.name);
  }
  const ConvShape transposed[] = {
      {1, 5, 7, 1, {1, 4, 5}, {1, 2, 2}, {1, 2, 2}},
      {2, 6, 20, 2, {1, 5, 6}, {1, 3, 3}, {1, 2, 2}, {1, 1, 1}, {0, 1, 1}, {0, 0, 1}},
      {1, 3, 4, 1, {1, 6, 7}, {1, 3, 3}, {1, 1, 1}, {1, 1, 1}, {0, 1, 1}, {0, 1, 1}},
      {1, 3, 4, 1, {1, 6, 7}, {1, 3, 2}, {1, 1, 3}, {1, 2, 2}, {0, 2, 0}, {0, 1, 0}},
      {1, 2, 3, 1, {1, 3, 3}, {1, 2, 2}, {1, 3, 3}},  // outputs that no tap reaches
      {1, 2, 3, 1, {3, 4, 3}, {3, 2, 4}, {2, 1, 2}, {1, 1, 1}, {1, 0, 1}, {0, 0, 1}},
      {1, 40, 33, 1, {1, 9, 21}, {1, 4, 4}, {1, 2, 2}, {1, 1, 1}, {0, 1, 1}, {0, 1, 1}},
      {2, 460, 20, 1, {1, 9, 70}, {1, 2, 2}, {1, 2, 2}},
      {1, 64, 32, 4, {2, 9, 7}, {1, 2, 3}, {1, 2, 3}},
  };
  for (ConvShape shape : transposed) {
    shape.transposed = true;
    for (const NamedEpilogue& named : epilogue_cases())
      add_layouts(cases, shape, named.epilogue, named.name);
  }
  return cases;
}

inline Instance conv_instance(const KernelCase& kernel_case, Random& random, bool expect) {
  const auto& p = std::get<ConvProblem>(kernel_case.problem);
  const auto& d = std::get<ConvDims>(kernel_case.dims);
  const auto volume = [](const Spatial& s) { return s[0] * s[1] * s[2]; };
  const int64_t in_plane = volume(d.in), out_plane = volume(d.out), taps = volume(p.kernel);
  const int64_t in_group = p.channels_in / p.group, out_group = p.channels_out / p.group;
  Instance instance;
  instance.inputs = {input_operand(random.values(d.batch * p.channels_in * in_plane)),
                     input_operand(random.values(p.channels_out * in_group * taps))};
  instance.inputs[0].channels = Operand::Channels{d.batch, p.channels_in, in_plane};
  const Operand::Channels output_shape{d.batch, p.channels_out, out_plane};
  const int64_t out_size = d.batch * p.channels_out * out_plane;
  add_epilogue_operands(instance, p.epilogue, p.channels_out, out_size, output_shape, random);
  instance.outputs = {output_operand(std::vector<double>(static_cast<size_t>(out_size)))};
  instance.outputs[0].channels = output_shape;
  const double terms = static_cast<double>(in_group * taps);
  instance.tolerance = 3e-7 * std::sqrt(terms + 10);
  instance.magnitude = 1 + std::sqrt(terms);
  if (!expect) return instance;
  const std::vector<float>&x = instance.inputs[0].values, &weights = instance.inputs[1].values;
  std::vector<double>& y = instance.outputs[0].expected;
  // Every (input position, tap) pair adds to one output: the same loop serves both directions.
  for (int64_t n = 0; n < d.batch; ++n)
    for (int64_t o = 0; o < p.channels_out; ++o)
      for (int64_t i = 0; i < in_group; ++i)
        for (int64_t tap = 0; tap < taps; ++tap) {
          const int64_t group = o / out_group;
          const Spatial k{tap / (p.kernel[1] * p.kernel[2]), tap / p.kernel[2] % p.kernel[1],
                          tap % p.kernel[2]};
          const int64_t weight_at =
              p.transposed ? ((group * in_group + i) * out_group + o % out_group) * taps + tap
                           : (o * in_group + i) * taps + tap;
          const double weight = weights[static_cast<size_t>(weight_at)];
          const Spatial& loop = p.transposed ? d.in : d.out;
          const Spatial& other = p.transposed ? d.out : d.in;
          for (int64_t a = 0; a < loop[0]; ++a)
            for (int64_t b = 0; b < loop[1]; ++b)
              for (int64_t c = 0; c < loop[2]; ++c) {
                const int64_t z = a * p.strides[0] + k[0] * p.dilations[0] - d.pads[0];
                const int64_t v = b * p.strides[1] + k[1] * p.dilations[1] - d.pads[1];
                const int64_t u = c * p.strides[2] + k[2] * p.dilations[2] - d.pads[2];
                if (z < 0 || v < 0 || u < 0 || z >= other[0] || v >= other[1] || u >= other[2])
                  continue;
                const int64_t here = (a * loop[1] + b) * loop[2] + c,
                              there = (z * other[1] + v) * other[2] + u;
                const int64_t x_at = (n * p.channels_in + group * in_group + i) * in_plane +
                                     (p.transposed ? here : there);
                const int64_t y_at =
                    (n * p.channels_out + o) * out_plane + (p.transposed ? there : here);
                y[static_cast<size_t>(y_at)] += weight * x[static_cast<size_t>(x_at)];
              }
        }
  for (int64_t index = 0; index < out_size; ++index) {
    const int64_t channel = index / out_plane % p.channels_out;
    double& value = y[static_cast<size_t>(index)];
    if (p.epilogue.has_bias) value += instance.inputs[2].values[static_cast<size_t>(channel)];
    value = apply_reference(instance, p.epilogue, value, channel, index);
  }
  return instance;
}

}  // namespace shipway::kernels::testing
