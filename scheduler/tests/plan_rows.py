"""The rows of two small tables whose groups and join partners are spread over all files."""

import pyarrow as pa


def facts() -> pa.Table:
    """Returns rows with keys of which some are null, and views of text."""
    ids = range(96)
    return pa.table({
        "id": pa.array(ids, pa.int64()),
        "k": pa.array([None if i % 9 == 0 else i * 7 % 11 for i in ids], pa.int32()),
        "g": pa.array([None if i % 13 == 0 else "abcd"[i * 5 % 4] for i in ids]),
        "h": pa.array([i % 3 for i in ids], pa.int16()),
        "q": pa.array([i * 37 % 50 for i in ids], pa.int64()),
        "s": pa.array([f"a text longer than a view keeps, {i % 5}" for i in ids], pa.string_view()),
    })  # fmt: skip


def dims() -> pa.Table:
    """Returns rows to join them with: keys that are there twice, never, or null."""
    keys = [0, 1, 2, 2, 3, 4, 5, 5, 5, 7, None, None, 90, 91]
    return pa.table({
        "k": pa.array(keys, pa.int32()),
        "label": pa.array([f"label {i % 6}" for i, _ in enumerate(keys)]),
        "w": pa.array([i * 11 % 17 for i, _ in enumerate(keys)], pa.int64()),
    })  # fmt: skip
