"""ONNX's text syntax against onnx.printer and onnx.parser: every model of the official suite, and what is not in it."""
import os
import pathlib
import random

import numpy as np
import onnx
import onnx.parser
import onnx.printer
import pytest
from onnx import AttributeProto, TensorProto, helper, numpy_helper

import onnx_suite
import shipway
from shipway import _core

CLASSES = {"model": onnx.ModelProto, "graph": onnx.GraphProto, "function": onnx.FunctionProto, "node": onnx.NodeProto}


def our_text(proto):
    kind = next(kind for kind, cls in CLASSES.items() if isinstance(proto, cls))
    return _core.to_text(proto.SerializeToString(), kind)


def our_parse(text, kind):
    return CLASSES[kind].FromString(getattr(_core, f"parse_{kind}")(text))


def their_parse(text, kind):
    return getattr(onnx.parser, f"parse_{kind}")(text)


def same_message(a, b):
    """Presence of fields included; numbers bit by bit, so that NaN is equal to NaN."""
    return a.SerializeToString(deterministic=True) == b.SerializeToString(deterministic=True)


def suite_models():
    """(name, model) of every case and of every file that the onnx package ships."""
    for name, case in onnx_suite.collect().items():
        if case.model is not None:
            yield name, case.model
        elif case.model_dir is not None:
            yield name, onnx.load(os.path.join(case.model_dir, "model.onnx"), load_external_data=False)
    for path in sorted((pathlib.Path(onnx.__file__).parent / "backend/test/data").rglob("*.onnx")):
        yield str(path), onnx.load(path, load_external_data=False)


def test_text_and_parser_agree_with_onnx_over_the_suite():
    wrong, count = [], 0
    for name, model in suite_models():
        count += 1
        theirs = onnx.printer.to_text(model)
        text = our_text(model)
        if text != theirs:
            wrong.append(f"{name}: the text differs")
            continue
        read = our_parse(text, "model")
        if not same_message(read, their_parse(text, "model")):
            wrong.append(f"{name}: the parsed model differs")
        if our_text(read) != text:
            wrong.append(f"{name}: printing what was parsed gives another text")
        for function in model.functions:
            if our_text(function) != onnx.printer.to_text(function):
                wrong.append(f"{name}: the text of function {function.name} differs")
        if our_text(model.graph) != onnx.printer.to_text(model.graph):
            wrong.append(f"{name}: the text of the graph differs")
    assert count > 2000
    assert wrong[:10] == []


# Every production of the grammar, and its odd corners.
TEXTS = {
    "model": r'''
<
 ir_version: 8, opset_import: ["" : 17, "com.x" : 1], producer_name: "a\"b", producer_version: "1", domain: "d",
 model_version: -3, doc_string: "two
lines", metadata_props: ["k": "v", "k2":""]>
 g (float[N, 3,?,"a b"] x, seq(float[N]) s, map(int64, optional(float[])) m, opaque(a.b,c) o, opaque() o2,
    sparse_tensor(double[2]) p, float[2] q = {1, 2.5e-3}, z)
 => (float[N,3] y, t)
 <float[2,2] w = {1.5, -2, nan, -inf}, int64[2] i = {-9223372036854775808, 9223372036854775807},
  string[2] st = {"a", "b\\c"}, uint64[1] u = {18446744073709551615}, float16[1] h = {15360}, bool[2] b = {0,1},
  float[2] ext = ["location": "f.bin", "offset": "12"], float[M] v, complex64[1] c = {1,2}, double[] r, int4[3] i4 = {33, 3}>
 {
  # a comment
  [n1] y, "odd name" = Conv<kernel_shape = [3, 3], pads: ints = [], auto_pad="SAME", alpha: float = 1, beta=-1.5e10,
     t = float[2] {1,2}, tt: tensor = int64 nm {7}, ty = seq(float[N]), r: int = @attr, fl = [1.0, 2], ss=["a","b"],
     tiny = 1e-60, inf = Infinity, n = -NaN>(x,, w,"")
  t = com.x.y.F:ov (x, y) <body = b1 (float[N] a) => (bb) {bb = Relu(a)}>
  = Op(,)
 }
 <domain: "com.x", opset_import: ["":17], doc_string:"d", overload:"ov">
 F<a, b: int = 3, c = 2.0> (float[N] x, y) => (z, float q) <int64[2] k> { z, q = Add(x, y) }
''',
    "graph": '''agraph (float[N, 128] X, float[128,10] W) => (float[N] C) <int64[2] sh = {1,2}> { S = MatMul(X, W)
   C = If (S) <then_branch = g1 () => (float y) { y = Foo(S) },
               else_branch: graph = g2 => (float z) {z = Bar<q: graphs = []>()}> }''',
    "function": '''<opset_import: ["" : 1], domain: "d">
   foo <attr1, attr2, attr3: ints=[1,2]> (x, float[2] y) => (w) <float q> { z = Neg(y) w = Add<a: int = @attr1>(x, z) }''',
    "node": '''[nm] a,b = d.Op <x = 1, y = inf, z = -infinity, w=[1,2,3], s = "q", t=double[2,1] {1e300,-0}>(c,d,)''',
}


@pytest.mark.parametrize("kind", TEXTS)
def test_parser_gives_the_message_that_onnx_gives(kind):
    assert same_message(our_parse(TEXTS[kind], kind), their_parse(TEXTS[kind], kind))


TOKENS = ['"', "(", ")", "<", ">", "{", "}", "[", "]", ",", "=", "=>", ":", "@", "?", "-", ".", "1", "-1", "1.5", "1e5", "1e",
          ".5", "1.", "nan", "inf", "float", "float[2]", "int64", "seq(", "map(", "x", '""', '"a"', "#", "\n", " ", "\v", "int",
          "ints", "graph", "tensor", "type_proto", "99999999999999999999", "1e400", "1e-400", "1e-40", "3e39", "_", "INF",
          "nan1", "undefined", "\\", "{}", "[]", "0x1", "+1", "00012"]


def mutated(text, rng):
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        at, end = sorted(rng.randrange(len(text) + 1) for _ in range(2))
        end = min(end, at + rng.choice([0, 1, 2, 5, 20]))
        copied = rng.randrange(len(text))
        new = rng.choice(["", rng.choice(TOKENS), text[copied:copied + rng.choice([3, 10, 40])]])
        text = text[:at] + new + text[end:] or "x"
    return text


def test_parser_takes_mutated_texts_as_onnx_does():
    """What both take is the same message. Only the listed mistakes, which onnx drops in silence, are refused here."""
    rng = random.Random(20261124)
    taken = 0
    for _ in range(20000):
        kind = rng.choice(list(TEXTS))
        text = mutated(TEXTS[kind], rng)
        try:
            theirs = their_parse(text, kind)
        except Exception:  # ParseError, or what C++ throws for numbers
            continue
        try:
            ours = our_parse(text, kind)
        except shipway.Error as error:
            # what follows the end, lists of what onnx leaves out of lists, wrong defaults of a function's attributes,
            # signs before unsigned numbers
            reason = str(error)
            assert ("expected the end of the text" in reason or kind == "function" or "unsigned" in reason
                    or "in a list" in reason or "of type type_proto" in reason or "expected type_proto" in reason
                    or kind == "model" and "attribute" in reason), (text, reason)
            continue
        taken += 1
        if any(word in text for word in ("[seq(", "[float", "[int64")):
            continue  # lists of tensors or types: onnx reads and drops their elements
        assert same_message(ours, theirs), text
    assert taken > 1000


# --- where onnx's text loses something ---------------------------------------------------------------------------------


def node_with(name, kind, **fields):
    node = onnx.NodeProto(op_type="Op", output=["y"])
    node.attribute.append(AttributeProto(name=name, type=kind, **fields))
    return node


def raw_tensor(dtype, dims, data):
    return TensorProto(data_type=dtype, dims=dims, raw_data=data, name="w")


def function_with_defaults():
    function = helper.make_function("d", "F", ["x"], ["y"], [helper.make_node("Neg", ["x"], ["y"])],
                                    [helper.make_opsetid("", 17)], ["a"])
    function.attribute_proto.append(helper.make_attribute("b", 3))
    function.value_info.append(helper.make_tensor_value_info("t", TensorProto.FLOAT, [2]))
    function.doc_string = "why"
    return function


LOSSES = {
    "int4 in raw bytes": node_with("v", AttributeProto.TENSOR, t=raw_tensor(TensorProto.INT4, [3], b"\x21\x03")),
    "complex numbers in raw bytes": node_with("v", AttributeProto.TENSOR, t=raw_tensor(
        TensorProto.COMPLEX64, [1], np.array([1 + 2j], np.complex64).tobytes())),
    "int4 in int32_data": node_with("v", AttributeProto.TENSOR, t=TensorProto(
        data_type=TensorProto.UINT4, dims=[2], int32_data=[33])),
    "no strings in a list": node_with("v", AttributeProto.STRINGS),
    "no strings in a tensor": node_with("v", AttributeProto.TENSOR, t=TensorProto(data_type=TensorProto.STRING, dims=[0])),
    "a list of tensors": node_with("v", AttributeProto.TENSORS, tensors=[numpy_helper.from_array(np.float32([1, 2]), "a b")]),
    "a list of types": node_with("v", AttributeProto.TYPE_PROTOS, type_protos=[helper.make_tensor_type_proto(1, ["N"])]),
    "a list of graphs": node_with("v", AttributeProto.GRAPHS, graphs=[onnx.GraphProto(name="g"), onnx.GraphProto(name="h 2")]),
    "a graph whose name needs quotes": node_with("v", AttributeProto.GRAPH, g=onnx.GraphProto(name="then branch")),
    "a tensor whose name needs quotes": node_with("v", AttributeProto.TENSOR, t=numpy_helper.from_array(np.float32([1]), "a b")),
    "external data without a name": node_with("v", AttributeProto.TENSOR, t=TensorProto(
        data_type=1, dims=[2], data_location=1, external_data=[onnx.StringStringEntryProto(key="location", value="f")])),
    "an attribute's name that needs quotes": node_with("my-name", AttributeProto.INT, i=1),
    "an operator and domain that need quotes": onnx.NodeProto(op_type="Op-1", domain="a.b-c", output=["y"], overload="1"),
    "attribute defaults, value infos and the documentation of functions": function_with_defaults(),
}


def without_form(proto):
    """The same message with every tensor's numbers in raw bytes, and no empty names."""
    def visit(message):
        for field, value in message.ListFields():
            if field.message_type is not None:
                for inner in value if hasattr(value, "__len__") else [value]:
                    visit(inner)
            elif field.name in ("name", "domain") and value == "":
                message.ClearField(field.name)
        if isinstance(message, TensorProto) and message.int32_data and message.data_type in (TensorProto.INT4, TensorProto.UINT4):
            message.raw_data = bytes(message.int32_data)
            message.ClearField("int32_data")
        if isinstance(message, TensorProto) and message.float_data:
            message.raw_data = np.array(message.float_data, np.float32).tobytes()
            message.ClearField("float_data")
    proto = type(proto).FromString(proto.SerializeToString())
    visit(proto)
    return proto


@pytest.mark.parametrize("what", LOSSES)
def test_text_keeps_what_that_of_onnx_loses(what):
    proto = LOSSES[what]
    kind = "function" if isinstance(proto, onnx.FunctionProto) else "node"
    text = our_text(proto)
    theirs = onnx.printer.to_text(proto)
    assert same_message(without_form(our_parse(text, kind)), without_form(proto))
    try:  # and the reason for the difference stands: onnx's own way loses it
        lost = not same_message(without_form(their_parse(theirs, kind)), without_form(proto))
    except Exception:
        lost = True
    assert lost


def test_bytes_that_are_no_utf8_come_back():
    node = node_with("v", AttributeProto.STRING, s=b"\xff\xfe a")
    assert our_parse(our_text(node), "node").attribute[0].s == b"\xff\xfe a"


@pytest.mark.parametrize("text, message", [
    ("agraph (float[N] x) -> (y) {}", "line 1, column 21: found '-', expected '=>'"),
    ("g (float x) => (y) {\n  y = Add(x x)\n}", "line 2, column 13: found 'x', expected ')'"),
    ("g () => (y) { y = C <a = [1, 2.5]> () }", "line 1, column 30: found a value of type float, expected int"),
    ("g () => (y) { y = C <a: whole = 1> () }", "line 1, column 25: found 'whole', expected the type of an attribute"),
    ("g () => (y) { y = C <a = []> () }", "line 1, column 28: expected the type of an empty list"),
    ("g () => (y) <float[N] w = {1}> {}", "line 1, column 14: expected numbers only in the shape of a tensor's data"),
    ("g () => (y) <int8[1] w = {3000000000}> {}", "line 1, column 27: found 3000000000, expected an integer of 32 bits"),
    ('g () => (y) { y = C <a = "b> () }', "line 1, column 26: found a string without its closing quotes"),
    ("g () => (y) {} more", "line 1, column 16: found 'more', expected the end of the text"),
    ("", "line 1, column 1: found the end of the text, expected the name of a graph"),
])
def test_errors_say_where_what_was_found_and_what_was_expected(text, message):
    with pytest.raises(shipway.Error) as error:
        _core.parse_graph(text)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize("open_, close", [("seq(", ")"), ("optional(", ")"), ("map(int64, ", ")")])
def test_depth_has_a_limit(open_, close):
    def text(depth):
        return f"g ({open_ * depth}float{close * depth} x) => () {{}}"
    shallow = _core.parse_graph(text(98))
    assert _core.to_text(shallow, "graph").startswith("g (" + open_)
    for parse_deep in (lambda: _core.parse_graph(text(100)), lambda: _core.parse_graph(text(1000000))):
        with pytest.raises(shipway.Error, match="nested deeper than 100 levels"):
            parse_deep()


def test_graphs_in_graphs_have_a_limit():
    def text(depth):
        return "y = If (c) <b = g () => () {" * depth + "}>" * depth
    assert _core.parse_node(text(100))
    with pytest.raises(shipway.Error, match="nested deeper than 100 levels"):
        _core.parse_node(text(101))


def test_raw_data_that_does_not_fit_is_named():
    with pytest.raises(shipway.Error, match="tensor 'w': raw_data has 3 bytes, its shape and dtype float ask for 8"):
        our_text(node_with("v", AttributeProto.TENSOR, t=raw_tensor(TensorProto.FLOAT, [2], b"123")))
