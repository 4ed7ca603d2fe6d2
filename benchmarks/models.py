#!/usr/bin/env python3
"""Well-known architectures as ONNX files with seeded random weights: what benchmarks run when no model files are given.

    benchmarks/models.py [NAME...] [--folder build/models] [--list]

Prints the files, each with what --shape it needs. Written as the framework exporters write them (batch normalisation folded,
GELU and masks spelled out). Weights are scaled so that values stay of ordinary size, and mean nothing; times do not depend on
them. Needs numpy and onnx.
"""
import argparse
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

ROOT = pathlib.Path(__file__).resolve().parent.parent
OPSET = 17
KINDS = {np.dtype(np.float32): TensorProto.FLOAT, np.dtype(np.int64): TensorProto.INT64}


class Net:
    """A graph under construction. Values are known by their names."""

    def __init__(self, seed):
        self.random = np.random.Generator(np.random.PCG64(seed))
        self.nodes, self.initializers, self.inputs, self.ranges = [], [], [], {}

    def input(self, name, shape, dtype=np.float32, below=None):
        """`below`: integers are drawn from [0, below)."""
        self.inputs.append(helper.make_tensor_value_info(name, KINDS[np.dtype(dtype)], shape))
        if below is not None:
            self.ranges[name] = below
        return name

    def constant(self, values, dtype=np.float32):
        name = f"c{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(np.asarray(values, dtype), name))
        return name

    def weight(self, *shape, deviation):
        return self.constant(self.random.standard_normal(shape, np.float32) * np.float32(deviation))

    def node(self, op_type, *inputs, outputs=1, **attributes):
        """Its output's name, or the tuple of them."""
        number = len(self.nodes)
        names = [f"v{number}" if i == 0 else f"v{number}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(op_type, list(inputs), names, name=f"{op_type}_{number}", **attributes))
        return names[0] if outputs == 1 else tuple(names)

    def conv(self, x, channels_in, channels_out, kernel, stride=1, group=1, pad=None, gain=2.0):
        """With bias, as after folding a batch normalisation."""
        fan_in = channels_in // group * kernel * kernel
        pad = (kernel - 1) // 2 if pad is None else pad
        return self.node("Conv", x, self.weight(channels_out, channels_in // group, kernel, kernel,
                                                deviation=(gain / fan_in) ** 0.5),
                         self.weight(channels_out, deviation=0.05), kernel_shape=[kernel] * 2, strides=[stride] * 2,
                         pads=[pad] * 4, group=group, dilations=[1, 1])

    def gemm(self, x, size_in, size_out, gain=1.0):
        return self.node("Gemm", x, self.weight(size_out, size_in, deviation=(gain / size_in) ** 0.5),
                         self.weight(size_out, deviation=0.02), transB=1)

    def linear(self, x, size_in, size_out, gain=1.0):
        product = self.node("MatMul", x, self.weight(size_in, size_out, deviation=(gain / size_in) ** 0.5))
        return self.node("Add", self.weight(size_out, deviation=0.02), product)

    def layer_norm(self, x, size):
        return self.node("LayerNormalization", x, self.constant(np.ones(size)), self.constant(np.zeros(size)), axis=-1,
                         epsilon=1e-5)

    def gelu(self, x):
        """As PyTorch's exporter writes it: x * 0.5 * (1 + erf(x / sqrt(2)))."""
        erf = self.node("Erf", self.node("Div", x, self.constant(2 ** 0.5)))
        return self.node("Mul", self.node("Mul", x, self.node("Add", erf, self.constant(1.0))), self.constant(0.5))

    def attention(self, x, tokens, size, heads, mask=None):
        """Self-attention over [1, tokens, size]; `mask` is added to the scores."""
        width = size // heads

        def head(name_permutation):
            projected = self.linear(x, size, size)
            split = self.node("Reshape", projected, self.constant([1, tokens, heads, width], np.int64))
            return self.node("Transpose", split, perm=name_permutation)

        q, k, v = head([0, 2, 1, 3]), head([0, 2, 3, 1]), head([0, 2, 1, 3])
        scores = self.node("Div", self.node("MatMul", q, k), self.constant(width ** 0.5))
        if mask:
            scores = self.node("Add", scores, mask)
        mixed = self.node("MatMul", self.node("Softmax", scores, axis=-1), v)
        joined = self.node("Reshape", self.node("Transpose", mixed, perm=[0, 2, 1, 3]),
                           self.constant([1, tokens, size], np.int64))
        return self.linear(joined, size, size)

    def model(self, name, output, shape):
        output = helper.make_tensor_value_info(output, TensorProto.FLOAT, shape)
        graph = helper.make_graph(self.nodes, name, self.inputs, [output], self.initializers)
        model = helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", OPSET)],
                                  producer_name="shipway benchmarks")
        helper.set_model_props(model, {f"benchmark.below.{key}": str(value) for key, value in self.ranges.items()})
        return model


def mlp_tiny():
    """64-128-64-10: how much a run costs beside its arithmetic."""
    net = Net(1)
    x = net.input("x", [1, 64])
    for size_in, size_out in ((64, 128), (128, 64)):
        x = net.node("Relu", net.gemm(x, size_in, size_out, gain=2))
    return net.model("mlp_tiny", net.gemm(x, 64, 10), [1, 10])


def cnn_tiny():
    """Three small convolutions on 28 x 28, as for handwritten digits."""
    net = Net(2)
    x = net.input("x", [1, 1, 28, 28])
    for channels_in, channels_out in ((1, 8), (8, 16), (16, 32)):
        x = net.node("Relu", net.conv(x, channels_in, channels_out, 3))
        x = net.node("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
    return net.model("cnn_tiny", net.gemm(net.node("Flatten", x), 32 * 9, 10), [1, 10])


def resnet50():
    """Residual network of bottlenecks (He et al., 2015), 224 x 224."""
    net = Net(3)
    x = net.node("Relu", net.conv(net.input("x", [1, 3, 224, 224]), 3, 64, 7, stride=2))
    x = net.node("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    channels = 64
    for stage, blocks in enumerate((3, 4, 6, 3)):
        width = 64 << stage
        for block in range(blocks):
            stride = 2 if stage > 0 and block == 0 else 1
            y = net.node("Relu", net.conv(x, channels, width, 1))
            y = net.node("Relu", net.conv(y, width, width, 3, stride=stride))
            y = net.conv(y, width, 4 * width, 1, gain=0.2)
            skip = net.conv(x, channels, 4 * width, 1, stride=stride, gain=1) if block == 0 else x
            x = net.node("Relu", net.node("Add", y, skip))
            channels = 4 * width
    x = net.node("Flatten", net.node("GlobalAveragePool", x))
    return net.model("resnet50", net.gemm(x, 2048, 1000), [1, 1000])


def mobilenet_v2():
    """Inverted residuals with ReLU6 (Sandler et al., 2018), 224 x 224."""
    net = Net(4)
    low, high = net.constant(0.0), net.constant(6.0)

    def relu6(x):
        return net.node("Clip", x, low, high)

    x = relu6(net.conv(net.input("x", [1, 3, 224, 224]), 3, 32, 3, stride=2))
    channels = 32
    for expand, out, repeats, stride in ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
                                         (6, 160, 3, 2), (6, 320, 1, 1)):
        for i in range(repeats):
            s = stride if i == 0 else 1
            hidden = channels * expand
            y = relu6(net.conv(x, channels, hidden, 1)) if expand > 1 else x
            y = relu6(net.conv(y, hidden, hidden, 3, stride=s, group=hidden))
            y = net.conv(y, hidden, out, 1, gain=1)
            x = net.node("Add", x, y) if s == 1 and channels == out else y
            channels = out
    x = relu6(net.conv(x, 320, 1280, 1))
    x = net.node("Flatten", net.node("GlobalAveragePool", x))
    return net.model("mobilenet_v2", net.gemm(x, 1280, 1000), [1, 1000])


def efficientnet_b0():
    """Inverted residuals with SiLU and squeeze-excite (Tan and Le, 2019), 224 x 224."""
    net = Net(5)

    def silu(x):
        return net.node("Mul", x, net.node("Sigmoid", x))

    x = silu(net.conv(net.input("x", [1, 3, 224, 224]), 3, 32, 3, stride=2))
    channels = 32
    for expand, out, repeats, stride, kernel in ((1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3),
                                                 (6, 112, 3, 1, 5), (6, 192, 4, 2, 5), (6, 320, 1, 1, 3)):
        for i in range(repeats):
            s = stride if i == 0 else 1
            hidden, squeezed = channels * expand, max(1, channels // 4)
            y = silu(net.conv(x, channels, hidden, 1)) if expand > 1 else x
            y = silu(net.conv(y, hidden, hidden, kernel, stride=s, group=hidden))
            gate = silu(net.conv(net.node("GlobalAveragePool", y), hidden, squeezed, 1))
            y = net.node("Mul", y, net.node("Sigmoid", net.conv(gate, squeezed, hidden, 1)))
            y = net.conv(y, hidden, out, 1, gain=3)
            x = net.node("Add", x, y) if s == 1 and channels == out else y
            channels = out
    x = silu(net.conv(x, 320, 1280, 1))
    x = net.node("Flatten", net.node("GlobalAveragePool", x))
    return net.model("efficientnet_b0", net.gemm(x, 1280, 1000), [1, 1000])


def unet():
    """Four levels down and up with skips (Ronneberger et al., 2015), 32 to 256 channels, 256 x 256."""
    net = Net(6)

    def double(x, channels_in, channels_out):
        x = net.node("Relu", net.conv(x, channels_in, channels_out, 3))
        return net.node("Relu", net.conv(x, channels_out, channels_out, 3))

    x, channels, skips = net.input("x", [1, 3, 256, 256]), 3, []
    for width in (32, 64, 128):
        x = double(x, channels, width)
        skips.append((x, width))
        x, channels = net.node("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2]), width
    x, channels = double(x, channels, 256), 256
    for skip, width in reversed(skips):
        up = net.node("ConvTranspose", x, net.weight(channels, width, 2, 2, deviation=(1 / channels) ** 0.5),
                      net.weight(width, deviation=0.05), kernel_shape=[2, 2], strides=[2, 2])
        x, channels = double(net.node("Concat", skip, up, axis=1), 2 * width, width), width
    return net.model("unet", net.conv(x, 32, 2, 1), [1, 2, 256, 256])


def bert_base():
    """12 layers of 768 with masks (Devlin et al., 2018), 128 tokens."""
    net, tokens, size = Net(7), 128, 768
    ids = net.input("input_ids", [1, tokens], np.int64, below=30522)
    mask = net.input("attention_mask", [1, tokens], np.int64, below=2)
    kinds = net.input("token_type_ids", [1, tokens], np.int64, below=2)
    words = net.node("Gather", net.weight(30522, size, deviation=0.5), ids)
    kinds = net.node("Gather", net.weight(2, size, deviation=0.5), kinds)
    x = net.node("Add", net.node("Add", words, kinds), net.weight(1, tokens, size, deviation=0.5))
    x = net.layer_norm(x, size)
    mask = net.node("Cast", net.node("Unsqueeze", mask, net.constant([1, 2], np.int64)), to=TensorProto.FLOAT)
    mask = net.node("Mul", net.node("Sub", net.constant(1.0), mask), net.constant(np.finfo(np.float32).min))
    for _ in range(12):
        x = net.layer_norm(net.node("Add", net.attention(x, tokens, size, 12, mask), x), size)
        y = net.linear(net.gelu(net.linear(x, size, 4 * size)), 4 * size, size)
        x = net.layer_norm(net.node("Add", y, x), size)
    return net.model("bert_base", x, [1, tokens, size])


def vit_b_16():
    """A vision transformer of 12 layers of 768 (Dosovitskiy et al., 2020), 224 x 224 in patches of 16."""
    net, tokens, size = Net(8), 197, 768
    x = net.conv(net.input("x", [1, 3, 224, 224]), 3, size, 16, stride=16, pad=0)
    x = net.node("Transpose", net.node("Reshape", x, net.constant([1, size, 196], np.int64)), perm=[0, 2, 1])
    x = net.node("Concat", net.weight(1, 1, size, deviation=0.5), x, axis=1)
    x = net.node("Add", x, net.weight(1, tokens, size, deviation=0.5))
    for _ in range(12):
        x = net.node("Add", x, net.attention(net.layer_norm(x, size), tokens, size, 12))
        y = net.gelu(net.linear(net.layer_norm(x, size), size, 4 * size))
        x = net.node("Add", x, net.linear(y, 4 * size, size))
    x = net.node("Gather", net.layer_norm(x, size), net.constant(0, np.int64), axis=1)
    return net.model("vit_b_16", net.gemm(x, size, 1000), [1, 1000])


def speech_lstm():
    """Two bidirectional LSTM layers of 320 over 100 frames of 80 features, and 1000 classes."""
    net, frames, hidden = Net(9), 100, 320
    x, size = net.input("x", [frames, 1, 80]), 80
    for _ in range(2):
        w = net.weight(2, 4 * hidden, size, deviation=(1 / size) ** 0.5)
        r = net.weight(2, 4 * hidden, hidden, deviation=(1 / hidden) ** 0.5)
        b = net.weight(2, 8 * hidden, deviation=0.1)
        y = net.node("LSTM", x, w, r, b, hidden_size=hidden, direction="bidirectional")
        y = net.node("Transpose", y, perm=[0, 2, 1, 3])
        x, size = net.node("Reshape", y, net.constant([frames, 1, 2 * hidden], np.int64)), 2 * hidden
    return net.model("speech_lstm", net.node("LogSoftmax", net.linear(x, size, 1000), axis=-1), [frames, 1, 1000])


MODELS = {function.__name__: function for function in
          (mlp_tiny, cnn_tiny, mobilenet_v2, efficientnet_b0, resnet50, unet, speech_lstm, bert_base, vit_b_16)}
STORED = {"srcnn": ROOT / "models" / "srcnn" / "srcnn.onnx"}
SHAPES = {"srcnn": {"input": [1, 3, 128, 128]}}  # where the file leaves sizes open


def path(name, folder):
    """The file of a model, built when it is not there yet or older than this script."""
    if name in STORED:
        return STORED[name]
    file = pathlib.Path(folder) / f"{name}.onnx"
    if not file.exists() or file.stat().st_mtime < pathlib.Path(__file__).stat().st_mtime:
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_suffix(".part")
        onnx.save(MODELS[name](), part)
        part.rename(file)
    return file


def names():
    return [*MODELS, *STORED]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="default: all")
    parser.add_argument("--folder", default=ROOT / "build" / "models")
    parser.add_argument("--list", action="store_true", help="print the names and what they are, and stop")
    arguments = parser.parse_args()
    if arguments.list:
        for name, function in MODELS.items():
            print(f"{name:16} {function.__doc__}")
        for name, file in STORED.items():
            print(f"{name:16} stored in {file.relative_to(ROOT)}")
        return 0
    unknown = [name for name in arguments.names if name not in names()]
    if unknown:
        parser.error(f"there is no {', '.join(unknown)}; --list tells what there is")
    for name in arguments.names or names():
        shapes = [f"{value}={'x'.join(map(str, shape))}" for value, shape in SHAPES.get(name, {}).items()]
        print(path(name, arguments.folder), *shapes, sep="\t")
    return 0


if __name__ == "__main__":
    sys.exit(main())
