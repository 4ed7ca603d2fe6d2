"""Operators of com.microsoft against onnxruntime, which they come from: random shapes, attributes and inputs left out.

Each case is one node. Some of its inputs are constants and some sizes symbols, by chance. It runs in three ways, by
onnxruntime, by Shipway's engine and by its reference loops; and the types that Shipway infers must be those that come.
SHIPWAY_TEST_SEED chooses the cases.
"""
import dataclasses
import math
import os
import subprocess
import tempfile
import zlib

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnxruntime import quantization

import shipway

SEED = int(os.environ.get("SHIPWAY_TEST_SEED", "1"))
CASES = int(os.environ.get("SHIPWAY_TEST_CASES", "12"))  # of each operator


@dataclasses.dataclass
class Case:
    """One node; an input that is None is left out."""
    inputs: list
    attributes: dict = dataclasses.field(default_factory=dict)
    outputs: int = 1
    wanted: tuple = None  # outputs that the node has; None: all
    ignored: tuple = ()  # outputs whose elements may differ
    domain: str = "com.microsoft"
    relative: float = 2e-5  # of the largest element
    steps: int = 0  # of an integer result
    constants: tuple = ()  # inputs that must be constants
    theirs: dict = dataclasses.field(default_factory=dict)  # for inputs that onnxruntime declares optional and refuses to do without


OPERATORS = {}


def operator(function):
    OPERATORS[function.__name__] = function
    return function


class Random:
    """Numbers for one case."""

    def __init__(self, *seed):
        self.rng = np.random.default_rng(list(seed))

    def size(self, low=1, high=9):
        return int(self.rng.integers(low, high + 1))

    def chance(self, probability=0.5):
        return bool(self.rng.random() < probability)

    def pick(self, *choices):
        return choices[int(self.rng.integers(len(choices)))]

    def floats(self, *shape, dtype=np.float32, scale=1.0):
        return (self.rng.standard_normal(shape) * scale).astype(dtype)

    def ints(self, low, high, *shape, dtype=np.int32):
        return self.rng.integers(low, high, shape).astype(dtype)

    def quantized(self, *shape, dtype=np.uint8):
        info = np.iinfo(dtype)
        return self.rng.integers(info.min, info.max + 1, shape).astype(dtype)

    def weights(self, *shape, dtype):
        """As quantized; int8 of 7 bits, whose products with uint8 onnxruntime sums without saturation on every CPU."""
        numbers = self.quantized(*shape, dtype=dtype)
        return numbers // 2 if dtype == np.int8 else numbers

    def scale(self, low=0.005, high=0.1):
        return np.float32(self.rng.uniform(low, high))

    def zero(self, dtype):
        info = np.iinfo(dtype)
        return dtype(self.rng.integers(info.min, info.max + 1))

    def maybe(self, value, probability=0.5):
        return value if self.chance(probability) else None


# --- activations and normalisations -----------------------------------------------------------------------------------


@operator
def Gelu(r):
    return Case([r.floats(r.size(), r.size(1, 40), scale=3)])


@operator
def BiasGelu(r):
    width = r.size(1, 40)
    return Case([r.floats(r.size(), r.size(), width, scale=2), r.floats(width)])


@operator
def FastGelu(r):
    width = r.size(1, 40)
    return Case([r.floats(r.size(), r.size(), width, scale=2), r.maybe(r.floats(width))])


@operator
def QuickGelu(r):
    return Case([r.floats(r.size(), r.size(1, 40), scale=3)], {"alpha": r.pick(1.702, 1.0, 0.5)} if r.chance() else {})


def _skip(r, has_beta):
    batch, length, width = r.size(), r.size(), r.size(2, 40)
    dtype = r.pick(np.float32, np.float32, np.float16)
    skip = r.pick((batch, length, width), (1, length, width), (length, width))
    inputs = [r.floats(batch, length, width, dtype=dtype), r.floats(*skip, dtype=dtype), r.floats(width, dtype=dtype)]
    if has_beta:
        inputs.append(r.maybe(r.floats(width, dtype=dtype)))
    inputs.append(r.maybe(r.floats(width, dtype=dtype)))
    return Case(inputs, {"epsilon": r.pick(1e-12, 1e-5)} if r.chance() else {}, outputs=4, wanted=r.pick((0,), (0, 3)),
                relative=2e-5 if dtype == np.float32 else 4e-3)


@operator
def SkipLayerNormalization(r):
    return _skip(r, True)


@operator
def SkipSimplifiedLayerNormalization(r):
    return _skip(r, False)


@operator
def SimplifiedLayerNormalization(r):
    shape = [r.size() for _ in range(r.size(1, 3))] + [r.size(2, 40)]
    dtype = r.pick(np.float32, np.float64, np.float16)
    axis = int(r.rng.integers(-len(shape), len(shape)))
    attributes = {"axis": axis, "epsilon": r.pick(1e-5, 1e-3)} if r.chance() else {}
    scale = shape[axis:] if attributes else shape[-1:]
    return Case([r.floats(*shape, dtype=dtype), r.floats(*scale, dtype=dtype)], attributes, outputs=2, wanted=r.pick((0,), (0, 1)),
                domain="", relative=2e-5 if dtype != np.float16 else 4e-3)


@operator
def EmbedLayerNormalization(r):
    batch, length, width, words, places = r.size(), r.size(), r.size(2, 40), r.size(3, 30), r.size(9, 20)
    segments = r.chance()
    inputs = [r.ints(0, words, batch, length), r.ints(0, 2, batch, length) if segments else None, r.floats(words, width),
              r.floats(places, width), r.floats(2, width) if segments else None, r.floats(width), r.floats(width),
              r.maybe(r.ints(0, 2, batch, length)),
              r.maybe(r.ints(0, places, r.pick(1, batch), length))]
    return Case(inputs, {"epsilon": r.pick(1e-12, 1e-5)} if r.chance() else {}, outputs=3, wanted=r.pick((0, 1), (0, 1, 2)),
                constants=(2, 3, 4, 5, 6))


# --- products and convolutions ----------------------------------------------------------------------------------------


@operator
def FusedMatMul(r):
    sizes = {"m": r.size(), "k": r.size(), "n": r.size(), "b": r.size(1, 3), "c": r.size(1, 3)}
    batch = r.pick("", "b", "bc")
    attributes, factors, both = {"alpha": r.pick(1.0, 0.125, -2.5)}, [], r.chance()
    for name, axes in (("A", "mk"), ("B", "kn")):
        axes = (batch if name == "A" or both else "") + axes  # as the product reads them
        trans, trans_batch = r.chance(), bool(batch) and both and r.chance(0.3)
        attributes["trans" + name], attributes["transBatch" + name] = int(trans), int(trans_batch)
        if trans:
            axes = axes[:-2] + axes[-1] + axes[-2]
        if trans_batch:  # the first axis of the matrix stands before the batch
            axes = axes[-2] + axes[:-2] + axes[-1]
        factors.append(r.floats(*[sizes[axis] for axis in axes]))
    return Case(factors, attributes)


@operator
def TransposeMatMul(r):
    m, k, n, trans_a, trans_b = r.size(), r.size(), r.size(), r.chance(), r.chance()
    return Case([r.floats(*((k, m) if trans_a else (m, k))), r.floats(*((n, k) if trans_b else (k, n)))],
                {"alpha": r.pick(1.0, 0.125, -2.5), "transA": int(trans_a), "transB": int(trans_b)})


ACTIVATIONS = {"Relu": 0, "Tanh": 0, "Sigmoid": 0, "LeakyRelu": 1, "Clip": 2, "HardSigmoid": 2}


def _activation(r, *more):
    name = r.pick(*ACTIVATIONS, *more)
    return name, [float(x) for x in np.sort(r.rng.uniform(-0.5, 1.5, ACTIVATIONS.get(name, 0))).astype(np.float32)]


def _windows(r, kernel, dilated=True):
    """Attributes of a convolution or pool whose kernel is `kernel`."""
    rank = len(kernel)
    attributes = {"kernel_shape": kernel} if r.chance() or not dilated else {}
    attributes["strides"] = [r.size(1, 2) for _ in range(rank)]
    if dilated and r.chance():
        attributes["dilations"] = [r.size(1, 2) for _ in range(rank)]
    if "dilations" in attributes or r.chance(0.7):
        attributes["pads"] = [int(r.rng.integers(0, k)) for k in kernel * 2]
    else:
        attributes["auto_pad"] = r.pick("SAME_UPPER", "SAME_LOWER", "VALID")
    return attributes


def _convolution(r, rank):
    group = r.pick(1, 1, 2, 3)
    channels, filters = group * r.size(1, 4), group * r.size(1, 6)
    kernel = [r.size(1, 3) for _ in range(rank)]
    space = [r.size(6, 11) for _ in range(rank)]
    attributes = _windows(r, kernel)
    attributes["group"] = group
    return [r.size(1, 3), channels, *space], [filters, channels // group, *kernel], attributes


@operator
def FusedConv(r):
    x, w, attributes = _convolution(r, r.pick(1, 2, 2))
    attributes["activation"], parameters = _activation(r)
    if parameters:
        attributes["activation_params"] = parameters
    inputs = [r.floats(*x), r.floats(*w), r.maybe(r.floats(w[0])), None]
    if len(x) == 4 and r.chance():
        plain = {k: v for k, v in attributes.items() if not k.startswith("activation")}
        shape = onnx_output_shape("Conv", [inputs[0], inputs[1]], plain)
        inputs[3] = r.floats(*shape)
        inputs[2] = r.floats(w[0])
    return Case(inputs, attributes, constants=(1,))


@operator
def FusedGemm(r):
    m, k, n = r.size(), r.size(), r.size()
    trans_a, trans_b = r.chance(), r.chance()
    name = r.pick("Relu", "Tanh", "Sigmoid", "LeakyRelu", "HardSigmoid")
    attributes = {"activation": name, "alpha": r.pick(1.0, 0.5), "beta": r.pick(1.0, 2.0), "transA": int(trans_a), "transB": int(trans_b)}
    for i in range(ACTIVATIONS[name]):
        attributes["activation_alpha" if i == 0 else "activation_beta"] = r.pick(0.1, 0.25)
    c = r.pick((n,), (1, n), (m, n), (m, 1))
    return Case([r.floats(k, m) if trans_a else r.floats(m, k), r.floats(n, k) if trans_b else r.floats(k, n), r.maybe(r.floats(*c))],
                attributes)


# --- attention --------------------------------------------------------------------------------------------------------


def _mask(r, batch, length, total):
    """Every form of mask_index; at least one key stays for each query."""
    form = r.pick("none", "end", "end begin", "keys", "queries")
    if form == "none":
        return None
    if form == "end":
        return r.ints(1, total + 1, batch)
    if form == "end begin":
        begin = r.ints(0, max(total // 2, 1), batch)
        return np.concatenate([r.ints(max(total // 2, 1), total + 1, batch), begin])
    mask = r.ints(0, 2, *((batch, total) if form == "keys" else (batch, length, total)))
    mask[..., 0] = 1
    return mask


@operator
def Attention(r):
    batch, length, features, heads, size = r.size(1, 3), r.size(1, 6), r.size(1, 9), r.size(1, 4), r.size(1, 6)
    past = r.size(1, 5) if r.chance(0.4) else 0
    value_size = size if past or r.chance() else r.size(1, 6)
    hidden, value_hidden = heads * size, heads * value_size
    attributes = {"num_heads": heads}
    if value_size != size or r.chance(0.2):
        attributes["qkv_hidden_sizes"] = [hidden, hidden, value_hidden]
    if r.chance():
        attributes["unidirectional"] = 1
    if r.chance(0.3):
        attributes["scale"] = 0.3
    if r.chance(0.3):
        attributes["mask_filter_value"] = -50.0
    total = past + length
    columns = 2 * hidden + value_hidden
    inputs = [r.floats(batch, length, features), r.floats(features, columns, scale=0.5), r.maybe(r.floats(columns), 0.8), _mask(r, batch, length, total),
              r.floats(2, batch, heads, past, size) if past else None,
              None if past else r.maybe(r.floats(r.pick(1, batch), r.pick(1, heads), length, total), 0.3)]
    has_present = past or (value_size == size and r.chance())
    return Case(inputs, attributes, outputs=2, wanted=(0, 1) if has_present else (0,), constants=(1,))


@operator
def MultiHeadAttention(r):
    batch, length, heads, size = r.size(1, 3), r.size(1, 6), r.size(1, 4), r.size(1, 6)
    layout = r.pick("flat", "flat", "heads")  # onnxruntime packs queries, keys and values on other devices only
    kv_length = r.size(1, 6) if r.chance() or layout == "heads" else length
    past = r.size(1, 5) if layout == "flat" and r.chance(0.4) else 0
    value_size = size if past or r.chance() else r.size(1, 6)
    if layout == "heads":
        value_size = size
    hidden, value_hidden, total = heads * size, heads * value_size, past + kv_length
    if layout == "flat":
        key, value = r.floats(batch, kv_length, hidden), r.floats(batch, kv_length, value_hidden)
    else:
        key, value = r.floats(batch, heads, kv_length, size), r.floats(batch, heads, kv_length, value_size)
    bias = r.maybe(r.floats(2 * hidden + value_hidden), 0.4)
    mask = r.pick(None, r.ints(0, 2, batch, total), r.ints(1, total + 1, batch), r.ints(0, 2, batch, length, total))
    if mask is not None and mask.ndim > 1:
        mask[..., 0] = 1
    attributes = {"num_heads": heads}
    if length == kv_length and r.chance(0.4):  # else onnxruntime lets a single query look at all keys
        attributes["unidirectional"] = 1
    if r.chance(0.3):
        attributes["scale"] = 0.3
    if r.chance(0.3):
        attributes["mask_filter_value"] = -50.0
    inputs = [r.floats(batch, length, hidden), key, value, bias, mask,
              r.maybe(r.floats(r.pick(1, batch), r.pick(1, heads), length, total), 0.3),
              r.floats(batch, heads, past, size) if past else None, r.floats(batch, heads, past, value_size) if past else None]
    return Case(inputs, attributes, outputs=3, wanted=(0, 1, 2) if past or (layout == "flat" and r.chance()) else (0,))

@operator
def RotaryEmbedding(r):
    batch, heads, length, places = r.size(1, 3), r.size(1, 4), r.size(1, 6), 20
    half = r.size(1, 4)
    size = 2 * half
    attributes = {"interleaved": int(r.chance())}
    form = r.pick("flat", "heads", "partial")
    if form == "partial":  # some features are left as they are
        size += 2 * r.size(1, 3)
        attributes.update(rotary_embedding_dim=2 * half, num_heads=heads)
    dtype = r.pick(np.float32, np.float16)
    x = r.floats(batch, heads, length, size, dtype=dtype) if form == "heads" else r.floats(batch, length, heads * size, dtype=dtype)
    positions = r.ints(0, places, batch, length, dtype=np.int64) if r.chance() else r.ints(0, places - length, 1, dtype=np.int64)
    angles = r.rng.uniform(0, 6, (places, half))
    return Case([x, positions, np.cos(angles).astype(dtype), np.sin(angles).astype(dtype)], attributes,
                relative=2e-5 if dtype == np.float32 else 4e-3, constants=(2, 3))


@operator
def GroupQueryAttention(r):
    batch, kv_heads, group, size = r.size(1, 3), r.size(1, 3), r.size(1, 3), 16
    heads = kv_heads * group
    prompt = r.chance(0.4)
    length = r.size(1, 6) if prompt else 1
    if not prompt and r.chance(0.3):
        batch, length = 1, r.size(2, 4)  # onnxruntime takes several new tokens for a single row only
    dtype = r.pick(np.float32, np.float32, np.float16)
    if prompt:
        total, last = length, np.full(batch, length - 1, np.int32)
        past = 0
    else:
        past = r.size(1, 8)
        total = past + length
        last = r.ints(length, total, batch) if batch > 1 else np.array([total - 1], np.int32)
        last[0] = total - 1
    q, k, v = (r.floats(batch, length, n * size, dtype=dtype) for n in (heads, kv_heads, kv_heads))
    attributes = {"num_heads": heads, "kv_num_heads": kv_heads}
    rotary = r.chance()
    half = size // 2
    angles = r.rng.uniform(0, 6, (24, half))
    if rotary:
        attributes.update(do_rotary=1, rotary_interleaved=int(r.chance()))
    if r.chance(0.3):
        attributes["local_window_size"] = r.size(1, 4)
    if r.chance(0.3):
        attributes["softcap"] = 2.0
    if r.chance(0.3):
        attributes["scale"] = 0.3
    if r.chance(0.2):
        attributes["smooth_softmax"] = 1
    packed = r.chance()
    caches = [r.floats(batch, kv_heads, past, size, dtype=dtype) for _ in range(2)] if past else [None, None]
    sink = r.maybe(r.floats(heads, dtype=dtype), 0.2) if "smooth_softmax" not in attributes else None
    bias = r.maybe(r.floats(r.pick(1, batch), r.pick(1, heads), length, total, dtype=dtype), 0.3)
    inputs = [np.concatenate([q, k, v], axis=2) if packed else q, None if packed else k, None if packed else v, *caches, last,
              np.int32(total), np.cos(angles).astype(dtype) if rotary else None, np.sin(angles).astype(dtype) if rotary else None,
              None, bias, sink]
    case = Case(inputs, attributes, outputs=3, relative=3e-5 if dtype == np.float32 else 6e-3)
    if len(set(last.tolist())) > 1:
        case.ignored = (1, 2)  # what the caches hold behind a shorter row is nobody's business
    return case


# --- quantised --------------------------------------------------------------------------------------------------------


def _qtype(r):
    return r.pick(np.uint8, np.int8)


def _broadcast_shapes(r):
    shape = [r.size() for _ in range(r.size(1, 4))]
    other = [1 if r.chance(0.3) else n for n in shape][r.size(0, len(shape) - 1):]
    return (shape, other) if r.chance() else (other, shape)


def _qlinear_binary(r, low, high):
    dtype = _qtype(r)
    a, b = _broadcast_shapes(r)
    zeros = [r.maybe(r.zero(dtype), 0.8) for _ in range(3)]
    return Case([r.quantized(*a, dtype=dtype), r.scale(), zeros[0], r.quantized(*b, dtype=dtype), r.scale(), zeros[1],
                 r.scale(low, high), zeros[2]], steps=1, theirs={i: dtype(0) for i in (2, 5, 7)})


@operator
def QLinearAdd(r):
    return _qlinear_binary(r, 0.02, 0.3)


@operator
def QLinearMul(r):
    return _qlinear_binary(r, 0.02, 0.3)


def _qlinear_unary(r, shape, low, high, attributes=None, steps=1):
    dtype = _qtype(r)
    return Case([r.quantized(*shape, dtype=dtype), r.scale(), r.maybe(r.zero(dtype), 0.8), r.scale(low, high),
                 r.maybe(r.zero(dtype), 0.8)], attributes or {}, steps=steps, constants=(1, 2, 3, 4),
                theirs={i: dtype(0) for i in (2, 4)})


@operator
def QLinearSigmoid(r):
    return _qlinear_unary(r, [r.size(), r.size(1, 20)], 0.002, 0.01)


@operator
def QLinearLeakyRelu(r):
    return _qlinear_unary(r, [r.size(), r.size(1, 20)], 0.01, 0.1, {"alpha": r.pick(0.01, 0.3)} if r.chance() else {})


@operator
def QLinearSoftmax(r):
    shape = [r.size() for _ in range(r.size(1, 4))]
    opset = r.pick(11, 13)
    case = _qlinear_unary(r, shape, 0.003, 0.01, {"axis": int(r.rng.integers(-len(shape), len(shape))), "opset": opset})
    dtype = case.inputs[0].dtype.type
    case.inputs[4] = r.zero(dtype)
    return case


@operator
def QLinearAveragePool(r):
    rank = r.pick(1, 2, 2)
    kernel = [r.size(1, 3) for _ in range(rank)]
    attributes = {**_windows(r, kernel, dilated=False), "count_include_pad": int(r.chance())}
    space = [r.size(4, 9) for _ in range(rank)]
    if rank == 2 and r.chance():
        attributes["channels_last"] = 1
    shape = [r.size(1, 2), *space, r.size(1, 5)] if "channels_last" in attributes else [r.size(1, 2), r.size(1, 5), *space]
    return _qlinear_unary(r, shape, 0.005, 0.1, attributes)


@operator
def QLinearGlobalAveragePool(r):
    channels_last = r.chance()
    space = [r.size(1, 6), r.size(1, 6)]
    shape = [r.size(1, 3), *space, r.size()] if channels_last else [r.size(1, 3), r.size(), *space]
    case = _qlinear_unary(r, shape, 0.005, 0.1, {"channels_last": int(channels_last)})
    dtype = case.inputs[0].dtype.type
    case.inputs[2], case.inputs[4] = r.zero(dtype), r.zero(dtype)
    return case


@operator
def QLinearConcat(r):
    dtype = _qtype(r)
    shape = [r.size() for _ in range(r.size(1, 3))]
    axis = int(r.rng.integers(-len(shape), len(shape)))
    inputs = [r.scale(), r.zero(dtype)]
    for _ in range(r.size(1, 3)):
        part = list(shape)
        part[axis] = r.size()
        inputs += [r.quantized(*part, dtype=dtype), r.scale(), r.zero(dtype)]
    return Case(inputs, {"axis": axis}, steps=1, constants=tuple(i for i in range(len(inputs)) if i < 2 or i % 3 != 2))


@operator
def QLinearWhere(r):
    dtype = _qtype(r)
    x, y = _broadcast_shapes(r)
    condition = [1 if r.chance(0.3) else n for n in np.broadcast_shapes(x, y)]
    return Case([r.ints(0, 2, *condition).astype(bool), r.quantized(*x, dtype=dtype), r.scale(), r.zero(dtype),
                 r.quantized(*y, dtype=dtype), r.scale(), r.zero(dtype), r.scale(), r.zero(dtype)], steps=1,
                constants=(2, 3, 5, 6, 7, 8))


@operator
def QLinearConv(r):
    x, w, attributes = _convolution(r, 2)
    channels_last = r.chance()
    if channels_last:
        x = [x[0], *x[2:], x[1]]
        attributes["channels_last"] = 1
    filters = w[0]
    per_filter = r.chance()
    dtype = np.uint8
    w_scale = r.rng.uniform(0.005, 0.05, filters).astype(np.float32) if per_filter else r.scale(0.005, 0.05)
    w_zero = np.zeros(filters, np.int8) if per_filter else np.int8(0)
    return Case([r.quantized(*x, dtype=dtype), r.scale(), r.zero(dtype), r.weights(*w, dtype=np.int8), w_scale, w_zero,
                 r.scale(0.05, 0.3), r.zero(dtype), r.maybe(r.ints(-500, 500, filters))], attributes, steps=1,
                constants=tuple(range(1, 9)))


@operator
def NhwcMaxPool(r):
    attributes = _windows(r, [r.size(1, 3), r.size(1, 3)])
    kernel = attributes.setdefault("kernel_shape", [2, 2])
    if "pads" in attributes:
        attributes["pads"] = [min(pad, kernel[i % 2] - 1) for i, pad in enumerate(attributes["pads"])]
    return Case([r.quantized(r.size(1, 2), r.size(6, 10), r.size(6, 10), r.size(1, 5), dtype=_qtype(r))], attributes)


@operator
def DynamicQuantizeMatMul(r):
    m, k, n = r.size(1, 12), r.size(1, 40), r.size(1, 12)
    dtype = _qtype(r)
    per_column = r.chance()
    scale = r.rng.uniform(0.005, 0.05, n).astype(np.float32) if per_column else r.scale()
    zero = r.quantized(*([n] if per_column else []), dtype=dtype)
    return Case([r.floats(*([r.size(1, 3)] if r.chance() else []), m, k), r.weights(k, n, dtype=dtype), scale, r.maybe(zero),
                 r.maybe(r.floats(n))], constants=(1,), relative=1e-4)


@operator
def MatMulIntegerToFloat(r):
    m, k, n = r.size(1, 12), r.size(1, 40), r.size(1, 12)
    a, b = r.pick((np.uint8, np.uint8), (np.uint8, np.int8), (np.int8, np.int8))
    per_column = r.chance()
    scale = r.rng.uniform(0.005, 0.05, n).astype(np.float32) if per_column else r.scale()
    zero = r.quantized(*([n] if per_column else []), dtype=b)
    return Case([r.quantized(*([r.size(1, 3)] if r.chance() else []), m, k, dtype=a), r.weights(k, n, dtype=b), r.scale(), scale,
                 r.maybe(r.zero(a)), r.maybe(zero), r.maybe(r.floats(n))], relative=1e-4)


@operator
def QGemm(r):
    m, k, n = r.size(1, 12), r.size(1, 40), r.size(1, 12)
    a, b = r.pick((np.uint8, np.uint8), (np.uint8, np.int8), (np.int8, np.int8))
    trans_a, trans_b = r.chance(), r.chance()
    per_column = r.chance()
    scale = r.rng.uniform(0.005, 0.05, n).astype(np.float32) if per_column else r.scale()
    zero = np.zeros(n, b) if per_column else r.zero(b)
    quantized = r.chance()
    return Case([r.quantized(*([k, m] if trans_a else [m, k]), dtype=a), r.scale(), r.zero(a),
                 r.weights(*([n, k] if trans_b else [k, n]), dtype=b), scale, zero,
                 r.maybe(r.ints(-500, 500, *r.pick((n,), (m, n), (1, n)))), r.scale(0.5, 2) if quantized else None,
                 r.zero(a) if quantized else None],
                {"alpha": r.pick(1.0, 0.5), "transA": int(trans_a), "transB": int(trans_b)}, relative=1e-4, steps=1)


@operator
def QAttention(r):
    batch, length, features, heads, size = r.size(1, 3), r.size(1, 6), r.size(1, 9), r.size(1, 4), r.size(1, 6)
    past = r.size(1, 5) if r.chance(0.4) else 0
    hidden = heads * size
    weight = _qtype(r)
    per_column = r.chance()
    scale = r.rng.uniform(0.002, 0.01, 3 * hidden).astype(np.float32) if per_column else r.scale(0.002, 0.01)
    zero = np.zeros(3 * hidden, weight) if per_column else r.zero(weight)
    attributes = {"num_heads": heads}
    if r.chance():
        attributes["unidirectional"] = 1
    inputs = [r.quantized(batch, length, features), r.weights(features, 3 * hidden, dtype=weight), r.floats(3 * hidden), r.scale(0.005, 0.02),
              scale, _mask(r, batch, length, past + length), r.maybe(r.zero(np.uint8)), r.maybe(zero),
              r.floats(2, batch, heads, past, size) if past else None]
    return Case(inputs, attributes, outputs=2, wanted=(0, 1) if past or r.chance() else (0,), constants=(1, 2), relative=2e-4)

@operator
def DynamicQuantizeLSTM(r):
    length, batch, width, hidden = r.size(1, 5), r.size(1, 3), r.size(1, 6), r.size(1, 5)
    direction = r.pick("forward", "reverse", "bidirectional")
    directions = 2 if direction == "bidirectional" else 1
    dtype = _qtype(r)
    per_gate = r.chance()
    shape = (directions, 4 * hidden) if per_gate else (directions,)
    inputs = [r.floats(length, batch, width), r.weights(directions, width, 4 * hidden, dtype=dtype),
              r.weights(directions, hidden, 4 * hidden, dtype=dtype), r.maybe(r.floats(directions, 8 * hidden)),
              r.maybe(r.ints(1, length + 1, batch)), r.maybe(r.floats(directions, batch, hidden, scale=0.5)),
              r.maybe(r.floats(directions, batch, hidden, scale=0.5)), r.maybe(r.floats(directions, 3 * hidden), 0.3)]
    for _ in range(2):
        zero = np.full(shape, 128 if dtype == np.uint8 else 0, dtype)
        inputs += [r.rng.uniform(0.002, 0.008, shape).astype(np.float32), zero]
    # onnxruntime rounds the inputs of its products to 8 bits.
    return Case(inputs, {"hidden_size": hidden, "direction": direction}, outputs=3, constants=(1, 2, 8, 9, 10, 11), relative=0.1)


def _packed(r, rows, numbers, bits):
    """Rows of numbers of `bits` bits, packed into bytes."""
    return r.quantized(rows, -(-numbers * bits // 8))


@operator
def MatMulNBits(r):
    bits = r.pick(4, 4, 4, 8, 2)
    m, n, k, block = r.size(1, 5), r.size(1, 20), r.size(1, 90), r.pick(16, 32)
    if bits == 2:
        k = block * r.size(1, 4)
    blocks = -(-k // block)
    dtype = r.pick(np.float32, np.float32, np.float16)
    zeros = None
    if r.chance():
        zeros = r.pick(_packed(r, n, blocks, bits), r.floats(n, blocks, dtype=dtype, scale=3)) if bits == 4 else _packed(r, n, blocks, bits)
    b = r.quantized(n, blocks, block * bits // 8)
    scales = r.rng.uniform(0.01, 0.1, (n, blocks)).astype(dtype)
    return Case([r.floats(*([r.size(1, 3)] if r.chance() else []), m, k, dtype=dtype), b, scales, zeros, None, r.maybe(r.floats(n, dtype=dtype), 0.3)],
                {"K": k, "N": n, "bits": bits, "block_size": block}, constants=(1, 2, 3, 5), relative=1e-4 if dtype == np.float32 else 6e-3)


@operator
def MatMulBnb4(r):
    m, n, k, block = r.size(1, 5), r.size(1, 12), 2 * r.size(1, 40), r.pick(16, 32, 64)
    return Case([r.floats(*([r.size(1, 3)] if r.chance() else []), m, k), r.quantized((n * k + 1) // 2),
                 r.rng.uniform(0.1, 2, -(-n * k // block)).astype(np.float32)],
                {"K": k, "N": n, "block_size": block, "quant_type": int(r.chance())}, constants=(1, 2), relative=1e-4)


@operator
def GatherBlockQuantized(r):
    bits = r.pick(4, 4, 8)
    rows, columns, block = r.size(2, 9), 32 * r.size(1, 3), r.pick(16, 32)
    blocks = columns // block
    dtype = r.pick(np.float32, np.float16)
    zeros = r.maybe(_packed(r, rows, blocks, bits))
    return Case([_packed(r, rows, columns, bits), r.ints(-rows, rows, r.size(1, 3), r.size(1, 4), dtype=r.pick(np.int32, np.int64)),
                 r.rng.uniform(0.01, 0.1, (rows, blocks)).astype(dtype), zeros],
                {"bits": bits, "block_size": block, "gather_axis": 0, "quantize_axis": 1}, constants=(0, 2, 3),
                relative=2e-5 if dtype == np.float32 else 2e-3)

@operator
def QEmbedLayerNormalization(r):
    batch, length, width, words, places = r.size(), r.size(), r.size(2, 40), r.size(3, 30), r.size(9, 20)
    dtype = np.uint8
    segments = r.chance()
    tables = [r.quantized(n, width, dtype=dtype) for n in (words, places)]
    tables.append(r.quantized(2, width, dtype=dtype) if segments else None)
    tables += [r.quantized(width, dtype=dtype) for _ in range(2)]
    scales = [None if table is None else r.scale() for table in tables]
    zeros = [None if table is None else r.zero(dtype) for table in tables]
    mask = r.maybe(r.ints(0, 2, batch, length))
    return Case([r.ints(0, words, batch, length), r.ints(0, 2, batch, length) if segments else None, *tables, mask, *scales, *zeros],
                {"epsilon": 1e-5} if r.chance() else {}, outputs=2, constants=tuple(range(2, 7)) + tuple(range(8, 18)), relative=1e-4)


# --- others -----------------------------------------------------------------------------------------------------------


@operator
def QuantizeLinear(r):
    per_axis = r.chance()
    shape = [r.size(), r.size(), r.size()]
    dtype = r.pick(np.uint8, np.int8, np.uint16, np.int16)
    axis = r.size(0, 2)
    scale = r.rng.uniform(0.01, 0.1, shape[axis]).astype(np.float32) if per_axis else r.scale()
    return Case([r.floats(*shape), scale, r.quantized(*([shape[axis]] if per_axis else []), dtype=dtype)], {"axis": axis} if per_axis else {},
                steps=1)


@operator
def DequantizeLinear(r):
    per_axis = r.chance()
    shape = [r.size(), r.size(), r.size()]
    dtype = r.pick(np.uint8, np.int8, np.uint16, np.int16)
    axis = r.size(0, 2)
    scale = r.rng.uniform(0.01, 0.1, shape[axis]).astype(np.float32) if per_axis else r.scale()
    return Case([r.quantized(*shape, dtype=dtype), scale, r.maybe(r.quantized(*([shape[axis]] if per_axis else []), dtype=dtype))],
                {"axis": axis} if per_axis else {})


@operator
def CDist(r):
    width = r.size(1, 20)
    dtype = r.pick(np.float32, np.float64)
    return Case([r.floats(r.size(), width, dtype=dtype), r.floats(r.size(), width, dtype=dtype)], {"metric": r.pick("euclidean", "sqeuclidean")},
                relative=1e-4)


@operator
def ExpandDims(r):
    shape = [r.size() for _ in range(r.size(0, 3))]
    return Case([r.floats(*shape), np.int32(r.rng.integers(-len(shape) - 1, len(shape) + 1))], constants=(1,))


@operator
def GatherND(r):
    data, depth = r.floats(4, 5, 6), r.size(1, 3)
    return Case([data, r.ints(-4, 4, r.size(), r.size(), depth, dtype=r.pick(np.int32, np.int64))])


@operator
def GridSample(r):
    shape = r.size(1, 2), r.size(1, 3), r.size(2, 8), r.size(2, 8)
    grid = r.rng.uniform(-1.3, 1.3, (shape[0], r.size(), r.size(), 2)).astype(np.float32)
    mode = r.pick("bilinear", "bicubic", "nearest")
    # onnxruntime's bicubic lets go of the border later than ONNX's reference does, in ai.onnx too.
    padding = r.pick("zeros", "border", "reflection") if mode != "bicubic" else r.pick("zeros", "reflection")
    return Case([r.floats(*shape), grid], {"mode": mode, "align_corners": int(r.chance()), "padding_mode": padding})


@operator
def Inverse(r):
    n = r.size(1, 6)
    dtype = r.pick(np.float32, np.float64)
    batch = [r.size(1, 3) for _ in range(r.size(0, 2))]
    return Case([(r.floats(*batch, n, n) + 4 * np.eye(n)).astype(dtype)], relative=1e-4)


@operator
def Pad(r):
    rank = r.size(1, 4)
    pads = r.ints(0, 3, 2 * rank, dtype=np.int64)
    if r.chance(0.3):
        pads = pads[None]
    return Case([r.floats(*[r.size(3, 5) for _ in range(rank)]), pads, r.maybe(r.floats(1))], {"mode": r.pick("constant", "edge", "reflect")})


@operator
def Range(r):
    dtype = r.pick(np.int32, np.int64, np.float32, np.float64)
    form = (lambda x: np.array([x], dtype)) if r.chance() else dtype
    return Case([form(r.size()), form(r.size(5, 20)), r.maybe(form(r.size(1, 3)))])


@operator
def Trilu(r):
    dtype = r.pick(np.float32, np.float64, np.int64)
    return Case([r.floats(*[r.size() for _ in range(r.size(2, 4))], scale=9).astype(dtype), r.maybe(np.array(r.size(0, 4) - 2, np.int64))],
                {"upper": int(r.chance())})


# --- the comparison ---------------------------------------------------------------------------------------------------


def onnx_output_shape(op_type, inputs, attributes):
    """The shape that an operator of ai.onnx gives."""
    nodes = [helper.make_node(op_type, [f"i{n}" for n in range(len(inputs))], ["y"], **attributes)]
    graph = helper.make_graph(nodes, "shape", [value_of(f"i{n}", x.dtype, x.shape) for n, x in enumerate(inputs)],
                              [helper.make_empty_tensor_value_info("y")])
    made = onnx.shape_inference.infer_shapes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]))
    return [dim.dim_value for dim in made.graph.output[0].type.tensor_type.shape.dim]


def value_of(name, dtype, shape):
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), list(shape))


def build(op_type, case, arrays, r):
    """The model of one case on these inputs, and what to feed it."""
    names, inputs, constants, feeds = [], [], [], {}
    for i, array in enumerate(arrays):
        names.append("" if array is None else f"x{i}")
        if array is None:
            continue
        array = np.asarray(array)
        is_constant, symbolic = r.chance(0.3), r.chance()
        if i in case.constants or is_constant:
            constants.append(numpy_helper.from_array(array, f"x{i}"))
            continue
        inputs.append(value_of(f"x{i}", array.dtype, [f"d{i}_{k}" if symbolic and r.chance() else n for k, n in enumerate(array.shape)]))
        feeds[f"x{i}"] = array
    while names and not names[-1]:
        names.pop()
    wanted = range(case.outputs) if case.wanted is None else case.wanted
    outputs = [f"y{i}" if i in wanted else "" for i in range(max(wanted) + 1)]
    node = helper.make_node(op_type, names, outputs, name="node", domain=case.domain, **case.attributes)
    graph = helper.make_graph([node], "case", inputs, [helper.make_empty_tensor_value_info(f"y{i}") for i in wanted], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)], ir_version=8)
    return model, feeds


def distance(found, expected, case):
    """How far apart two results are, in units of what is allowed."""
    assert found.dtype == expected.dtype and found.shape == expected.shape, (found.dtype, found.shape, expected.dtype, expected.shape)
    if expected.size == 0:
        return 0.0
    apart = np.abs(found.astype(np.float64) - expected.astype(np.float64)).max()
    if expected.dtype.kind in "iub":
        return apart / case.steps if case.steps else (0.0 if apart == 0 else np.inf)
    # Inputs are of size one: what cancels to less than a hundredth was rounded before.
    return apart / (case.relative * max(np.abs(expected).max(), 1e-2))


def infer(model):
    inferred = shipway.shape_inference.infer_shapes(model)
    return {value.name: value.type.tensor_type for value in inferred.graph.output}


def compare(op_type, number):
    """The largest distance of one case's outputs, by engine and by reference."""
    r = Random(SEED, zlib.crc32(op_type.encode()), number)
    case = OPERATORS[op_type](r)
    model, feeds = build(op_type, case, case.inputs, r)
    filled = [case.theirs.get(i) if array is None else array for i, array in enumerate(case.inputs)]
    theirs, their_feeds = build(op_type, case, filled, r)
    data = model.SerializeToString()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    expected = onnxruntime.InferenceSession(theirs.SerializeToString(), options).run(None, their_feeds)
    worst = 0.0
    for reference in (False, True):
        found = shipway.InferenceSession(data, reference=reference).run(None, feeds)
        for i, (ours, right) in enumerate(zip(found, expected, strict=True)):
            apart = distance(ours, right, case)
            if i in case.ignored:
                continue
            assert apart <= 1, (f"case {number}, {'reference' if reference else 'engine'}: {apart} times what is allowed\n"
                                f"{helper.printable_graph(model.graph)}\n{ours}\n{right}")
            worst = max(worst, apart)
    types = infer(model)
    for name, right in zip([output.name for output in model.graph.output], expected, strict=True):
        inferred = types[name]
        assert inferred.elem_type == helper.np_dtype_to_tensor_dtype(right.dtype), f"case {number}: {name}"
        assert not inferred.HasField("shape") or len(inferred.shape.dim) == right.ndim, f"case {number}: {name}"
        for dim, size in zip(inferred.shape.dim, right.shape):
            assert not dim.HasField("dim_value") or dim.dim_value == size, f"case {number}: {name}"
    return worst


@pytest.mark.parametrize("op_type", sorted(OPERATORS))
def test_gives_what_onnxruntime_gives(op_type):
    for number in range(CASES):
        compare(op_type, number)


# --- what onnxruntime runs on other devices, or with other dtypes, only -------------------------------------------------


def run(op_type, case, r, reference):
    model, feeds = build(op_type, case, case.inputs, r)
    return shipway.InferenceSession(model.SerializeToString(), reference=reference).run(None, feeds)


ELSEWHERE = {}


def elsewhere(function):
    """A case that onnxruntime has no kernel for here: function(r) gives it and the outputs, by formula."""
    ELSEWHERE[function.__name__] = function
    return function


def gelu(x):
    return np.array([v * 0.5 * (1 + math.erf(v / math.sqrt(2))) for v in x.astype(np.float64).ravel()]).reshape(x.shape)


@elsewhere
def BiasAdd(r):
    x, bias, skip = r.floats(2, 5, 8), r.floats(8), r.floats(2, 5, 8)
    return Case([x, bias, skip]), [x + bias + skip]


@elsewhere
def BiasSplitGelu(r):
    width = 2 * r.size(1, 6)
    x, bias = r.floats(2, 5, width), r.floats(width)
    left, right = np.split((x + bias).astype(np.float64), 2, axis=-1)
    return Case([x, bias]), [left * gelu(right)]


def normalize_groups(x, gamma, beta, groups, epsilon, swish):
    """Of N H W C."""
    n, h, w, c = x.shape
    parts = x.astype(np.float64).reshape(n, h, w, groups, c // groups)
    mean, variance = parts.mean((1, 2, 4), keepdims=True), parts.var((1, 2, 4), keepdims=True)
    y = ((parts - mean) / np.sqrt(variance + epsilon)).reshape(x.shape) * gamma + beta
    return y / (1 + np.exp(-y)) if swish else y


@elsewhere
def GroupNorm(r):
    groups = r.size(1, 3)
    channels = groups * r.size(1, 4)
    x, gamma, beta, swish = r.floats(2, 4, 3, channels), r.floats(channels), r.floats(channels), int(r.chance())
    channels_last = int(r.chance())
    case = Case([x if channels_last else x.transpose(0, 3, 1, 2).copy(), gamma, beta],
                {"groups": groups, "activation": swish, "epsilon": 1e-3, "channels_last": channels_last})
    y = normalize_groups(x, gamma, beta, groups, 1e-3, swish)
    return case, [y if channels_last else y.transpose(0, 3, 1, 2)]


@elsewhere
def SkipGroupNorm(r):
    groups = r.size(1, 3)
    channels = groups * r.size(1, 4)
    x, gamma, beta, swish = r.floats(2, 4, 3, channels), r.floats(channels), r.floats(channels), int(r.chance())
    skip, bias = r.floats(*r.pick((2, 4, 3, channels), (2, 1, 1, channels), (2, channels))), r.maybe(r.floats(channels))
    total = x + (skip if skip.ndim == 4 else skip[:, None, None]) + (0 if bias is None else bias)
    return (Case([x, gamma, beta, skip, bias], {"groups": groups, "activation": swish, "epsilon": 1e-3}, outputs=2),
            [normalize_groups(total, gamma, beta, groups, 1e-3, swish), total])


def convolve(x, w, attributes):
    """Conv of ai.onnx, by onnxruntime."""
    graph = helper.make_graph([helper.make_node("Conv", ["x", "w"], ["y"], **attributes)], "conv",
                              [value_of("x", x.dtype, x.shape), value_of("w", w.dtype, w.shape)], [helper.make_empty_tensor_value_info("y")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": x, "w": w})[0]


@elsewhere
def NhwcConv(r):
    x_shape, w_shape, attributes = _convolution(r, 2)
    x, w, bias = r.floats(*x_shape), r.floats(*w_shape), r.floats(w_shape[0])
    y = convolve(x, w, attributes).transpose(0, 2, 3, 1) + bias
    return Case([x.transpose(0, 2, 3, 1).copy(), w.transpose(0, 2, 3, 1).copy(), bias], attributes), [y]


@elsewhere
def NhwcFusedConv(r):
    x_shape, w_shape, attributes = _convolution(r, 2)
    x, w, bias = r.floats(*x_shape), r.floats(*w_shape), r.floats(w_shape[0])
    y = convolve(x, w, attributes).transpose(0, 2, 3, 1) + bias
    z = r.floats(*y.shape)
    return (Case([x.transpose(0, 2, 3, 1).copy(), w, bias, z], {**attributes, "activation": "Relu"}), [np.maximum(y + z, 0)])


@elsewhere
def QLinearReduceMean(r):
    dtype, axis, keep = _qtype(r), r.size(0, 2), int(r.chance())
    x, x_scale, x_zero, y_scale, y_zero = r.quantized(3, 4, 5, dtype=dtype), r.scale(), r.zero(dtype), r.scale(), r.zero(dtype)
    mean = ((x.astype(np.float64) - float(x_zero)) * float(x_scale)).mean(axis, keepdims=bool(keep))
    info = np.iinfo(dtype)
    y = np.clip(np.rint(mean / float(y_scale)) + float(y_zero), info.min, info.max).astype(dtype)
    return Case([x, x_scale, x_zero, y_scale, y_zero], {"axes": [axis], "keepdims": keep}, steps=1), [y]


@elsewhere
def MultiHeadAttention(r):
    """Queries, keys and values in one tensor, or keys and values: as onnxruntime gives it for three."""
    batch, length, heads, size = r.size(1, 3), r.size(1, 6), r.size(1, 4), r.size(1, 6)
    all_in_one = r.chance()
    total = length if all_in_one else r.size(1, 6)
    q, k, v = (r.floats(batch, n, heads, size) for n in (length, total, total))
    mask = r.maybe(np.concatenate([np.ones((batch, 1), np.int32), r.ints(0, 2, batch, total)], 1)[:, :total])
    attributes = {"num_heads": heads}
    flat = Case([x.reshape(*x.shape[:2], -1) for x in (q, k, v)] + [None, mask], attributes)
    model, feeds = build("MultiHeadAttention", flat, flat.inputs, r)
    expected = onnxruntime.InferenceSession(model.SerializeToString()).run(None, feeds)
    if all_in_one:
        return Case([np.stack([q, k, v], 3), None, None, None, mask], attributes), expected
    return Case([flat.inputs[0], np.stack([k, v], 3), None, None, mask], attributes), expected


@pytest.mark.parametrize("op_type", sorted(ELSEWHERE))
def test_gives_what_its_formula_says(op_type):
    for number in range(CASES):
        r = Random(SEED, zlib.crc32(op_type.encode()), 1000 + number)
        case, expected = ELSEWHERE[op_type](r)
        for reference in (False, True):
            for ours, right in zip(run(op_type, case, r, reference), expected, strict=True):
                assert distance(ours, right.astype(ours.dtype), case) <= 1, f"case {number}"


HALVES = ["Attention", "BiasGelu", "EmbedLayerNormalization", "FastGelu", "FusedConv", "FusedGemm", "FusedMatMul", "Gelu", "Inverse", "MultiHeadAttention",
          "Pad", "QuickGelu"]


@pytest.mark.parametrize("op_type", HALVES)
def test_float16_is_near_what_onnxruntime_gives_for_float(op_type):
    for number in range(CASES):
        r = Random(SEED, zlib.crc32(op_type.encode()), 2000 + number)
        case = OPERATORS[op_type](r)
        halves = [x.astype(np.float16) if x is not None and np.asarray(x).dtype.kind == "f" else x for x in case.inputs]
        floats = [x.astype(np.float32) if x is not None and np.asarray(x).dtype == np.float16 else x for x in halves]
        model, feeds = build(op_type, case, floats, r)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        expected = onnxruntime.InferenceSession(model.SerializeToString(), options).run(None, feeds)
        case.inputs, case.relative = halves, 0.02  # each step of a body rounds
        for reference in (False, True):
            for ours, right in zip(run(op_type, case, r, reference), expected, strict=True):
                if right.dtype == np.float32:
                    assert ours.dtype == np.float16
                    right = right.astype(np.float16)
                assert distance(ours, right, case) <= 1, f"case {number}"


# --- what onnxruntime's optimiser writes ------------------------------------------------------------------------------


class Graph:
    """A model under construction: every method adds one piece and gives its output."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.nodes, self.constants = [], []

    def node(self, op_type, *inputs, **attributes):
        output = f"{op_type.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(op_type, inputs, [output], name=f"{output}_node", **attributes))
        return output

    def constant(self, array):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def weight(self, *shape):
        return self.constant((self.rng.standard_normal(shape) / np.sqrt(shape[0])).astype(np.float32))

    def linear(self, x, columns_in, columns_out):
        return self.node("Add", self.node("MatMul", x, self.weight(columns_in, columns_out)), self.weight(columns_out))

    def norm(self, x, width):
        return self.node("LayerNormalization", x, self.weight(width), self.weight(width), axis=-1, epsilon=1e-5)

    def gelu(self, x):
        erf = self.node("Erf", self.node("Div", x, self.constant(np.float32(np.sqrt(2)))))
        gate = self.node("Add", erf, self.constant(np.float32(1)))
        return self.node("Mul", self.node("Mul", x, gate), self.constant(np.float32(0.5)))

    def conv(self, x, channels_in, channels_out, size=3):
        w = self.constant((self.rng.standard_normal((channels_out, channels_in, size, size)) / (size * np.sqrt(channels_in))).astype(np.float32))
        return self.node("Conv", x, w, self.weight(channels_out), kernel_shape=[size, size], pads=[size // 2] * 4)

    def model(self, inputs, output, opset=17):
        graph = helper.make_graph(self.nodes, "made", inputs, [helper.make_empty_tensor_value_info(output)], self.constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def transformer(layers=2, width=32, heads=4):
    """An encoder like BERT, as exporters write one."""
    g = Graph(1)
    words = g.node("Gather", g.weight(50, width), "ids")
    x = g.norm(g.node("Add", words, g.weight(1, 7, width)), width)
    keep = g.node("Cast", g.node("Unsqueeze", "mask", g.constant(np.int64([1, 2]))), to=TensorProto.FLOAT)
    bias = g.node("Mul", g.node("Sub", g.constant(np.float32(1)), keep), g.constant(np.float32(-10000)))
    for _ in range(layers):
        parts = []
        for order in ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3]):
            by_head = g.node("Reshape", g.linear(x, width, width), g.constant(np.int64([0, 0, heads, width // heads])))
            parts.append(g.node("Transpose", by_head, perm=order))
        scores = g.node("Div", g.node("MatMul", parts[0], parts[1]), g.constant(np.float32(np.sqrt(width / heads))))
        shares = g.node("Softmax", g.node("Add", scores, bias), axis=-1)
        context = g.node("Transpose", g.node("MatMul", shares, parts[2]), perm=[0, 2, 1, 3])
        merged = g.node("Reshape", context, g.constant(np.int64([0, 0, width])))
        x = g.norm(g.node("Add", g.linear(merged, width, width), x), width)
        x = g.norm(g.node("Add", g.linear(g.gelu(g.linear(x, width, 2 * width)), 2 * width, width), x), width)
    feeds = {"ids": np.arange(14, dtype=np.int64).reshape(2, 7), "mask": np.int64([[1] * 7, [1] * 4 + [0] * 3])}
    inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", 7]) for name in feeds]
    return g.model(inputs, x), feeds


def convolutions():
    """Convolutions with activations and a skip connection, then a small classifier."""
    g = Graph(2)
    x = g.node("Relu", g.conv("x", 3, 8))
    x = g.node("Relu", g.node("Add", g.conv(g.node("LeakyRelu", g.conv(x, 8, 8), alpha=0.1), 8, 8), x))
    x = g.node("Clip", g.conv(x, 8, 16), g.constant(np.float32(0)), g.constant(np.float32(6)))
    x = g.node("Sigmoid", g.conv(x, 16, 4, 1))
    x = g.node("Flatten", g.node("GlobalAveragePool", x))
    x = g.node("Relu", g.node("Gemm", x, g.weight(4, 6), g.weight(6)))
    return g.model([helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 3, 12, 10])], x), {
        "x": np.random.default_rng(3).standard_normal((2, 3, 12, 10)).astype(np.float32)}


def quantized():
    """Convolutions between QuantizeLinear and DequantizeLinear, as tools of quantisation write them."""
    g = Graph(4)

    def between(x, scale, zero):
        numbers = [g.constant(np.float32(scale)), g.constant(np.uint8(zero))]
        return g.node("DequantizeLinear", g.node("QuantizeLinear", x, *numbers), *numbers)

    def conv(x, channels_in, channels_out):
        w = g.constant(g.rng.integers(-127, 128, (channels_out, channels_in, 3, 3)).astype(np.int8))
        weights = g.node("DequantizeLinear", w, g.constant(np.float32(0.004)), g.constant(np.int8(0)))
        return g.node("Conv", x, weights, pads=[1] * 4)

    x = between("x", 0.03, 128)
    a = between(conv(x, 3, 8), 0.05, 120)
    b = between(g.node("LeakyRelu", a, alpha=0.1), 0.05, 30)
    c = between(g.node("Add", between(conv(b, 8, 8), 0.05, 100), b), 0.05, 90)
    d = between(g.node("Concat", between(g.node("Sigmoid", c), 1 / 256, 0), between(g.node("Mul", c, b), 0.05, 80), axis=1), 0.04, 70)
    e = between(g.node("AveragePool", d, kernel_shape=[2, 2], strides=[2, 2]), 0.04, 70)
    y = between(g.node("GlobalAveragePool", e), 0.04, 70)
    return g.model([helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 3, 12, 10])], y), {
        "x": np.random.default_rng(5).standard_normal((2, 3, 12, 10)).astype(np.float32)}


def quantized_by(tool, model, **options):
    """The model as a function of onnxruntime.quantization makes it."""
    with tempfile.TemporaryDirectory() as folder:
        before, after = f"{folder}/before.onnx", f"{folder}/after.onnx"
        onnx.save(model, before)
        tool(before, after, **options)
        return onnx.load(after)


def dynamically_quantized():
    """The transformer with 8-bit weights and numbers that are quantised while it runs."""
    model, feeds = transformer()
    return quantized_by(quantization.quantize_dynamic, model, weight_type=quantization.QuantType.QInt8, reduce_range=True), feeds


class Calibration(quantization.CalibrationDataReader):
    """Three inputs of the convolutions."""

    def __init__(self):
        self.left = 3

    def get_next(self):
        self.left -= 1
        return None if self.left < 0 else {"x": np.random.default_rng(self.left).standard_normal((2, 3, 12, 10)).astype(np.float32)}


def statically_quantized():
    """The convolutions in operators of 8-bit numbers."""
    model, feeds = convolutions()
    return quantized_by(quantization.quantize_static, model, calibration_data_reader=Calibration(),
                        quant_format=quantization.QuantFormat.QOperator, reduce_range=True), feeds


MADE = {"transformer": (transformer, {"SkipLayerNormalization", "FusedMatMul", "BiasGelu"}, 1e-5),
        "convolutions": (convolutions, {"FusedConv", "FusedGemm"}, 1e-5),
        "dynamic": (dynamically_quantized, {"DynamicQuantizeMatMul", "MatMulIntegerToFloat", "SkipLayerNormalization"}, 0.02),  # steps of 1/255
        "static": (statically_quantized, {"QLinearAdd", "QLinearLeakyRelu", "QLinearSigmoid", "QLinearGlobalAveragePool", "QGemm"}, 0.02),
        "quantized": (quantized, {"QLinearAdd", "QLinearMul", "QLinearLeakyRelu", "QLinearSigmoid", "QLinearConcat", "QLinearAveragePool",
                                  "QLinearGlobalAveragePool"}, 0.03)}


@pytest.fixture(scope="module", params=sorted(MADE))
def optimized(request, tmp_path_factory):
    """Path of a model that onnxruntime's optimiser wrote, what to feed it, what onnxruntime gives, and the tolerance."""
    make, expected, tolerance = MADE[request.param]
    model, feeds = make()
    path = tmp_path_factory.mktemp("optimized") / "model.onnx"
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(path)
    outputs = onnxruntime.InferenceSession(model.SerializeToString(), options).run(None, feeds)
    written = {node.op_type for node in onnx.load(path).graph.node if node.domain == "com.microsoft"}
    assert expected <= written, f"onnxruntime wrote {written}"
    return path, feeds, outputs, tolerance


def test_runs_what_onnxruntime_optimised(optimized):
    path, feeds, outputs, tolerance = optimized
    for reference in (False, True):
        for ours, right in zip(shipway.InferenceSession(path, reference=reference).run(None, feeds), outputs, strict=True):
            np.testing.assert_allclose(ours, right, rtol=0, atol=tolerance * np.abs(right).max())


def test_tools_take_what_onnxruntime_optimised(optimized, command, tmp_path):
    path = optimized[0]

    def run(*arguments):
        return subprocess.run([command, *map(str, arguments)], capture_output=True, text=True, timeout=300, check=True).stdout

    assert run("check", path).strip() == "Model correct"
    assert "com.microsoft." in run("info", path)
    for verb in ("optimize", "convert"):
        copy = tmp_path / f"{verb}.onnx"
        run(verb, path, copy)
        kept = {node.op_type for node in onnx.load(copy).graph.node if node.domain == "com.microsoft"}
        assert kept, f"{verb} wrote none of com.microsoft"


# --- what only one machine can run ------------------------------------------------------------------------------------


def test_operators_of_one_cpu_are_named_with_advice(command, tmp_path):
    model, feeds = convolutions()
    path = tmp_path / "model.onnx"
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.optimized_model_filepath = str(path)
    onnxruntime.InferenceSession(model.SerializeToString(), options)
    laid_out = [node.op_type for node in onnx.load(path).graph.node if node.domain == "com.microsoft.nchwc"]
    if not laid_out:
        pytest.skip("onnxruntime lays nothing out for this CPU")
    for reference in (False, True):
        with pytest.raises(shipway.Unsupported, match=r"com\.microsoft\.nchwc.*ORT_ENABLE_EXTENDED"):
            shipway.InferenceSession(path, reference=reference).run(None, feeds)
    said = subprocess.run([command, "info", path], capture_output=True, text=True, check=True).stdout
    assert "cannot run  com.microsoft.nchwc." in said and "ORT_ENABLE_EXTENDED" in said


def test_compiled_contexts_are_named_with_advice():
    node = helper.make_node("EPContext", ["x"], ["y"], domain="com.microsoft", ep_cache_context=b"blob", embed_mode=1)
    graph = helper.make_graph([node], "blob", [value_of("x", np.float32, [1])], [value_of("y", np.float32, [1])])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)], ir_version=8)
    with pytest.raises(shipway.Unsupported, match="compiled for one accelerator; take the model that it was compiled from"):
        shipway.InferenceSession(model.SerializeToString())


WRONG = {"attribute 'bogus': the operator has no such attribute": ("FusedGemm", [[2, 3], [3, 4]], {"bogus": 1}),
         "attribute 'num_heads' is missing": ("Attention", [[2, 3, 4], [4, 12]], {}),
         "5 heads (attribute 'num_heads') do not divide 4 features": ("Attention", [[2, 3, 4], [4, 12]], {"num_heads": 5}),
         "the first factor has 3 columns, but the second has 5 rows": ("FusedGemm", [[2, 3], [5, 4]], {})}


@pytest.mark.parametrize("message", WRONG)
def test_check_names_what_is_wrong(message, command, tmp_path):
    op_type, shapes, attributes = WRONG[message]
    node = helper.make_node(op_type, ["a", "b"], ["y"], name="culprit", domain="com.microsoft", **attributes)
    graph = helper.make_graph([node], "wrong", [value_of(name, np.float32, shape) for name, shape in zip("ab", shapes)],
                              [value_of("y", np.float32, list("pqr")[:len(shapes[0])])])
    path = tmp_path / "wrong.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)], ir_version=8), path)
    checked = subprocess.run([command, "check", path], capture_output=True, text=True, check=False)
    assert checked.returncode == 1 and "culprit" in checked.stdout and message in checked.stdout, checked.stdout


# --- hostile nodes ----------------------------------------------------------------------------------------------------

EXTREMES = [0, -1, 1, 2, 7, -2**63, 2**63 - 1, 2**31, -2**31, 2**40, 2**62]


def spoil(case, r):
    """Makes one thing of a case odd: an attribute, or an input that is left out, of another shape, or extreme."""
    names = [name for name, value in case.attributes.items() if isinstance(value, (int, list)) and value != []]
    change = r.pick("attribute", "left out", "shape", "shape", "element")
    if change == "attribute" and names:
        name = r.pick(*names)
        value = case.attributes[name]
        if isinstance(value, list) and isinstance(value[0], int):
            value = value + [r.pick(*EXTREMES)] if r.chance(0.3) else value[:-1] + [r.pick(*EXTREMES)]
            case.attributes[name] = value
        elif isinstance(value, int):
            case.attributes[name] = r.pick(*EXTREMES)
        return
    i = r.size(0, len(case.inputs) - 1)
    if case.inputs[i] is None or change == "left out":
        case.inputs[i] = None
        return
    array = np.asarray(case.inputs[i])
    if change == "element" and array.dtype.kind in "iu" and array.size:
        info = np.iinfo(array.dtype)
        case.inputs[i] = array.copy()
        case.inputs[i].flat[r.size(0, array.size - 1)] = r.pick(info.min, info.max)
        return
    shape = list(array.shape)
    if shape and r.chance():
        shape[r.size(0, len(shape) - 1)] = r.pick(0, 1, 2, 5)
    else:
        shape = r.pick(shape[:-1], shape + [1], shape + [0], [], [0] * len(shape))
    case.inputs[i] = np.resize(array if array.size else np.zeros(1, array.dtype), shape).astype(array.dtype)


@pytest.mark.parametrize("op_type", sorted(OPERATORS))
def test_answers_hostile_nodes(op_type):
    for number in range(2 * CASES):
        r = Random(SEED, zlib.crc32(op_type.encode()), 3000 + number)
        case = OPERATORS[op_type](r)
        case.constants = tuple(i for i in range(len(case.inputs)) if r.chance(0.4))
        for _ in range(r.size(1, 3)):
            spoil(case, r)
        model, feeds = build(op_type, case, case.inputs, r)
        for reference in (False, True):
            try:
                shipway.InferenceSession(model.SerializeToString(), reference=reference, timeout=30, max_memory=2**30).run(None, feeds)
            except shipway.InternalError:
                raise
            except shipway.Error as error:
                assert str(error), f"case {number}"
