"""shipway.checker.check_model: what it takes and what it raises. Its verdicts are compared in test_checker.py."""
import onnx
import pytest
from onnx import TensorProto, helper

import model_mutations
import shipway
import shipway.onnx


def sound():
    graph = helper.make_graph(
        [helper.make_node("Relu", ["x"], ["y"], name="positive")], "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2])], [helper.make_tensor_value_info("y", TensorProto.FLOAT, [2])])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def sources(model, folder):
    path = folder / "model.onnx"
    path.write_bytes(model.SerializeToString())
    return [path, str(path), path.read_bytes(), model, shipway.load(model)]


def test_a_sound_model_is_correct_however_it_comes(tmp_path):
    for source in sources(sound(), tmp_path):
        assert shipway.checker.check_model(source) is None
        assert shipway.checker.check_model(source, full_check=True) is None


@pytest.mark.parametrize("name, model", list(model_mutations.seeds()), ids=lambda value: value if isinstance(value, str) else "")
def test_seeds_are_correct(name, model):
    shipway.checker.check_model(model)


def test_what_is_wrong_is_said_with_its_place(tmp_path):
    model = sound()
    model.graph.node[0].attribute.append(helper.make_attribute("slope", 1.0))
    for source in sources(model, tmp_path):
        with pytest.raises(shipway.checker.ValidationError) as caught:
            shipway.checker.check_model(source)
        for part in ("positive", "Relu", "slope"):
            assert part in str(caught.value)
    assert isinstance(caught.value, shipway.Error)
    assert shipway.onnx.checker.ValidationError is shipway.checker.ValidationError


def test_a_full_check_compares_declared_shapes(tmp_path):
    model = sound()
    model.graph.output[0].type.tensor_type.shape.dim[0].dim_value = 3
    for source in sources(model, tmp_path):
        shipway.checker.check_model(source)
        with pytest.raises(shipway.Error, match="'y'"):
            shipway.checker.check_model(source, full_check=True)
    with pytest.raises(Exception):
        onnx.checker.check_model(model, full_check=True)


def test_unknown_domains_are_refused_when_asked():
    model = sound()
    model.graph.node[0].domain = "com.example"
    model.opset_import.add(domain="com.example", version=1)
    shipway.checker.check_model(model)
    with pytest.raises(shipway.checker.ValidationError, match="com.example"):
        shipway.checker.check_model(model, check_custom_domain=True)


def test_what_is_no_model():
    for source in (b"", b"\xff" * 30, b"<html>"):
        with pytest.raises(shipway.Error):
            shipway.checker.check_model(source)
    with pytest.raises(shipway.Error, match="nowhere.onnx"):
        shipway.checker.check_model("nowhere.onnx")
    with pytest.raises(TypeError):
        shipway.checker.check_model(17)
