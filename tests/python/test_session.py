"""shipway.InferenceSession: what goes in, what comes out, and what is said when something does not fit."""
import pathlib
import threading

import ml_dtypes
import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

import shipway


def make_model(nodes, inputs, outputs, initializers=(), opset=21):
    graph = helper.make_graph(nodes, "test", inputs, outputs, list(initializers))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)


def tensor(name, dtype, shape):
    return helper.make_tensor_value_info(name, dtype, shape)


def identity(dtype, shape=("n",)):
    return make_model([helper.make_node("Identity", ["x"], ["y"])], [tensor("x", dtype, shape)], [tensor("y", dtype, shape)])


@pytest.fixture
def adder():
    """s = a + b and p = a * b, where b may be left out."""
    return make_model(
        [helper.make_node("Add", ["a", "b"], ["s"]), helper.make_node("Mul", ["a", "b"], ["p"])],
        [tensor("a", TensorProto.FLOAT, ["rows", 3]), tensor("b", TensorProto.FLOAT, [3])],
        [tensor("s", TensorProto.FLOAT, ["rows", 3]), tensor("p", TensorProto.FLOAT, ["rows", 3])],
        [helper.make_tensor("b", TensorProto.FLOAT, [3], [1, 2, 3])])


A = np.array([[1, 2, 3], [4, 5, 6]], np.float32)


@pytest.mark.parametrize("size", [(1, 1), (17, 40), (64, 48), (120, 161)])
def test_results_are_those_of_onnxruntime(srcnn, photo, size):
    feed = {"input": photo(*size)}
    (expected,) = onnxruntime.InferenceSession(srcnn).run(None, feed)
    (found,) = shipway.InferenceSession(srcnn).run(None, feed)
    assert found.dtype == np.float32 and found.shape == expected.shape == (1, 3, 3 * size[0], 3 * size[1])
    assert np.abs(found - expected).max() <= 1e-3 * np.abs(expected).max()


def test_one_session_takes_many_sizes(srcnn, photo):
    session = shipway.InferenceSession(srcnn)
    for height, width in [(20, 30), (31, 9), (20, 30), (8, 8)]:
        again = shipway.InferenceSession(srcnn)
        feed = {"input": photo(height, width)}
        np.testing.assert_array_equal(session.run(None, feed)[0], again.run(None, feed)[0])


def test_inputs_and_outputs_are_described_as_by_onnxruntime(srcnn, adder):
    for source in (srcnn, adder.SerializeToString()):
        ours, theirs = shipway.InferenceSession(source), onnxruntime.InferenceSession(source)
        for list_ours, list_theirs in [(ours.get_inputs(), theirs.get_inputs()),
                                       (ours.get_overridable_initializers(), theirs.get_overridable_initializers())]:
            assert [(x.name, x.type, x.shape) for x in list_ours] == [(x.name, x.type, x.shape) for x in list_theirs]
        assert [(x.name, x.type) for x in ours.get_outputs()] == [(x.name, x.type) for x in theirs.get_outputs()]
    assert shipway.InferenceSession(srcnn).get_inputs()[0].shape[1] == 3
    assert isinstance(shipway.InferenceSession(srcnn).get_inputs()[0].shape[2], str)


def test_a_model_comes_as_path_bytes_model_or_message(adder, tmp_path):
    path = tmp_path / "adder.onnx"
    onnx.save(adder, path)
    for source in (path, str(path), path.read_bytes(), shipway.load(path), adder):
        np.testing.assert_array_equal(shipway.InferenceSession(source).run(["s"], {"a": A})[0], A + [1, 2, 3])


def test_outputs_come_in_the_order_asked_for(adder):
    session = shipway.InferenceSession(adder)
    b = np.float32([10, 20, 30])
    sums, products = session.run(None, {"a": A, "b": b})
    np.testing.assert_array_equal(sums, A + b)
    np.testing.assert_array_equal(products, A * b)
    swapped = session.run(["p", "s"], {"a": A, "b": b})
    np.testing.assert_array_equal(swapped[0], products)
    np.testing.assert_array_equal(swapped[1], sums)
    assert len(session.run(["p"], {"a": A})) == 1
    assert len(session.run([], {"a": A})) == 2


@pytest.mark.parametrize("feed, says", [
    ({}, "a"),
    ({"a": A, "z": A}, "z"),
    ({"a": A.astype(np.float64)}, "a"),
    ({"a": A[0]}, "a"),
    ({"a": np.zeros((2, 4), np.float32)}, "a"),
    ({"a": None}, "a"),
    ({"a": object()}, "a"),
])
def test_a_feed_that_does_not_fit_is_named(adder, feed, says):
    session = shipway.InferenceSession(adder)
    with pytest.raises(shipway.InvalidArgument, match=f"'{says}'"):
        session.run(None, feed)
    np.testing.assert_array_equal(session.run(None, {"a": A})[0], A + [1, 2, 3])  # nothing is broken by it


def test_an_unknown_output_is_named(adder):
    with pytest.raises(shipway.Error, match="'q'"):
        shipway.InferenceSession(adder).run(["q"], {"a": A})


def test_inputs_may_be_views_and_are_left_alone():
    session = shipway.InferenceSession(identity(TensorProto.FLOAT, ["h", "w"]))
    whole = np.arange(60, dtype=np.float32).reshape(6, 10)
    for view in (whole, whole.T, whole[::2, ::-3], whole[:0], np.broadcast_to(whole[:1], (4, 10)), np.asfortranarray(whole)):
        (found,) = session.run(None, {"x": view})
        np.testing.assert_array_equal(found, view)
        assert found.shape == view.shape
    read_only = whole.copy()
    read_only.flags.writeable = False
    (found,) = session.run(None, {"x": read_only})
    found += 1
    np.testing.assert_array_equal(read_only, whole)


def test_results_outlive_the_session_and_the_next_run(adder):
    session = shipway.InferenceSession(adder)
    (first,) = session.run(["s"], {"a": A})
    session.run(["s"], {"a": A * 100})
    del session
    np.testing.assert_array_equal(first, A + [1, 2, 3])
    assert first.flags.writeable


@pytest.mark.parametrize("dtype", [
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64",
    "complex64", "complex128", "bfloat16", "float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz", "int4", "uint4"])
def test_every_element_type_passes_through(dtype):
    kind = np.dtype(getattr(ml_dtypes, dtype, None) or dtype)
    session = shipway.InferenceSession(identity(helper.np_dtype_to_tensor_dtype(kind)))
    for count in (0, 1, 7):
        values = np.array([0, 1, 2, 3, 0, 1, 1][:count]).astype(kind)
        (found,) = session.run(None, {"x": values})
        assert found.dtype == kind
        np.testing.assert_array_equal(found, values)


def test_strings():
    session = shipway.InferenceSession(identity(TensorProto.STRING))
    texts = ["", "plain", "Grüße", "日本語", "a\0b"]
    for values in (np.array(texts, object), np.array(texts[:4])):
        (found,) = session.run(None, {"x": values})
        assert found.dtype == object and found.tolist() == values.tolist()


def test_sequences_are_lists_and_an_empty_optional_is_none():
    sequence = make_model(
        [helper.make_node("SequenceConstruct", ["x", "x"], ["y"])], [tensor("x", TensorProto.INT64, ["n"])],
        [helper.make_tensor_sequence_value_info("y", TensorProto.INT64, None)])
    x = np.arange(3)
    (found,) = shipway.InferenceSession(sequence).run(None, {"x": x})
    assert isinstance(found, list) and [part.tolist() for part in found] == [[0, 1, 2]] * 2

    optional = helper.make_optional_type_proto(helper.make_tensor_type_proto(TensorProto.FLOAT, ["n"]))
    has = make_model(
        [helper.make_node("OptionalHasElement", ["x"], ["y"])], [helper.make_value_info("x", optional)],
        [tensor("y", TensorProto.BOOL, [])])
    session = shipway.InferenceSession(has)
    assert session.get_inputs()[0].type == "optional(tensor(float))"
    assert not session.run(None, {"x": None})[0]
    assert session.run(None, {"x": np.zeros(2, np.float32)})[0]


def test_sessions_run_from_many_threads(srcnn, photo):
    session = shipway.InferenceSession(srcnn, threads=1)
    feeds = [{"input": photo(10 + i, 24 - i)} for i in range(6)]
    expected = [session.run(None, feed)[0] for feed in feeds]
    found = [[] for _ in feeds]

    def work(number):
        for _ in range(5):
            found[number].append(session.run(None, feeds[number])[0])

    workers = [threading.Thread(target=work, args=(i,)) for i in range(len(feeds))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for results, result in zip(found, expected):
        assert len(results) == 5
        for other in results:
            np.testing.assert_array_equal(other, result)


def test_the_number_of_threads_changes_no_byte(srcnn, photo):
    feed = {"input": photo(50, 70)}
    (one,), (two,) = (shipway.InferenceSession(srcnn, threads=n).run(None, feed) for n in (1, 2))
    np.testing.assert_array_equal(one, two)


def test_options_of_onnxruntime_are_accepted(srcnn, photo):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = shipway.InferenceSession(srcnn, options, ["CPUExecutionProvider"])
    assert session.get_providers() == ["CPUExecutionProvider"]
    session.run(None, {"input": photo(5, 5)}, onnxruntime.RunOptions())


def test_an_unknown_provider_is_warned_of_by_name(srcnn):
    with pytest.warns(UserWarning, match="CUDAExecutionProvider") as seen:
        session = shipway.InferenceSession(srcnn, providers=[("CUDAExecutionProvider", {"device_id": 0}), "CPUExecutionProvider"])
    assert len(seen) == 1
    assert session.get_providers() == ["CPUExecutionProvider"]


def test_metadata(adder):
    adder.producer_name, adder.domain, adder.model_version, adder.doc_string = "someone", "org.example", 7, "adds"
    adder.metadata_props.add(key="author", value="Ä")
    ours = shipway.InferenceSession(adder).get_modelmeta()
    theirs = onnxruntime.InferenceSession(adder.SerializeToString()).get_modelmeta()
    for name in ("producer_name", "graph_name", "domain", "description", "version", "custom_metadata_map"):
        assert getattr(ours, name) == getattr(theirs, name), name


@pytest.mark.parametrize("content, says", [
    (b"", "empty"),
    (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n", "LFS"),
    (b"<!DOCTYPE html><html></html>", "HTML"),
])
def test_what_is_no_model_is_named_as_what_it_is(tmp_path, content, says):
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(shipway.InvalidModel, match=says):
        shipway.InferenceSession(path)


@pytest.mark.parametrize("nodes, says", [
    ([("Relu", "x", "y"), ("Neg", "x", "y")], "'y': two values"),
    ([("Add", "x b", "a"), ("Relu", "a", "b"), ("Neg", "b", "y")], r"'b': it is input of node #0 \(Add\), which comes before"),
    ([("Add", "x q", "y")], r"'q': it is input of node #0 \(Add\), but nothing makes it"),
], ids=["defined twice", "cycle", "undefined"])
def test_a_graph_that_does_not_hold_together_is_an_invalid_model(nodes, says):
    made = [helper.make_node(op, inputs.split(), outputs.split()) for op, inputs, outputs in nodes]
    model = make_model(made, [tensor("x", TensorProto.FLOAT, [2])], [tensor("y", TensorProto.FLOAT, [2])])
    with pytest.raises(shipway.InvalidModel, match=says):
        shipway.InferenceSession(model)


def test_errors_are_shipway_errors_and_pythons_own(tmp_path):
    with pytest.raises(shipway.NotFound, match="nowhere.onnx") as caught:
        shipway.InferenceSession(tmp_path / "nowhere.onnx")
    assert isinstance(caught.value, (shipway.Error, FileNotFoundError))
    assert issubclass(shipway.InvalidArgument, ValueError) and issubclass(shipway.Unsupported, NotImplementedError)
    for kind in (shipway.InvalidArgument, shipway.InvalidModel, shipway.NotFound, shipway.Unsupported, shipway.IoError):
        assert issubclass(kind, shipway.Error)


def test_load_and_save_keep_the_model(srcnn, tmp_path):
    path = tmp_path / "copy.onnx"
    shipway.save(shipway.load(srcnn), path)
    assert onnx.load(path) == onnx.load(srcnn)
    shipway.save(shipway.load(path), path)  # over the file it was loaded from
    assert onnx.load(path) == onnx.load(srcnn)
    assert "Conv" in shipway.load(pathlib.Path(srcnn)).text()


def test_infer_shapes_gives_back_the_kind_it_took(srcnn, tmp_path):
    inferred = shipway.shape_inference.infer_shapes(onnx.load(srcnn))
    assert isinstance(inferred, onnx.ModelProto)
    types = {info.name: info.type.tensor_type for info in inferred.graph.value_info}
    produced = [name for node in inferred.graph.node for name in node.output]
    assert set(produced) - {x.name for x in inferred.graph.output} <= set(types)
    convolved = types[next(node.output[0] for node in inferred.graph.node if node.op_type == "Conv")]
    assert convolved.elem_type == TensorProto.FLOAT and convolved.shape.dim[1].dim_value == 64
    assert isinstance(shipway.shape_inference.infer_shapes(onnx.load(srcnn).SerializeToString()), bytes)
    assert isinstance(shipway.shape_inference.infer_shapes(srcnn), shipway.Model)


def test_the_graph_is_believed_where_the_file_declares_another_shape():
    model = make_model(
        [helper.make_node("Unsqueeze", ["x", "axes"], ["h"]), helper.make_node("Relu", ["h"], ["y"])],
        [tensor("x", TensorProto.FLOAT, ["n"])], [tensor("y", TensorProto.FLOAT, [1, "n"])],
        [helper.make_tensor("axes", TensorProto.INT64, [2], [0, 1])])
    model.graph.value_info.append(tensor("h", TensorProto.FLOAT, ["n"]))
    (found,) = shipway.InferenceSession(model).run(None, {"x": np.float32([-1, 2])})
    assert found.tolist() == [[[0, 2]]]
    model.graph.output[0].type.tensor_type.elem_type = TensorProto.INT64  # but no other element type
    with pytest.raises(shipway.InvalidModel, match="'y'"):
        shipway.InferenceSession(model)
