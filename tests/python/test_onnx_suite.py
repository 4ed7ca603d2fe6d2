"""The official ONNX suite against the list of cases expected to pass, also through onnx's own test runner.

pytest tests/python --update-expected (or onnx_suite.py --update-expected) adds cases that pass now to the list.
"""
import json
import pathlib
import subprocess
import sys
import unittest

import onnx.backend.test
import pytest

import onnx_suite
import shipway.backend


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """{case: None or what went wrong} of the whole suite."""
    report = tmp_path_factory.mktemp("suite") / "results.json"
    command = [sys.executable, str(pathlib.Path(onnx_suite.__file__)), "--json", str(report)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1200)
    assert report.exists(), done.stderr[-3000:]
    return json.loads(report.read_text())


def test_expected_cases_pass_and_new_passes_are_listed(results, request):
    passes = {name for name, problem in results.items() if problem is None}
    print(f"{len(passes)} of {len(results)} cases pass")
    if request.config.getoption("--update-expected", default=False):
        onnx_suite.update_expected(results)
    expected = set(onnx_suite.read_expected())
    lost = [f"{name}: {results.get(name, 'no longer in the suite')}" for name in sorted(expected - passes)]
    assert not lost, "expected to pass, but\n" + "\n".join(lost)
    new = sorted(passes - expected)
    assert not new, "these pass now: add them with --update-expected\n" + "\n".join(new)


def test_nothing_crashes_or_hangs(results):
    assert [line for line in results.items() if line[1] and line[1].startswith(("crash", "no answer"))] == []


def test_the_list_is_sorted_and_without_repeats():
    expected = onnx_suite.read_expected()
    assert expected == sorted(set(expected))
    assert len(expected) > 1900


# What the official runner cannot tell of a right result.
OFFICIAL_RUNNER_FAILS = {
    "node/test_loop16_seq_none": "it takes len() of scalars",
    **{f"node/test_bernoulli{kind}": "it compares with numpy's stream of random numbers"
       for kind in ("", "_expanded", "_double", "_double_expanded", "_seed", "_seed_expanded")},
}


@pytest.mark.filterwarnings("ignore")  # of numpy, while onnx computes what it expects
def test_expected_cases_pass_through_the_official_runner():
    runner = onnx.backend.test.BackendTest(shipway.backend, __name__)
    failed, ran = set(), 0
    kinds = {"Node": "node", "Simple": "simple", "PyTorchConverted": "pytorch-converted",
             "PyTorchOperator": "pytorch-operator"}  # the "real" ones would be fetched from elsewhere
    runner.enable_report()
    for class_name, tests in runner.test_cases.items():
        kind = kinds.get(class_name.removeprefix("OnnxBackend").removesuffix("ModelTest"))
        if kind is None:
            continue
        result = unittest.TestResult()
        unittest.defaultTestLoader.loadTestsFromTestCase(tests).run(result)
        ran += result.testsRun - len(result.skipped)
        failed |= {f"{kind}/{test.id().rsplit('.', 1)[1].removesuffix('_cpu')}"
                   for test, _ in result.failures + result.errors}
    assert ran > 2000
    assert sorted(failed & set(onnx_suite.read_expected()) - OFFICIAL_RUNNER_FAILS.keys()) == []
