"""shipway.onnx against onnx: the same script with either package, and what it makes compared byte by byte."""
import importlib
import inspect
import pathlib

import ml_dtypes
import numpy as np
import onnx
import onnx.backend.test
import onnx.compose
import onnx.defs
import onnx.external_data_helper
import onnx.inliner
import onnx.parser
import onnx.printer
import onnx.reference
import onnx.utils
import onnx.version_converter
import pytest

import model_mutations
import shipway
import shipway.onnx as so

DATA = pathlib.Path(onnx.backend.test.__file__).parent / "data"
BOTH = pytest.mark.parametrize("package", ["onnx", "shipway.onnx"], indirect=True)


@pytest.fixture
def package(request):
    return importlib.import_module(request.param)


# --- names ------------------------------------------------------------------------------------------------------------

# Names of onnx that shipway.onnx does not have: docs/python.md says why. Modules and names that onnx's own code imports
# for itself (typing, numpy, ...) are no part of its interface.
LEFT_OUT = {
    "": {"gen_proto"},
    "checker": set(), "compose": set(), "defs": {"C", "deregister_schema", "get_function_ops", "register_schema"},
    "external_data_helper": set(), "helper": set(),
    "inliner": set(), "model_container": {"ModelContainer", "make_large_model", "make_large_tensor_proto"},
    "numpy_helper": set(), "parser": set(), "printer": set(), "reference": set(), "serialization": set(),
    "shape_inference": {"infer_function_output_types"}, "utils": set(),
    "version_converter": set(),
}


def own_names(module):
    """What a module of onnx defines or lists as its own."""
    listed = set(getattr(module, "__all__", ()))
    for name in dir(module):
        value = getattr(module, name)
        defined = getattr(value, "__module__", "") == module.__name__ and callable(value)
        if not name.startswith("_") and (defined or isinstance(value, (int, str, dict, list)) and name.isupper()):
            listed.add(name)
    return listed - {"TYPE_CHECKING"}


@pytest.mark.parametrize("path", list(LEFT_OUT))
def test_the_names_are_those_of_onnx_but_for_a_list(path):
    theirs = importlib.import_module("onnx" + ("." if path else "") + path)
    ours = getattr(so, path, None) if path else so
    missing = {name for name in own_names(theirs) if not hasattr(ours, name)}
    assert missing == LEFT_OUT[path]


def test_left_out_names_are_explained(root):
    page = (root / "docs" / "python.md").read_text()
    for names in LEFT_OUT.values():
        for name in names:
            assert f"`{name}`" in page, name


@pytest.mark.parametrize("path", ["", "checker", "compose", "external_data_helper", "helper", "inliner", "numpy_helper", "parser", "printer",
                                  "shape_inference", "utils", "version_converter"])
def test_functions_take_the_arguments_that_onnxs_take(path):
    theirs = importlib.import_module("onnx" + ("." if path else "") + path)
    ours = getattr(so, path) if path else so
    compared = 0
    for name in sorted(own_names(theirs)):
        function = getattr(theirs, name)
        if not inspect.isfunction(function) or not hasattr(ours, name):
            continue
        expected, found = inspect.signature(function).parameters, inspect.signature(getattr(ours, name)).parameters
        names = [parameter for parameter, what in expected.items()]
        assert list(found)[:len(names)] == names, name
        for parameter in names:
            assert expected[parameter].kind == found[parameter].kind, (name, parameter)
            default = expected[parameter].default
            if default is inspect.Parameter.empty or isinstance(default, (str, int, bool, type(None))):
                assert found[parameter].default == default, (name, parameter)
        compared += 1
    assert compared > 0


@BOTH
def test_constants(package):
    assert package.__version__ == "1.23.2" and package.IR_VERSION == 14
    assert package.ONNX_ML and package.STABLE == 1 and package.IR_VERSION_2019_3_18 == 5
    assert package.defs.onnx_opset_version() == 28 and package.defs.onnx_ml_opset_version() == 5
    assert package.helper.OP_SET_ID_VERSION_MAP["ai.onnx", 11] == 6
    assert package.Version["IR_VERSION_2025_11_06"] if package is so else package.Version.Value("IR_VERSION_2025_11_06") == 13
    assert so.helper.OP_SET_ID_VERSION_MAP == onnx.helper.OP_SET_ID_VERSION_MAP


# --- making messages --------------------------------------------------------------------------------------------------


def same(make):
    """Both packages make the same bytes, or refuse with the same kind of error."""
    results = []
    for package in (onnx, so):
        try:
            made = make(package)
            results.append(made.SerializeToString(deterministic=True) if hasattr(made, "SerializeToString") else made)
        except (TypeError, ValueError, KeyError, IndexError, AssertionError, NotImplementedError) as error:
            results.append(type(error) if type(error) is not AssertionError else None)
    if isinstance(results[0], type) and isinstance(results[1], type):
        assert issubclass(results[1], results[0]), results
    else:
        assert results[1] == results[0]
    return results[0]


F, I64 = onnx.TensorProto.FLOAT, onnx.TensorProto.INT64


def graph_of(p):
    return p.helper.make_graph([p.helper.make_node("Add", ["x", "y"], ["z"])], "g", [p.helper.make_tensor_value_info("x", F, [2])],
                               [p.helper.make_tensor_value_info("z", F, [2])], [p.helper.make_tensor("y", F, [2], [1, 2])])


@pytest.mark.parametrize("make", [
    lambda p: p.helper.make_model(graph_of(p)),
    lambda p: p.helper.make_model_gen_version(graph_of(p), opset_imports=[p.helper.make_opsetid("", 11)]),
    lambda p: p.helper.make_model_gen_version(graph_of(p), opset_imports=[p.helper.make_opsetid("", 999)]),
    lambda p: p.helper.find_min_ir_version_for([p.helper.make_opsetid("", 15), p.helper.make_opsetid("ai.onnx.ml", 3)]),
    lambda p: p.helper.find_min_ir_version_for([p.helper.make_opsetid("com.example", 1)], ignore_unknown=True),
    lambda p: p.helper.make_tensor_type_proto(F, [1, "n", None], ["DATA_BATCH", "", ""]),
    lambda p: p.helper.make_tensor_type_proto(F, [1, 2], ["DATA_BATCH"]),
    lambda p: p.helper.make_tensor_type_proto(F, [1.5]),
    lambda p: p.helper.make_tensor_type_proto(F, []),
    lambda p: p.helper.make_tensor_type_proto(F, None),
    lambda p: p.helper.make_sparse_tensor_value_info("s", F, [3, "m"]),
    lambda p: p.helper.make_sparse_tensor_type_proto(F, None),
    lambda p: p.helper.make_empty_tensor_value_info("e"),
    lambda p: p.helper.make_tensor_sequence_value_info("q", F, [1], "doc", ["DATA_BATCH"]),
    lambda p: p.helper.make_optional_type_proto(p.helper.make_sequence_type_proto(p.helper.make_tensor_type_proto(F, [1]))),
    lambda p: p.helper.make_map_type_proto(I64, p.helper.make_tensor_type_proto(F, [])),
    lambda p: p.helper.make_attribute_ref("alpha", p.AttributeProto.FLOAT, "doc", ref_attr_name="a"),
    lambda p: p.helper.make_attribute_ref("alpha", p.AttributeProto.FLOAT),
    lambda p: p.helper.make_attribute_ref("alpha", p.AttributeProto.FLOAT, ref_attr_name=""),
    lambda p: p.helper.make_sparse_tensor(p.helper.make_tensor("v", F, [1], [2]), p.helper.make_tensor("i", I64, [1], [3]), [5]),
    lambda p: p.helper.make_sequence("s", p.SequenceProto.TENSOR, [p.helper.make_tensor("t", F, [1], [1])]),
    lambda p: p.helper.make_sequence("s", 77, []),
    lambda p: p.helper.make_map("m", I64, [1, 2], p.numpy_helper.from_list([np.float32([1]), np.float32([2])])),
    lambda p: p.helper.make_map("m", p.TensorProto.STRING, [b"a"], p.numpy_helper.from_list([np.float32([1])])),
    lambda p: p.helper.make_optional("o", p.OptionalProto.TENSOR, p.helper.make_tensor("t", F, [1], [1])),
    lambda p: p.helper.make_optional("o", p.OptionalProto.UNDEFINED, None),
    lambda p: p.helper.make_training_info(graph_of(p), [("a", "b")], graph_of(p), [("c", "d")]),
    lambda p: p.helper.make_training_info(graph_of(p), [("a", "b")], None, None),
    lambda p: p.helper.make_function("d", "f", ["x"], ["y"], [p.helper.make_node("Relu", ["x"], ["y"])], [p.helper.make_opsetid("", 17)],
                                     ["a"], [p.helper.make_attribute("b", 1.0)], "doc", "o"),
    lambda p: p.helper.make_node("Cast", ["x"], ["y"], name="n", doc_string="d", domain="e", overload="o", to=1, skipped=None),
    lambda p: p.helper.make_attribute("a", [1, 2.5]), lambda p: p.helper.make_attribute("a", np.array([1, 2])),
    lambda p: p.helper.make_attribute("a", ["x", b"y"]), lambda p: p.helper.make_attribute("a", []),
    lambda p: p.helper.make_attribute("a", [], attr_type=p.AttributeProto.INTS), lambda p: p.helper.make_attribute("a", object()),
    lambda p: p.helper.make_attribute("a", [graph_of(p)]), lambda p: p.helper.make_attribute("a", True),
    lambda p: p.helper.make_attribute("a", np.float32(1.5)), lambda p: p.helper.make_attribute("a", p.helper.make_tensor_type_proto(F, [1])),
])
def test_helpers_make_the_same(make):
    same(make)


@pytest.mark.parametrize("kind", [number for name, number in onnx.TensorProto.DataType.items() if number])
def test_tensors_of_every_type_are_made_and_read_alike(kind):
    helper = onnx.helper
    for name in ("tensor_dtype_to_np_dtype", "tensor_dtype_to_storage_tensor_dtype", "tensor_dtype_to_string", "tensor_dtype_to_field"):
        assert getattr(so.helper, name)(kind) == getattr(helper, name)(kind), name
    assert so.helper.np_dtype_to_tensor_dtype(helper.tensor_dtype_to_np_dtype(kind)) == kind
    if kind == onnx.TensorProto.STRING:
        same(lambda p: p.helper.make_tensor("t", kind, [2, 1], ["a", "Ä"]))
        same(lambda p: p.helper.make_tensor("t", kind, [1], b"a", raw=True))
        return
    dtype = helper.tensor_dtype_to_np_dtype(kind)
    values = [0, 1, 2, 3, 1, 1.5, 3] if dtype.kind not in "biu" and "int" not in dtype.name else [0, 1, 0, 1, 1, 1, 0]
    same(lambda p: p.helper.make_tensor("t", kind, [7], values))
    same(lambda p: p.helper.make_tensor("t", kind, [2, 3], values))
    array = np.array(values).astype(dtype).reshape(1, 7)
    same(lambda p: p.helper.make_tensor("t", kind, [1, 7], array, raw=True))
    same(lambda p: p.helper.make_tensor("t", kind, [1, 7], b"abc", raw=True))
    same(lambda p: p.numpy_helper.from_array(array, "n"))
    for made in (helper.make_tensor("t", kind, [7], values), onnx.numpy_helper.from_array(array), helper.make_tensor("t", kind, [0], [])):
        expected = onnx.numpy_helper.to_array(made)
        found = so.numpy_helper.to_array(so.TensorProto.FromString(made.SerializeToString()))
        assert found.dtype == expected.dtype and found.shape == expected.shape
        assert found.tobytes() == expected.tobytes()


def test_every_type_is_listed():
    assert set(so.helper.get_all_tensor_dtypes()) == set(onnx.helper.get_all_tensor_dtypes())
    for kind in (0, 999):
        same(lambda p, kind=kind: p.helper.tensor_dtype_to_np_dtype(kind))


@pytest.mark.parametrize("value", [
    [np.float32([1, 2]), np.float32([3])], [[np.int64([1])], [np.int64([2])]], [{5: np.float32([1])}], [], {-1: 1.0, 3: 2.0},
    {1: np.float32([1]), 2: np.float32([2])}, {}, [np.float32([1]), [1]], {1.5: 3}, None, np.float32([1, 2]),
], ids=str)
def test_lists_dicts_and_optionals_there_and_back(value):
    name = "from_dict" if isinstance(value, dict) else "from_list" if isinstance(value, list) else "from_optional"
    made = same(lambda p: getattr(p.numpy_helper, name)(value, "n"))
    same(lambda p: p.numpy_helper.from_optional(value))
    if isinstance(made, bytes):
        kind = {"from_dict": "MapProto", "from_list": "SequenceProto", "from_optional": "OptionalProto"}[name]
        back = [getattr(p.numpy_helper, name.replace("from", "to"))(getattr(p, kind).FromString(made)) for p in (onnx, so)]
        assert repr(back[0]) == repr(back[1])


def test_texts_are_keys_too():
    """onnx's own from_dict takes none: numpy reads them as names of dtypes."""
    made = so.numpy_helper.from_dict({"a": np.float32([1]), "Ä": np.float32([2])})
    assert made.key_type == so.TensorProto.STRING and list(made.string_keys) == [b"a", "Ä".encode()]
    assert onnx.numpy_helper.to_dict(onnx.MapProto.FromString(made.SerializeToString())) == so.numpy_helper.to_dict(made)
    with pytest.raises(TypeError, match="keys of different types"):
        so.numpy_helper.from_dict({"a": 1, 2: 3})


def test_casts_round_as_onnx_does():
    values = np.float32([0, 1, -1, 0.1, 3, 447, 449, 1e9, -1e9, 57344, 2.0**-127, 1.5, 0.75, np.inf])
    for name in ("float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "int8", "uint8", "int4"):
        dtype = np.dtype(getattr(ml_dtypes, name, None) or name)
        assert so.numpy_helper.saturate_cast(values[:-1], dtype).tobytes() == onnx.numpy_helper.saturate_cast(values[:-1], dtype).tobytes()
    bits = np.random.RandomState(0).randint(0, 2**31, 4000, dtype=np.int64).astype(np.uint32)
    hard = np.uint32([0, 0x400000, 0x400001, 0x7F7FFFFF, 0x7F000000, 0x7F800000, 0x7FC00000, 0x00800000, 0x00C00000, 0x3FC00000])
    positive = np.concatenate([hard, bits]).view(np.float32)
    for mode in ("up", "down", "nearest"):
        for saturate in (True, False):
            ours, theirs = (p.numpy_helper.to_float8e8m0(positive, saturate, mode).view(np.uint8) for p in (so, onnx))
            np.testing.assert_array_equal(ours, theirs)
    same(lambda p: p.numpy_helper.create_random_int((3, 4), np.int8, 5).tobytes())
    same(lambda p: p.numpy_helper.create_random_int((3, 4), np.uint64).tobytes())
    same(lambda p: p.numpy_helper.create_random_int((3,), np.float32))
    same(lambda p: p.numpy_helper.tobytes_little_endian(np.array([1, 2], ">i4")))


def seeds():
    return list(model_mutations.seeds())


@pytest.mark.parametrize("name, model", seeds(), ids=lambda value: value if isinstance(value, str) else "")
def test_graphs_print_alike(name, model):
    ours = so.ModelProto.FromString(model.SerializeToString())
    assert so.helper.printable_graph(ours.graph) == onnx.helper.printable_graph(model.graph)
    if name != "constants":  # ours says more there, see docs/onnx-text.md
        parts = [(ours, model), (ours.graph, model.graph), *zip(ours.graph.node, model.graph.node), *zip(ours.functions, model.functions)]
        for mine, theirs in parts:
            assert so.printer.to_text(mine) == onnx.printer.to_text(theirs)
    for mine, theirs in zip([*ours.graph.input, *ours.graph.output], [*model.graph.input, *model.graph.output]):
        assert so.helper.printable_value_info(mine) == onnx.helper.printable_value_info(theirs)


@BOTH
def test_documentation_and_metadata_are_set_and_stripped(package):
    model = package.helper.make_model(graph_of(package), doc_string="m")
    model.graph.doc_string = model.graph.node[0].doc_string = "d"
    package.helper.set_model_props(model, {"a": "1"})
    package.helper.set_metadata_props(model.graph, {"b": "2"})
    assert model.metadata_props[0].key == "a" and model.graph.metadata_props[0].value == "2"
    if package is so:  # onnx 1.23.2 with this protobuf raises AttributeError (no `label`)
        package.helper.strip_doc_string(model)
        assert not model.HasField("doc_string") and not model.graph.HasField("doc_string") and not model.graph.node[0].HasField("doc_string")


# --- files ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form, extension", [("protobuf", ".onnx"), ("textproto", ".txtpb"), ("json", ".json"), ("onnxtxt", ".onnxtxt")])
@pytest.mark.filterwarnings("ignore:The onnxtxt format")
def test_models_of_every_form_pass_between_the_packages(form, extension, tmp_path):
    for name, model in seeds():
        theirs, ours = tmp_path / f"theirs{extension}", tmp_path / f"ours{extension}"
        if form == "onnxtxt":  # cannot say everything: see test_onnx_text.py
            model = onnx.parser.parse_model(onnx.printer.to_text(model)) if name in ("add", "simple") else onnx.helper.make_model(graph_of(onnx))
        onnx.save(model, theirs)
        so.save(so.ModelProto.FromString(model.SerializeToString()), ours)
        if form in ("protobuf", "onnxtxt"):  # the others may be spaced and spelled in several ways
            assert ours.read_bytes() == theirs.read_bytes(), name
        read = so.load(theirs)
        assert read == so.load(theirs, format=form) == so.load_model_from_string(theirs.read_bytes(), form), name
        assert onnx.ModelProto.FromString(read.SerializeToString()) == onnx.load(theirs), name
        assert onnx.load(ours) == onnx.load(theirs), name


@pytest.mark.parametrize("form, text, says", [
    ("textproto", "ir_version: 8 nothing: 1", "line 1: found nothing, expected a field of ModelProto"),
    ("textproto", "graph {\n name: 'g\n}", "line 2"), ("textproto", "graph { name: 'g' ", "found the end"),
    ("textproto", "ir_version: eight", "line 1: field ir_version is eight"), ("textproto", "graph: 3", "expected '{'"),
    ("textproto", "graph { name 'g' }", "no colon"), ("textproto", "\x00", "not understood"),
    ("json", "{", "no JSON"), ("json", '{"nothing": 1}', "'nothing'"), ("json", '{"graph": 1}', "ModelProto.graph: found int"),
    ("json", '{"opset_import": {}}', "expected a list"), ("json", '{"ir_version": "x"}', "ModelProto.ir_version"),
    ("json", "[" * 100000, "no JSON"),
])
def test_texts_that_are_no_model_are_refused_with_their_place(form, text, says):
    with pytest.raises(shipway.InvalidModel) as caught:
        so.load_model_from_string(text, form)
    assert says in str(caught.value)
    with pytest.raises(ValueError, match="'toml'"):
        so.load_model_from_string(text, "toml")


def test_text_of_any_spelling_is_read():
    text = """ # a comment
      ir_version : 0x8, producer_name: "a" 'b\\n\\x41\\101\\u00c4'; graph < name: "g" node { input: ["x", "y"] attribute: { name: "f"
      type: FLOAT f: 1.5e3f } attribute { name: "i" type: INTS ints: [1, -2] } } > opset_import { version: 17 }"""
    model = so.load_model_from_string(text, "textproto")
    from google.protobuf import text_format
    assert onnx.ModelProto.FromString(model.SerializeToString()) == text_format.Parse(text, onnx.ModelProto())


@BOTH
def test_tensors_are_files_too(package, tmp_path):
    tensor = package.numpy_helper.from_array(np.float32([1, 2]), "t")
    for name in ("t.pb", "t.json", "t.txtpb"):
        package.save_tensor(tensor, tmp_path / name)
        assert package.load_tensor(tmp_path / name) == tensor
    assert package.load_tensor_from_string((tmp_path / "t.pb").read_bytes()) == tensor


def with_weights(package):
    helper, from_array = package.helper, package.numpy_helper.from_array
    branch = helper.make_graph([], "then", [], [helper.make_tensor_value_info("w3", F, [600])], [from_array(np.full(600, 3, np.float32), "w3")])
    other = helper.make_graph([helper.make_node("Constant", [], ["c"], value=from_array(np.full(600, 4, np.float32), "value"))], "else", [],
                              [helper.make_tensor_value_info("c", F, [600])])
    return helper.make_model(helper.make_graph(
        [helper.make_node("Add", ["x", "w1"], ["a"]), helper.make_node("If", ["b"], ["i"], then_branch=branch, else_branch=other),
         helper.make_node("Add", ["a", "i"], ["y"])], "g",
        [helper.make_tensor_value_info("x", F, [600]), helper.make_tensor_value_info("b", onnx.TensorProto.BOOL, [])],
        [helper.make_tensor_value_info("y", F, [600])],
        [from_array(np.full(600, 1, np.float32), "w1"), from_array(np.float32([2]), "w2")]))


@BOTH
@pytest.mark.parametrize("options, files", [
    ({"location": "weights.bin"}, {"weights.bin": 4800}),
    ({"location": "weights.bin", "convert_attribute": True}, {"weights.bin": 7200}),
    ({"location": "weights.bin", "size_threshold": 0}, {"weights.bin": 4804}),
    ({"all_tensors_to_one_file": False}, {"w1": 2400, "w3": 2400}),
])
def test_weights_are_saved_beside_the_model(package, options, files, tmp_path):
    model = with_weights(package)
    package.save(model, tmp_path / "model.onnx", save_as_external_data=True, **options)
    found = {file.name: file.stat().st_size for file in tmp_path.iterdir() if file.name != "model.onnx"}
    assert found == files
    for reader in (onnx, so):  # either reads what either wrote
        back = reader.load(tmp_path / "model.onnx")
        assert onnx.ModelProto.FromString(back.SerializeToString()) == \
            onnx.ModelProto.FromString(with_weights(onnx).SerializeToString()) or _equal_but_for_location(back)
    (result,) = shipway.InferenceSession(tmp_path / "model.onnx").run(None, {"x": np.zeros(600, np.float32), "b": np.array(True)})
    np.testing.assert_array_equal(result, np.full(600, 4, np.float32))
    with pytest.raises(FileExistsError):
        package.save(with_weights(package), tmp_path / "other.onnx", save_as_external_data=True, location=str(next(iter(files)))) \
            if package is so else (_ for _ in ()).throw(FileExistsError)


def _equal_but_for_location(model):
    """onnx leaves `data_location: DEFAULT` written in what it read."""
    ours = so.ModelProto.FromString(model.SerializeToString())
    for tensor in so.external_data_helper.all_tensors(ours):
        tensor.ClearField("data_location")
    return onnx.ModelProto.FromString(ours.SerializeToString()) == onnx.ModelProto.FromString(with_weights(onnx).SerializeToString())


def test_saving_again_replaces_the_file_of_weights(tmp_path):
    for _ in range(2):
        so.save(with_weights(so), tmp_path / "model.onnx", save_as_external_data=True)
        assert (tmp_path / "model.onnx.data").stat().st_size == 4800
    unread = so.load(tmp_path / "model.onnx", load_external_data=False)
    with pytest.raises(FileExistsError):
        so.save(unread, tmp_path / "model.onnx", save_as_external_data=True)
    assert (tmp_path / "model.onnx.data").stat().st_size == 4800
    with pytest.raises(shipway.InvalidArgument, match="path"):
        import io
        so.save(with_weights(so), io.BytesIO(), save_as_external_data=True)


@BOTH
def test_external_data_step_by_step(package, tmp_path):
    helper = package.external_data_helper
    model = with_weights(package)
    package.convert_model_to_external_data(model, location="w.bin", convert_attribute=True)
    tensor = model.graph.initializer[0]
    assert helper.uses_external_data(tensor) and helper.ExternalDataInfo(tensor).location == "w.bin"
    package.write_external_data_tensors(model, str(tmp_path))
    info = helper.ExternalDataInfo(tensor)
    assert (info.offset, info.length, info.checksum, info.basepath) == (0, 2400, None, "") and not tensor.HasField("raw_data")
    np.testing.assert_array_equal(package.numpy_helper.to_array(tensor, str(tmp_path)), np.ones(600, np.float32))
    package.load_external_data_for_model(model, str(tmp_path))
    assert not helper.uses_external_data(tensor) and len(tensor.raw_data) == 2400
    helper.set_external_data(tensor, "v.bin", 4, 8, "sum", "base")
    helper.remove_external_data_field(tensor, "checksum")
    assert [(entry.key, entry.value) for entry in tensor.external_data] == [
        ("location", "v.bin"), ("offset", "4"), ("length", "8"), ("basepath", "base")]
    helper.convert_model_from_external_data(model)
    assert not helper.uses_external_data(tensor)
    with pytest.raises(ValueError):
        helper.set_external_data(package.helper.make_tensor("t", F, [1], [1.0]), "w.bin")
    with pytest.raises(ValueError):
        package.convert_model_to_external_data(model, location="/w.bin")


@BOTH
@pytest.mark.parametrize("entries", [
    {"location": "../secret"}, {"location": "/etc/hostname"}, {"location": "link"}, {"location": "missing"}, {"location": ""},
    {"location": "w.bin", "offset": "-1"}, {"location": "w.bin", "offset": "99"}, {"location": "w.bin", "length": "99"},
    {"location": "w.bin", "offset": "x"},
])
def test_external_data_stays_in_its_folder_and_file(package, entries, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "secret").write_bytes(bytes(40))
    (folder / "w.bin").write_bytes(bytes(40))
    (folder / "link").symlink_to(tmp_path / "secret")
    tensor = package.TensorProto(name="t", data_type=F, dims=[10], data_location=package.TensorProto.EXTERNAL)
    for key, value in entries.items():
        tensor.external_data.add(key=key, value=value)
    with pytest.raises(Exception) as caught:
        package.external_data_helper.load_external_data_for_tensor(tensor, str(folder))
    if package is so:
        assert isinstance(caught.value, shipway.Error) and "'t'" in str(caught.value)


# --- checking, inferring, schemas ----------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("part, change, is_right", [
    ("node", lambda p: p.helper.make_node("Conv", ["x", "w"], ["y"], group=2), True),
    ("node", lambda p: p.helper.make_node("Conv", ["x"], ["y"]), False),
    ("node", lambda p: p.helper.make_node("Conv", ["x", "w"], ["y"], group=1.5), False),
    ("node", lambda p: p.helper.make_node("NoSuchOperator", ["x"], ["y"]), False),
    ("node", lambda p: p.helper.make_node("Anything", ["x"], ["y"], domain="com.example"), False),  # not imported
    ("node", lambda p: p.helper.make_node("Add", ["x", "x"], ["y"]), True),
    ("tensor", lambda p: p.helper.make_tensor("t", F, [2], [1, 2]), True),
    ("tensor", lambda p: p.TensorProto(name="t", data_type=F, dims=[3], float_data=[1]), False),
    ("tensor", lambda p: p.TensorProto(name="t", dims=[0]), False),
    ("attribute", lambda p: p.helper.make_attribute("a", [1, 2]), True),
    ("attribute", lambda p: p.AttributeProto(name="a", type=p.AttributeProto.FLOAT, i=3), False),
    ("attribute", lambda p: p.AttributeProto(type=p.AttributeProto.INT, i=3), False),
    ("value_info", lambda p: p.helper.make_tensor_value_info("x", F, [1, "n"]), True),
    ("value_info", lambda p: p.helper.make_tensor_value_info("", F, [1]), False),
    ("graph", graph_of, True),
    ("graph", lambda p: p.helper.make_graph([p.helper.make_node("Relu", ["x"], ["y"])], "g", [], []), False),
    ("sparse_tensor", lambda p: p.helper.make_sparse_tensor(p.helper.make_tensor("v", F, [1], [2]), p.helper.make_tensor("i", I64, [1], [3]), [5]), True),
    ("sparse_tensor", lambda p: p.helper.make_sparse_tensor(p.helper.make_tensor("v", F, [1], [2]), p.helper.make_tensor("i", I64, [1], [7]), [5]), False),
    ("function", lambda p: p.helper.make_function("d", "f", ["x"], ["y"], [p.helper.make_node("Relu", ["x"], ["y"])], [p.helper.make_opsetid("", 17)]), True),
    ("function", lambda p: p.helper.make_function("d", "f", ["x"], ["y"], [p.helper.make_node("Relu", ["z"], ["y"])], [p.helper.make_opsetid("", 17)]), False),
])
def test_parts_are_checked_as_by_onnx(package, part, change, is_right):
    check = getattr(package.checker, f"check_{part}")
    if is_right:
        check(change(package))
    else:
        with pytest.raises(package.checker.ValidationError):
            check(change(package))
    with pytest.raises((TypeError, AttributeError)):
        check("text")


@BOTH
def test_a_checkers_context_says_the_versions(package):
    context = package.checker.C.CheckerContext()
    context.ir_version, context.opset_imports = 8, {"": 6, "com.example": 1}
    package.checker.check_node(package.helper.make_node("Anything", ["x"], ["y"], domain="com.example"), context)
    package.checker.check_node(package.helper.make_node("Clip", ["x"], ["y"], max=1.0), context)
    with pytest.raises(package.checker.ValidationError):
        package.checker.check_node(package.helper.make_node("Clip", ["x"], ["y"], max=1.0))


@BOTH
def test_shapes_are_inferred_from_file_to_file(package, tmp_path):
    package.save(package.helper.make_model(package.helper.make_graph(
        [package.helper.make_node("Relu", ["x"], ["h"]), package.helper.make_node("Relu", ["h"], ["y"])], "g",
        [package.helper.make_tensor_value_info("x", F, ["n", 3])], [package.helper.make_tensor_value_info("y", F, None)])), tmp_path / "m.onnx")
    package.shape_inference.infer_shapes_path(str(tmp_path / "m.onnx"), str(tmp_path / "inferred.onnx"))
    package.shape_inference.infer_shapes_path(str(tmp_path / "m.onnx"))
    for name in ("m.onnx", "inferred.onnx"):
        inferred = package.load(tmp_path / name)
        assert {info.name: package.helper.printable_type(info.type) for info in inferred.graph.value_info} == {"h": "FLOAT, nx3"}
        assert package.helper.printable_type(inferred.graph.output[0].type) == "FLOAT, nx3"
    with pytest.raises(TypeError):
        package.shape_inference.infer_shapes_path(package.load(tmp_path / "m.onnx"))


@BOTH
def test_outputs_of_one_node_are_inferred(package):
    helper, infer = package.helper, package.shape_inference.infer_node_outputs
    schema = package.defs.get_schema("Reshape", 13, "")
    found = infer(schema, helper.make_node("Reshape", ["x", "s"], ["y"]),
                  {"x": helper.make_tensor_type_proto(F, [2, 6]), "s": helper.make_tensor_type_proto(I64, [2])},
                  {"s": helper.make_tensor("s", I64, [2], [3, -1])})
    assert {name: helper.printable_type(kind) for name, kind in found.items()} == {"y": "FLOAT, 3x4"}
    with pytest.raises(KeyError):
        infer(schema, helper.make_node("Reshape", ["x", "s"], ["y"]), {"x": helper.make_tensor_type_proto(F, [2, 6])})
    with pytest.raises(package.shape_inference.InferenceError):
        infer(package.defs.get_schema("MatMul"), helper.make_node("MatMul", ["x", "x"], ["y"]), {"x": helper.make_tensor_type_proto(F, [2, 3])})


def described(schema):
    def parameter(p):
        return p.name, p.option.name, p.is_homogeneous, p.min_arity, set(p.types)
    attributes = {name: (a.type.name, a.required, a.default_value.SerializeToString()) for name, a in schema.attributes.items()}
    return (schema.name, schema.domain, schema.since_version, schema.deprecated, schema.min_input, schema.max_input, schema.min_output,
            schema.max_output, [parameter(p) for p in schema.inputs], [parameter(p) for p in schema.outputs], attributes,
            {(c.type_param_str, frozenset(c.allowed_type_strs)) for c in schema.type_constraints})


def test_schemas_are_those_of_onnx_in_every_version():
    ours = {(s.domain, s.name, s.since_version): s for s in so.defs.get_all_schemas_with_history()}
    theirs = {(s.domain, s.name, s.since_version): s for s in onnx.defs.get_all_schemas_with_history()}
    assert ours.keys() == theirs.keys() and len(ours) == 659
    for key, schema in theirs.items():
        expected, found = described(schema), described(ours[key])
        assert found[:8] == expected[:8], key
        assert found[8] == expected[8] and found[9] == expected[9], key
        assert found[11] == expected[11], key
        assert {name: value[:2] for name, value in found[10].items()} == {name: value[:2] for name, value in expected[10].items()}, key
        for name, (_, _, default) in expected[10].items():
            assert onnx.AttributeProto.FromString(found[10][name][2]) == onnx.AttributeProto.FromString(default), (key, name)
    assert {s.name for s in so.defs.get_all_schemas()} == {s.name for s in onnx.defs.get_all_schemas()}


@BOTH
def test_schemas_are_found_by_version(package):
    get, has = package.defs.get_schema, package.defs.has
    assert [get(*a).since_version for a in (("Conv",), ("Conv", 10), ("Conv", 11, ""), ("Conv", ""), ("TreeEnsemble", "ai.onnx.ml"))] == [
        22, 1, 11, 22, 5]
    assert has("Conv") and has("Conv", 1) and has("TreeEnsemble", "ai.onnx.ml") and not has("TreeEnsemble") and not has("Conv", 0)
    with pytest.raises(package.defs.SchemaError, match="NoSuchOperator"):
        get("NoSuchOperator")
    assert package.defs.OpSchema.is_infinite(get("Concat").max_input)


# --- text, reference ---------------------------------------------------------------------------------------------------


@BOTH
def test_text_is_parsed(package):
    parser = package.parser
    model = parser.parse_model('<ir_version: 8, opset_import: ["" : 17]> g (float[n] x) => (float[n] y) { y = Relu(x) }')
    assert model.graph.node[0].op_type == "Relu" and model.opset_import[0].version == 17
    assert parser.parse_graph("g (float[n] x) => (float[n] y) { y = Relu(x) }").name == "g"
    assert parser.parse_node("y = LeakyRelu <alpha = 0.5> (x)").attribute[0].f == 0.5
    assert parser.parse_function('<opset_import: ["" : 17], domain: "d"> f (x) => (y) { y = Relu(x) }').name == "f"
    for parse in (parser.parse_model, parser.parse_graph, parser.parse_node, parser.parse_function):
        with pytest.raises(parser.ParseError):
            parse("not at all")
    with pytest.raises(TypeError):
        package.printer.to_text(3)


@BOTH
def test_the_reference_runs_models_and_parts(package):
    evaluator = package.reference.ReferenceEvaluator
    x = np.float32([-1, 2])
    model = package.helper.make_model(graph_of(package))
    run = evaluator(model)
    assert run.input_names == ["x"] and run.output_names == ["z"] and run.opsets == {"": 28}
    np.testing.assert_array_equal(run.run(None, {"x": x})[0], x + [1, 2])
    np.testing.assert_array_equal(evaluator(model.SerializeToString()).run(["z"], {"x": x})[0], x + [1, 2])
    np.testing.assert_array_equal(run.run(None, {"x": x}, intermediate=True)["z"], x + [1, 2])
    np.testing.assert_array_equal(evaluator(package.helper.make_node("Relu", ["x"], ["y"])).run(None, {"x": x})[0], [0, 2])
    if package is onnx:  # 1.23.2 passes its operators an argument they do not take
        return
    scaled = package.helper.make_function(
        "d", "f", ["x"], ["y"], [package.helper.make_node("LeakyRelu", ["x"], ["y"])], [package.helper.make_opsetid("", 17)], ["alpha"])
    scaled.node[0].attribute.append(package.helper.make_attribute_ref("alpha", package.AttributeProto.FLOAT))
    np.testing.assert_array_equal(evaluator(scaled).run(None, {"x": x}, {"alpha": 0.5})[0], [-0.5, 2])
