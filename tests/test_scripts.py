"""The scripts' own logic: which tokens scripts/mutate may break, and how reports are counted."""
import importlib.machinery
import importlib.util
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent


def load(name):
    loader = importlib.machinery.SourceFileLoader(name, str(ROOT / "scripts" / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    # no __pycache__ beside the scripts
    previous, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    loader.exec_module(module)
    sys.dont_write_bytecode = previous
    return module


mutate = load("mutate")


def changes(text):
    return {(old, new) for _, _, old, new in mutate.sites("file.cpp", text)}


@pytest.mark.parametrize("text", [
    "// a < b + 1\n",
    "/* a < b\n 1 */\n",
    "#define LIMIT 3\n#include <vector>\n",
    'auto text = "a < 1 && true";\n',
    'auto text = R"(a < 1 " && true)";\n',
    "auto letter = '1';\n",
    "std::vector<int> list;\n",
    "const float* x;\n",
    "static_assert(sizeof(T) == 4);\n",
    "float32_t x1;\n",
    "constexpr int kPart = 4 * 8192;  // tuned: half of L2\n",
])
def test_mutate_leaves_alone_what_no_test_can_see(text):
    assert changes(text) == set()


@pytest.mark.parametrize("text, expected", [
    ("if (a < b) return;\n", {("<", "<="), ("<", ">")}),
    ("x = a + b;\n", {("+", "-")}),
    ("x = -a;\n", {("-", "")}),
    ("if (!found) return;\n", {("!", "")}),
    ("x = 3;\n", {("3", "4")}),
    ("x = 0.5f;\n", {("0.5f", "0.75f")}),
    ("x = std::min(a, b);\n", {("min", "max"), ("a, b", "b, a")}),
    ("x += 2;\n", {("+=", "-="), ("2", "3")}),
    ("done = true;\n", {("true", "false")}),
])
def test_mutate_breaks_operators_numbers_words_and_arguments(text, expected):
    assert changes(text) == expected


def test_mutate_gives_places_where_the_old_text_stands():
    text = "int f(int a) { return a < 10 ? max(a, 3) : -a; }  // 5 < 6\n"
    found = mutate.sites("file.cpp", text)
    assert len(found) == 7
    for _, position, old, _ in found:
        assert text[position:position + len(old)] == old


def test_reports_are_added_up(tmp_path):
    (tmp_path / "unit.xml").write_text(
        '<testsuite tests="3"><testcase name="a" status="run"/><testcase name="b" status="fail"><failure/></testcase>'
        '<testcase name="c" status="notrun"><skipped/></testcase></testsuite>')
    (tmp_path / "pytest.xml").write_text(
        '<testsuites><testsuite><testcase name="d"/><testcase name="e"><error/></testcase></testsuite></testsuites>')
    (tmp_path / "steps").write_text("passed build\nfailed fuzz onnx_fuzz\n")
    result = subprocess.run([sys.executable, ROOT / "scripts/count_tests.py", tmp_path], capture_output=True, text=True)
    assert result.stdout == "3 passed, 3 failed, 1 skipped\n"
