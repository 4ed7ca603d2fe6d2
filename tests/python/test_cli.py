"""The verbs of the command beside `run`, and wrong usage of all of them."""
import json
import os
import re
import xml.etree.ElementTree as ElementTree
import zipfile

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

VERBS = ["run", "check", "info", "optimize", "compile", "bench", "test", "view"]


def save(nodes, inputs, outputs, path, opset=20):
    value = helper.make_tensor_value_info
    graph = helper.make_graph(nodes, "graph", [value(name, TensorProto.FLOAT, shape) for name, shape in inputs],
                              [value(name, TensorProto.FLOAT, shape) for name, shape in outputs])
    onnx.save(helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", opset)]), path)


# ---- wrong usage: 2, and a sentence


@pytest.mark.parametrize("arguments, sentence", [
    ([], "subcommand is required"),
    (["frobnicate"], "there is no verb 'frobnicate'"),
    (["run"], "MODEL is required"),
    (["run", "m.onnx", "--nope"], "--nope"),
    (["run", "m.onnx", "--threads", "many"], "--threads"),
    (["run", "m.onnx", "--threads", "-1"], "--threads"),
    (["run", "m.onnx", "--precision", "fp8"], "fp8"),
    (["run", "m.onnx", "--range", "1..2"], "1..2"),
    (["run", "m.onnx", "--order", "gbr"], "gbr"),
    (["check"], "MODEL is required"),
    (["info"], "MODEL is required"),
    (["optimize", "in.onnx"], "IN and OUT"),
    (["optimize", "in.onnx", "out.onnx", "--level", "4"], "--level"),
    (["compile", "in.onnx"], "OUT is required"),
    (["compile", "in.onnx", "out.plan", "--isa", "neon"], "--isa"),
    (["bench", "m.onnx", "--runs", "0"], "--runs"),
    (["bench", "m.onnx", "--seconds", "-1"], "--seconds"),
    (["test"], "DIR is required"),
    (["view", "m.onnx"], "--export is required"),
])
def test_wrong_usage(shipway, arguments, sentence):
    done = shipway(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("shipway: ") and sentence in done.stderr


def test_help_and_version(shipway):
    done = shipway("--help")
    assert (done.returncode, done.stderr) == (0, "")
    for verb in VERBS:
        assert f"  {verb} " in done.stdout
        help_of_verb = shipway(verb, "--help")
        assert help_of_verb.returncode == 0 and "--quiet" in help_of_verb.stdout and "--json" in help_of_verb.stdout
    assert shipway("--version").stdout.startswith("shipway 0.")


# ---- files that are no models: 1, and what they are


@pytest.fixture(scope="module")
def odd_files(tmp_path_factory, root):
    folder = tmp_path_factory.mktemp("odd")
    (folder / "pointer.onnx").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 5\n")
    (folder / "page.onnx").write_text("<!DOCTYPE html>\n<html><body>Please log in</body></html>")
    (folder / "empty.onnx").write_bytes(b"")
    (folder / "folder.onnx").mkdir()
    (folder / "notes.md").write_text("# Notes\n\nNot a model.\n")
    (folder / "cut.onnx").write_bytes((root / "models/srcnn/srcnn.onnx").read_bytes()[:1000])
    with zipfile.ZipFile(folder / "weights.pt", "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02}q\x00.")
    return folder


@pytest.mark.parametrize("name, sentence", [
    ("pointer.onnx", "a Git LFS pointer"),
    ("page.onnx", "a web page (HTML)"),
    ("empty.onnx", "an empty file"),
    ("folder.onnx", "it is a directory, not a file"),
    ("notes.md", "a text file"),
    ("cut.onnx", "is cut off"),
    ("weights.pt", "a PyTorch checkpoint"),
    ("missing.onnx", "No such file or directory"),
])
@pytest.mark.parametrize("verb", ["run", "check", "info", "optimize", "compile", "bench", "view"])
def test_what_is_no_model_is_named(shipway, odd_files, tmp_path, verb, name, sentence):
    more = {"optimize": [tmp_path / "out.onnx"], "compile": [tmp_path / "out.plan"], "view": ["--export", tmp_path / "out.svg"]}.get(verb, [])
    done = shipway(verb, odd_files / name, *more)
    assert done.returncode == 1
    said = done.stdout + done.stderr
    assert sentence in said and said.count("\n") == 1
    # `check` gives its verdict as a result; what cannot even be read is an error everywhere.
    assert (done.stdout != "") == (verb == "check" and name not in ("folder.onnx", "missing.onnx"))
    assert os.listdir(tmp_path) == []


# ---- check


def test_check_says_correct(shipway, srcnn):
    done = shipway("check", srcnn)
    assert (done.returncode, done.stdout, done.stderr) == (0, "Model correct\n", "")
    assert json.loads(shipway("check", srcnn, "--json").stdout) == {"model": srcnn, "correct": True}


def test_check_says_what_is_wrong_and_where(shipway, tmp_path):
    path = tmp_path / "wrong.onnx"
    save([helper.make_node("Conv", ["x", "w"], ["y"], name="conv1", pads="no")], [("x", [1, 3, 8, 8]), ("w", [4, 3, 3, 3])],
         [("y", [1, 4, 8, 8])], path)
    done = shipway("check", path)
    assert done.returncode == 1 and done.stderr == ""
    assert done.stdout.startswith("Model incorrect: node 'conv1' (Conv): attribute 'pads'")
    report = json.loads(shipway("check", path, "--json").stdout)
    assert report["correct"] is False and "conv1" in report["why"]


def test_check_infers_shapes_unless_told_not_to(shipway, tmp_path):
    path = tmp_path / "shapes.onnx"
    save([helper.make_node("MatMul", ["a", "b"], ["y"], name="product")], [("a", [2, 3]), ("b", [4, 5])], [("y", [2, 5])], path)
    assert shipway("check", path).returncode == 1
    assert "'product' (MatMul)" in shipway("check", path).stdout
    assert shipway("check", path, "--no-full").stdout == "Model correct\n"


# ---- info


def test_info(shipway, srcnn):
    done = shipway("info", srcnn)
    assert (done.returncode, done.stderr) == (0, "")
    report = json.loads(shipway("info", srcnn, "--json", "--shape", "input=1x3x10x20").stdout)
    assert report["parameters"] == 20099 and report["opsets"] == {"ai.onnx": 11}
    assert sum(report["operators"].values()) == report["nodes"] == len(onnx.load(srcnn).graph.node)
    # 3 x 64 x 81 + 64 x 32 + 32 x 3 x 25 per pixel of 30 x 60.
    assert report["macs"] == (3 * 64 * 81 + 64 * 32 + 32 * 3 * 25) * 30 * 60
    assert "parameters  20099" in done.stdout and "input: float[" in done.stdout
    text = shipway("info", srcnn, "--text").stdout
    assert "opset 11" in text and "= Conv[" in text


def test_info_tells_the_memory_that_a_run_then_keeps_to(shipway, srcnn):
    shape = ["--shape", "input=1x3x10x20"]
    memory = json.loads(shipway("info", srcnn, "--memory", "--json", *shape).stdout)["memory"]
    assert memory["shapes"] == {"input": [1, 3, 10, 20]} and memory["complete"]
    assert memory["outputs"] == 4 * 3 * 30 * 60
    assert memory["arena_lower_bound"] <= memory["arena"] <= 1.1 * memory["arena_lower_bound"]
    parts = ["weights", "constants", "arena", "outputs", "scratch"]
    assert memory["peak"] == sum(memory[part] for part in parts)
    assert " at most" in shipway("info", srcnn, "--memory", *shape).stdout
    run = ["run", srcnn, "--input", "input=random", *shape]
    assert shipway(*run, SHIPWAY_MAX_MEMORY=str(memory["peak"])).returncode == 0
    done = shipway(*run, SHIPWAY_MAX_MEMORY=str(memory["peak"] - 1))
    assert done.returncode == 1 and re.search(r"needs \d+ bytes for its values \(arena \d+, .*\), it may use \d+", done.stderr)
    done = shipway(*run, SHIPWAY_MAX_MEMORY=str(memory["weights"] + memory["constants"] - 1))
    assert done.returncode == 1 and "the model's weights need" in done.stderr


# ---- optimize


def test_optimize_keeps_the_results(shipway, tmp_path):
    constant = numpy_helper.from_array(np.float32([1, 2, 3]), "c")
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["a"]), helper.make_node("Add", ["c", "c"], ["d"]),
         helper.make_node("Mul", ["a", "d"], ["y"]), helper.make_node("Neg", ["x"], ["unused"])], "graph",
        [value("x", TensorProto.FLOAT, ["N", 3])], [value("y", TensorProto.FLOAT, ["N", 3])], [constant])
    onnx.save(helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 20)]), tmp_path / "in.onnx")
    done = shipway("optimize", "in.onnx", "out.onnx", "--dump-passes", "dumps", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("out.onnx: 4 nodes became 1")
    assert list((tmp_path / "dumps").iterdir())
    onnx.checker.check_model(str(tmp_path / "out.onnx"), full_check=True)
    x = np.float32([[1, -2, 3]])
    before, after = (onnxruntime.InferenceSession(str(tmp_path / name)).run(None, {"x": x})[0] for name in ("in.onnx", "out.onnx"))
    np.testing.assert_array_equal(after, before)
    report = json.loads(shipway("optimize", "in.onnx", "out.onnx", "--json", "--level", "0", cwd=tmp_path).stdout)
    assert report["nodes_after"] == 4 and report["rewrites"] == 0
    report = json.loads(shipway("optimize", "in.onnx", "out.onnx", "--json", "--max-rewrites", "1", cwd=tmp_path).stdout)
    assert report["rewrites"] == 1


def test_optimize_lists_its_passes(shipway):
    done = shipway("optimize", "--list-passes")
    assert done.returncode == 0 and len(done.stdout.splitlines()) >= 5
    assert all("(level " in line for line in done.stdout.splitlines())
    assert len(shipway("optimize", "--list-passes", "--level", "1").stdout) <= len(done.stdout)


# ---- bench


def test_bench(shipway, srcnn):
    done = shipway("bench", srcnn, "--shape", "input=1x3x16x16", "--runs", "3", "--json", "--profile", "--quiet")
    assert (done.returncode, done.stderr) == (0, "")
    report = json.loads(done.stdout)
    assert report["runs"] == 3 and 0 < report["min_ms"] <= report["median_ms"] <= report["p99_ms"]
    assert report["peak_bytes"] > 1 << 20 and report["gflops"] > 0
    assert {"Conv", "Resize"} <= {step["op_type"] for step in report["steps"]}
    table = shipway("bench", srcnn, "--shape", "input=1x3x16x16", "--runs", "3", "--profile").stdout
    assert table.split()[:3] == ["runs", "min", "ms"] and "Conv" in table


# ---- explain


@pytest.fixture()
def net(tmp_path):
    """A convolution, a node that kernels refuse (int64), one without any kernel (Det), and a product."""
    weights = numpy_helper.from_array(np.ones((8, 3, 3, 3), np.float32), "w")
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "w"], ["c"], name="conv"), helper.make_node("Relu", ["c"], ["r"], name="relu"),
         helper.make_node("Det", ["r"], ["d"], name="det"), helper.make_node("Add", ["k", "k"], ["kk"], name="int_add"),
         helper.make_node("MatMul", ["d", "v"], ["y"], name="product")], "net",
        [value("x", TensorProto.FLOAT, [1, 3, "H", "H"]), value("k", TensorProto.INT64, [4])],
        [value("y", TensorProto.FLOAT, None), value("kk", TensorProto.INT64, [4])],
        [weights, numpy_helper.from_array(np.ones((8, 5), np.float32), "v")])
    path = tmp_path / "net.onnx"
    onnx.save(helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 20)]), path)
    return path


def test_explain_has_every_node_with_its_reasons(shipway, net):
    done = shipway("explain", net, "--shape", "x=1x3x18x18", "--threads", "1", "--runs", "3", "--json", "--quiet")
    assert (done.returncode, done.stderr) == (0, "")
    report = json.loads(done.stdout)
    steps = report["steps"]
    assert {origin for step in steps for origin in step["origins"]} == {
        "Conv 'conv'", "Relu 'relu'", "Det 'det'", "Add 'int_add'", "MatMul 'product'"}
    assert sum(step["ns"] for step in steps) == pytest.approx(report["steps_ns"])
    assert sum(step["share"] for step in steps) == pytest.approx(1)
    assert report["peak"]["gflops"] > 0 and report["peak"]["memory_gbs"] > 0 and report["peak"]["threads"] == 1
    by_origin = {step["origins"][-1].split()[0]: step for step in steps if step["op_type"]}
    assert [r["code"] for r in by_origin["Det"]["refused"]] == ["operator"]
    assert [r["code"] for r in by_origin["Add"]["refused"]] == ["dtype"]
    conv = next(step for step in steps if step["op_type"] == "Conv")
    assert conv["kernel"].startswith("conv_") and conv["kernel"].endswith(conv["isa"])
    assert conv["flops"] == 2 * 27 * 8 * 16 * 16 and conv["output"] == [1, 8, 16, 16]
    assert conv["roofline"] * 1.000001 >= conv["flops"] / report["peak"]["gflops"] / conv["ns"]
    assert report["why_slow"] and all(finding["sentence"] for finding in report["why_slow"])
    assert any("[operator]" in finding["sentence"] for finding in report["why_slow"])


def test_explain_prints_a_table_or_sentences(shipway, net):
    table = shipway("explain", net, "--shape", "x=1x3x18x18", "--runs", "2")
    assert table.returncode == 0 and "from memory" in table.stderr
    lines = table.stdout.splitlines()
    assert lines[0].split()[:4] == ["step", "us", "%", "GFLOP/s"]
    assert [line for line in lines if "Det 'det'" in line and "[operator]" in line]
    why = shipway("explain", net, "--shape", "x=1x3x18x18", "--runs", "2", "--why-slow", "--quiet")
    assert (why.returncode, why.stderr) == (0, "")
    sentences = why.stdout.splitlines()
    assert all(sentence.startswith(f"{i}. ") and "% (" in sentence for i, sentence in enumerate(sentences, 1))
    assert any("Det" in sentence and "because no kernel is written for this operator" in sentence for sentence in sentences)


@pytest.mark.parametrize("verb", ["explain", "bench"])
def test_a_trace_has_every_step_in_order(shipway, net, tmp_path, verb):
    done = shipway(verb, net, "--shape", "x=1x3x18x18", "--runs", "2", "--trace", "trace.json", "--quiet", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    events = json.loads((tmp_path / "trace.json").read_text())
    assert {"Conv", "Det", "Add", "MatMul"} <= {event["args"]["op_type"] for event in events}
    assert events[0]["ts"] == 0
    for before, after in zip(events, events[1:]):
        assert after["ts"] >= before["ts"] + before["dur"] - 0.001
    det = next(event for event in events if event["args"]["op_type"] == "Det")
    assert det["args"]["origins"] == ["Det 'det'"] and "[operator]" in det["args"]["refused"][0]


# ---- test


def suite_folder(folder, expected):
    """A folder as the official suite has them: y = x + x."""
    data = folder / "test_data_set_0"
    data.mkdir(parents=True)
    save([helper.make_node("Add", ["x", "x"], ["y"])], [("x", [2])], [("y", [2])], folder / "model.onnx")
    (data / "input_0.pb").write_bytes(numpy_helper.from_array(np.float32([1, 2]), "x").SerializeToString())
    (data / "output_0.pb").write_bytes(numpy_helper.from_array(np.float32(expected), "y").SerializeToString())


def test_test_runs_folders(shipway, tmp_path):
    suite_folder(tmp_path / "suite/right", [2, 4])
    done = shipway("test", tmp_path / "suite")
    assert (done.returncode, done.stdout) == (0, "1 passed, 0 failed\n")
    suite_folder(tmp_path / "suite/wrong", [2, 5])
    for options in ([], ["--reference"]):
        done = shipway("test", tmp_path / "suite", *options)
        assert done.returncode == 1
        failed, count = done.stdout.splitlines()
        assert failed.startswith(f"FAILED {tmp_path}/suite/wrong: test_data_set_0: output 'y' differs at element 1")
        assert count == "1 passed, 1 failed"
    assert shipway("test", tmp_path / "suite", "--rtol", "0.5").returncode == 0
    report = json.loads(shipway("test", tmp_path / "suite", "--json").stdout)
    assert (report["passed"], report["failed"]) == (1, 1)
    (tmp_path / "nothing").mkdir()
    done = shipway("test", tmp_path / "nothing")
    assert done.returncode == 1 and "holds no model.onnx" in done.stderr


# ---- view


def test_view_writes_a_drawing(shipway, srcnn, tmp_path):
    done = shipway("view", srcnn, "--export", "graph.svg", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "graph.svg written\n")
    drawing = ElementTree.parse(tmp_path / "graph.svg")
    texts = [element.text for element in drawing.iter("{http://www.w3.org/2000/svg}text")]
    assert texts.count("Conv") == 3 and "input" in texts and "output" in texts
    done = shipway("view", srcnn, "--export", "graph.pdf", cwd=tmp_path)
    assert done.returncode == 1 and "only .svg can be written yet" in done.stderr
