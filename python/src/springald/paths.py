"""Paths and options of files, as another process reads them."""

import os
from pathlib import Path

from springald.errors import InvalidArgumentError

__all__ = ["absolute", "option_text"]


def absolute(path: str | os.PathLike[str]) -> str:
    """Returns a path that means the same to another process; a URL is one already.

    Example:
        >>> absolute("s3://bucket/t.parquet"), absolute("/data/t/")
        ('s3://bucket/t.parquet', '/data/t/')

    Raises:
        InvalidArgumentError: There is nothing in it.
    """
    text = os.fspath(path)
    if not text:
        raise InvalidArgumentError("a path names a file or folder: got an empty one")
    if "://" in text:
        return text
    whole = os.path.abspath(Path(text).expanduser())  # noqa: PTH100 - keeps links as they are
    return f"{whole}/" if text.endswith("/") and whole != "/" else whole


def option_text(value: object) -> str:
    """Returns an option's or setting's value as SQL writes it.

    Example:
        >>> option_text(True), option_text(8)
        ('true', '8')
    """
    return str(value).lower() if isinstance(value, bool) else str(value)
