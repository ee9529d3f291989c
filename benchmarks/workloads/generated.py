"""Data that the workloads make for themselves, kept below `.data` like TPC-H's."""

import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

HOME: Final = Path(__file__).resolve().parents[2] / ".data"
_SEED: Final = 20
_FILES: Final = 8

Integers = NDArray[np.int64]


def kept(name: str, tables: tuple[str, ...], write: Callable[[Path], None]) -> Mapping[str, Path]:
    """Returns the folders of tables, which are written if they are not there.

    Args:
        name: What their folder is called; it stands for everything that the rows depend on.
        tables: What the folders in it are called.
        write: Writes them into a folder.
    """
    home = HOME / name
    if not home.is_dir():
        HOME.mkdir(exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f"{name}.", dir=HOME))
        try:
            write(draft)
            draft.rename(home)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return {table: home / table for table in tables}


def even_keys(rows: int, keys: int) -> Integers:
    """Returns a key for each row, all keys alike often, in no order."""
    return np.random.default_rng(_SEED).permutation(np.arange(rows, dtype=np.int64) % keys)


def skewed_keys(rows: int, keys: int, ratio: int) -> Integers:
    """Returns a key for each row: key 0 has `ratio` rows for each row of all other keys together.

    Args:
        rows: How many rows.
        keys: How many keys there are in all.
        ratio: How many rows of key 0 come on one of any other key.
    """
    cold = rows // (ratio + 1)
    values = np.zeros(rows, dtype=np.int64)
    values[:cold] = 1 + np.arange(cold, dtype=np.int64) % (keys - 1)
    return np.random.default_rng(_SEED).permutation(values)


def write_parts(rows: pa.Table, folder: Path) -> None:
    """Writes a table as a folder of files."""
    folder.mkdir()
    for part in range(_FILES):
        first, past = (rows.num_rows * at // _FILES for at in (part, part + 1))
        pq.write_table(rows.slice(first, past - first), folder / f"{part}.parquet")


def write_copies(rows: pa.Table, folder: Path, count: int) -> None:
    """Writes a table `count` times, each into a file of its own."""
    folder.mkdir()
    sink = pa.BufferOutputStream()
    pq.write_table(rows, sink)
    content = sink.getvalue().to_pybytes()
    for number in range(count):
        (folder / f"{number:05}.parquet").write_bytes(content)
