"""The programs that the C++ build makes."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "cpp-examples" / "examples"
BUILD = ROOT / "cpp-examples" / "build"

_RUN_S_MAX = 60


def run(name: str, *arguments: str, stdin: bytes = b"") -> bytes:
    """Runs a program to its good end, and returns what it prints.

    Args:
        name: Its folder and name: `examples/quickstart`.
        arguments: What stands behind the name.
        stdin: What it reads.
    """
    program = BUILD / name
    assert program.exists(), f"the C++ build must have run: got no {program}; run ./dev cpp"
    ran = subprocess.run(
        [program, *arguments], input=stdin, capture_output=True, timeout=_RUN_S_MAX, check=False
    )
    assert ran.returncode == 0, f"{name} ended with {ran.returncode}: {ran.stderr.decode()}"
    return ran.stdout
