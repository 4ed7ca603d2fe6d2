"""Wrong usage of operators, and what inference says of right usage, over the cases of the official suite."""
import difflib

import numpy as np
import onnx
import pytest

import onnx_suite
import refusals
import shipway


def test_wrong_usage_is_refused_with_the_known_sentences():
    found, quarrels = refusals.answers()
    assert quarrels == [], "inference and computation differ"
    known = refusals.ANSWERS.read_text().splitlines()
    changes = [line for line in difflib.unified_diff(known, found, lineterm="", n=0) if line[0] in "+-"]
    assert changes == [], "read these, then tests/python/refusals.py --update"


SIZES_KNOWN, SIZES_UNKNOWN = 4473, 1574  # of the outputs of onnx 1.23.2's cases, when those of the inputs are symbols
BY_DATA = {"Compress", "NonMaxSuppression", "NonZero", "StringNormalizer", "StringSplit", "Unique"}


def as_size(dim, sizes):
    """A number; None where nothing is said. Symbols stand for `sizes`."""
    if dim.HasField("dim_value"):
        return dim.dim_value
    try:
        return eval(dim.dim_param, {"min": min, "max": max}, sizes) if dim.dim_param else None  # docs/text-form.md: as in Python
    except (NameError, SyntaxError):
        return None  # a size that depends on data has a symbol of its own


def test_sizes_follow_from_symbols():
    """The declared sizes of inputs become symbols, those of outputs go; what follows is what the case expects."""
    known = unknown = 0
    for name, case in sorted(onnx_suite.collect().items()):
        if not name.startswith("node/"):
            continue
        _, pairs = onnx_suite.feeds_and_results(case)
        feed, results = pairs[0]
        model = onnx.ModelProto()
        model.CopyFrom(case.model)
        sizes = {}
        for info in model.graph.input:
            if isinstance(feed.get(info.name), np.ndarray):
                info.type.tensor_type.ClearField("shape")
                info.type.tensor_type.shape.SetInParent()
                for size in feed[info.name].shape:
                    symbol = info.type.tensor_type.shape.dim.add()
                    symbol.dim_param = f"s{len(sizes)}"
                    sizes[symbol.dim_param] = size
        for info in model.graph.output:
            if info.type.HasField("tensor_type"):
                info.type.tensor_type.ClearField("shape")
        if name == "node/test_scan_sum":  # version 8 of Scan, with a batch axis, cannot be upgraded
            continue
        inferred = shipway.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
        for info, result in zip(inferred.graph.output, results):
            if not isinstance(result, np.ndarray) or not info.type.HasField("tensor_type"):
                continue
            kind = info.type.tensor_type
            assert onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type) == result.dtype, name
            if not kind.HasField("shape"):
                unknown += result.ndim
                continue
            assert len(kind.shape.dim) == result.ndim, name
            for dim, size in zip(kind.shape.dim, result.shape):
                found = as_size(dim, sizes)
                assert found in (None, size), f"{name}: {dim.dim_param}"
                known += found is not None
                unknown += found is None
    assert (known, unknown) == (SIZES_KNOWN, SIZES_UNKNOWN), "more should be known, never less"


def test_sizes_follow_from_inputs_that_are_known():
    """With its small inputs in the model, all sizes follow, but for operators whose sizes are in the data itself."""
    open_operators = set()
    for _, node, imports, feed in refusals.single_node_cases(cases_of_operator=100):
        model = refusals.model_of(node, imports, feed)
        inferred = shipway.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
        for info in inferred.graph.output:
            kind = info.type.tensor_type
            if info.type.HasField("tensor_type") and not (
                    kind.HasField("shape") and all(dim.HasField("dim_value") for dim in kind.shape.dim)):
                open_operators.add(node.op_type)
    assert open_operators == BY_DATA
