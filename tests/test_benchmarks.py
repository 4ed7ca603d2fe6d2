"""The benchmarks' own logic: the models are the architectures that they say, peers are compared fairly, the guard finds what got
slower. No test asks for a time."""
import importlib.util
import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent


def load(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "benchmarks" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    previous, sys.dont_write_bytecode = sys.dont_write_bytecode, True  # no __pycache__ beside the scripts
    spec.loader.exec_module(module)
    sys.dont_write_bytecode = previous
    return module


models = load("models")
peers = load("peers")


# ---- models


@pytest.mark.parametrize("name, published, less", [
    # torchvision's counts; a folded normalisation leaves one number a channel where it had two.
    ("resnet50", 25_557_032, 26_560),
    ("mobilenet_v2", 3_504_872, 17_056),
    ("efficientnet_b0", 5_288_548, 21_008),
    ("vit_b_16", 86_567_656, 0),
    # transformers' bert-base-uncased without its pooler, and with 128 positions instead of 512
    ("bert_base", 109_482_240, 768 * 768 + 768 + (512 - 128) * 768),
])
def test_models_have_the_published_number_of_parameters(monkeypatch, name, published, less):
    counted = []

    def weight(net, *shape, deviation):
        counted.append(int(np.prod(shape)))
        return models.Net.constant(net, np.zeros(1))

    monkeypatch.setattr(models.Net, "weight", weight)
    monkeypatch.setattr(models.Net, "layer_norm", lambda net, x, size: net.node(
        "LayerNormalization", x, net.weight(size, deviation=0), net.weight(size, deviation=0)))
    models.MODELS[name]()
    assert sum(counted) == published - less


@pytest.mark.parametrize("name", ["mlp_tiny", "cnn_tiny", "mobilenet_v2", "efficientnet_b0", "unet", "speech_lstm"])
def test_models_run_on_values_of_ordinary_size(tmp_path, name):
    path = models.path(name, tmp_path)
    onnx.checker.check_model(str(path), full_check=True)
    file, feed = peers.fixed_model(path, {}, tmp_path)
    out = onnxruntime.InferenceSession(file).run(None, feed)[0]
    assert np.isfinite(out).all() and 0.01 < out.std() < 100


def test_models_are_the_same_every_time(tmp_path):
    first, second = (models.path("cnn_tiny", tmp_path / folder).read_bytes() for folder in "ab")
    assert first == second


# ---- peers


def test_difference_is_relative_and_never_forgives_nan():
    a = np.float32([1, 2, 4])
    assert peers.difference([a], [a]) == 0
    assert peers.difference([a + 1], [a]) == 0.25
    assert peers.difference([a.reshape(1, 3)], [a]) == 0  # ncnn has no batch axis
    assert peers.difference([a[:2]], [a]) == float("inf")
    assert peers.difference([a], [a, a]) == float("inf")
    assert peers.difference([np.float32([1, np.nan, 4])], [a]) == float("inf")


def run_peers(tmp_path, *arguments):
    path = os.pathsep.join([os.environ.get("PYTHONPATH", ""), str(ROOT / "build" / "release" / "python")])
    return subprocess.run([sys.executable, ROOT / "benchmarks" / "peers.py", *arguments], cwd=tmp_path, capture_output=True,
                          text=True, check=False, timeout=300,
                          env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": path})


def test_peers_measure_and_agree(tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "small.onnx").write_bytes(models.path("cnn_tiny", tmp_path).read_bytes())
    done = run_peers(tmp_path, "--models", f"mine,{ROOT / 'models/srcnn/srcnn.onnx'}", "--shape", "input=1x3x16x20", "--engines",
                     "onnxruntime,shipway", "--threads", "1,2", "--rounds", "2", "--json", "out.json", "--markdown", "out.md")
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "out.json").read_text())
    assert [(row["model"], row["threads"]) for row in report["rows"]] == [("small", 1), ("small", 2), ("srcnn", 1), ("srcnn", 2)]
    for row in report["rows"]:
        assert list(row["engines"]) == ["onnxruntime", "shipway"]
        for result in row["engines"].values():
            assert 0 < result["min_ms"] <= result["median_ms"] and result["runs"] >= 2 and result["cpu_ms"] > 0
            assert result["agrees"] and result["peak_bytes"] > 1 << 20 and result["version"]
    assert report["engines"] == ["onnxruntime", "shipway"] and report["machine"]["commit"] and report["machine"]["flags"]
    text = (tmp_path / "out.md").read_text()
    assert text in done.stdout
    assert "| small | 1 | " in text and f"onnxruntime {onnxruntime.__version__}" in text and "geometric mean" in text


def test_peers_tell_what_fails_and_who_is_wrong(tmp_path):
    def row(shipway):
        return {"model": "m", "threads": 1, "engines": {
            "onnxruntime": {"min_ms": 4.0, "median_ms": 5.0, "cpu_ms": 4.0, "agrees": True, "version": "1", "load_ms": 1,
                            "first_ms": 1, "peak_bytes": 1 << 20, "difference": 0.0}, **shipway}}

    ours = {"min_ms": 2.0, "median_ms": 3.0, "cpu_ms": 2.0, "agrees": True, "version": "2", "load_ms": 1, "first_ms": 1,
            "peak_bytes": 1 << 20, "difference": 1e-7}
    report = {"machine": peers.machine(), "command": "c", "rounds": 1, "engines": ["onnxruntime", "ncnn", "shipway"], "rows": [
        row({"shipway": ours, "ncnn": {"error": "conversion: none"}}), row({"shipway": {**ours, "min_ms": 1.0}}),
        row({"shipway": ours, "onnxruntime": {**ours, "agrees": False, "min_ms": 0.1}})]}
    text = peers.as_markdown(report)
    assert "onnxruntime 2.83 (2 rows)" in text  # sqrt(2 * 4); who differs does not count
    assert "**differs**" in text and "| m | 1 | ncnn | conversion: none |" in text


def test_peers_take_sizes_by_their_names(tmp_path):
    done = run_peers(tmp_path, "--models", str(ROOT / "models/srcnn/srcnn.onnx"), "--dim", "height=16", "--dim", "width=20",
                     "--engines", "shipway", "--threads", "1", "--rounds", "1")
    assert done.returncode == 0 and "| srcnn | 1 |" in done.stdout, done.stderr


@pytest.mark.parametrize("arguments, sentence", [
    (["--models", "nothing"], "there is no model 'nothing'"),
    (["--models", str(ROOT / "models/srcnn/srcnn.onnx")], "input 'input' is of dynamic size: --shape input=1x..."),
    (["--shape", "x=1y3", "--models", "mlp_tiny"], "expected NAME=1x3x224x224"),
    (["--engines", "tvm"], "there is no engine tvm"),
])
def test_peers_say_what_is_wrong_with_arguments(tmp_path, arguments, sentence):
    done = run_peers(tmp_path, *arguments)
    assert done.returncode in (1, 2) and sentence in done.stderr


# ---- guard


def command(folder, name, milliseconds):
    """Something that answers as `shipway bench` does, with these figures one after the other."""
    path = folder / name
    path.write_text(f"""#!/bin/sh
count=$(cat {path}.count 2> /dev/null || echo 0)
echo $((count + 1)) > {path}.count
echo "$@" >> {path}.calls
set -- {' '.join(map(str, milliseconds))}
shift $((count % $#))
echo "{{\\"min_ms\\": $1}}"
""", encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("base, new, limit, code", [
    ([10, 10, 10], [10.4, 10.4, 10.4], 5, 0),
    ([10, 10, 10], [10.6, 10.6, 10.6], 5, 1),
    ([10, 10, 10], [10.6, 10.6, 10.6], 10, 0),
    ([10, 10, 10], [30, 10, 30], 5, 0),  # disturbed, but once as fast
    ([10, 8, 10], [10, 10, 10], 5, 0),  # the base was faster only once
    ([10, 10, 10], [5, 5, 5], 5, 0),
])
def test_guard_fails_on_what_got_slower(tmp_path, base, new, limit, code):
    model = tmp_path / "m.onnx"
    model.write_bytes(b"")
    commands = command(tmp_path, "base", base), command(tmp_path, "new", new)
    done = subprocess.run([ROOT / "scripts" / "bench_guard", commands[0], "--new", commands[1], "--models", model, "--rounds", "3",
                           "--limit", str(limit), "--json", tmp_path / "out.json", "--shape", "x=1x3"],
                          capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    assert ("SLOWER" in done.stdout) == (code == 1)
    row = json.loads((tmp_path / "out.json").read_text())["rows"][0]
    assert row["model"] == "m" and row["slower"] == (code == 1) and row["ratio"] == pytest.approx(min(new) / min(base))
    calls = (tmp_path / "new.calls").read_text().splitlines()
    assert calls == [f"bench {model} --threads 1 --seconds 0.5 --json --quiet --shape x=1x3"] * 3


def test_guard_says_what_is_wrong(tmp_path):
    done = subprocess.run([ROOT / "scripts" / "bench_guard", "no-such-commit"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "bench_guard: there is no commit 'no-such-commit'\n")
