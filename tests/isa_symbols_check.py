"""Object files compiled for one instruction set may define no weak symbols.

A weak symbol is an inline function or template that the linker merges with another object's copy. If it kept the
AVX-512 copy, a machine without AVX-512 would crash far away from any kernel.

Usage: isa_symbols_check.py NM OBJECT... (objects not named after an instruction set are skipped)
"""
import re
import subprocess
import sys


def main() -> int:
    nm, objects = sys.argv[1], [o for o in sys.argv[2:] if re.search(r"_(avx512|avx2|sse4)\.cpp\.o(bj)?$", o)]
    if not objects:
        print("no object is named after an instruction set")
        return 1
    bad = []
    for path in objects:
        lines = subprocess.run([nm, "-C", path], capture_output=True, text=True, check=True).stdout.splitlines()
        bad += [f"{path}: {line}" for line in lines if re.search(r"^[0-9a-f]+ [WVuw] ", line)]
    print("\n".join(bad) or f"{len(objects)} objects, no weak symbol")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
