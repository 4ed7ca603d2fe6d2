#!/usr/bin/env python3
"""Holds every #include to the arrows between the layers (ARCHITECTURE.md).

    tests/include_check.py [ROOT]

Prints one line per wrong include and exits with 1; prints a count and exits with 0 when all is well.
"""
import pathlib
import re
import sys

# What each layer may include beside itself. Written as the direct arrows; what stands behind them follows.
ARROWS = {
    "base": [],
    "tensor": ["base"],
    "graph": ["tensor"],
    "image": ["tensor"],
    "operators": ["graph", "image"],
    "passes": ["operators"],
    "kernels": ["operators"],
    "formats": ["operators"],
    "engine": ["passes", "kernels"],
    "autograd": ["engine"],
    "tasks": ["engine", "formats", "image"],
    "viewer": ["engine", "formats"],
    "c": ["engine", "formats"],
    "server": ["tasks"],
    "cli": ["tasks", "viewer"],
    "python": ["tasks", "viewer", "autograd"],
}

# A public header belongs to the layer that has a source of its name. These have none, or a differently named one.
HEADER_OWNERS = {
    "checker": "formats",
    "dtype": "tensor",
    "formats": "formats",
    "viewer": "viewer",
}
# For users: includes every public header of C++. The C header stands alone.
UMBRELLA = "shipway"
C_HEADER = "shipway_c"

# Kernels see shapes and pointers, never nodes: graph may be reached by their tests only.
HIDDEN_FROM = {"kernels": {"graph"}}

INCLUDE = re.compile(r'^\s*#\s*include\s*["<]([^">]+)[">]')


def reachable(layer):
    found = {layer}
    for below in ARROWS[layer]:
        found |= reachable(below)
    return found


def header_owner(root, stem):
    if stem in HEADER_OWNERS:
        return HEADER_OWNERS[stem]
    for name in (f"{stem}.cpp", f"{stem}_test.cpp"):
        for layer in ARROWS:
            folder = root / "src" / layer
            if (folder / name).exists():
                return layer
    return None


def check(root):
    """Returns (number of files read, list of complaints)."""
    root = pathlib.Path(root)
    complaints = []
    owners = {}
    for header in sorted((root / "include/shipway").glob("*.h")):
        owner = header_owner(root, header.stem)
        owners[f"shipway/{header.name}"] = owner
        if owner is None and header.stem not in (UMBRELLA, C_HEADER):
            complaints.append(f"include/shipway/{header.name}: no layer has a {header.stem}.cpp; "
                              "name its owner in HEADER_OWNERS of tests/include_check.py")

    files = [(path, path.relative_to(root / "src").parts[0])
             for path in sorted((root / "src").rglob("*")) if path.suffix in (".h", ".cpp", ".inc")]
    files += [(root / "include" / name, owner) for name, owner in owners.items() if owner]

    for path, layer in files:
        where = path.relative_to(root)
        if layer not in ARROWS:
            complaints.append(f"{where}: '{layer}' is no layer")
            continue
        public = where.parts[0] == "include"
        test = path.stem.endswith("_test")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            target = match.group(1)
            first = target.split("/")[0]
            if first == "shipway":
                if target not in owners:
                    complaints.append(f"{where}:{number}: {target} does not exist")
                    continue
                target_layer = owners[target]
                if target_layer is None:
                    continue
            elif first in ARROWS:
                target_layer = first
                if public:
                    complaints.append(f"{where}:{number}: a public header includes {target}, which is not installed")
                    continue
            else:
                continue
            if target_layer not in reachable(layer):
                complaints.append(f"{where}:{number}: {layer} may not include {target} of {target_layer}")
            elif target_layer in HIDDEN_FROM.get(layer, ()) and not test:
                complaints.append(f"{where}:{number}: {layer} may include {target} of {target_layer} in tests only")

    complaints += check_umbrella(root, owners)
    complaints += check_cmake(root)
    return len(files), complaints


def check_umbrella(root, owners):
    umbrella = root / "include/shipway" / f"{UMBRELLA}.h"
    if not umbrella.exists():
        return []
    text = umbrella.read_text(encoding="utf-8")
    return [f"include/shipway/{UMBRELLA}.h: does not include {name}"
            for name, owner in owners.items() if owner and pathlib.Path(name).stem != C_HEADER and f'"{name}"' not in text]


def check_cmake(root):
    """The link arrows in CMakeLists.txt must be arrows of the design too."""
    lists = root / "CMakeLists.txt"
    if not lists.exists():
        return []
    complaints = []
    call = re.compile(r"^shipway_layer\((\w+)([^)]*)\)", re.MULTILINE)
    for name, arguments in call.findall(lists.read_text(encoding="utf-8")):
        depends = re.search(r"DEPENDS((?:\s+[a-z]\w*)+)", arguments)
        for below in depends.group(1).split() if depends else []:
            if name not in ARROWS or below not in reachable(name):
                complaints.append(f"CMakeLists.txt: {name} may not link {below}")
    return complaints


def main():
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent.parent
    count, complaints = check(root)
    for complaint in complaints:
        print(complaint)
    print(f"{count} files, {len(complaints)} wrong includes")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
