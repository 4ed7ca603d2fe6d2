"""Verdicts of the checker against those of onnx.checker, over sound and broken models.

SHIPWAY_TEST_SEED chooses the broken models.
"""

import json
import os
import pathlib
import re
import subprocess

import numpy as np
import onnx
import onnx.backend.test
import pytest
from onnx.backend.test.case.node import collect_testcases

import model_mutations

BUILD = pathlib.Path(os.environ.get("SHIPWAY_BUILD", pathlib.Path(__file__).parents[2] / "build/release"))
SEED = int(os.environ.get("SHIPWAY_TEST_SEED", "1"))

OPTIONS = {
    "plain": ([], {}),
    "custom domains": (["--custom"], {"check_custom_domain": True}),
    "any opsets": (["--skip-opsets"], {"skip_opset_compatibility_check": True}),
}


def verdicts(files, flags=()):
    program = BUILD / "tests" / "check_models"
    if not program.exists():
        pytest.skip(f"{program} is not built (target check_models; SHIPWAY_BUILD names another build folder)")
    found = []
    for start in range(0, len(files), 500):  # command lines have an end
        run = subprocess.run(
            [program, *flags, *files[start : start + 500]], check=True, capture_output=True, text=True)
        found += [json.loads(line) for line in run.stdout.splitlines()]
    assert len(found) == len(files)
    return found


def verdict_of_onnx(file, **options):
    """None, or why not."""
    try:
        onnx.checker.check_model(str(file), **options)
    except Exception as error:  # ValidationError, InferenceError, ValueError of the parser, ...
        return f"{type(error).__name__}: {error}"
    return None


def differences(cases, flags=(), **options):
    """cases: (description, file)."""
    lines = []
    for (description, file), found in zip(cases, verdicts([str(file) for _, file in cases], flags)):
        expected = verdict_of_onnx(file, **options)
        if found["ok"] != (expected is None):
            lines.append(f"{description}: onnx says {expected or 'correct'}, we say {found['message'] or 'correct'}")
    return lines


def write_all(folder, models):
    cases = []
    for number, (description, model) in enumerate(models):
        file = folder / f"{number}.onnx"
        file.write_bytes(model if isinstance(model, bytes) else model.SerializeToString())
        cases.append((description, file))
    return cases


def test_models_of_the_onnx_package_are_correct():
    data = pathlib.Path(onnx.backend.test.__file__).parent / "data"
    files = sorted(data.rglob("*.onnx"))
    assert len(files) > 100
    assert differences([(str(file), file) for file in files]) == []


def test_seeds_are_correct(tmp_path):
    cases = write_all(tmp_path, model_mutations.seeds())
    assert [verdict for verdict in verdicts([str(file) for _, file in cases]) if not verdict["ok"]] == []


@pytest.mark.parametrize("options", OPTIONS)
def test_broken_models_get_the_verdict_of_onnx(tmp_path, options):
    flags, arguments = OPTIONS[options]
    thrice = tmp_path / "thrice"
    thrice.mkdir()
    cases = write_all(tmp_path, model_mutations.mutated(SEED, 600))
    cases += write_all(thrice, model_mutations.mutated(SEED + 1, 200, per_model=3))
    broken = [file for _, file in cases if verdict_of_onnx(file, **arguments)]
    assert len(broken) > 300
    assert differences(cases, flags, **arguments) == []


def test_cut_off_files_are_refused(tmp_path):
    name, model = next(model_mutations.seeds())
    whole = model.SerializeToString()
    cases = write_all(tmp_path, [(f"{name} cut at {size}", whole[:size]) for size in range(0, len(whole), 3)])
    assert differences(cases) == []


def external_model(location, **entries):
    tensor = onnx.TensorProto(
        name="w", data_type=onnx.TensorProto.FLOAT, dims=[2, 3], data_location=onnx.TensorProto.EXTERNAL)
    for key, text in {"location": location, **entries}.items():
        if text is not None:
            tensor.external_data.add(key=key, value=text)
    node = onnx.helper.make_node("Add", ["x", "w"], ["y"])
    value = model_mutations.value
    graph = onnx.helper.make_graph([node], "outside", [value("x")], [value("y")], [tensor])
    return onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)


def test_external_data(tmp_path):
    (tmp_path / "sub").mkdir()
    for file in ("weights.bin", "sub/weights.bin", "twice.bin", "..odd"):
        (tmp_path / file).write_bytes(bytes(24))
    (tmp_path / "again.bin").hardlink_to(tmp_path / "twice.bin")
    (tmp_path / "link.bin").symlink_to("weights.bin")
    (tmp_path / "linked").symlink_to("sub")
    (tmp_path / "away").symlink_to("/")
    locations = [
        "weights.bin", "sub/weights.bin", "./sub/../weights.bin", "missing.bin", "sub", "twice.bin", "link.bin",
        "linked/weights.bin", "away/etc/hostname", "../weights.bin", "/etc/hostname", "..odd", "", None, ".",
    ]
    cases = write_all(tmp_path, [(f"location {text!r}", external_model(text)) for text in locations])
    assert differences(cases) == []


# Where a full check refuses what onnx accepts, and should.
STRICTER = [
    # A tensor with more elements than its shape takes: onnx ignores the rest, but nobody could run the model.
    r"has \d+ (numbers|bytes|elements) in \w+, expected \d+ for",
    # A call that gives a function more inputs than it has.
    r"inputs and \d+ outputs, the function",
    # Two declarations of one name: onnx believes the last, here they must agree.
    r"(?s)^\w+: ValueInfoProto.name = .*declared as",
]

# onnx infers through a function body whose Constant has no value when `axes` is left to its default.
WRONG_IN_ONNX = {"test_mvn"}


def test_full_check_of_every_node_test(tmp_path):
    with np.errstate(all="ignore"):
        collected = collect_testcases(None)
    assert len(collected) > 1500
    cases = write_all(tmp_path, [(case.name, case.model) for case in collected if case.name not in WRONG_IN_ONNX])
    assert differences(cases, ["--full"], full_check=True) == []


def test_full_check_of_broken_models(tmp_path):
    cases = write_all(tmp_path, model_mutations.mutated(SEED, 600))
    lines = differences(cases, ["--full"], full_check=True)
    alarms = [line for line in lines if "onnx says correct" in line]
    assert [line for line in alarms if not any(re.search(pattern, line) for pattern in STRICTER)] == []
    # What is missed: negative sizes of inputs, which onnx computes with, and element types inside sequences that do
    # not exist.
    missed = [line for line in lines if "onnx says correct" not in line]
    assert len(missed) <= 0.02 * len(cases), missed


def test_full_check_of_real_models():
    """The models of wheels that scripts/fetch_test_models brings."""
    files = sorted((pathlib.Path(__file__).parents[2] / ".cache" / "wheels").rglob("*.onnx"))
    if not files:
        pytest.skip("no models: run scripts/fetch_test_models")
    assert differences([(str(file), file) for file in files], ["--full"], full_check=True) == []
