"""`python -m shipway` and the `shipway` script: the C++ command that lies beside this file."""
import os
import sys
from pathlib import Path


def main() -> None:
    command = Path(__file__).parent / "bin" / "shipway"
    if not command.exists():
        sys.exit(f"shipway: the command {command} is not part of this installation")
    os.execv(command, [str(command), *sys.argv[1:]])


if __name__ == "__main__":
    main()
