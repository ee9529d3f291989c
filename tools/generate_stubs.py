"""Makes the Python stubs of ``proto/``, or checks that the committed ones are what it would make.

A proto's path is its stub's import path (``proto/springald/type/v1/type.proto`` becomes
``springald.type.v1.type_pb2``), so the generated imports are right as they come out.
``docs/adr/0002-generated-code.md`` says why the result is committed.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).parent.parent
PROTO = ROOT / "proto"
SOURCES = ROOT / "python" / "src"
STUBS = ("*_pb2.py", "*_pb2.pyi", "*_pb2_grpc.py", "*_pb2_grpc.pyi")


def generate(out: Path) -> None:
    """Writes the stubs of every proto, and the packages that hold them, under ``out``."""
    protos = sorted(PROTO.glob("springald/**/*.proto"))
    services = [proto for proto in protos if "\nservice " in proto.read_text()]
    _protoc(protos, f"--python_out={out}", f"--mypy_out=quiet:{out}")
    # Servers and clients are threads round synchronous calls (docs/adr/0008-threads.md).
    _protoc(services, f"--grpc_python_out={out}", f"--mypy_grpc_out=quiet,only_sync:{out}")
    for version in {proto.parent for proto in protos}:
        for package in (version, version.parent):
            name = ".".join(package.relative_to(PROTO).parts)
            init = out / package.relative_to(PROTO) / "__init__.py"
            init.write_text(f'"""Generated from the protobuf package {name}."""\n')


def _protoc(protos: list[Path], *outputs: str) -> None:
    if not protos:
        return
    includes = [f"-I{PROTO}", f"-I{files('grpc_tools') / '_proto'}"]
    # Named by path, so that it is this environment's plugin whatever PATH says.
    plugins = [
        f"--plugin={name}={Path(sys.executable).with_name(name)}"
        for name in ("protoc-gen-mypy", "protoc-gen-mypy_grpc")
    ]
    names = [str(proto.relative_to(PROTO)) for proto in protos]
    if protoc.main(["protoc", *includes, *plugins, *outputs, *names]) != 0:
        sys.exit("stubs were not made: protoc says above what it refuses; mend that")


def differences(fresh: Path, committed: Path) -> Iterator[str]:
    """Says, one line a file, how the committed stubs differ from fresh ones."""
    wanted = {path.relative_to(fresh): path for path in fresh.rglob("*.py*") if path.is_file()}
    for name, path in sorted(wanted.items()):
        there = committed / name
        if not there.exists():
            yield f"missing: {name}"
        elif there.read_bytes() != path.read_bytes():
            yield f"outdated: {name}"
    for orphan in sorted(_stubs(committed) - wanted.keys()):
        yield f"without a proto: {orphan}"


def _stubs(root: Path) -> set[Path]:
    return {path.relative_to(root) for glob in STUBS for path in root.rglob(glob)}


def main() -> None:
    """Regenerates in place, or with ``--check`` compares and fails on a difference."""
    parser = argparse.ArgumentParser(description="make or check the Python stubs of proto/")
    parser.add_argument("--check", action="store_true", help="compare; change nothing")
    if parser.parse_args().check:
        with tempfile.TemporaryDirectory() as fresh:
            generate(Path(fresh))
            found = list(differences(Path(fresh), SOURCES))
        if found:
            sys.exit("\n".join([*found, "stubs must match proto/: run ./dev stubs and commit"]))
        return
    generate(SOURCES)
    with tempfile.TemporaryDirectory() as fresh:
        generate(Path(fresh))
        for orphan in _stubs(SOURCES) - _stubs(Path(fresh)):
            (SOURCES / orphan).unlink()


if __name__ == "__main__":
    main()
