"""The opset that `optimize` and `convert` write: files that onnxruntime opens, with the same results."""
import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper


@pytest.fixture
def classifier(tmp_path):
    """Conv, BatchNormalization, Relu, Squeeze, Softmax: words that opsets say in different ways."""
    def write(opset):
        rng = np.random.default_rng(opset)
        weights = {"w": (5, 3, 3, 3), "scale": 5, "shift": 5, "mean": 5}
        constants = {name: rng.standard_normal(shape).astype(np.float32) for name, shape in weights.items()}
        constants["variance"] = rng.uniform(0.5, 2, 5).astype(np.float32)
        squeeze = [helper.make_node("Squeeze", ["p"], ["s"], axes=[2, 3])]
        if opset >= 13:
            constants["axes"] = np.array([2, 3])
            squeeze = [helper.make_node("Squeeze", ["p", "axes"], ["s"])]
        nodes = [helper.make_node("Conv", ["x", "w"], ["c"], pads=[1, 1, 1, 1]),
                 helper.make_node("BatchNormalization", ["c", "scale", "shift", "mean", "variance"], ["n"]),
                 helper.make_node("Relu", ["n"], ["r"]), helper.make_node("GlobalAveragePool", ["r"], ["p"]), *squeeze,
                 helper.make_node("Softmax", ["s"], ["y"], axis=1)]
        graph = helper.make_graph(nodes, "classifier",
                                  [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3, "H", "W"])],
                                  [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 5])],
                                  [numpy_helper.from_array(value, name) for name, value in constants.items()])
        onnx.save(helper.make_model(graph, ir_version=6, opset_imports=[helper.make_opsetid("", opset)]), tmp_path / "in.onnx")
        return tmp_path
    return write


def opset_of(path):
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    return next(entry.version for entry in model.opset_import if entry.domain == "")


def assert_same_results(folder):
    x = np.random.default_rng(1).standard_normal((2, 3, 7, 9)).astype(np.float32)
    results = [onnxruntime.InferenceSession(folder / name).run(None, {"x": x})[0] for name in ("in.onnx", "out.onnx")]
    np.testing.assert_allclose(results[1], results[0], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("opset", [9, 11, 13, 17, 21])
def test_optimize_writes_the_opset_of_the_input(shipway, classifier, opset):
    folder = classifier(opset)
    done = shipway("optimize", "in.onnx", "out.onnx", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert opset_of(folder / "out.onnx") == opset
    assert len(onnx.load(folder / "out.onnx").graph.node) < len(onnx.load(folder / "in.onnx").graph.node)
    assert_same_results(folder)


@pytest.mark.parametrize("opset, target", [(11, 17), (17, 11), (13, 9), (9, 21), (21, 7)])
def test_convert_writes_another_opset(shipway, classifier, opset, target):
    folder = classifier(opset)
    done = shipway("convert", "in.onnx", "out.onnx", "--opset", str(target), cwd=folder)
    assert done.returncode == 0, done.stderr
    assert opset_of(folder / "out.onnx") == target
    assert_same_results(folder)


def test_convert_names_what_an_opset_cannot_say(shipway, tmp_path):
    node = helper.make_node("Det", ["x"], ["y"], name="volume")
    value = helper.make_tensor_value_info
    graph = helper.make_graph([node], "g", [value("x", TensorProto.FLOAT, ["N", 2, 2])], [value("y", TensorProto.FLOAT, ["N"])])
    onnx.save(helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 18)]), tmp_path / "in.onnx")
    done = shipway("convert", "in.onnx", "out.onnx", "--opset", "7", cwd=tmp_path)
    assert done.returncode == 1 and done.stdout == ""
    assert "'volume' (Det)" in done.stderr and "opset 11" in done.stderr
    assert not (tmp_path / "out.onnx").exists()
