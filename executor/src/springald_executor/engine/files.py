"""Checks of the tables' files that a task is about to read."""

import os
from collections.abc import Iterable, Sequence

from springald.engine.catalog import AllowedPaths
from springald.engine.fragment import ScannedFile
from springald.errors import DataFileNotFoundError, FileChangedError, IoFailedError


def check_files(files: Sequence[ScannedFile], allowed_paths: Sequence[str]) -> None:
    """Checks that files may be read, and are as they were when the query was planned.

    Raises:
        PathNotAllowedError: One lies outside of the folders that the cluster may read.
        DataFileNotFoundError: One is gone.
        FileChangedError: One has another size or time.
    """
    AllowedPaths(allowed_paths).check_files([file.path for file in files])
    check_unchanged(files)


def check_unchanged(files: Iterable[ScannedFile]) -> None:
    """Checks that files are as they were when the query was planned.

    The engine opens a file by its name, each time that it reads a part of it. So this is asked
    before a task and after it: then all that was read in between is of one state.

    Raises:
        DataFileNotFoundError: One is gone.
        FileChangedError: One has another size or time.
    """
    for file in files:
        try:
            now = os.stat(file.path)  # noqa: PTH116 - for each file of each task
        except FileNotFoundError as failure:
            message = f"a table's files are on every executor's host: got no {file.path}"
            raise DataFileNotFoundError(f"{message}; check the path there") from failure
        except OSError as failure:
            raise IoFailedError(f"a table's files can be read: got {failure}") from failure
        if now.st_size != file.size or (file.modified_ns and now.st_mtime_ns != file.modified_ns):
            message = f"a table's files stay as they are while a query runs: {file.path} changed"
            raise FileChangedError(f"{message}; run the query again")
