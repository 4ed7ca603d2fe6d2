"""merge, extract, prefix, rename and inlining against onnx.compose, onnx.utils.Extractor and onnx.inliner."""
import difflib
import random

import numpy as np
import onnx
import onnx.compose
import onnx.inliner
import onnx.parser
import onnx.shape_inference
import onnx.utils
import onnxruntime
import pytest

import shipway
from shipway import _core
from test_onnx_text import suite_models

SEED = 20261124


def ours(encoded):
    return onnx.ModelProto.FromString(encoded)


def canonical(graph):
    """The order of value_info says nothing, and an empty name is none."""
    graph = onnx.GraphProto.FromString(graph.SerializeToString())

    def visit(inner):
        infos = sorted(inner.value_info, key=lambda info: info.name)
        del inner.value_info[:]
        inner.value_info.extend(infos)
        for node in inner.node:
            if not node.name:
                node.ClearField("name")
            for attribute in node.attribute:
                for one in [attribute.g] if attribute.HasField("g") else attribute.graphs:
                    visit(one)
    visit(graph)
    return graph


def differences(a, b):
    if a.SerializeToString(deterministic=True) == b.SerializeToString(deterministic=True):
        return []
    lines = difflib.unified_diff(str(a).splitlines(), str(b).splitlines(), lineterm="", n=0)
    return [line for line in lines if line[:3] not in ("---", "+++", "@@ ")][:6] or ["the bytes"]


@pytest.fixture(scope="module")
def models():
    return [(name, model) for name, model in suite_models() if model.ByteSize() < 2_000_000]


def is_checked(model):
    try:
        onnx.checker.check_model(model)
    except onnx.checker.ValidationError:
        return False
    return True


def test_prefix_is_that_of_onnx_over_the_suite(models):
    wrong = []
    for name, model in models:
        theirs = onnx.compose.add_prefix(model, "p/")
        mine = ours(_core.prefix(model.SerializeToString(), "p/"))
        wrong += [(name, d) for d in differences(canonical(theirs.graph), canonical(mine.graph))]
        theirs.graph.Clear()
        mine.graph.Clear()
        wrong += [(name, d) for d in differences(theirs, mine)]
    assert wrong[:5] == []


@pytest.mark.parametrize("kept", ["nodes", "edges", "inputs", "outputs", "initializers"])
def test_prefix_leaves_what_is_not_asked_for(models, kept):
    flags = {f"rename_{kept}": False}
    count = 0
    for name, model in models[::20]:
        if any(a.HasField("g") for n in model.graph.node for a in n.attribute):
            continue  # onnx passes no flag on to subgraphs
        theirs = onnx.compose.add_prefix(model, "p/", rename_value_infos=False, **flags)
        if len(theirs.graph.value_info) > 0:
            continue  # without that flag onnx leaves value infos behind, under names that are gone
        mine = ours(_core.prefix(model.SerializeToString(), "p/", **flags))
        assert differences(canonical(theirs.graph), canonical(mine.graph)) == [], name
        count += 1
    assert count > 50


def test_extract_is_that_of_onnx_over_the_suite(models):
    rng = random.Random(SEED)
    wrong, same = [], 0
    for name, model in models:
        try:
            model = onnx.shape_inference.infer_shapes(model)
        except onnx.shape_inference.InferenceError:
            continue
        infos = sorted({info.name for infos in (model.graph.value_info, model.graph.input, model.graph.output)
                        for info in infos if info.name})
        if not infos or model.graph.sparse_initializer:
            continue
        choices = [([info.name for info in model.graph.input], [info.name for info in model.graph.output][:1])]
        for _ in range(2):
            outputs = rng.sample(infos, min(len(infos), rng.choice([1, 1, 2])))
            choices.append(([i for i in rng.sample(infos, min(len(infos), rng.randrange(4))) if i not in outputs], outputs))
        for inputs, outputs in choices:
            theirs = onnx.utils.Extractor(model).extract_model(inputs, outputs)
            if not is_checked(theirs):
                continue  # an input is missing, say; there ours is an error, or right
            mine = ours(_core.extract(model.SerializeToString(), inputs, outputs, infer=False))
            assert is_checked(mine), (name, inputs, outputs)
            for one in (theirs, mine):
                del one.graph.value_info[:]  # onnx lists inputs and outputs there again
            found = differences(theirs.graph, mine.graph)
            wrong += [(name, inputs, outputs, d) for d in found]
            same += not found
    assert wrong[:5] == []
    assert same > 2500


def io(model, values):
    weights = {w.name for w in model.graph.initializer}
    return [v for v in values if v.name not in weights and v.type.HasField("tensor_type")]


def test_merge_is_that_of_onnx_over_pairs_of_the_suite(models):
    rng = random.Random(SEED)
    candidates = [(n, m) for n, m in models if io(m, m.graph.input) and io(m, m.graph.output) and not m.functions]
    by_kind = {}
    for name, model in candidates:
        kind = (model.ir_version, str([(o.domain, o.version) for o in model.opset_import]),
                io(model, model.graph.input)[0].type.tensor_type.elem_type)
        by_kind.setdefault(kind, []).append((name, model))
    same = 0
    for _ in range(600):
        name1, first = rng.choice(candidates)
        output = io(first, first.graph.output)[0]
        kind = (first.ir_version, str([(o.domain, o.version) for o in first.opset_import]), output.type.tensor_type.elem_type)
        if kind not in by_kind:
            continue
        name2, second = rng.choice(by_kind[kind])
        io_map = [(output.name, io(second, second.graph.input)[0].name)]
        arguments = {"prefix1": "a.", "prefix2": "b."}
        if rng.random() < 0.3:
            arguments["outputs"] = ["b." + second.graph.output[0].name]
        try:
            theirs = onnx.compose.merge_models(first, second, io_map, name="both", doc_string="", **arguments)
        except (onnx.checker.ValidationError, ValueError):
            continue
        mine = ours(_core.merge(first.SerializeToString(), second.SerializeToString(), io_map, name="both", **arguments))
        for one in (theirs, mine):
            one.graph.ClearField("doc_string")
            if "outputs" in arguments:  # then onnx lists inputs and outputs there again
                del one.graph.value_info[:]
        assert differences(canonical(theirs.graph), canonical(mine.graph)) == [], (name1, name2, arguments)
        assert sorted((o.domain, o.version) for o in mine.opset_import) == sorted(
            {(o.domain, o.version) for o in theirs.opset_import})
        assert is_checked(mine)
        same += 1
    assert same > 150


def run(model, feeds):
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, feeds)


HEAD = '<ir_version: 9, opset_import: ["": 18, "my": 1]>\n'
FIRST = HEAD + "first (float[N,3] x) => (float[N,3] y, float[N,3] side) { y = Relu(x)  side = Neg(x) }"
SECOND = HEAD + """second (float[N,3] a, float[N,3] b) => (float[N,3] z) <float[3] w = {1,2,3}>
   { t = Mul(a, w)  z = Add(t, b) }"""


def encoded(text):
    return onnx.parser.parse_model(text).SerializeToString()


def test_a_merged_model_runs_as_its_parts():
    both = ours(_core.merge(encoded(FIRST), encoded(SECOND), [("y", "a")]))
    x, b = (np.random.default_rng(SEED).standard_normal((2, 3)).astype(np.float32) for _ in range(2))
    assert [i.name for i in both.graph.input] == ["x", "b"] and [o.name for o in both.graph.output] == ["side", "z"]
    side, z = run(both, {"x": x, "b": b})
    np.testing.assert_array_equal(side, -x)
    np.testing.assert_allclose(z, np.maximum(x, 0) * np.float32([1, 2, 3]) + b, rtol=1e-6)
    assert both.graph.name == "first_second"


@pytest.mark.parametrize("second, arguments, message", [
    (SECOND, {"io_map": [("yy", "a")]}, "the first model has no output 'yy'; it has 'y', 'side'"),
    (SECOND, {"io_map": [("y", "q")]}, "the second model has no input 'q'; it has 'a', 'b'"),
    (SECOND, {"io_map": [("y", "a"), ("side", "a")]}, "input 'a' of the second model is connected twice"),
    (FIRST, {"io_map": [("y", "x")]}, "both models have a value 'side', 'y': give one of them a prefix"),
    (SECOND.replace("18", "17"), {"io_map": [("y", "a")]}, "the first model is of opset 18 of domain '', the second of 17"),
    (SECOND.replace("9", "8"), {"io_map": [("y", "a")]}, "the first model is of IR version 9, the second of 8"),
    (SECOND.replace("float[N,3] a", "int64[N,3] a"), {"io_map": [("y", "a")]},
     r"output 'y' of the first model is float\[N,3\], input 'a' of the second int64\[N,3\]"),
    (SECOND, {"io_map": [("y", "a")], "outputs": ["nothing"]}, "neither model has an output 'nothing'"),
])
def test_merge_says_what_does_not_fit(second, arguments, message):
    with pytest.raises(shipway.Error, match=message):
        _core.merge(encoded(FIRST), encoded(second), **arguments)


CHAIN = HEAD + """chain (float[N,3] x, bool c) => (float[N,3] z) <float[3] w = {1,2,3}, float[3] unused = {0,0,0}> {
   a = Relu(x)
   b = my.Scale(a)
   s = Neg(b)
   z = If(c) <then_branch = t () => (float[N,3] u) { u = Add(s, w) }, else_branch = e () => (float[N,3] v) { v = Identity(b) }>
}
<domain: "my", opset_import: ["": 18]> Scale (x) => (y) { y = Add(x, x) }
<domain: "my", opset_import: ["": 18]> Other (x) => (y) { y = Abs(x) }"""


def test_extract_follows_what_subgraphs_take():
    part = ours(_core.extract(encoded(CHAIN), ["b", "c"], ["z"]))
    assert [n.op_type for n in part.graph.node] == ["Neg", "If"]  # onnx 1.23 forgets Neg: it looks at no captured value
    assert [w.name for w in part.graph.initializer] == ["w"] and not part.functions
    b = np.float32([[1, -2, 3]])
    np.testing.assert_array_equal(run(part, {"b": b, "c": np.array(True)})[0], -b + np.float32([1, 2, 3]))
    np.testing.assert_array_equal(run(part, {"b": b, "c": np.array(False)})[0], b)


def test_extract_brings_the_functions_that_are_called():
    part = ours(_core.extract(encoded(CHAIN), ["x"], ["s"]))
    assert [f.name for f in part.functions] == ["Scale"] and not part.graph.initializer
    np.testing.assert_array_equal(run(part, {"x": np.float32([[1, -2, 3]])})[0], np.float32([[-2, 0, -6]]))


@pytest.mark.parametrize("inputs, outputs, message", [
    (["x"], ["nothing", "naught"], "no value of the model's graph is called 'nothing', 'naught' .wanted as output."),
    (["c"], ["z"], "the outputs depend on 'x', not among the inputs"),
    (["x", "x"], ["a"], "input 'x' is named twice"),
    (["x"], [], "no outputs are named"),
])
def test_extract_says_what_is_wrong(inputs, outputs, message):
    with pytest.raises(shipway.Error, match=message):
        _core.extract(encoded(CHAIN), inputs, outputs)


def test_extract_needs_the_types_of_what_it_cuts():
    with pytest.raises(shipway.Error, match="the type of input 'a' is not known: infer the model's shapes first"):
        _core.extract(encoded(CHAIN), ["a"], ["z"], infer=False)


def test_renamed_values_are_renamed_in_subgraphs_too():
    model = ours(_core.rename(encoded(CHAIN), [("x", "b"), ("b", "x"), ("w", "weight"), ("u", "inner")]))
    onnx.checker.check_model(model)
    x = np.float32([[1, -2, 3]])
    before = onnx.parser.parse_model(CHAIN)
    for c in (True, False):
        np.testing.assert_array_equal(run(model, {"b": x, "c": np.array(c)})[0], run(before, {"x": x, "c": np.array(c)})[0])
    assert {n for node in model.graph.node for n in node.output} == {"a", "x", "s", "z"}
    assert model.graph.node[3].attribute[0].g.node[0].output[0] == "inner"


@pytest.mark.parametrize("values, message", [
    ([("nothing", "y")], "no value is called 'nothing'"),
    ([("x", "z")], "value 'x' cannot become 'z': something else is called that"),
    ([("x", "q"), ("a", "q")], "value 'a' cannot become 'q'"),
    ([("x", "q"), ("x", "r")], "value 'x' is renamed twice"),
])
def test_rename_says_what_is_wrong(values, message):
    with pytest.raises(shipway.Error, match=message):
        _core.rename(encoded(CHAIN), values)


# --- functions ---------------------------------------------------------------------------------------------------------


def random_function_model(seed):
    """A model whose functions call each other downwards, with attributes, optional inputs and subgraphs."""
    rng = random.Random(seed)
    count = rng.randrange(1, 6)
    text = '<ir_version: 9, opset_import: ["": 18, "my": 1]>\nmain (float[N,3] x, bool c) => (float[N,3] y) {\n'
    previous = "x"
    for i in range(rng.randrange(1, 5)):
        callee = rng.randrange(count)
        given = rng.choice(["", f"<alpha: float = {rng.randrange(1, 5)}.5>"])
        call = f"my.F{callee} {given} ({previous}, {rng.choice(['x', previous])})"
        if rng.random() < 0.3:
            text += (f"  v{i} = If(c) <then_branch = t{i} () => (p{i}) {{ p{i} = {call} }}, "
                     f"else_branch = e{i} () => (q{i}) {{ q{i} = Neg({previous}) }}>\n")
        else:
            text += f"  v{i} = {call}\n"
        previous = f"v{i}"
    text += f"  y = Identity({previous})\n}}\n"
    for i in range(count):
        text += f'<domain: "my", opset_import: ["": 18, "my": 1]> F{i} <alpha: float = 0.25> (a, b) => (r) {{\n'
        text += "  t = LeakyRelu <alpha: float = @alpha> (a)\n  u = Add(t, b)\n"
        last = "u"
        if i + 1 < count and rng.random() < 0.8:
            text += f"  w = my.F{rng.randrange(i + 1, count)} {rng.choice(['', '<alpha: float = @alpha>'])} (u, a)\n"
            last = "w"
        text += f"  r = Mul({last}, b)\n}}\n"
    return text


@pytest.mark.parametrize("seed", range(40))
def test_inlined_models_have_the_nodes_of_onnx_and_compute_what_they_did(seed):
    """What they did: onnxruntime on the functions. onnx 1.23 forgets the defaults of their attributes."""
    model = onnx.ModelProto.FromString(_core.parse_model(random_function_model(seed)))
    theirs = onnx.inliner.inline_local_functions(model)
    mine = ours(_core.inline_functions(model.SerializeToString()))
    onnx.checker.check_model(mine, full_check=True)
    assert not mine.functions
    assert [n.op_type for n in mine.graph.node] == [n.op_type for n in theirs.graph.node]
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((2, 3)).astype(np.float32)
    for c in (True, False):
        feeds = {"x": x, "c": np.array(c)}
        np.testing.assert_allclose(run(mine, feeds)[0], run(model, feeds)[0], rtol=1e-6)


def test_functions_can_be_chosen():
    model = encoded(CHAIN)
    assert [f.name for f in ours(_core.inline_functions(model, [("my", "Other")], exclude=False)).functions] == ["Scale"]
    assert [f.name for f in ours(_core.inline_functions(model, [("my", "Scale")], exclude=True)).functions] == ["Scale"]
    with pytest.raises(shipway.Error, match="the model has no function 'Nothing' of domain 'my'"):
        _core.inline_functions(model, [("my", "Nothing")])


def test_a_function_of_another_opset_stays():
    text = CHAIN.replace('"my", opset_import: ["": 18]> Scale', '"my", opset_import: ["": 17]> Scale')
    theirs = onnx.inliner.inline_local_functions(onnx.parser.parse_model(text))
    mine = ours(_core.inline_functions(encoded(text)))
    assert [f.name for f in mine.functions] == [f.name for f in theirs.functions] == ["Scale"]


def test_circles_and_explosions_are_refused_by_name():
    circle = HEAD + """m (float[N] x) => (float[N] y) { y = my.A(x) }
       <domain: "my", opset_import: ["": 18, "my": 1]> A (x) => (y) { y = my.B(x) }
       <domain: "my", opset_import: ["": 18, "my": 1]> B (x) => (y) { y = my.A(x) }"""
    with pytest.raises(shipway.Error, match="functions call each other in a circle: 'my.[AB]' -> 'my.[AB]' -> 'my.[AB]'"):
        _core.inline_functions(encoded(circle))
    doubling = HEAD + "m (float[N] x) => (float[N] y) { y = my.F0(x) }\n"
    for i in range(30):
        callee = f"my.F{i + 1}" if i < 29 else "Relu"
        doubling += f'<domain: "my", opset_import: ["": 18, "my": 1]> F{i} (x) => (z) {{ y = {callee}(x)  z = {callee}(y) }}\n'
    with pytest.raises(shipway.Error, match="function 'my.F0' among them.* more than 2000000 nodes"):
        _core.inline_functions(encoded(doubling))
