"""shipway.onnxruntime against onnxruntime: the same script with either module."""
import importlib
import inspect
import json
import pickle
import threading
import time

import ml_dtypes
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

import shipway

BOTH = pytest.mark.parametrize("ort", ["onnxruntime", "shipway.onnxruntime"], indirect=True)


@pytest.fixture
def ort(request):
    return importlib.import_module(request.param)


@pytest.fixture
def ours():
    return importlib.import_module("shipway.onnxruntime")


def errors_of(ort):
    return ort.capi.onnxruntime_pybind11_state


def model(nodes, inputs, outputs, initializers=(), opset=21, domains=()):
    graph = helper.make_graph(nodes, "test", inputs, outputs, list(initializers))
    imports = [helper.make_opsetid("", opset), *(helper.make_opsetid(domain, 1) for domain in domains)]
    return helper.make_model(graph, opset_imports=imports, ir_version=10)


def tensor(name, shape, dtype=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, dtype, shape)


ADDER = model([helper.make_node("Add", ["a", "b"], ["s"]), helper.make_node("Mul", ["a", "b"], ["p"])],
              [tensor("a", ["rows", 3])], [tensor("s", ["rows", 3]), tensor("p", ["rows", 3])],
              [helper.make_tensor("b", TensorProto.FLOAT, [3], [1, 2, 3])]).SerializeToString()
A = np.array([[1, 2, 3], [4, 5, 6]], np.float32)
B = np.float32([1, 2, 3])


# --- names ------------------------------------------------------------------------------------------------------------

# Names of onnxruntime that shipway.onnxruntime does not have: docs/python.md says why.
LEFT_OUT = {
    "": {"AdapterFormat", "LoraAdapter", "ModelCompiler", "ModelPackage", "ModelPackageComponentContext", "ModelPackageContext",
         "ModelPackageOptions", "ModelPackageWriteMode", "OrtAllocatorType", "OrtArenaCfg", "OrtCompileApiFlags", "OrtDeviceMemoryType",
         "OrtDeviceVendorId", "OrtEpAssignedNode", "OrtEpAssignedSubgraph", "OrtEpContextData", "OrtEpContextDataBuffer", "OrtEpDevice",
         "OrtExecutionProviderDevicePolicy", "OrtExternalInitializerInfo", "OrtHardwareDevice", "OrtHardwareDeviceType", "OrtMemType",
         "OrtMemoryInfo", "OrtMemoryInfoDeviceType", "OrtSparseFormat", "OrtSyncStream", "SessionIOBinding", "SparseTensor",
         "copy_tensors", "create_and_register_allocator", "create_and_register_allocator_v2", "cuda_version", "get_ep_devices",
         "import_capi_exception", "onnxruntime_validation", "register_execution_provider_library",
         "unregister_execution_provider_library"},
    "SessionOptions": {"add_external_initializers_from_files_in_memory", "add_provider_for_devices", "clear_ep_context_data_read_func",
                       "set_ep_context_data_read_func", "set_load_cancellation_flag", "set_provider_selection_policy",
                       "set_provider_selection_policy_delegate"},
    "RunOptions": {"add_active_adapter"},
    "InferenceSession": {"get_input_epdevices", "get_input_memory_infos", "get_output_memory_infos", "get_provider_graph_assignment_info",
                         "release_captured_graph", "run_with_ortvaluevector", "set_tuning_results"},
    "OrtValue": {"as_sparse_tensor", "ort_value_from_sparse_tensor"},
    "IOBinding": {"get_outputs_as_ortvaluevector"},
    "OrtDevice": {"device_mem_type", "device_vendor_id"},
    "NodeArg": set(), "ModelMetadata": set(), "GraphOptimizationLevel": set(), "ExecutionMode": set(), "ExecutionOrder": set(),
    "capi.onnxruntime_pybind11_state": None,  # exceptions only
}


def look_up(module, path):
    for part in path.split(".") if path else []:
        module = getattr(module, part)
    if path.endswith("Options"):
        return module()
    return next(iter(module.__members__.values())) if hasattr(module, "__members__") else module


@pytest.mark.parametrize("path", LEFT_OUT)
def test_the_names_are_those_of_onnxruntime_but_for_a_list(ours, path):
    import onnxruntime as theirs
    names = {name for name in dir(look_up(theirs, path)) if not name.startswith("_")}
    names -= {name for name in names if inspect.ismodule(getattr(look_up(theirs, path), name)) and name != "capi" and path == ""}
    if path.startswith("capi"):
        names = {name for name in names if isinstance(getattr(look_up(theirs, path), name), type)
                 and issubclass(getattr(look_up(theirs, path), name), Exception)}
    missing = {name for name in names if not hasattr(look_up(ours, path), name)}
    expected = LEFT_OUT[path] or set()
    assert missing == {name for name in expected if name in names}
    assert path or missing == expected & names


def test_left_out_names_are_explained(root):
    page = (root / "docs" / "python.md").read_text()
    for names in LEFT_OUT.values():
        for name in names or ():
            assert f"`{name}`" in page, name


@BOTH
def test_what_scripts_ask_of_the_module(ort):
    assert ort.__version__ == ort.get_version_string() == "1.32.0"
    assert ort.get_device() == "CPU" and "CPUExecutionProvider" in ort.get_available_providers()
    assert "CPUExecutionProvider" in ort.get_all_providers() and isinstance(ort.get_build_info(), str)
    ort.set_default_logger_severity(3)
    ort.set_default_logger_verbosity(0)
    ort.set_seed(7)
    ort.disable_telemetry_events()
    assert {name: int(level) for name, level in ort.GraphOptimizationLevel.__members__.items()} == {
        "ORT_DISABLE_ALL": 0, "ORT_ENABLE_BASIC": 1, "ORT_ENABLE_EXTENDED": 2, "ORT_ENABLE_LAYOUT": 3, "ORT_ENABLE_ALL": 99}
    assert {name: int(mode) for name, mode in ort.ExecutionMode.__members__.items()} == {"ORT_SEQUENTIAL": 0, "ORT_PARALLEL": 1}
    assert {name: int(order) for name, order in ort.ExecutionOrder.__members__.items()} == {
        "DEFAULT": 0, "PRIORITY_BASED": 1, "MEMORY_EFFICIENT": 2}


# --- options ----------------------------------------------------------------------------------------------------------


def test_session_options_have_onnxruntimes_defaults(ours):
    import onnxruntime as theirs
    for kind in ("SessionOptions", "RunOptions"):
        mine, reference = getattr(ours, kind)(), getattr(theirs, kind)()
        for name in dir(reference):
            value = getattr(reference, name)
            if name.startswith("_") or callable(value):
                continue
            found = getattr(mine, name)
            assert (int(found), found.name) == (int(value), value.name) if hasattr(value, "name") else found == value, name


@BOTH
def test_options_that_scripts_set(ort):
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = np.int64(1)
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.execution_mode = ort.ExecutionMode.ORT_PARALLEL
    options.execution_order = ort.ExecutionOrder.PRIORITY_BASED
    options.enable_cpu_mem_arena = options.enable_mem_pattern = options.enable_mem_reuse = False
    options.log_severity_level, options.log_verbosity_level, options.logid = 3, 1, "me"
    options.use_deterministic_compute = True
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"
    with pytest.raises(RuntimeError, match="nothing"):
        options.get_session_config_entry("nothing")
    with pytest.raises(TypeError):
        options.add_session_config_entry("key", 1)
    with pytest.raises(TypeError):
        options.intra_op_num_threads = "two"
    with pytest.raises(TypeError):
        options.graph_optimization_level = 99
    with pytest.raises(AttributeError):
        options.intra_op_threads = 2
    session = ort.InferenceSession(ADDER, sess_options=options, providers=["CPUExecutionProvider"])
    assert session.get_session_options().logid == "me"
    run = ort.RunOptions()
    run.log_severity_level, run.logid, run.only_execute_path_to_fetches = 4, "run", True
    run.add_run_config_entry("disable_synchronize_execution_providers", "1")
    assert run.get_run_config_entry("disable_synchronize_execution_providers") == "1"
    np.testing.assert_array_equal(session.run(["s"], {"a": A}, run)[0], A + B)


@BOTH
def test_every_level_of_optimisation_gives_the_same(ort, srcnn, photo):
    feed = {"input": photo(9, 11)}
    found = []
    for level in ort.GraphOptimizationLevel.__members__.values():
        options = ort.SessionOptions()
        options.graph_optimization_level = level
        found.append(ort.InferenceSession(srcnn, options).run(None, feed)[0])
    for other in found[1:]:
        np.testing.assert_allclose(other, found[0], rtol=1e-5, atol=1e-3)


@BOTH
def test_the_optimised_model_is_written(ort, tmp_path):
    path = str(tmp_path / "optimised.onnx")
    source = model([helper.make_node("Identity", ["x"], ["h"]), helper.make_node("Relu", ["h"], ["y"])], [tensor("x", ["n"])],
                   [tensor("y", ["n"])])
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = path
    ort.InferenceSession(source.SerializeToString(), options)
    assert [node.op_type for node in onnx.load(path).graph.node] == ["Relu"]


@BOTH
def test_named_sizes_become_numbers(ort):
    options = ort.SessionOptions()
    options.add_free_dimension_override_by_name("rows", 5)
    session = ort.InferenceSession(ADDER, options)
    assert session.get_inputs()[0].shape == [5, 3] and session.get_outputs()[0].shape == [5, 3]
    with pytest.raises(errors_of(ort).InvalidArgument):
        session.run(None, {"a": A})
    denoted = onnx.ModelProto.FromString(ADDER)
    denoted.graph.input[0].type.tensor_type.shape.dim[0].denotation = "DATA_BATCH"
    options = ort.SessionOptions()
    options.add_free_dimension_override_by_denotation("DATA_BATCH", 2)
    assert ort.InferenceSession(denoted.SerializeToString(), options).get_inputs()[0].shape == [2, 3]


@BOTH
def test_initializers_get_other_data(ort):
    value = ort.OrtValue.ortvalue_from_numpy(np.float32([10, 20, 30]))
    options = ort.SessionOptions()
    options.add_initializer("b", value)
    np.testing.assert_array_equal(ort.InferenceSession(ADDER, options).run(["s"], {"a": A})[0], A + [10, 20, 30])


def test_an_initializer_that_does_not_fit_is_named(ours):
    for name, data, says in [("nothing", B, "no initializer 'nothing'"), ("b", np.float32([1]), "initializer 'b' is float")]:
        options = ours.SessionOptions()
        options.add_external_initializers([name], [ours.OrtValue.ortvalue_from_numpy(data)])
        with pytest.raises(errors_of(ours).InvalidArgument, match=says):
            ours.InferenceSession(ADDER, options)


def test_libraries_of_custom_operators_are_refused(ours):
    with pytest.raises(errors_of(ours).NotImplemented, match="operators.so"):
        ours.SessionOptions().register_custom_ops_library("operators.so")


@BOTH
def test_a_profile_is_a_chrome_trace(ort, tmp_path, srcnn, photo):
    options = ort.SessionOptions()
    options.enable_profiling = True
    options.profile_file_prefix = str(tmp_path / "profile")
    session = ort.InferenceSession(srcnn, options)
    before = time.time_ns()
    assert before - 60e9 < session.get_profiling_start_time_ns() <= before
    for _ in range(2):
        session.run(None, {"input": photo(8, 8)})
    path = session.end_profiling()
    assert path.startswith(str(tmp_path / "profile_")) and path.endswith(".json")
    with open(path, encoding="utf-8") as file:
        events = json.load(file)
    nodes = [event for event in events if event["cat"] == "Node" and event["name"].endswith("_kernel_time")]
    assert {"Conv", "Resize"} <= {event["args"]["op_name"] for event in nodes} | {"Resize"}
    assert all(event["ph"] == "X" and event["dur"] >= 0 and event["ts"] >= 0 for event in events)
    assert all(event["args"]["provider"] == "CPUExecutionProvider" for event in nodes)
    runs = [event for event in events if event["name"] == "model_run"]
    assert len(runs) == 2
    for run in runs:  # each holds steps, which take no more than it does
        inside = [event for event in nodes if run["ts"] - 50 <= event["ts"] and event["ts"] + event["dur"] <= run["ts"] + run["dur"] + 50]
        assert inside and sum(event["dur"] for event in inside) <= run["dur"] + 50
    assert ort.InferenceSession(ADDER).end_profiling() == ""


# --- sessions ---------------------------------------------------------------------------------------------------------


@BOTH
def test_what_a_session_says_of_itself(ort):
    with_default = onnx.ModelProto.FromString(ADDER)
    with_default.graph.input.append(tensor("b", [3]))
    with_default.model_version = 3
    session = ort.InferenceSession(with_default.SerializeToString())
    assert [(x.name, x.type, x.shape) for x in session.get_inputs()] == [("a", "tensor(float)", ["rows", 3])]
    assert [(x.name, x.type, x.shape) for x in session.get_outputs()] == [
        ("s", "tensor(float)", ["rows", 3]), ("p", "tensor(float)", ["rows", 3])]
    assert [(x.name, x.shape) for x in session.get_overridable_initializers()] == [("b", [3])]
    assert str(session.get_inputs()[0]) == "NodeArg(name='a', type='tensor(float)', shape=['rows', 3])"
    assert session.get_providers() == ["CPUExecutionProvider"] and session.get_provider_options() == {"CPUExecutionProvider": {}}
    meta = session.get_modelmeta()
    assert (meta.graph_name, meta.version, meta.custom_metadata_map) == ("test", 3, {})
    session.disable_fallback()
    session.enable_fallback()
    session.set_providers(["CPUExecutionProvider"])
    np.testing.assert_array_equal(session.run(None, {"a": A, "b": B * 2})[0], A + B * 2)


SEQUENCE = helper.make_tensor_sequence_value_info("y", TensorProto.INT64, None)
OPTIONAL = helper.make_value_info("x", helper.make_optional_type_proto(helper.make_tensor_type_proto(TensorProto.FLOAT, ["n"])))


@BOTH
@pytest.mark.parametrize("given, inputs, outputs", [
    (model([helper.make_node("SequenceConstruct", ["x", "x"], ["y"])], [tensor("x", ["n"], TensorProto.INT64)], [SEQUENCE]),
     [("x", "tensor(int64)", ["n"])], [("y", "seq(tensor(int64))", [])]),
    (model([helper.make_node("OptionalHasElement", ["x"], ["y"])], [OPTIONAL], [tensor("y", [], TensorProto.BOOL)]),
     [("x", "optional(tensor(float))", ["n"])], [("y", "tensor(bool)", [])]),
    (model([helper.make_node("Identity", ["x"], ["y"])], [tensor("x", None)], [tensor("y", None)]),
     [("x", "tensor(float)", [])], [("y", "tensor(float)", [])]),
    (model([helper.make_node("Identity", ["x"], ["y"])], [tensor("x", [None, "a", 2], TensorProto.STRING)],
           [tensor("y", [None, "a", 2], TensorProto.STRING)]),
     [("x", "tensor(string)", [None, "a", 2])], [("y", "tensor(string)", [None, "a", 2])]),
    (model([helper.make_node("Identity", ["x"], ["y"])], [tensor("x", ["n"], TensorProto.BFLOAT16)],
           [tensor("y", ["n"], TensorProto.BFLOAT16)]), [("x", "tensor(bfloat16)", ["n"])], [("y", "tensor(bfloat16)", ["n"])]),
], ids=["sequence", "optional", "any rank", "strings", "bfloat16"])
def test_types_and_shapes_read_as_with_onnxruntime(ort, given, inputs, outputs):
    session = ort.InferenceSession(given.SerializeToString())
    assert [(x.name, x.type, x.shape) for x in session.get_inputs()] == inputs
    assert [(x.name, x.type, x.shape) for x in session.get_outputs()] == outputs


@BOTH
def test_maps_are_dicts(ort):
    labels = helper.make_node("ZipMap", ["x"], ["y"], domain="ai.onnx.ml", classlabels_strings=["cat", "dog"])
    kind = helper.make_sequence_type_proto(helper.make_map_type_proto(
        TensorProto.STRING, helper.make_tensor_type_proto(TensorProto.FLOAT, [])))
    zipped = model([labels], [tensor("x", ["n", 2])], [helper.make_value_info("y", kind)], domains=["ai.onnx.ml"])
    session = ort.InferenceSession(zipped.SerializeToString())
    assert session.get_outputs()[0].type == "seq(map(string,tensor(float)))"
    (found,) = session.run(None, {"x": np.float32([[0.25, 0.75], [1, 0]])})
    assert found == [{"cat": 0.25, "dog": 0.75}, {"cat": 1.0, "dog": 0.0}]


@BOTH
def test_lists_and_other_arrays_are_fed(ort):
    session = ort.InferenceSession(ADDER)
    for value in ([[1.0, 2.0, 3.0]], A.T.copy().T, np.asfortranarray(A), A.astype(">f4").astype("<f4"), A[::-1, :]):
        np.testing.assert_array_equal(session.run(["s"], {"a": value})[0], np.asarray(value) + B)


@BOTH
@pytest.mark.parametrize("feed, error, says", [
    ({}, "ValueError", "'?a'?"),
    ({"a": A, "z": A}, "InvalidArgument", "z"),
    ({"a": A.astype(np.float64)}, "InvalidArgument", "double"),
    ({"a": A[0]}, "InvalidArgument", "a"),
    ({"a": np.zeros((2, 4), np.float32)}, "InvalidArgument", "4"),
])
def test_a_feed_that_does_not_fit_raises_as_with_onnxruntime(ort, feed, error, says):
    kind = getattr(errors_of(ort), error, None) or ValueError
    with pytest.raises(kind, match=says):
        ort.InferenceSession(ADDER).run(None, feed)


NO_OPERATOR = model([helper.make_node("NoSuchOperator", ["a"], ["s"])], [tensor("a", [3])], [tensor("s", [3])])
WITHOUT_ATTRIBUTE = model([helper.make_node("Cast", ["a"], ["s"])], [tensor("a", [3])], [tensor("s", [3])])


@BOTH
@pytest.mark.parametrize("source, error", [
    ("nowhere.onnx", "NoSuchFile"), ("bad.onnx", "InvalidProtobuf"), (WITHOUT_ATTRIBUTE.SerializeToString(), "InvalidGraph"),
], ids=["missing", "damaged", "without a required attribute"])
def test_a_model_that_cannot_be_loaded_raises_as_with_onnxruntime(ort, source, error, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.onnx").write_bytes(b"nothing that one could read")
    with pytest.raises(getattr(errors_of(ort), error), match=r"^\[ONNXRuntimeError\] : \d+ : "):
        ort.InferenceSession(source)


@BOTH
def test_an_unknown_output_raises_invalid_argument(ort):
    with pytest.raises(errors_of(ort).InvalidArgument, match="nothing"):
        ort.InferenceSession(ADDER).run(["nothing"], {"a": A})


def test_the_exceptions_are_shipways_and_keep_their_message(ours):
    module = errors_of(ours)
    for name in module.__all__:
        error = getattr(module, name)("[ONNXRuntimeError] : what, where, expected, found")
        assert isinstance(error, shipway.Error), name
        back = pickle.loads(pickle.dumps(error))
        assert type(back) is type(error) and str(back) == str(error) == "[ONNXRuntimeError] : what, where, expected, found"
    with pytest.raises(module.NotImplemented, match="NoSuchOperator"):
        ours.InferenceSession(NO_OPERATOR.SerializeToString())
    with pytest.raises(shipway.InvalidArgument, match="'a'.*double.*float"):
        ours.InferenceSession(ADDER).run(None, {"a": A.astype(np.float64)})


def test_unknown_arguments_and_providers_are_warned_of_by_name(ours):
    with pytest.warns(UserWarning, match="'TensorrtExecutionProvider'") as seen:
        session = ours.InferenceSession(ADDER, providers=["TensorrtExecutionProvider", "CPUExecutionProvider"])
    assert len(seen) == 1 and seen[0].filename == __file__
    with pytest.warns(UserWarning, match="'CUDAExecutionProvider'"):
        session.set_providers(["CUDAExecutionProvider"])
    with pytest.warns(UserWarning, match="'no_such_argument'"):
        ours.InferenceSession(ADDER, no_such_argument=1)
    for providers in ("CPUExecutionProvider", [1]):
        with pytest.raises(errors_of(ours).InvalidArgument, match="providers"):
            ours.InferenceSession(ADDER, providers=providers)


@BOTH
def test_terminate_ends_a_run(ort):
    options = ort.RunOptions()
    options.terminate = True
    session = ort.InferenceSession(ADDER)
    with pytest.raises(errors_of(ort).Fail):
        session.run(None, {"a": A}, options)
    options.terminate = False
    assert len(session.run(None, {"a": A}, options)) == 2


@BOTH
def test_run_async_calls_back(ort):
    done, seen = threading.Event(), []

    def callback(results, user_data, error):
        seen.append((results, user_data, error))
        done.set()

    options = ort.SessionOptions()
    options.intra_op_num_threads = 2
    session = ort.InferenceSession(ADDER, options)
    session.run_async(["s"], {"a": A}, callback, "mine")
    assert done.wait(30)
    assert seen[0][1:] == ("mine", "")
    np.testing.assert_array_equal(seen[0][0][0], A + B)


# --- values and bindings ----------------------------------------------------------------------------------------------


@BOTH
def test_ort_values_share_the_arrays_memory(ort):
    array = A.copy()
    value = ort.OrtValue.ortvalue_from_numpy(array)
    assert (value.shape(), value.data_type(), value.element_type(), value.device_name()) == ([2, 3], "tensor(float)", 1, "cpu")
    assert value.is_tensor() and value.has_value() and not value.is_tensor_sequence() and not value.is_sparse_tensor()
    assert value.data_ptr() == array.ctypes.data == value.numpy().ctypes.data and value.tensor_size_in_bytes() == 24
    value.update_inplace(A * 2)
    np.testing.assert_array_equal(array, A * 2)
    np.testing.assert_array_equal(np.asarray(value), A * 2)
    np.testing.assert_array_equal(np.from_dlpack(value), A * 2)
    np.testing.assert_array_equal(ort.OrtValue.ortvalue_from_numpy(A.T).numpy(), A.T)
    with pytest.raises(Exception):
        value.update_inplace(np.zeros((2, 4), np.float32))
    assert ort.OrtValue.from_dlpack(array).data_ptr() == array.ctypes.data


@BOTH
def test_ort_values_by_shape_and_type(ort):
    for element_type, name in [(np.float32, "tensor(float)"), (np.int64, "tensor(int64)"), (TensorProto.BFLOAT16, "tensor(bfloat16)")]:
        value = ort.OrtValue.ortvalue_from_shape_and_type([2, 3], element_type, "cpu", 0)
        assert value.shape() == [2, 3] and value.data_type() == name
    bits = np.array([1, 2.5]).astype(ml_dtypes.bfloat16).view(np.uint16)
    value = ort.OrtValue.ortvalue_from_numpy_with_onnx_type(bits, TensorProto.BFLOAT16)
    assert value.data_type() == "tensor(bfloat16)" and value.element_type() == TensorProto.BFLOAT16
    with pytest.raises(Exception):
        ort.OrtValue.ortvalue_from_shape_and_type([2, 3], np.float32, "cuda", 0)


@BOTH
def test_runs_with_ort_values(ort):
    session = ort.InferenceSession(ADDER)
    results = session.run_with_ort_values(None, {"a": ort.OrtValue.ortvalue_from_numpy(A)})
    assert [value.data_type() for value in results] == ["tensor(float)"] * 2
    np.testing.assert_array_equal(results[1].numpy(), A * B)
    (value,) = session.run_with_ort_values(["s"], {"a": results[1]})
    np.testing.assert_array_equal(value.numpy(), A * B + B)


@BOTH
def test_bound_memory_is_read_and_written(ort):
    session = ort.InferenceSession(ADDER)
    binding = session.io_binding()
    binding.bind_cpu_input("a", A)
    binding.bind_output("s")
    binding.bind_output("p", "cpu")
    session.run_with_iobinding(binding)
    for found, expected in zip(binding.copy_outputs_to_cpu(), (A + B, A * B)):
        np.testing.assert_array_equal(found, expected)
    assert binding.get_outputs()[1].data_type() == "tensor(float)"

    sums = np.zeros((2, 3), np.float32)
    products = ort.OrtValue.ortvalue_from_shape_and_type([2, 3], np.float32)
    binding.clear_binding_inputs()
    binding.clear_binding_outputs()
    binding.bind_input("a", "cpu", 0, np.float32, [2, 3], A.ctypes.data)
    binding.bind_output("s", "cpu", 0, np.float32, [2, 3], sums.ctypes.data)
    binding.bind_ortvalue_output("p", products)
    session.run_with_iobinding(binding, ort.RunOptions())
    np.testing.assert_array_equal(sums, A + B)
    np.testing.assert_array_equal(products.numpy(), A * B)
    assert binding.get_outputs()[0].data_ptr() == sums.ctypes.data
    binding.bind_ortvalue_input("a", ort.OrtValue.ortvalue_from_numpy(A * B))
    binding.synchronize_inputs()
    session.run_with_iobinding(binding)
    binding.synchronize_outputs()
    np.testing.assert_array_equal(sums, A * B + B)


@BOTH
def test_wrong_bindings_are_refused(ort):
    session = ort.InferenceSession(ADDER)
    binding = session.io_binding()
    with pytest.raises(Exception, match="nothing"):
        binding.bind_cpu_input("nothing", A)
    binding.bind_cpu_input("a", A)
    with pytest.raises(Exception):
        session.run_with_iobinding(binding)  # no output
    small = np.zeros((1, 3), np.float32)
    binding.bind_output("s", "cpu", 0, np.float32, [1, 3], small.ctypes.data)
    with pytest.raises(Exception, match="'s'"):
        session.run_with_iobinding(binding)
    with pytest.raises(Exception):
        binding.bind_output("s", "cpu", 0, None, None, small.ctypes.data)
