"""Models of the official suite in other opsets: the same results, or a refusal (onnx_conversions.py measures all of it)."""
import collections
import json
import subprocess
import sys

import onnx_conversions

def test_every_model_of_the_suite_in_other_opsets(tmp_path):
    report = tmp_path / "conversions.json"
    # The nine real ones convert some ten times each: too long for a test.
    command = [sys.executable, onnx_conversions.__file__, "--json", str(report), "--filter", "^(?!real/)"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1500, check=False)
    assert report.exists(), done.stderr[-3000:]
    results = json.loads(report.read_text())
    lost = {name: outcomes for name, outcomes in results.items() if isinstance(outcomes, str)}
    assert lost == {}
    wrong = collections.defaultdict(list)
    for name, outcomes in results.items():
        for way, outcome in outcomes.items():
            if str(outcome).startswith("wrong"):
                wrong[name].append(f"to {way}: {outcome}")
    assert wrong == {}
    counts, _ = onnx_conversions.summary(results)
    assert counts["up"]["right"] > 3000 and counts["there and back"]["right"] > 1700
    assert counts["one down"]["right"] > 1500
