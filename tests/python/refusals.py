#!/usr/bin/env python3
"""What Shipway says of wrong usage: cases of the official suite, each broken in one place.

    python tests/python/refusals.py [--update]

Of every operator's cases that differ in attributes and inputs, attributes get other numbers, lists one element more or
less, names that do not exist; inputs are left out, get one axis more or less, one element more along an axis or none,
and small integers (axes, indices, shapes) other values. Each broken case is asked twice: inference of the types, and
the reference loops, which meet what no inference saw. The sentences, with # for numbers, are counted in
tests/onnx_suite/refusals.txt, and so is how many cases run; a change there is to be read, for it is what people are told.
So is what follows of cases as they are when nothing is declared of an input.
"""
import argparse
import collections
import pathlib
import re
import warnings

import numpy as np
import onnx
from onnx import AttributeProto, helper, numpy_helper

import onnx_suite
import shipway

ANSWERS = pathlib.Path(__file__).resolve().parents[1] / "onnx_suite" / "refusals.txt"
FAR = 1000  # beyond every axis, index and size of the suite


def single_node_cases(cases_of_operator=6):
    """(name, node, opset imports, inputs by name) of cases of one node whose inputs are tensors, so many of each operator
    as differ in attributes and ranks."""
    seen = collections.Counter()
    for name, case in sorted(onnx_suite.collect().items()):
        if not name.startswith("node/") or len(case.model.graph.node) != 1 or case.model.functions:
            continue
        node = case.model.graph.node[0]
        if node.op_type in ("If", "Loop", "Scan", "SequenceMap", "ImageDecoder") or node.domain == "ai.onnx.preview.training":
            continue
        _, pairs = onnx_suite.feeds_and_results(case)
        feed = pairs[0][0]
        if not all(isinstance(value, np.ndarray) for value in feed.values()):
            continue
        shape = (node.op_type, tuple(sorted(attribute.name for attribute in node.attribute)),
                 tuple(bool(input) and feed[input].ndim for input in node.input))
        seen[node.op_type] += not seen[shape]
        seen[shape] += 1
        if seen[shape] == 1 and seen[node.op_type] <= cases_of_operator:
            yield name, node, case.model.opset_import, {key: np.asarray(value) for key, value in feed.items()}


def other_attributes(node):
    """Copies of the node with one attribute changed."""
    for i, attribute in enumerate(node.attribute):
        others = [None]
        if attribute.type == AttributeProto.INT:
            others += [attribute.i + 1, attribute.i - 1, FAR, -FAR, 0]
        elif attribute.type == AttributeProto.FLOAT:
            others += [-1.0]
        elif attribute.type == AttributeProto.STRING:
            others += ["nonsense"]
        elif attribute.type == AttributeProto.INTS:
            values = list(attribute.ints)
            others += [values[:-1], values + values[-1:] or [1]]
            for j in range(len(values)):
                others += [values[:j] + [x] + values[j + 1:] for x in (-1, 0, values[j] + 1, FAR)]
        elif attribute.type == AttributeProto.FLOATS:
            others += [list(attribute.floats)[:-1], [*attribute.floats, 1.0]]
        elif attribute.type == AttributeProto.STRINGS:
            values = list(attribute.strings)
            others += [values[:-1], values + values[-1:], values[:-1] + ["nonsense"]]
        for other in others:
            changed = onnx.NodeProto()
            changed.CopyFrom(node)
            del changed.attribute[i]
            if other is not None:
                changed.attribute.append(helper.make_attribute(attribute.name, other, attr_type=attribute.type))
            yield changed


def other_values(value):
    """The array with another shape, or other elements where it holds a few integers."""
    yield value[..., np.newaxis]
    lower = value
    while lower.ndim and lower.shape[-1]:
        lower = lower[..., 0]
        yield lower
    for axis in range(value.ndim):
        if value.shape[axis]:
            yield np.concatenate([value, value.take([0], axis)], axis)
        yield value.take([], axis)
    if value.dtype.kind in "iu" and 0 < value.size <= 8:
        for i in range(value.size):
            for x in (-1, 0, FAR, -FAR, int(value.flat[i]) + 1):
                other = value.copy()
                if not np.iinfo(value.dtype).min <= x <= np.iinfo(value.dtype).max:
                    continue
                other.flat[i] = x
                yield other


def broken(node, feed):
    """(node, feed), each with one thing wrong, or only unusual."""
    for changed in other_attributes(node):
        yield changed, feed
    for i, name in enumerate(node.input):
        if not name:
            continue
        changed = onnx.NodeProto()
        changed.CopyFrom(node)
        changed.input[i] = ""
        yield changed, feed
        for value in other_values(feed[name]):
            yield node, {**feed, name: value}


def model_of(node, imports, feed, open_inputs=()):
    """A model of the node. Not even the rank of these inputs is declared; of the others, small ones are known."""
    inputs, initializers = [], []
    for name in dict.fromkeys(node.input):
        if not name:
            continue
        tensor = numpy_helper.from_array(feed[name], name)
        if name not in open_inputs and feed[name].size <= 8 and feed[name].dtype.kind not in "OU":
            initializers.append(tensor)
        else:
            inputs.append(helper.make_tensor_value_info(name, tensor.data_type, None if name in open_inputs else tensor.dims))
    outputs = [onnx.ValueInfoProto(name=name) for name in node.output if name]
    graph = helper.make_graph([node], "broken", inputs, outputs, initializers)
    return helper.make_model(graph, opset_imports=imports, ir_version=10)


def sentence(error):
    """An error without the node that it is about, and without numbers."""
    text = re.sub(r"^(?:.*?: )?(?:node '[^']*'|node #\d+) \([^)]*\): ", "", str(error)).replace("\n", " ")
    return re.sub(r"scalar|-?\d+(?:x-?\d+)*", "#", text)


def inferred(node, imports, feed, open_inputs=()):
    """The outputs' types, (dtype, sizes) with None for what is not known; or a sentence."""
    try:
        model = shipway.shape_inference.infer_shapes(model_of(node, imports, feed, open_inputs), strict_mode=True, data_prop=True)
    except shipway.Error as error:
        return sentence(error)
    kinds = [info.type.tensor_type for info in model.graph.output if info.type.HasField("tensor_type")]
    return [(kind.elem_type and helper.tensor_dtype_to_np_dtype(kind.elem_type),
             [dim.dim_value if dim.HasField("dim_value") else None for dim in kind.shape.dim] if kind.HasField("shape") else None)
            for kind in kinds]


def computed(node, imports, feed):
    """The outputs' dtypes and sizes; or a sentence."""
    model = model_of(node, imports, feed, open_inputs=feed)
    try:
        session = shipway.InferenceSession(model, reference=True, timeout=10, max_memory=1 << 30)
        results = session.run(None, {info.name: feed[info.name] for info in model.graph.input})
    except shipway.Error as error:
        return sentence(error)
    return [(result.dtype, list(result.shape)) for result in results if isinstance(result, np.ndarray)]


def agree(types, results):
    """True unless inference said what the computation contradicts."""
    if isinstance(results, str):
        return True  # what no type tells
    return not isinstance(types, str) and len(types) == len(results) and all(
        (not dtype or dtype == result[0]) and
        (sizes is None or len(sizes) == len(result[1]) and all(size in (None, found) for size, found in zip(sizes, result[1])))
        for (dtype, sizes), result in zip(types, results))


def answers():
    """The lines of the file, and sentences about what inference and computation say differently."""
    counts, quarrels = collections.Counter(), []
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for name, node, imports, feed in single_node_cases():
            results = computed(node, imports, feed)
            for open_inputs in [list(feed), *([key] for key in feed)]:
                types = inferred(node, imports, feed, open_inputs)
                known = types if isinstance(types, str) else sum(size is not None for _, sizes in types for size in sizes or ())
                counts[node.op_type, "inferred in part", f"(fine) {known} sizes"] += 1
                if not agree(types, results):
                    quarrels.append(f"{name} with {open_inputs} open: inferred {types}, computed {results}")
            for changed, values in broken(node, feed):
                types, results = inferred(changed, imports, values), computed(changed, imports, values)
                for how, answer in (("inferred", types), ("computed", results)):
                    counts[node.op_type, how, answer if isinstance(answer, str) else "(fine)"] += 1
                if not agree(types, results):
                    shapes = {key: value.shape for key, value in values.items()}
                    quarrels.append(f"{name}: {helper.printable_node(changed)} of {shapes}: inferred {types}, computed {results}")
    return [f"{operator}\t{how}\t{count}\t{answer}" for (operator, how, answer), count in sorted(counts.items())], quarrels


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--update", action="store_true", help="write the file")
    found, different = answers()
    if parser.parse_args().update:
        ANSWERS.write_text("\n".join(found) + "\n")
    print("\n".join(different))
