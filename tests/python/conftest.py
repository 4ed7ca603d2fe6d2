"""What the Python tests share: where things lie, and pictures as models want them."""
import os
import pathlib
import subprocess
import sys

import cv2
import numpy as np
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]

# The module of the release build, when PYTHONPATH names no other. Programs that tests start find it by themselves.
sys.path.append(str(ROOT / "build" / "release" / "python"))


def pytest_addoption(parser):
    parser.addoption("--update-expected", action="store_true",
                     help="add cases of the ONNX suite that pass now to tests/onnx_suite/expected_passes.txt")


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def srcnn():
    """Path of the super-resolution model."""
    return str(ROOT / "models" / "srcnn" / "srcnn.onnx")


@pytest.fixture(scope="session")
def command():
    """Path of the `shipway` command: SHIPWAY_COMMAND, else that of the release build."""
    path = os.environ.get("SHIPWAY_COMMAND", str(ROOT / "build/release/bin/shipway"))
    assert os.access(path, os.X_OK), f"{path} is not built"
    return path


@pytest.fixture(scope="session")
def shipway(command):
    """shipway(argument, ..., VARIABLE=value): runs the command; what it said, and its exit code."""
    def run(*arguments, cwd=None, **environment):
        return subprocess.run([command, *map(str, arguments)], cwd=cwd, capture_output=True, text=True, timeout=300,
                              env={**os.environ, **environment}, check=False)

    return run


@pytest.fixture(scope="session")
def photo():
    """photo(height, width): that much of a photograph, float N C H W in BGR, 0 to 255."""
    picture = cv2.imread(str(ROOT / "models" / "srcnn" / "photos" / "coffee.png"))
    assert picture is not None

    def cut(height, width):
        part = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
        return np.ascontiguousarray(part.transpose(2, 0, 1)[None]).astype(np.float32)

    return cut
