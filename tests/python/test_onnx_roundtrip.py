"""Load -> save gives the same model, for every model that the onnx package ships or makes.

Compared with the onnx package's own reading of both files, field by field (presence included). The program that loads
and saves is build/<preset>/tests/onnx_roundtrip; SHIPWAY_ONNX_ROUNDTRIP names another.
"""

import os
import pathlib
import subprocess

import pytest

onnx = pytest.importorskip("onnx")
from onnx import TensorProto, helper  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def roundtrip():
    candidates = [os.environ.get("SHIPWAY_ONNX_ROUNDTRIP", "")]
    candidates += sorted(str(p) for p in ROOT.glob("build/*/tests/onnx_roundtrip"))
    program = next((c for c in candidates if c and os.access(c, os.X_OK)), None)
    if program is None:
        pytest.skip("onnx_roundtrip is not built")

    def run(pairs):
        arguments = [str(path) for pair in pairs for path in pair]
        for begin in range(0, len(arguments), 200):
            done = subprocess.run([program, *arguments[begin : begin + 200]], capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
    return run


def differences(a, b, path="model"):
    """Where two messages differ: paths of fields, the first few."""
    found = []
    if a == b:
        return found
    for field in a.DESCRIPTOR.fields:
        x, y = getattr(a, field.name), getattr(b, field.name)
        where = f"{path}.{field.name}"
        if field.is_repeated:
            if len(x) != len(y):
                found.append(f"{where}: {len(x)} and {len(y)} entries")
                continue
            for i, (p, q) in enumerate(zip(x, y)):
                if field.message_type is not None:
                    found += differences(p, q, f"{where}[{i}]")
                elif p != q and not (p != p and q != q):
                    found.append(f"{where}[{i}]: {p!r} and {q!r}")
            continue
        if a.HasField(field.name) != b.HasField(field.name):
            found.append(f"{where}: presence differs")
        elif field.message_type is not None:
            found += differences(x, y, where)
        elif x != y and not (x != x and y != y):
            found.append(f"{where}: {x!r} and {y!r}")
    return found


def same(a, b):
    first, second = onnx.load(a, load_external_data=False), onnx.load(b, load_external_data=False)
    assert differences(first, second)[:10] == []
    first.graph.CopyFrom(onnx.GraphProto())  # unknown fields and the order of bytes: equal once in canonical form
    second.graph.CopyFrom(onnx.GraphProto())
    assert first.SerializeToString(deterministic=True) == second.SerializeToString(deterministic=True)


def test_models_of_the_onnx_package(roundtrip, tmp_path):
    files = sorted((pathlib.Path(onnx.__file__).parent / "backend/test/data").rglob("*.onnx"))
    assert len(files) > 100
    pairs = [(f, tmp_path / f"{i}.onnx") for i, f in enumerate(files)]
    roundtrip(pairs)
    for a, b in pairs:
        same(a, b)


def test_models_of_the_node_tests(roundtrip, tmp_path):
    from onnx.backend.test.loader import load_model_tests

    cases = load_model_tests(kind="node")
    if not cases or not cases[0].model:
        from onnx.backend.test.case.node import collect_testcases

        cases = collect_testcases(None)
    pairs = []
    for i, case in enumerate(cases):
        a = tmp_path / f"{i}.in.onnx"
        if case.model is not None:
            a.write_bytes(case.model.SerializeToString())
        else:
            a.write_bytes((pathlib.Path(case.model_dir) / "model.onnx").read_bytes())
        pairs.append((a, tmp_path / f"{i}.out.onnx"))
    assert len(pairs) > 1000
    roundtrip(pairs)
    for a, b in pairs:
        same(a, b)


def everything():
    """A model with something in every field of every message that ONNX 1.23 has."""
    tensor = helper.make_tensor("w", TensorProto.INT8, [3], [1, -2, 3])
    tensor.doc_string = "weights"
    tensor.metadata_props.add(key="k", value="v")
    tensor.segment.begin, tensor.segment.end = 0, 3
    branch = helper.make_graph([helper.make_node("Identity", ["x"], ["inner"])], "branch", [],
                               [helper.make_tensor_value_info("inner", TensorProto.FLOAT, None)])
    sparse = helper.make_sparse_tensor(helper.make_tensor("s", TensorProto.FLOAT, [1], [2.0]),
                                       helper.make_tensor("si", TensorProto.INT64, [1], [4]), [3, 3])
    node = helper.make_node("Every", ["x", "", "w"], ["y", ""], name="every", domain="ai.onnx", doc_string="node",
                            f=1.5, i=0, s=b"\xff", t=tensor, g=branch, fs=[1.0, 2.0], ints=[7, -7], ss=["a", ""],
                            ts=[tensor, tensor], gs=[branch], sp=sparse,
                            tp=helper.make_tensor_type_proto(TensorProto.FLOAT16, ["n", None, 3]))
    node.attribute.add(name="empty", type=onnx.AttributeProto.INTS)
    node.attribute.add(name="absent", type=onnx.AttributeProto.INT)
    node.attribute.add(name="untyped", i=4)
    node.attribute.add(name="later", type=onnx.AttributeProto.FLOAT, f=0.0, doc_string="", ints=[1])
    node.overload = "o"
    node.metadata_props.add(key="only a key")
    configuration = node.device_configurations.add(configuration_id="c", pipeline_stage=0)
    configuration.sharding_spec.add(tensor_name="x", device=[0, 1]).sharded_dim.add(axis=0)
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", None, 3, "", -1], "doc", ["DATA_BATCH"] + [""] * 4)
    x.type.denotation = "IMAGE"
    sequence = onnx.ValueInfoProto(name="seq", type=helper.make_sequence_type_proto(
        helper.make_optional_type_proto(helper.make_map_type_proto(TensorProto.STRING, x.type))))
    graph = helper.make_graph([node], "", [x, sequence, onnx.ValueInfoProto(name="bare"),
                                           helper.make_tensor_value_info("w", TensorProto.INT8, [3])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, None), x],
                              [tensor, helper.make_tensor("raw", TensorProto.FLOAT, [2], b"12345678", raw=True)], "",
                              [helper.make_tensor_value_info("never", TensorProto.FLOAT, [1]),
                               helper.make_tensor_value_info("raw", TensorProto.FLOAT, ["k"]),
                               helper.make_tensor_value_info("raw", TensorProto.FLOAT, [2])], [sparse])
    annotation = graph.quantization_annotation.add(tensor_name="x")
    annotation.quant_parameter_tensor_names.add(key="SCALE_TENSOR", value="raw")
    graph.metadata_props.add(key="g", value="")
    function = helper.make_function("local", "F", ["a"], ["b"], [helper.make_node("Neg", ["a"], ["b"])],
                                    [helper.make_opsetid("", 17)], ["required"])
    function.node[0].attribute.add(name="r", ref_attr_name="required", type=onnx.AttributeProto.FLOAT)
    function.attribute_proto.append(helper.make_attribute("default", 3, "its doc"))
    function.overload, function.doc_string = "o", ""
    function.value_info.append(helper.make_tensor_value_info("b", TensorProto.FLOAT, ["f"]))
    model = helper.make_model(graph, functions=[function], producer_name="", model_version=0, doc_string="",
                              opset_imports=[onnx.OperatorSetIdProto(version=17), helper.make_opsetid("ai.onnx", 17),
                                             helper.make_opsetid("local", 1)])
    model.metadata_props.add(key="m", value="v")
    model.metadata_props.add(value="only a value")
    model.training_info.add().initialization.name = "init"
    model.configuration.add(name="c", num_devices=2, device=["a", "b"])
    return model


def test_every_field(roundtrip, tmp_path):
    a, b = tmp_path / "a.onnx", tmp_path / "b.onnx"
    # A field of the far future in the model and in its graph.
    model = everything()
    data = model.SerializeToString() + bytes([0xFA, 0xFF, 0x0F, 0x03]) + b"abc"
    a.write_bytes(data)
    roundtrip([(a, b)])
    same(a, b)
    assert b"\xfa\xff\x0f\x03abc" in b.read_bytes()


@pytest.mark.parametrize("dtype", [n for n in range(1, 29)])
@pytest.mark.parametrize("raw", [False, True])
def test_tensors_of_every_dtype(roundtrip, tmp_path, dtype, raw):
    import numpy as np

    if dtype == TensorProto.STRING:
        if raw:
            pytest.skip("strings have no raw form")
        tensor = helper.make_tensor("t", dtype, [3], [b"a", b"", b"\xff\x00"])
    else:
        values = np.array([0, 1, 1, 0, 1]).astype(helper.tensor_dtype_to_np_dtype(dtype))
        tensor = (onnx.numpy_helper.from_array(values, "t") if raw
                  else helper.make_tensor("t", dtype, [5], values))
        tensor.data_type = dtype
    graph = helper.make_graph([], "g", [], [], [tensor])
    a, b = tmp_path / "a.onnx", tmp_path / "b.onnx"
    onnx.save(helper.make_model(graph), a)
    roundtrip([(a, b)])
    same(a, b)


def test_external_data_stays_external(roundtrip, tmp_path):
    import numpy as np

    tensors = [onnx.numpy_helper.from_array(np.arange(n, dtype=np.float32), f"t{n}") for n in (300, 5, 700)]
    model = helper.make_model(helper.make_graph([], "g", [], [], tensors))
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    a, b = tmp_path / "in/a.onnx", tmp_path / "out/b.onnx"
    onnx.save(model, a, save_as_external_data=True, location="weights.bin", size_threshold=100)
    roundtrip([(a, b)])
    same(a, b)
    assert onnx.load(a) == onnx.load(b)
    before = onnx.load(a)
    roundtrip([(a, a)])  # over the files it is mapped from
    assert onnx.load(a) == before


def test_sizes_named_by_a_question_mark_are_unknown_each(roundtrip, tmp_path):
    """As Paddle's exporter writes them: "?" twice is not one size, and is written back as it was."""
    import numpy as np
    from shipway.onnxruntime import InferenceSession

    value = helper.make_tensor_value_info
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", [value("x", TensorProto.FLOAT, ["?", "?", "N"])],
                              [value("y", TensorProto.FLOAT, ["?", "?", "N"])])
    model = helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 20)])
    source, copy = tmp_path / "in.onnx", tmp_path / "out.onnx"
    onnx.save(model, source)
    roundtrip([(source, copy)])
    assert differences(model, onnx.load(copy)) == []
    x = np.ones((2, 3, 4), np.float32)
    (y,) = InferenceSession(str(source)).run(None, {"x": x})
    assert y.shape == (2, 3, 4)
