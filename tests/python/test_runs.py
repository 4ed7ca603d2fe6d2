"""What holds of every run from Python: errors, memory that is shared, the GIL, and how runs end early."""
import os
import pickle
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest
from onnx import TensorProto, helper

import shipway
import shipway.onnxruntime


def tensor(name, shape, dtype=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, dtype, shape)


def model(nodes, inputs, outputs, initializers=(), opset=21):
    return helper.make_model(helper.make_graph(nodes, "test", inputs, outputs, list(initializers)),
                             opset_imports=[helper.make_opsetid("", opset)], ir_version=10)


def counting():
    """y = x + n, one by one."""
    body = helper.make_graph(
        [helper.make_node("Identity", ["c"], ["go on"]), helper.make_node("Add", ["v", "one"], ["more"])], "body",
        [tensor("i", [], TensorProto.INT64), tensor("c", [], TensorProto.BOOL), tensor("v", [])],
        [tensor("go on", [], TensorProto.BOOL), tensor("more", [])], [helper.make_tensor("one", TensorProto.FLOAT, [], [1])])
    return model([helper.make_node("Loop", ["n", "", "x"], ["y"], body=body)], [tensor("n", [], TensorProto.INT64), tensor("x", [])],
                 [tensor("y", [])]).SerializeToString()


LONG = {"n": np.int64(20_000_000), "x": np.float32(0)}  # a minute of work
SHORT = {"n": np.int64(3), "x": np.float32(0)}
A = np.array([[1, 2, 3], [4, 5, 6]], np.float32)
ADDER = model([helper.make_node("Add", ["a", "b"], ["s"])], [tensor("a", ["rows", 3]), tensor("b", ["rows", 3])],
              [tensor("s", ["rows", 3])]).SerializeToString()


# --- errors -----------------------------------------------------------------------------------------------------------

CODES = {"invalid_model": shipway.InvalidModel, "invalid_argument": shipway.InvalidArgument, "not_found": shipway.NotFound,
         "unsupported": shipway.Unsupported, "limit": shipway.LimitReached, "out_of_memory": shipway.OutOfMemory,
         "cancelled": shipway.Cancelled, "io": shipway.IoError, "internal": shipway.InternalError}


def test_every_status_code_has_an_error_of_its_own(root):
    """The codes are those that C++ names."""
    import re
    listed = re.search(r"enum class StatusCode[^{]*\{(.*?)\};", (root / "include/shipway/status.h").read_text(), re.DOTALL).group(1)
    names = re.findall(r"\bk([A-Z]\w+)\b", re.sub("//.*", "", listed))
    assert {re.sub("(?<!^)([A-Z])", r"_\1", name).lower() for name in names} == {"ok", *CODES}
    assert len(set(CODES.values())) == len(CODES)
    for code, kind in CODES.items():
        assert shipway.errors.by_code(code) is kind and issubclass(kind, shipway.Error)


@pytest.mark.parametrize("kind", CODES.values())
def test_errors_keep_their_message_when_pickled(kind):
    said = "reading 'm.onnx': node 'c' (Conv): attribute 'pads' has 3 values, expected 4"
    back = pickle.loads(pickle.dumps(kind(said)))
    assert type(back) is kind and str(back) == said and back.args == (said,)


@pytest.mark.parametrize("feed, says", [
    ({}, "input 'a' (float[rows,3]) is missing; input 'b' (float[rows,3]) is missing"),
    ({"a": A, "b": A, "z": A}, "the model has no input 'z'"),
    ({"a": A.astype(np.float64), "b": A}, "input 'a' is double[2x3], expected float[rows,3]"),
    ({"a": A[0], "b": A}, "input 'a' is float[3], expected float[rows,3] (the rank differs)"),
    ({"a": A[:, :2], "b": A}, "input 'a' is float[2x2], expected float[rows,3] (axis 1 differs)"),
    ({"a": A, "b": A[:1]}, "input 'b' is float[1x3], expected float[rows,3] (size 'rows' is 2 in input 'a')"),
    ({"a": {"k": A}, "b": A}, "input 'a' is map, expected float[rows,3]"),
    ({"a": np.datetime64(3, "s"), "b": A}, "input 'a': an array of dtype datetime64[s] has no ONNX type"),
    ({"a": [[1, 2], [3]], "b": A}, "input 'a': no tensor of float: "),
    ({"a": ["x"], "b": A}, "input 'a': no tensor of float: could not convert string to float: 'x'"),
    ({1: A}, "the feed has the key 1, expected names of inputs"),
])
def test_a_wrong_feed_is_told_with_what_was_expected(feed, says):
    with pytest.raises(shipway.InvalidArgument) as caught:
        shipway.InferenceSession(ADDER).run(None, feed)
    assert str(caught.value).startswith(says)


def test_output_names_are_a_list():
    with pytest.raises(shipway.InvalidArgument, match="'s'.*list"):
        shipway.InferenceSession(ADDER).run("s", {"a": A, "b": A})


# --- arrays -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("array", [
    A.astype(">f4"), np.asfortranarray(A), A[::-1, ::-1], np.lib.stride_tricks.as_strided(A, (2, 3), (0, 4)), A.T.copy().T, A[:0],
    np.concatenate([A, A], axis=1)[:, ::2],
], ids=["big-endian", "Fortran", "reversed", "broadcast", "transposed", "empty", "strided"])
def test_arrays_of_any_layout_are_fed(array):
    expected = array.astype("=f4")
    (found,) = shipway.InferenceSession(ADDER).run(None, {"a": array, "b": array})
    np.testing.assert_array_equal(found, expected + expected)
    np.testing.assert_array_equal(array.astype("=f4"), expected)  # left alone


def test_lists_and_numbers_become_tensors_of_the_inputs_type():
    (found,) = shipway.InferenceSession(ADDER).run(None, {"a": [[1, 2, 3]], "b": ((0.5, 0, 0),)})
    assert found.dtype == np.float32 and found.tolist() == [[1.5, 2, 3]]
    assert shipway.InferenceSession(counting()).run(None, {"n": 3, "x": 1})[0] == 4


def in_a_process(script, **environment):
    """What a script prints."""
    search = os.pathsep.join([os.path.dirname(os.path.dirname(shipway.__file__)), os.path.dirname(__file__)])
    result = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, timeout=120, check=False,
                            env={**os.environ, "PYTHONPATH": search, **environment})
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_neither_inputs_nor_outputs_are_copied():
    """By the memory that a run of 256 MB takes on top: for an input nothing, for an output once its size."""
    said = in_a_process("""
        import resource
        import numpy as np, shipway
        from test_runs import TensorProto, helper, model, tensor
        def peak():
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        reads = model([helper.make_node("Gather", ["x", "i"], ["y"])], [tensor("x", ["n"])], [tensor("y", [])],
                      [helper.make_tensor("i", TensorProto.INT64, [], [5])])
        makes = model([helper.make_node("Expand", ["x", "s"], ["y"])], [tensor("x", []), tensor("s", [1], TensorProto.INT64)],
                      [tensor("y", ["n"])])
        reads, makes = shipway.InferenceSession(reads, threads=1), shipway.InferenceSession(makes, threads=1)
        x = np.arange(64 * 2**20, dtype=np.float32)
        reads.run(None, {"x": x[:10]}), makes.run(None, {"x": np.float32(1), "s": [3]})
        before = peak()
        assert reads.run(None, {"x": x})[0] == 5
        print(peak() - before)
        before = peak()
        (y,) = makes.run(None, {"x": np.float32(1), "s": [64 * 2**20]})
        print(peak() - before)
        assert y.sum(dtype=np.float64) == 64 * 2**20
    """)
    reading, making = map(int, said.split())
    assert reading < 32 * 2**20 and making < (256 + 64) * 2**20, (reading, making)


def test_arrays_of_ml_dtypes_are_named_when_the_package_is_missing():
    said = in_a_process("""
        import sys
        sys.modules["ml_dtypes"] = None
        import numpy as np, shipway, shipway.onnx
        cast = shipway.onnx.parser.parse_model(
            '<ir_version: 10, opset_import: ["" : 21]> g (float[n] x) => (bfloat16[n] y) { y = Cast <to = 16> (x) }')
        for what in (lambda: shipway.InferenceSession(cast).run(None, {"x": np.float32([1])}),
                     lambda: shipway.onnx.helper.tensor_dtype_to_np_dtype(16)):
            try:
                what()
            except shipway.Unsupported as error:
                print(error)
    """)
    lines = said.splitlines()
    assert len(lines) == 2 and all("pip install ml_dtypes" in line and "BFLOAT16" in line.upper() for line in lines), said


def test_the_package_needs_numpy_only():
    said = in_a_process("""
        import sys
        for name in ("onnx", "onnxruntime", "ml_dtypes", "google", "typing_extensions"):
            sys.modules[name] = None
        import shipway, shipway.onnx, shipway.onnxruntime, shipway.backend
        print(shipway.InferenceSession)
    """)
    assert "InferenceSession" in said


# --- the GIL, and runs that end early -----------------------------------------------------------------------------------


def test_other_threads_go_on_and_can_end_a_run():
    """The main thread gets to set the flag because the run has let go of the GIL."""
    session = shipway.onnxruntime.InferenceSession(counting())
    options, ended = shipway.onnxruntime.RunOptions(), []

    def work():
        try:
            session.run(None, LONG, options)
        except Exception as error:
            ended.append(error)

    worker = threading.Thread(target=work)
    worker.start()
    time.sleep(0.2)
    options.terminate = True
    worker.join(20)
    assert not worker.is_alive() and isinstance(ended[0], shipway.onnxruntime.capi.onnxruntime_pybind11_state.Fail)
    assert "cancelled" in str(ended[0])
    options.terminate = False
    assert session.run(None, SHORT, options)[0] == 3


@pytest.mark.parametrize("options", ["None", "shipway.onnxruntime.RunOptions()"])
def test_ctrl_c_ends_a_run(options):
    said = in_a_process(f"""
        import os, signal, threading, time
        import shipway, shipway.onnxruntime
        from test_runs import LONG, SHORT, counting
        session = shipway.InferenceSession(counting())
        options = {options}
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a process in the background ignores it
        threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
        start = time.monotonic()
        try:
            session.run(None, LONG, options)
        except KeyboardInterrupt:
            print("interrupted", time.monotonic() - start < 10)
        print(session.run(None, SHORT, options)[0])
        try:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(1)
        except KeyboardInterrupt:
            print("as before")
    """)
    assert said == "interrupted True\n3.0\nas before\n"


def test_limits_end_a_run_and_leave_the_session_usable():
    session = shipway.InferenceSession(counting(), timeout=0.1)
    with pytest.raises(shipway.LimitReached, match="deadline"):
        session.run(None, LONG)
    assert session.run(None, SHORT)[0] == 3
    wide = model([helper.make_node("Expand", ["x", "s"], ["y"])], [tensor("x", []), tensor("s", [1], TensorProto.INT64)], [tensor("y", ["n"])])
    session = shipway.InferenceSession(wide, max_memory=2**20)
    with pytest.raises(shipway.LimitReached, match="1048576"):
        session.run(None, {"x": 1, "s": [2**20]})
    assert len(session.run(None, {"x": 1, "s": [10]})[0]) == 10


def test_limits_also_come_from_the_environment():
    said = in_a_process("""
        import shipway
        from test_runs import LONG, counting
        try:
            shipway.InferenceSession(counting()).run(None, LONG)
        except shipway.LimitReached:
            print("reached")
    """, SHIPWAY_TIMEOUT="0.1")
    assert said == "reached\n"


@pytest.mark.parametrize("op_type, attributes, fed", [("Concat", {"axis": 2}, (5, 4, 3, 2)), ("Concat", {"axis": 2}, (2, 1, 3, 2)),
                                                      ("MatMul", {}, (5, 4, 3, 3)), ("MatMul", {}, (2, 7, 3, 3))])
def test_sizes_that_a_symbol_hid_are_refused(op_type, attributes, fed):
    """The symbols stand for the sizes of the other input, as inference has it, until a run feeds others."""
    made = model([helper.make_node(op_type, ["a", "b"], ["y"], **attributes)],
                 [tensor("a", ["p", "q", "r", "s"]), tensor("b", [2, 4, 3, 2])], [helper.make_empty_tensor_value_info("y")])
    session = shipway.InferenceSession(made.SerializeToString())
    with pytest.raises(shipway.InvalidArgument):
        session.run(None, {"a": np.zeros(fed, np.float32), "b": np.zeros((2, 4, 3, 2), np.float32)})


def test_max_memory_holds_for_the_reference_too():
    made = model([helper.make_node("Range", ["a", "b", "c"], ["y"])], [tensor(name, [], TensorProto.INT64) for name in "abc"],
                 [tensor("y", [None], TensorProto.INT64)]).SerializeToString()
    feeds = {"a": np.int64(0), "b": np.int64(2**31), "c": np.int64(1)}
    for reference in (False, True):
        with pytest.raises(shipway.LimitReached):
            shipway.InferenceSession(made, reference=reference, max_memory=2**20).run(None, feeds)


@pytest.mark.parametrize("shapes", [((1, 4, 3, 8), (1, 3, 8), (1, 4, 5, 8)), ((1, 4, 3, 8), (1, 4, 5, 8), (1, 4, 6, 8)),
                                    ((1, 4, 3, 8), (2, 4, 5, 8), (2, 4, 5, 8)), ((1, 4, 3, 8), (1, 4, 5, 7), (1, 4, 5, 8))])
def test_queries_keys_and_values_that_do_not_fit_each_other_are_refused(shapes):
    names = ["q", "k", "v"]
    free = helper.make_tensor_type_proto(TensorProto.FLOAT, None)
    inputs = [tensor("q", ["a", "b", "c", "d"])] + [helper.make_value_info(name, free) for name in names[1:]]
    made = model([helper.make_node("Attention", names, ["y"])], inputs, [helper.make_empty_tensor_value_info("y")], opset=23)
    session = shipway.InferenceSession(made.SerializeToString())
    with pytest.raises((shipway.InvalidArgument, shipway.InvalidModel), match="Attention"):
        session.run(None, {name: np.zeros(shape, np.float32) for name, shape in zip(names, shapes)})
