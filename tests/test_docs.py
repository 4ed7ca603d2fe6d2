"""What README and its neighbours say must be so: links lead somewhere, named scripts exist, figures agree."""
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGES = [pathlib.Path(name) for name in
         subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()]


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_links_lead_somewhere(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    text = re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)  # code may look like links
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
        if "://" not in target:
            assert (ROOT / page.parent / target).exists(), f"{page} links to {target}"


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md"])
def test_named_scripts_exist(page):
    for script in re.findall(r"\bscripts/\w+", (ROOT / page).read_text(encoding="utf-8")):
        assert (ROOT / script).exists(), f"{page} names {script}"


def test_readme_shows_the_figures_of_the_model():
    def table(page):
        return re.findall(r"^\| [^|]+ \| [\d.*]+ \| [\d.*]+ \| \S+ \|$", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE)

    assert len(table("README.md")) >= 9
    assert table("README.md") == table("models/srcnn/README.md")


def test_page_on_microsoft_operators_names_all_of_them():
    listed = (ROOT / "docs/microsoft-operators.md").read_text(encoding="utf-8").split("Most have a")[0]
    registry = (ROOT / "src/operators/registry.cpp").read_text(encoding="utf-8")
    for name in re.findall(r'X\("com\.microsoft", "(\w+)"', registry):
        assert re.search(rf"\b{name}\b", listed), f"{name} is not on the page"
