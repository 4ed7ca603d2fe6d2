"""Existing scripts run when only their import lines change."""
import contextlib
import io

import cv2
import numpy as np
import onnx
import pytest

# As tutorials on deployment have it; `input_img` is a picture, N C H W.
SCRIPT = """
import onnx, onnxruntime
import numpy as np, cv2
onnx_model = onnx.load("srcnn.onnx")
try:
    onnx.checker.check_model(onnx_model)
except Exception:
    print("Model incorrect")
else:
    print("Model correct")
session = onnxruntime.InferenceSession("srcnn.onnx")
output = session.run(["output"], {"input": input_img})[0]          # input_img: N C H W
output = np.transpose(np.clip(np.squeeze(output, 0), 0, 255), [1, 2, 0]).astype(np.uint8)
cv2.imwrite("output.png", output)
"""
IMPORTS = ("import onnx, onnxruntime", "import shipway.onnx as onnx, shipway.onnxruntime as onnxruntime")


def run(script, folder, model, picture, monkeypatch):
    """What the script prints, and the picture it writes."""
    folder.mkdir()
    (folder / "srcnn.onnx").write_bytes(model)
    monkeypatch.chdir(folder)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(script, "script.py", "exec"), {"input_img": picture})
    return printed.getvalue(), cv2.imread("output.png")


def test_the_super_resolution_script(srcnn, photo, tmp_path, monkeypatch):
    assert SCRIPT.count(IMPORTS[0]) == 1
    with open(srcnn, "rb") as file:
        model = file.read()
    said, expected = run(SCRIPT, tmp_path / "theirs", model, photo(80, 120), monkeypatch)
    assert said == "Model correct\n" and expected.shape == (240, 360, 3)
    said, found = run(SCRIPT.replace(*IMPORTS), tmp_path / "ours", model, photo(80, 120), monkeypatch)
    assert said == "Model correct\n"
    # A value near an integer may be cut to either side of it.
    difference = np.abs(found.astype(int) - expected.astype(int))
    assert difference.max() <= 1 and difference.mean() < 0.01


def test_the_script_says_when_a_model_is_incorrect(srcnn, photo, tmp_path, monkeypatch):
    model = onnx.load(srcnn)
    model.graph.node[0].op_type = "NoSuchOperator"
    for imports in (IMPORTS[0], IMPORTS[1]):
        script = SCRIPT[: SCRIPT.index("session =")].replace(IMPORTS[0], imports)
        said = io.StringIO()
        folder = tmp_path / str(len(imports))
        folder.mkdir()
        (folder / "srcnn.onnx").write_bytes(model.SerializeToString())
        monkeypatch.chdir(folder)
        with contextlib.redirect_stdout(said):
            exec(compile(script, "script.py", "exec"), {})
        assert said.getvalue() == "Model incorrect\n"
