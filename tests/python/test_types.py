"""Every public name of the package says what it does and what it takes and gives; type checkers agree."""
import importlib
import inspect
import os
import pathlib
import pkgutil
import subprocess
import sys

import pytest

import shipway

PACKAGE = pathlib.Path(shipway.__file__).parent
MODULES = ["shipway", *(info.name for info in pkgutil.walk_packages([str(PACKAGE)], "shipway.") if info.name.rpartition(".")[2] not in (
    "_core", "__main__"))]


def public(module):
    """(name, what it is) of the functions, classes and methods that a module lists or defines."""
    names = getattr(module, "__all__", None) or [name for name, value in vars(module).items()
                                                 if not name.startswith("_") and getattr(value, "__module__", "") == module.__name__]
    for name in names:
        value = getattr(module, name)
        if inspect.isfunction(value):
            yield name, value
        elif inspect.isclass(value) and value.__module__.startswith("shipway") and not getattr(value, "_by_number", None):
            yield name, value
            for member, what in vars(value).items():
                what = what.fget if isinstance(what, property) else getattr(what, "__func__", what)
                if inspect.isfunction(what) and (not member.startswith("_") or member == "__init__") and what.__module__ == value.__module__:
                    yield f"{name}.{member}", what


@pytest.mark.parametrize("name", MODULES)
def test_every_public_name_has_a_docstring_and_annotations(name):
    module = importlib.import_module(name)
    assert module.__doc__, name
    for what, value in public(module):
        if not what.endswith("__init__"):
            assert inspect.getdoc(value), what
        if inspect.isfunction(value):
            signature = inspect.signature(value)
            bare = [parameter.name for i, parameter in enumerate(signature.parameters.values())
                    if parameter.annotation is inspect.Parameter.empty and not (i == 0 and parameter.name in ("self", "cls"))]
            assert not bare, f"{what}: {bare}"
            assert what.endswith("__init__") or signature.return_annotation is not inspect.Signature.empty, what


def mypy(*arguments, folder):
    environment = {**os.environ, "MYPYPATH": str(PACKAGE.parent)}
    return subprocess.run([sys.executable, "-m", "mypy", "--cache-dir", str(folder / "cache"), *arguments], cwd=folder, env=environment,
                          capture_output=True, text=True, check=False)


SCRIPT = '''
from typing import List

import numpy as np
import shipway
import shipway.onnx as onnx
import shipway.onnxruntime as onnxruntime


def run(path: str, image: "np.ndarray[tuple[int, ...], np.dtype[np.float32]]") -> List[int]:
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(onnx.shape_inference.infer_shapes(model), "inferred.onnx")
    shipway.shape_inference.infer_shapes(path).save("again.onnx")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    names: List[str] = [argument.name for argument in session.get_inputs()]
    try:
        (output,) = shipway.InferenceSession(path, threads=1).run(None, {names[0]: image})
    except shipway.InvalidArgument as error:
        raise SystemExit(str(error))
    value = onnxruntime.OrtValue.ortvalue_from_numpy(output)
    session.run_with_iobinding(session.io_binding())
    return value.shape()
'''


def test_a_strict_type_checker_takes_a_users_script_and_the_package_itself(tmp_path, root):
    (tmp_path / "script.py").write_text(SCRIPT)
    result = mypy("--strict", "--follow-imports", "silent", "script.py", folder=tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    result = mypy("--config-file", str(root / "pyproject.toml"), "-p", "shipway", folder=tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_type_checker_finds_a_users_mistakes(tmp_path):
    (tmp_path / "script.py").write_text('import shipway\nsession = shipway.InferenceSession(3)\nsession.run("y", [1])\n'
                                        'length: str = shipway.load("m").ir_version\n')
    result = mypy("--strict", "--follow-imports", "silent", "script.py", folder=tmp_path)
    assert result.returncode == 1 and [line.split(":")[1] for line in result.stdout.splitlines() if ": error:" in line] == ["2", "3", "4"], result.stdout
