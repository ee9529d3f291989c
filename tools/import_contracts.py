"""Two layer rules that import-linter has no ready-made contract for.

They are named in ``[tool.importlinter]`` of the root ``pyproject.toml``. Both look at direct
imports only: a module that breaks one of them is named itself, not through those that use it.
"""

import sys
from collections.abc import Iterator
from typing import cast

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output

# Standard, but not pure: a core is told the time and its random numbers, and touches nothing.
IMPURE = frozenset({
    "asyncio", "concurrent", "ctypes", "datetime", "io", "logging", "mmap", "multiprocessing",
    "os", "pathlib", "queue", "random", "sched", "secrets", "select", "selectors", "shutil",
    "signal", "socket", "socketserver", "sqlite3", "ssl", "subprocess", "tempfile", "threading",
    "time", "urllib", "uuid",
})  # fmt: skip
PURE = frozenset(sys.stdlib_module_names) - IMPURE

# The private view of the engine's plans is no message of the contract: planning works on it.
PLAN_VIEW = "springald.datafusion"


class PureCore(Contract):
    """The core packages import the pure part of the standard library, and themselves."""

    type_name = "pure_core"

    cores = cast("list[str]", fields.ListField(subfield=fields.StringField()))

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: ARG002, FBT001
        """Looks for an import that leaves the pure part."""
        found = [edge for core in self.cores for edge in _impure_imports(graph, core)]
        return ContractCheck(kept=not found, metadata={"found": sorted(found)})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Prints one line an import."""
        for importer, imported in check.metadata["found"]:
            output.print_error(
                f"core is told everything and touches nothing: {importer} imports {imported}; "
                "pass it in with the event, or act on it in the driver"
            )


class OneTranslator(Contract):
    """Only the translators import protocol stubs and core types together."""

    type_name = "one_translator"

    sides = cast("list[str]", fields.ListField(subfield=fields.StringField()))
    translators = cast("list[str]", fields.ListField(subfield=fields.StringField()))

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: ARG002, FBT001
        """Looks for a module that imports from both sides without being a translator."""
        found = [module for module in graph.modules if self._translates(graph, module)]
        return ContractCheck(kept=not found, metadata={"found": sorted(found)})

    def _translates(self, graph: ImportGraph, module: str) -> bool:
        if any(_within(module, package) for package in (*self.translators, *self.sides)):
            return False
        imported = graph.find_modules_directly_imported_by(module)
        stubs = any(
            name.endswith(("_pb2", "_pb2_grpc")) and not _within(name, PLAN_VIEW)
            for name in imported
        )
        # A limit is a number, which needs no translation.
        types = [name for name in imported if not name.endswith(".limits")]
        core = any(_within(name, side) for name in types for side in self.sides)
        return stubs and core

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Prints one line a module."""
        for module in check.metadata["found"]:
            output.print_error(
                f"codec alone turns messages into core types and back: {module} imports both; "
                "move the translation into codec"
            )


def _impure_imports(graph: ImportGraph, core: str) -> Iterator[tuple[str, str]]:
    for module in {core, *graph.find_descendants(core)}:
        for imported in graph.find_modules_directly_imported_by(module):
            if not _within(imported, core) and imported.partition(".")[0] not in PURE:
                yield module, imported


def _within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")
