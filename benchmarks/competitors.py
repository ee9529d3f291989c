"""Environments of other engines: made when they are asked for, apart from the project's own."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from benchmarks.process import ROOT

_REQUIREMENTS: Final = Path(__file__).with_name("requirements")
_HOME: Final = ROOT / ".data" / "competitors"


def competitor_python(name: str, say: Callable[[str], None]) -> str:
    """Returns the interpreter of a competitor's environment, making or refreshing it if need be."""
    home, requirements = _HOME / name, _REQUIREMENTS / f"{name}.txt"
    python, stamp = home / "bin" / "python", home / "requirements.txt"
    if not stamp.is_file() or stamp.read_text() != requirements.read_text():
        say(f"preparing {home.relative_to(ROOT)} (a minute or two the first time)")
        subprocess.run([sys.executable, "-m", "venv", "--clear", home], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--requirement", str(requirements)], check=True)
        shutil.copy(requirements, stamp)
    return str(python)
