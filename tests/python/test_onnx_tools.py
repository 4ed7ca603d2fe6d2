"""compose, utils, inliner and version_converter of shipway.onnx give what those of onnx give."""
import numpy as np
import onnx
import onnx.compose
import onnx.inliner
import onnx.parser
import onnx.utils
import onnx.version_converter
import onnxruntime
import pytest

import shipway
import shipway.onnx as so

FIRST = onnx.parser.parse_model("""<ir_version: 8, opset_import: ["" : 13]>
first (float[N, 4] a) => (float[N, 4] b, float[N, 4] c) { b = Relu(a) c = Neg(b) }""")
SECOND = onnx.parser.parse_model("""<ir_version: 8, opset_import: ["" : 13]>
second (float[N, 4] x, float[N, 4] y) => (float[N, 4] z) { t = Add(x, y) z = Abs(t) }""")
CALLS = onnx.parser.parse_model("""<ir_version: 8, opset_import: ["" : 13, "own" : 1]>
calls (float[N] x) => (float[N] y) { h = own.twice(x) y = own.negated(h) }
<domain: "own", opset_import: ["" : 13]> twice (a) => (b) { b = Add(a, a) }
<domain: "own", opset_import: ["" : 13]> negated (a) => (b) { b = Neg(a) }""")


def ours(message):
    return getattr(so, type(message).__name__).FromString(message.SerializeToString())


def theirs(message):
    return getattr(onnx, type(message).__name__).FromString(message.SerializeToString())


def assert_same(got, expected, doc_string=True):
    """Up to the order in which types of inner values are declared, and names that are there but empty."""
    got = theirs(got)
    if isinstance(got, onnx.ModelProto):  # onnx imports an opset once for each model
        opsets = {(entry.domain, entry.version): entry for entry in expected.opset_import}
        del expected.opset_import[:]
        expected.opset_import.extend(opsets.values())
    graph, other = (got.graph, expected.graph) if isinstance(got, onnx.ModelProto) else (got, expected)
    for one in (graph, other):
        if not doc_string:
            one.ClearField("doc_string")
        infos = sorted(one.value_info, key=lambda info: info.name)
        del one.value_info[:]
        one.value_info.extend(infos)
        for node in one.node:
            if not node.name:
                node.ClearField("name")
    assert str(got) == str(expected)


@pytest.mark.parametrize("arguments", [
    {"io_map": [("b", "x"), ("c", "y")]},
    {"io_map": [("b", "x")], "prefix1": "one/", "prefix2": "two/", "name": "both", "doc_string": "said"},
    {"io_map": [("b", "x"), ("c", "y")], "inputs": ["a"], "outputs": ["z"], "producer_name": "someone", "model_version": 3},
])
def test_merge_models(arguments):
    if "prefix1" in arguments:
        arguments = {**arguments, "io_map": [("b", "x")]}
    try:
        expected = onnx.compose.merge_models(FIRST, SECOND, **arguments)
    except ValueError:
        with pytest.raises(shipway.Error):
            so.compose.merge_models(ours(FIRST), ours(SECOND), **arguments)
        return
    # Without a doc_string given, onnx makes one of both.
    assert_same(so.compose.merge_models(ours(FIRST), ours(SECOND), **arguments), expected, "doc_string" in arguments)


def test_merge_graphs():
    connections = [("b", "x"), ("c", "y")]
    assert_same(so.compose.merge_graphs(ours(FIRST.graph), ours(SECOND.graph), connections),
                onnx.compose.merge_graphs(FIRST.graph, SECOND.graph, connections), doc_string=False)


def test_overlapping_names():
    other = onnx.compose.add_prefix(FIRST, "p/", rename_edges=False, rename_inputs=False, rename_outputs=False)
    expected = [(kind, sorted(names)) for kind, names in onnx.compose.check_overlapping_names(FIRST.graph, other.graph)]
    assert so.compose.check_overlapping_names(ours(FIRST.graph), ours(other.graph)) == expected != []
    assert so.compose.check_overlapping_names(ours(FIRST.graph), ours(SECOND.graph)) == []


def test_prefixes():
    assert_same(so.compose.add_prefix(ours(FIRST), "p/"), onnx.compose.add_prefix(FIRST, "p/"))
    assert_same(so.compose.add_prefix_graph(ours(SECOND.graph), "q_"), onnx.compose.add_prefix_graph(SECOND.graph, "q_"))
    model = ours(CALLS)
    assert so.compose.add_prefix(model, "p/", inplace=True) is model
    assert_same(model, onnx.compose.add_prefix(CALLS, "p/"))


@pytest.mark.parametrize("axis", [0, 1])
def test_expand_out_dim(axis):
    got = theirs(so.compose.expand_out_dim(ours(FIRST), axis))
    onnx.checker.check_model(got, full_check=True)
    expected = onnx.compose.expand_out_dim(FIRST, axis)
    assert [str(node) for node in got.graph.node] == [str(node) for node in expected.graph.node]
    feed = {"a": np.arange(-4, 4, dtype=np.float32).reshape(2, 4)}
    run = onnxruntime.InferenceSession(got.SerializeToString()).run(None, feed)
    assert [value.shape for value in run] == [tuple(np.insert((2, 4), axis, 1))] * 2
    dims = [dim.dim_param or dim.dim_value for dim in got.graph.output[0].type.tensor_type.shape.dim]
    assert dims == [*["N", 4][:axis], 1, *["N", 4][axis:]]  # onnx makes 0 of N


def test_extract_model(tmp_path):
    onnx.save(SECOND, tmp_path / "whole.onnx")
    so.utils.extract_model(tmp_path / "whole.onnx", tmp_path / "part.onnx", ["t"], ["z"])
    onnx.utils.extract_model(tmp_path / "whole.onnx", tmp_path / "expected.onnx", ["t"], ["z"])
    got, expected = onnx.load(tmp_path / "part.onnx"), onnx.load(tmp_path / "expected.onnx")
    assert [str(value) for value in [*got.graph.node, *got.graph.input, *got.graph.output]] == \
        [str(value) for value in [*expected.graph.node, *expected.graph.input, *expected.graph.output]]
    with pytest.raises(shipway.Error, match="nowhere"):
        so.utils.Extractor(ours(SECOND)).extract_model(["nowhere"], ["z"])


def test_inlining():
    whole = theirs(so.inliner.inline_local_functions(ours(CALLS)))
    assert [node.op_type for node in whole.graph.node] == ["Add", "Neg"] and not whole.functions
    one = theirs(so.inliner.inline_selected_functions(ours(CALLS), [("own", "twice")]))
    assert [node.op_type for node in one.graph.node] == ["Add", "negated"]
    other = theirs(so.inliner.inline_selected_functions(ours(CALLS), [("own", "twice")], exclude=True))
    assert [node.op_type for node in other.graph.node] == ["twice", "Neg"]


@pytest.mark.parametrize("target", [9, 18, 21])
def test_convert_version(target):
    got = theirs(so.version_converter.convert_version(ours(SECOND), target))
    onnx.checker.check_model(got, full_check=True)
    assert [entry.version for entry in got.opset_import if entry.domain == ""] == [target]
    feed = {name: np.arange(-4, 4, dtype=np.float32).reshape(2, 4) for name in ("x", "y")}
    np.testing.assert_array_equal(onnxruntime.InferenceSession(got.SerializeToString()).run(None, feed)[0], np.abs(2 * feed["x"]))


def test_a_conversion_that_cannot_be_names_the_node():
    with pytest.raises(so.version_converter.ConvertError, match="Det"):
        so.version_converter.convert_version(ours(onnx.parser.parse_model(
            """<ir_version: 8, opset_import: ["" : 18]> g (float[N, 2, 2] x) => (float[N] y) { y = Det(x) }""")), 7)
