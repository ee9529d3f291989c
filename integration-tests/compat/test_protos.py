"""What was released of the protocol stays: the protos against those of the last release."""

import shutil
import subprocess
from pathlib import Path

PROTO = Path(__file__).parents[2] / "proto"


def breaking(folder: Path) -> str:
    """What `buf` finds broken in a folder of protos."""
    baseline = PROTO / "baseline" / "springald.binpb"
    command = ["buf", "breaking", str(folder), "--against", str(baseline)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    return ran.stdout + ran.stderr


def test_protos_keep_what_was_released() -> None:
    """P1.4: no field, value or message of the last release is gone or means something else."""
    assert breaking(PROTO) == ""


def test_field_that_is_taken_away_is_noticed(tmp_path: Path) -> None:
    """P1.4: a number that is neither used nor reserved any more is told."""
    folder = tmp_path / "proto"
    shutil.copytree(PROTO, folder)
    changed = folder / "springald" / "error" / "v1" / "error.proto"
    text = changed.read_text()
    line = next(line for line in text.splitlines() if "bool retryable = " in line)
    changed.write_text(text.replace(line, ""))
    assert "retryable" in breaking(folder)
