"""shipway.onnx's messages against those of the onnx package."""
import copy
import pathlib
import pickle

import numpy as np
import onnx
import onnx.backend.test
import pytest

import model_mutations
import shipway
import shipway.onnx as so

DATA = pathlib.Path(onnx.backend.test.__file__).parent / "data"


def compared(ours, theirs, where="model"):
    """Field by field, presence included."""
    assert {field.name for field, _ in ours.ListFields()} == {field.name for field, _ in theirs.ListFields()}, where
    for field, value in ours.ListFields():
        other = getattr(theirs, field.name)
        for i, (a, b) in enumerate(zip(value, other, strict=True) if field.repeated else [(value, other)]):
            if field.kind == "message":
                compared(a, b, f"{where}.{field.name}[{i}]")
            else:
                assert a == b or a != a and b != b, f"{where}.{field.name}[{i}]"


@pytest.mark.parametrize("name, model", list(model_mutations.seeds()), ids=lambda value: value if isinstance(value, str) else "")
def test_models_read_and_write_as_with_onnx(name, model):
    ours = so.ModelProto.FromString(model.SerializeToString())
    compared(ours, model)
    assert onnx.ModelProto.FromString(ours.SerializeToString()) == model


def test_every_model_of_the_onnx_package_survives():
    files = sorted(file for file in DATA.rglob("*.onnx") if "light" not in file.parts)
    assert len(files) > 100
    for file in files:
        assert onnx.ModelProto.FromString(so.load(file, load_external_data=False).SerializeToString()) == \
            onnx.load(file, load_external_data=False), file


def test_all_fields_and_enumerations_are_those_of_onnx():
    for name, message in onnx.onnx_ml_pb2.DESCRIPTOR.message_types_by_name.items():
        ours = so.messages.CLASSES[name]
        assert {(f.name, f.number) for f in message.fields} == {(f.name, f.number) for f in ours._fields.values()}, name
    for enum in ("TensorProto.DataType", "TensorProto.DataLocation", "AttributeProto.AttributeType"):
        message, _, kind = enum.partition(".")
        assert dict(getattr(getattr(so, message), kind).items()) == dict(getattr(getattr(onnx, message), kind).items())
    assert so.TensorProto.FLOAT == 1 and so.TensorProto.DataType.Name(10) == "FLOAT16"


def edit(package):
    """What scripts do to a model; package is onnx or shipway.onnx."""
    helper = package.helper
    model = helper.make_model(helper.make_graph(
        [helper.make_node("Relu", ["x"], ["h"], name="first"),
         helper.make_node("LeakyRelu", ["h"], ["y"], alpha=0.25, doc_string="leaks")],
        "g", [helper.make_tensor_value_info("x", package.TensorProto.FLOAT, [None, "n", 3])],
        [helper.make_tensor_value_info("y", package.TensorProto.FLOAT, None)],
        [package.numpy_helper.from_array(np.arange(6, dtype=np.int64).reshape(2, 3), "w")]),
        opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="me")
    node = model.graph.node.add()
    node.op_type = "Add"
    node.input.extend(["y", "y"])
    node.output.append("z")
    node.attribute.append(helper.make_attribute("ints", [1, 2]))
    node.attribute.extend([helper.make_attribute("texts", ["a", b"b"]), helper.make_attribute("mixed", [1, 2.5])])
    node.input[0] = "h"
    del node.attribute[0]
    node.attribute.insert(0, helper.make_attribute("t", package.numpy_helper.from_array(np.float32([1, 2]))))
    model.graph.node[0].CopyFrom(model.graph.node[2])
    model.graph.node.remove(model.graph.node[1])
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 5
    model.graph.output[0].type.sequence_type.elem_type.tensor_type.elem_type = package.TensorProto.DOUBLE
    model.metadata_props.add(key="k", value="v")
    model.ClearField("producer_name")
    model.graph.doc_string = "Grüße\n"
    return model


def test_editing_is_that_of_onnx():
    ours, theirs = edit(so), edit(onnx)
    compared(ours, theirs)
    assert onnx.ModelProto.FromString(ours.SerializeToString()) == theirs
    assert str(ours) == str(theirs)
    for model in (ours, theirs):
        dims = model.graph.input[0].type.tensor_type.shape.dim
        assert [dim.WhichOneof("value") for dim in dims] == [None, "dim_value", "dim_value"]
        assert model.graph.output[0].type.WhichOneof("value") == "sequence_type"
        assert model.HasField("graph") and not model.HasField("producer_name") and not model.HasField("domain")
    assert copy.deepcopy(ours) == ours == pickle.loads(pickle.dumps(ours))
    copied = so.ModelProto()
    copied.CopyFrom(ours)
    copied.graph.name = "other"
    assert ours.graph.name == "g"


def test_reading_a_part_does_not_make_it():
    for package in (so, onnx):
        model = package.ModelProto()
        assert model.graph.name == "" and len(model.graph.node) == 0 and not model.HasField("graph")
        model.graph.SetInParent()
        assert model.HasField("graph")


@pytest.mark.parametrize("change, error", [
    (lambda m: setattr(m, "ir_version", "8"), TypeError),
    (lambda m: setattr(m, "ir_version", 2**63), ValueError),
    (lambda m: setattr(m, "producer_name", 3), TypeError),
    (lambda m: setattr(m, "nothing", 3), AttributeError),
    (lambda m: setattr(m, "graph", None), AttributeError),
    (lambda m: m.HasField("nothing"), ValueError),
    (lambda m: m.graph.node.append("node"), TypeError),
    (lambda m: m.ParseFromString(b"\x08"), Exception),
    (lambda m: m.ParseFromString(b"\x3a\x7f"), Exception),
])
def test_mistakes_are_refused_as_by_onnx(change, error):
    for package in (so, onnx):
        with pytest.raises(error):
            change(package.ModelProto())


def test_unknown_fields_are_kept():
    strange = onnx.ModelProto(ir_version=8).SerializeToString() + b"\xfa\x3e\x03abc"
    assert so.ModelProto.FromString(strange).SerializeToString() == strange


def test_arrays_there_and_back():
    import ml_dtypes
    for kind in ["bool", "int8", "uint16", "int64", "uint64", "float16", "float32", "float64", "complex64", "bfloat16",
                 "float8_e4m3fn", "int4", "uint4", "float4_e2m1fn"]:
        array = np.array([[0, 1, 2], [1, 3, 0]]).astype(np.dtype(getattr(ml_dtypes, kind, None) or kind))
        ours, theirs = so.numpy_helper.from_array(array, "a"), onnx.numpy_helper.from_array(array, "a")
        assert onnx.TensorProto.FromString(ours.SerializeToString()) == theirs, kind
        back = so.numpy_helper.to_array(ours)
        assert back.dtype == array.dtype
        np.testing.assert_array_equal(back, array)
        if kind not in ("complex64",):
            made = onnx.helper.make_tensor("a", theirs.data_type, [2, 3], array.astype(np.float32).ravel().tolist())
            np.testing.assert_array_equal(so.numpy_helper.to_array(so.TensorProto.FromString(made.SerializeToString())), array)
    texts = np.array(["a", "Ä", ""], object)
    assert so.numpy_helper.to_array(so.numpy_helper.from_array(texts)).tolist() == texts.tolist()


def test_a_model_made_here_runs(tmp_path):
    helper = so.helper
    model = helper.make_model(helper.make_graph(
        [helper.make_node("Add", ["x", "b"], ["y"])], "g", [helper.make_tensor_value_info("x", so.TensorProto.FLOAT, ["n"])],
        [helper.make_tensor_value_info("y", so.TensorProto.FLOAT, ["n"])],
        [helper.make_tensor("b", so.TensorProto.FLOAT, [1], [2.5])]), opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    so.checker.check_model(model, full_check=True)
    assert isinstance(so.shape_inference.infer_shapes(model), so.ModelProto)
    so.save(model, tmp_path / "made.onnx")
    (found,) = shipway.InferenceSession(so.load(tmp_path / "made.onnx")).run(None, {"x": np.float32([1, 2])})
    assert found.tolist() == [3.5, 4.5]


def test_external_data_is_loaded_and_stays_in_its_folder(tmp_path):
    weights = np.arange(500, dtype=np.float32)
    theirs = onnx.helper.make_model(onnx.helper.make_graph(
        [onnx.helper.make_node("Add", ["x", "w"], ["y"])], "g",
        [onnx.helper.make_tensor_value_info("x", 1, [500])], [onnx.helper.make_tensor_value_info("y", 1, [500])],
        [onnx.numpy_helper.from_array(weights, "w")]))
    path = tmp_path / "model.onnx"
    onnx.save(theirs, path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    np.testing.assert_array_equal(so.numpy_helper.to_array(so.load(path).graph.initializer[0]), weights)
    bad = so.load(path, load_external_data=False)
    bad.graph.initializer[0].external_data[0].value = "../weights.bin"
    (tmp_path / "sub").mkdir()
    so.save(bad, tmp_path / "sub" / "model.onnx")
    with pytest.raises(shipway.InvalidModel, match="weights.bin"):
        so.load(tmp_path / "sub" / "model.onnx")


def test_what_is_no_model_is_named(tmp_path):
    path = tmp_path / "model.onnx"
    for content, says in [(b"", "empty"), (b"<!DOCTYPE html><html></html>", "HTML")]:
        path.write_bytes(content)
        with pytest.raises(shipway.InvalidModel, match=says):
            so.load(path)
    with pytest.raises(shipway.NotFound):
        so.load(tmp_path / "nowhere.onnx")
