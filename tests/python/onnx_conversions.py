#!/usr/bin/env python3
"""Converts every model of the official ONNX suite to other opsets and holds its outputs against the suite's own.

    python tests/python/onnx_conversions.py [--filter REGEX] [--json FILE] [--peer onnx]

Each case that passes as it is goes to the next opset, to the newest, from there back to its own, and down: one opset,
and to 18, 17, 15, 13, 12, 11, 9 and 7. An outcome is

    right     onnx's checker accepts the converted model and its outputs are those of the suite
    refused   with a reason: that opset cannot say it
    wrong     anything else

With onnxruntime installed, converted models run there too; other results than the suite's are wrong unless it fails on
the original as well. --peer onnx converts by onnx.version_converter instead, for comparison.
"""
import argparse
import collections
import json
import os
import pathlib
import re
import sys

import numpy as np
import onnx
import onnx.version_converter

import onnx_suite

NEWEST = 28
LOWER = (18, 17, 15, 13, 12, 11, 9, 7)


def main_opset(model):
    return next((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), None)


def convert(model, target):
    """By Shipway."""
    import shipway
    from shipway import _core
    try:
        return onnx.load_from_string(_core.convert_version(_core.load_bytes(model.SerializeToString()), target).serialize())
    except shipway.Error as error:
        raise Refusal(str(error)) from None


def convert_by_onnx(model, target):
    try:
        return onnx.version_converter.convert_version(model, target)
    except Exception as error:
        raise Refusal(str(error)) from None


class Refusal(Exception):
    pass


def run_shipway(model, feed):
    import shipway
    return shipway.InferenceSession(model.SerializeToString()).run(None, feed)


def run_onnxruntime(model, feed):
    """None where it cannot run the model: it knows fewer operators and types."""
    try:
        import onnxruntime
    except ImportError:
        return None
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        return session.run(None, feed)
    except Exception:
        return None


def problem_with(found, expected, case):
    try:
        for i, pair in enumerate(zip(found, expected, strict=True)):
            onnx_suite.compare(*pair, case, f"output {i}")
    except (AssertionError, ValueError) as error:
        return " ".join(str(error).split())[:200]
    return None


def is_valid(model):
    try:
        onnx.checker.check_model(model, full_check=True)
    except Exception as error:
        return " ".join(str(error).split())[:200]
    return None


def outcome_of(model, case, pairs, convert_to, targets, facts):
    try:
        converted = model
        for target in targets:
            converted = convert_to(converted, target)
    except Refusal as refusal:
        return "refused: " + " ".join(str(refusal).split())
    complaint = is_valid(converted)
    if complaint and not facts["invalid"]:
        return "wrong: onnx's checker: " + complaint
    for k, (feed, expected) in enumerate(pairs):
        try:
            found = run_shipway(converted, feed)
        except Exception as error:
            return f"wrong: {type(error).__name__}: {' '.join(str(error).split())[:200]}"
        if problem := problem_with(found, expected, case):
            return "wrong: " + problem
        if not facts["peer_fails"][k]:
            found = run_onnxruntime(converted, feed)
            if found is not None and (problem := problem_with(found, expected, case)):
                return "wrong in onnxruntime: " + problem
    return "right"


def convert_case(case, convert_to=convert):
    """{target: outcome}, the targets as texts: "13", "28>9" (there and back); and {"own": its opset}."""
    source, pairs = onnx_suite.feeds_and_results(case)
    model = onnx.load(source) if isinstance(source, str) else onnx.load_from_string(source)
    own = main_opset(model)
    if own is None:
        return {}
    peers = [run_onnxruntime(model, feed) for feed, _ in pairs]
    facts = {"invalid": is_valid(model),
             "peer_fails": [found is None or problem_with(found, expected, case) is not None
                            for found, (_, expected) in zip(peers, pairs)]}
    ways = {str(target): [target] for target in {own + 1, NEWEST, own - 1, *(low for low in LOWER if low < own)}
            if 1 <= target <= NEWEST and target != own}
    if own < NEWEST:
        ways[f"{NEWEST}>{own}"] = [NEWEST, own]
    with np.errstate(all="ignore"):
        outcomes = {name: outcome_of(model, case, pairs, convert_to, targets, facts) for name, targets in ways.items()}
    return outcomes | {"own": own}


def convert_case_by_onnx(case):
    return convert_case(case, convert_by_onnx)


def summary(results):
    """{direction: {outcome: count}}; and {reason: count} of refusals, with numbers and names left out."""
    counts, reasons = collections.defaultdict(collections.Counter), collections.Counter()
    for name, outcomes in results.items():
        if isinstance(outcomes, str):
            counts["lost"][outcomes] += 1
            continue
        own = outcomes.get("own", 0)
        for way, outcome in outcomes.items():
            if way == "own":
                continue
            direction = "there and back" if ">" in way else "up" if int(way) > own else \
                "one down" if int(way) == own - 1 else "further down"
            counts[direction][outcome.split(":")[0].split(" ")[0]] += 1
            if outcome.startswith("refused"):
                text = re.sub(r"^.*? can\): ", "", outcome)
                for node in re.findall(r"\((\w+)\)(?:, made from [^:]*)?: (.*?)(?= node |$)", text):
                    reasons[re.sub(r"'[^']*'|\d+", "…", f"{node[0]}: {node[1]}")] += 1
    return counts, reasons


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--filter", default="", help="only cases whose kind/name matches this regular expression")
    parser.add_argument("--json", help="write {case: {target: outcome}} there")
    parser.add_argument("--peer", choices=["onnx"], help="convert by this instead")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    arguments = parser.parse_args()
    passing = set(onnx_suite.read_expected())
    cases = {name: case for name, case in onnx_suite.collect().items()
             if name in passing and re.search(arguments.filter, name)}
    results = onnx_suite.run_all(cases, arguments.jobs, convert_case_by_onnx if arguments.peer else convert_case)
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps(results, indent=1, sort_keys=True))
    counts, reasons = summary(results)
    for name, outcomes in sorted(results.items()):
        for way, outcome in outcomes.items() if isinstance(outcomes, dict) else [("", outcomes)]:
            if str(outcome).startswith("wrong") or not way:
                print(f"{name} to {way}: {outcome}")
    for reason, count in reasons.most_common():
        print(f"{count:6} {reason}")
    for direction, outcomes in sorted(counts.items()):
        print(f"{direction}: " + ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items())))
    return 1 if any("wrong" in outcomes for outcomes in counts.values()) or "lost" in counts else 0


if __name__ == "__main__":
    sys.exit(main())
