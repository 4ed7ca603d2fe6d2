#!/usr/bin/env python3
"""Adds up the reports that scripts/test leaves (JUnit of ctest and pytest, and the list of steps) to one line.

    scripts/count_tests.py FOLDER...      12 passed, 0 failed, 1 skipped
"""
import pathlib
import sys
import xml.etree.ElementTree as ElementTree


def count(folder):
    passed = failed = skipped = 0
    for report in sorted(folder.rglob("*.xml")):
        for case in ElementTree.parse(report).iter("testcase"):
            if case.find("failure") is not None or case.find("error") is not None or case.get("status") == "fail":
                failed += 1
            elif case.find("skipped") is not None or case.get("status") in ("notrun", "disabled"):
                skipped += 1
            else:
                passed += 1
    for steps in folder.rglob("steps"):
        for line in steps.read_text().splitlines():
            passed += line.startswith("passed ")
            failed += line.startswith("failed ")
    return passed, failed, skipped


def main():
    totals = [sum(column) for column in zip(*(count(pathlib.Path(name)) for name in sys.argv[1:]))]
    passed, failed, skipped = totals
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))


if __name__ == "__main__":
    main()
