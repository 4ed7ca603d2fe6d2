"""The official ONNX suite against the list of cases expected to pass, and a few through onnx's own test runner.

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


@pytest.mark.filterwarnings("ignore")  # of numpy, while onnx computes what it expects
def test_cases_run_through_the_official_runner():
    runner = onnx.backend.test.BackendTest(shipway.backend, __name__)
    runner.include(r"^test_(relu|add|softmax_example|conv_with_strides_padding|lstm_defaults|split_variable_parts_1d_opset18"
                   r"|if|loop11|sequence_insert_at_back|optional_has_element_empty_optional_input"
                   r"|Conv2d|BatchNorm2d_eval|operator_conv|operator_mm|single_relu_model|sequence_model1)_cpu$")
    result = unittest.TestResult()
    runner.enable_report()
    runner.test_suite.run(result)
    assert result.failures == [] and result.errors == [], (result.failures + result.errors)[0][1]
    ran = result.testsRun - len(result.skipped)
    assert ran >= 16, [str(test) for test, _ in result.skipped][:5]
