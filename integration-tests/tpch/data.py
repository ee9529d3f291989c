"""TPC-H tables as Parquet folders, made once for each scale factor and kept in the checkout."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

TABLES = (
    "customer",
    "lineitem",
    "nation",
    "orders",
    "part",
    "partsupp",
    "region",
    "supplier",
)
FILES_MIN = 4
QUERIES = tuple(range(1, 23))

_HERE = Path(__file__).resolve().parent
_CACHE = _HERE.parents[1] / ".data"


def query_text(number: int) -> str:
    """Returns the SQL of TPC-H query `number`, 1 to 22.

    Source: TPC-H specification 3.0, clause 2.4, with the validation parameters that it gives.
    """
    return (_HERE / "queries" / f"q{number:02}.sql").read_text()


def table_folders(scale: float, parts: int = FILES_MIN) -> dict[str, Path]:
    """Returns a folder of Parquet files for each TPC-H table, making what is not there yet.

    Args:
        scale: the scale factor, for example 0.01 or 0.1.
        parts: files a table, at least `FILES_MIN`.
    """
    if parts < FILES_MIN:
        raise ValueError(f"a table has {FILES_MIN} files or more: got parts={parts}")
    home = _CACHE / f"tpch-sf{scale:g}-{parts}"
    if not home.is_dir():
        _make(home, scale, parts)
    return {table: home / table for table in TABLES}


def _make(home: Path, scale: float, parts: int) -> None:
    """Generates beside `home` and renames, so that a folder that is there is complete."""
    home.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f"{home.name}.", dir=home.parent))
    try:
        generator = Path(sys.executable).with_name("tpchgen-cli")
        options = ["-s", f"{scale:g}", "--parts", str(parts), "--output-dir", str(draft)]
        subprocess.run([generator, "parquet", *options], check=True, capture_output=True)
        for table in TABLES:
            _spread(draft / table, parts)
        try:
            draft.rename(home)
        except OSError:
            # Another process was first with the same data.
            if not home.is_dir():
                raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _spread(folder: Path, parts: int) -> None:
    """Splits a table that the generator keeps in one file (nation, region) into `parts` files."""
    files = sorted(folder.glob("*.parquet"))
    if len(files) >= parts:
        return
    rows = pa.concat_tables([pq.read_table(file) for file in files])
    for file in files:
        file.unlink()
    for part in range(parts):
        first, past = (rows.num_rows * at // parts for at in (part, part + 1))
        pq.write_table(
            rows.slice(first, past - first), folder / f"{folder.name}.{part + 1}.parquet"
        )
