#!/usr/bin/env python3
"""Runs the official ONNX test suite, out of the onnx package, through shipway.InferenceSession.

    python tests/python/onnx_suite.py [--filter REGEX] [--json FILE] [--update-expected]

A case passes when every output has the expected type, element type and shape, and values within the case's own rtol
and atol, as in onnx.backend.test.runner; where that compares nothing (a sequence that is too short) this is stricter.
The test_bernoulli cases have random results that no other generator gives ("may not produce the same values in different
implementations even if a seed is specified"): of those the type, the shape and that values are 0 or 1 is compared.

Every case runs in a worker process: a crash, or 30 seconds without an answer, fails that case only. A program of its own
rather than a module: workers are forks that share the cases, and fork is only safe before any thread runs.
"""
import argparse
import glob
import json
import multiprocessing
import multiprocessing.connection
import os
import pathlib
import re
import sys
import time
import warnings

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper
from onnx.backend.test.loader import DATA_DIR, load_model_tests

TIMEOUT = 30.0
EXPECTED = pathlib.Path(__file__).resolve().parents[1] / "onnx_suite" / "expected_passes.txt"
FOLDERS = ("simple", "pytorch-converted", "pytorch-operator")


def collect():
    """All cases by kind/name."""
    cases = {}
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # of numpy, while onnx computes what it expects
        for case in load_model_tests(kind="node"):
            cases[f"node/{case.name}"] = case
        for kind in FOLDERS:
            for case in load_model_tests(kind=kind):
                cases[f"{kind}/{case.name}"] = case
        import onnx.backend.test.case.model as models
        for case in models.collect_testcases():
            cases.setdefault(f"{case.kind}/{case.name}", case)
    return cases


# --- one case ------------------------------------------------------------------------------------------------------


def value_of(value, kind):
    """A value of a case as a session takes and gives it."""
    if kind.HasField("optional_type"):
        return None if value is None else value_of(value, kind.optional_type.elem_type)
    if kind.HasField("sequence_type"):
        return [value_of(element, kind.sequence_type.elem_type) for element in value]
    if kind.HasField("map_type"):
        return dict(value)
    return numpy_helper.to_array(value) if isinstance(value, TensorProto) else np.asarray(value)


def read_value(path, kind):
    data = pathlib.Path(path).read_bytes()
    if kind.HasField("sequence_type"):
        return numpy_helper.to_list(onnx.SequenceProto.FromString(data))
    if kind.HasField("optional_type"):
        return numpy_helper.to_optional(onnx.OptionalProto.FromString(data))
    if kind.HasField("map_type"):
        return numpy_helper.to_dict(onnx.MapProto.FromString(data))
    return numpy_helper.to_array(TensorProto.FromString(data))


def light_data(path, model):
    """The networks without trained weights: the runner's own input, and the result beside the file."""
    weights = {tensor.name for tensor in model.graph.initializer}
    inputs = []
    for info in model.graph.input:
        if info.name not in weights:
            shape = [dim.dim_value or 1 for dim in info.type.tensor_type.shape.dim]
            size = int(np.prod(shape))
            inputs.append((np.arange(size).reshape(shape) / size).astype(np.float32))
    outputs = [read_value(f"{path[:-5]}_output_{i}.pb", info.type) for i, info in enumerate(model.graph.output)]
    return [(inputs, outputs)]


def feeds_and_results(case):
    """What to load, and for each data set the feed and the expected outputs."""
    if case.model is not None:
        model, source, sets = case.model, case.model.SerializeToString(), case.data_sets
    elif case.model_dir is not None:
        source = os.path.join(case.model_dir, "model.onnx")
        model, sets = onnx.load(source), None
    else:
        source = os.path.join(DATA_DIR, "light", os.path.basename(case.url))
        model = onnx.load(source)
        sets = light_data(source, model)
    weights = {tensor.name for tensor in model.graph.initializer}
    required = [info for info in model.graph.input if info.name not in weights]

    def infos_for(count):
        return required if len(required) == count else list(model.graph.input)

    pairs = []
    if sets is None:
        for folder in sorted(glob.glob(os.path.join(case.model_dir, "test_data_set_*"))):
            count = len(glob.glob(os.path.join(folder, "input_*.pb")))
            feed = {info.name: read_value(os.path.join(folder, f"input_{i}.pb"), info.type)
                    for i, info in enumerate(infos_for(count)[:count])}
            results = [read_value(os.path.join(folder, f"output_{i}.pb"), info.type)
                       for i, info in enumerate(model.graph.output)]
            pairs.append((feed, results))
    else:
        for inputs, outputs in sets:
            feed = {info.name: value_of(value, info.type) for info, value in zip(infos_for(len(inputs)), inputs)}
            pairs.append((feed, [value_of(value, info.type) for info, value in zip(model.graph.output, outputs)]))
    assert pairs, "a case without data"
    return source, pairs


def compare(found, expected, case, where):
    if expected is None:
        assert found is None, f"{where} is {type(found).__name__}, expected an empty optional"
    elif isinstance(expected, (list, tuple)):
        assert isinstance(found, list), f"{where} is {type(found).__name__}, expected a sequence"
        assert len(found) == len(expected), f"{where} has {len(found)} elements, expected {len(expected)}"
        for i, pair in enumerate(zip(found, expected)):
            compare(*pair, case, f"{where}[{i}]")
    elif isinstance(expected, dict):
        assert isinstance(found, dict) and found.keys() == expected.keys(), f"{where}: other keys than expected"
        for key, value in expected.items():
            compare(np.asarray(found[key]), np.asarray(value), case, f"{where}[{key!r}]")
    else:
        compare_tensors(found, expected, case, where)


def compare_tensors(found, expected, case, where):
    assert isinstance(found, (np.ndarray, np.generic)), f"{where} is {type(found).__name__}, expected a tensor"
    assert found.shape == expected.shape, f"{where} has shape {found.shape}, expected {expected.shape}"
    if expected.dtype.kind in "OUS":
        texts = [[item.decode() if isinstance(item, bytes) else str(item) for item in array.ravel().tolist()]
                 for array in (found, expected)]
        assert texts[0] == texts[1], f"{where} holds {texts[0][:8]}, expected {texts[1][:8]}"
        return
    assert found.dtype == expected.dtype, f"{where} is of {found.dtype}, expected {expected.dtype}"
    if case.name.startswith("test_bernoulli"):
        assert np.isin(found.astype(np.float64), (0, 1)).all(), f"{where} has other values than 0 and 1"
        return
    # As the official runner does: two units in the last place of bfloat16.
    rtol = max(case.rtol, 2**-6) if expected.dtype.name == "bfloat16" else case.rtol
    if expected.dtype.kind not in "biufc":  # the types of ml_dtypes
        found, expected = found.astype(np.float32), expected.astype(np.float32)
    try:
        np.testing.assert_allclose(found, expected, rtol=rtol, atol=case.atol)
    except AssertionError as error:
        raise AssertionError(f"{where}: {error}") from None


def run_case(case):
    """None, or what went wrong."""
    import shipway
    try:
        source, pairs = feeds_and_results(case)
        session = shipway.InferenceSession(source)
        for feed, expected in pairs:
            found = session.run(None, feed)
            assert len(found) == len(expected), f"{len(found)} outputs, expected {len(expected)}"
            for i, pair in enumerate(zip(found, expected)):
                compare(*pair, case, f"output {i}")
    except Exception as error:
        text = " ".join(str(error).split())[:300]
        return text if isinstance(error, AssertionError) else f"{type(error).__name__}: {text}"
    return None


# --- workers -------------------------------------------------------------------------------------------------------


def work(cases, run, connection):
    while True:
        name = connection.recv()
        if name is None:
            return
        connection.send(run(cases[name]))


class Worker:
    def __init__(self, cases, run):
        context = multiprocessing.get_context("fork")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=work, args=(cases, run, theirs), daemon=True)
        self.process.start()
        theirs.close()
        self.name, self.deadline = None, 0.0

    def give(self, name):
        self.name, self.deadline = name, time.monotonic() + TIMEOUT
        self.connection.send(name)

    def end(self):
        """Its exit status, the process being gone."""
        if self.process.is_alive() and self.name is not None:
            self.process.kill()
        self.process.join()
        self.connection.close()
        return self.process.exitcode


def run_all(cases, jobs, run=run_case):
    """{name: None or what went wrong}; what `run` gives for each case, or a text when its process was lost."""
    # Whole networks first, so that no worker ends alone on one.
    waiting = sorted(cases, key=lambda name: (name.startswith("real/"), name))
    results, workers = {}, []

    def start():
        if waiting:
            workers.append(Worker(cases, run))
            workers[-1].give(waiting.pop())

    def lost(worker, why):
        worker.process.kill() if worker.process.is_alive() else None
        workers.remove(worker)
        status = worker.end()
        results[worker.name] = why or f"crash: exit status {status}"
        start()

    for _ in range(jobs):
        start()
    while workers:
        ready = multiprocessing.connection.wait([worker.connection for worker in workers], timeout=0.5)
        for worker in [worker for worker in workers if worker.connection in ready]:
            try:
                results[worker.name] = worker.connection.recv()
            except (EOFError, ConnectionError):
                lost(worker, None)
                continue
            if waiting:
                worker.give(waiting.pop())
            else:
                worker.name = None
                worker.connection.send(None)
                workers.remove(worker)
                worker.end()
        for worker in [worker for worker in workers if time.monotonic() > worker.deadline]:
            worker.process.kill()
            lost(worker, f"no answer in {TIMEOUT:.0f} s")
    return results


# --- what is expected ----------------------------------------------------------------------------------------------


def read_expected():
    return [line for line in EXPECTED.read_text().splitlines() if line and not line.startswith("#")]


HEADER = """\
# Cases of the official ONNX suite that pass, in alphabetical order; the list only grows.
# python tests/python/onnx_suite.py --update-expected adds those that pass now.
"""


def update_expected(results):
    """Adds what passes now. What fails stays on the list, for someone to repair."""
    passes = {name for name, problem in results.items() if problem is None}
    EXPECTED.write_text(HEADER + "".join(f"{name}\n" for name in sorted(passes | set(read_expected()))))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--filter", default="", help="only cases whose kind/name matches this regular expression")
    parser.add_argument("--json", help="write {case: null or what went wrong} there")
    parser.add_argument("--update-expected", action="store_true", help="add what passes now to expected_passes.txt")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    arguments = parser.parse_args()
    cases = {name: case for name, case in collect().items() if re.search(arguments.filter, name)}
    results = run_all(cases, arguments.jobs)
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps(results, indent=1, sort_keys=True))
    if arguments.update_expected:
        update_expected(results)
    failed = {name: problem for name, problem in sorted(results.items()) if problem is not None}
    for name, problem in failed.items():
        print(f"{name}: {problem}")
    print(f"{len(results) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
