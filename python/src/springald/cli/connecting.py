"""Connections as the command line asks for them."""

from pathlib import Path

from springald.cli.options import Target, pairs_of
from springald.client import Connection, connect

__all__ = ["connect_to", "register_file"]


def connect_to(target: Target) -> Connection:
    """Opens a connection with the settings and tables of the command line."""
    settings = pairs_of(target.settings, "--set NAME=VALUE")
    files = pairs_of(target.tables, "--table NAME=PATH")
    con = connect(target.url or None, **settings)
    try:
        for name, path in files.items():
            register_file(con, name, path)
    except BaseException:
        con.close()
        raise
    return con


def register_file(con: Connection, name: str, path: str) -> None:
    """Registers a file or folder under the format that its ending tells."""
    match Path(path).suffix.lower():
        case ".csv":
            con.register_csv(name, path)
        case ".json" | ".jsonl" | ".ndjson":
            con.register_json(name, path)
        case ".arrow" | ".feather" | ".ipc":
            con.register_arrow(name, path)
        case _:
            con.register_parquet(name, path)
