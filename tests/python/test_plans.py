"""Plan files through the command and Python."""
import json
import os
import subprocess
import sys

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import shipway
import shipway.onnxruntime

pytestmark = pytest.mark.skipif(os.environ.get("SHIPWAY_ISA") == "scalar", reason="plans are for kernels")


@pytest.fixture(scope="module")
def model():
    generator = np.random.default_rng(3)
    weights = [numpy_helper.from_array(generator.standard_normal(shape).astype(np.float32), name)
               for name, shape in [("w1", (64, 128)), ("b1", (128,)), ("w2", (128, 10))]]
    nodes = [helper.make_node("Gemm", ["x", "w1", "b1"], ["h"]), helper.make_node("Relu", ["h"], ["r"]),
             helper.make_node("MatMul", ["r", "w2"], ["y"])]
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 64])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 10])], weights)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], producer_name="test")
    made.metadata_props.add(key="author", value="somebody")
    return made


@pytest.fixture(scope="module")
def files(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("plans")
    onnx.save(model, folder / "m.onnx")
    shipway.compile_plan(folder / "m.onnx", folder / "m.plan")
    return folder


X = np.random.default_rng(4).standard_normal((3, 64)).astype(np.float32)


@pytest.mark.parametrize("module", [shipway, shipway.onnxruntime])
def test_a_plan_runs_where_a_model_does(files, module):
    want = module.InferenceSession(str(files / "m.onnx")).run(None, {"x": X})[0]
    for source in [files / "m.plan", str(files / "m.plan"), (files / "m.plan").read_bytes()]:
        session = module.InferenceSession(source)
        np.testing.assert_array_equal(session.run(["y"], {"x": X})[0], want)
        np.testing.assert_array_equal(session.run(["y"], {"x": X[:1]})[0], want[:1])
        assert [i.name for i in session.get_inputs()] == ["x"] and list(session.get_inputs()[0].shape) == ["N", 64]
        assert session.get_modelmeta().custom_metadata_map == {"author": "somebody"}


def test_shapes_and_instruction_sets_can_be_asked_for(model, tmp_path):
    shipway.compile_plan(model, tmp_path / "m.plan", isa="sse4", shapes={"x": [3, 64]})
    session = shipway.InferenceSession(tmp_path / "m.plan")
    assert list(session.get_inputs()[0].shape) == [3, 64]
    np.testing.assert_allclose(session.run(None, {"x": X})[0], shipway.InferenceSession(model).run(None, {"x": X})[0], rtol=1e-4, atol=1e-4)
    with pytest.raises(shipway.InvalidArgument, match="the model has no input 'z'"):
        shipway.compile_plan(model, tmp_path / "m.plan", shapes={"z": [1]})


def test_what_cannot_be_opened_is_said(files, tmp_path):
    good = (files / "m.plan").read_bytes()
    with pytest.raises(shipway.InvalidModel, match="damaged"):
        shipway.InferenceSession(good[:-1])
    flipped = bytearray(good)
    flipped[-100] ^= 1
    (tmp_path / "flipped.plan").write_bytes(flipped)
    session = shipway.InferenceSession(tmp_path / "flipped.plan")
    with pytest.raises(shipway.InvalidModel, match="1 of \\d+ blocks of weights have another checksum"):
        session.run(None, {"x": X})
    with pytest.raises(shipway.Unsupported, match="plain loops need the model"):
        shipway.InferenceSession(good, reference=True)
    with pytest.raises(shipway.InvalidModel, match="a plan file of Shipway: it is for running"):
        shipway.load(files / "m.plan")


def test_a_plan_for_more_than_this_process_uses_is_refused(model, tmp_path):
    shipway.compile_plan(model, tmp_path / "m.plan", isa="avx2")  # any machine can write it
    code = "import sys, shipway\ntry: shipway.InferenceSession(sys.argv[1])\nexcept shipway.Unsupported as e: print(e)"
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "m.plan"], env={**os.environ, "SHIPWAY_ISA": "sse4"},
                          capture_output=True, text=True, check=True)
    assert "the plan file was made for avx2, this process uses sse4: compile the model for it (--isa sse4)" in done.stdout


def test_the_command_compiles_and_runs(shipway, files, tmp_path):
    plan = tmp_path / "c.plan"
    done = shipway("compile", files / "m.onnx", plan)
    assert done.returncode == 0 and "plan of" in done.stderr and done.stdout == ""
    assert plan.read_bytes() == (files / "m.plan").read_bytes()
    report = json.loads(shipway("compile", files / "m.onnx", plan, "--json", "--shape", "x=2x64").stdout)
    assert report == {"plan": str(plan), "bytes": plan.stat().st_size}
    assert shipway("run", plan, "--input", "x=random").stdout.startswith("y: float[2,10]")
    assert json.loads(shipway("bench", plan, "--runs", "2", "--json").stdout)["model"] == str(plan)
    done = shipway("info", plan)
    assert done.returncode == 1 and "it is for running" in done.stderr
    done = shipway("compile", files / "m.onnx", plan, "--isa", "neon")
    assert done.returncode == 2
    done = shipway("compile", files / "m.onnx", tmp_path / "none" / "c.plan")
    assert done.returncode == 1 and "c.plan" in done.stderr


def test_processes_share_the_weights_of_a_plan(tmp_path):
    big = numpy_helper.from_array(np.ones((2048, 2048), np.float32), "w")
    graph = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], "g",
                              [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 2048])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 2048])], [big])
    plan = tmp_path / "big.plan"
    shipway.compile_plan(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), plan)
    code = """
        import sys, numpy as np, shipway
        session = shipway.InferenceSession(sys.argv[1])
        assert session.run(None, {"x": np.ones((1, 2048), np.float32)})[0][0, 0] == 2048
        private = shared = 0
        mine = False
        for line in open("/proc/self/smaps"):
            if "-" in line.split()[0] and ":" not in line.split()[0]: mine = line.rstrip().endswith("big.plan")
            elif mine and line.startswith("Private_Dirty"): private += int(line.split()[1])
            elif mine and line.startswith("Rss"): shared += int(line.split()[1])
        print(private, shared)
    """
    import textwrap
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code), plan], capture_output=True, text=True, check=True)
    private, resident = map(int, done.stdout.split())
    assert private == 0 and resident >= 2048 * 2048 * 4 // 1024, "in kB: all of the weights, in pages of the file"
