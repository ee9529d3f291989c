"""Options that several commands share, and what they mean."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from springald.errors import InvalidArgumentError

__all__ = [
    "ClusterUrl",
    "Settings",
    "StatementFile",
    "StatementText",
    "Tables",
    "Target",
    "Url",
    "pairs_of",
]

StatementText = Annotated[
    str | None,
    typer.Argument(metavar="[SQL]", help="The statements; - or none reads standard input."),
]
StatementFile = Annotated[
    Path | None,
    typer.Option("--file", "-f", help="Read the statements from this file.", dir_okay=False),
]
Url = Annotated[
    str | None,
    typer.Option(
        "--url",
        "-u",
        envvar="SPRINGALD_URL",
        metavar="URL",
        help="The cluster: springald://host:port, or springald+etcd://host:port/prefix. Without "
        "it, queries run in this process.",
    ),
]
ClusterUrl = Annotated[
    str,
    typer.Option(
        "--url",
        "-u",
        envvar="SPRINGALD_URL",
        metavar="URL",
        help="The cluster: springald://host:port, or springald+etcd://host:port/prefix.",
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", "-s", metavar="NAME=VALUE", help="A setting to begin with; repeatable."),
]
Tables = Annotated[
    list[str] | None,
    typer.Option(
        "--table",
        "-t",
        metavar="NAME=PATH",
        help="A file or folder to register as a table first; repeatable. "
        "Its format is that of the ending: .parquet, .csv, .json, .arrow; a folder is Parquet.",
    ),
]


@dataclass(frozen=True, slots=True)
class Target:
    """Where statements are to run, and with what to begin.

    Attributes:
        url: The cluster; None means this process.
        settings: Settings as `NAME=VALUE`.
        tables: Tables as `NAME=PATH`.
    """

    url: str | None
    settings: Sequence[str] = ()
    tables: Sequence[str] = ()


def pairs_of(texts: Sequence[str], form: str) -> dict[str, str]:
    """Returns names and values of options like `NAME=VALUE`.

    Example:
        >>> pairs_of(["a=1", "b=x=y"], "--set NAME=VALUE")
        {'a': '1', 'b': 'x=y'}

    Raises:
        InvalidArgumentError: A text has another form.
    """
    pairs = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise InvalidArgumentError(f"an option reads {form}: got {text!r}")
        pairs[name.strip()] = value
    return pairs
