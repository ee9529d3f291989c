"""Writes `springald.functions` and the methods of expressions, from what a server reports.

`python -m tools.generate_functions` rewrites the modules. `--check` changes nothing and fails if
one differs. The functions, their kinds and what is said about them come from the server's
`information_schema.routines`; names of parameters stand in `functions.toml`.
"""

import argparse
import re
import subprocess
import sys
import textwrap
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import springald

ROOT: Final = Path(__file__).parent.parent
HOME: Final = ROOT / "python" / "src" / "springald"
GROUPS: Final = {
    "aggregates": "Aggregate functions: one value out of all rows of a group.",
    "lists": "Functions of lists and maps.",
    "numbers": "Functions of numbers.",
    "texts": "Functions of text and bytes.",
    "times": "Functions of dates and times.",
    "values": "Functions of values of any type, and of structs and unions.",
    "windows": "Window functions: one value for each row, out of the rows round it.",
}
_FLAGS: Final = {
    "distinct": "distinct: bool = False",
    "filter": "filter: Expr | None = None",
    "order_by": "order_by: OrderBy = None",
    "null_treatment": "null_treatment: NullTreatment | None = None",
    "partition_by": "partition_by: PartitionBy = None",
}
_EXAMPLE_COLUMNS: Final = "abcdefgh"
_SENTENCES_MAX: Final = 2
_COLUMNS_MAX: Final = 100
_HEADER: Final = (
    "# Written by tools/generate_functions.py, which `nox -s functions` runs: do not edit.\n"
)


@dataclass(frozen=True)
class Parameter:
    """A parameter of a function.

    Attributes:
        name: Its name in Python.
        kind: `required`, `optional`, `default`, `any` for any number, or `flag`.
        value: What stands for it if it is left out, as Python writes it.
    """

    name: str
    kind: str
    value: str = "None"

    @property
    def written(self) -> str:
        """Its place in the signature."""
        if self.kind == "flag":
            return _FLAGS[self.name]
        if self.kind == "any":
            return f"*{self.name}: IntoExpr"
        annotation = "IntoSortKey" if self.name == "sort_expression" else "IntoExpr"
        default = {"optional": " = None", "default": f" = {self.value}"}.get(self.kind, "")
        return f"{self.name}: {annotation}{default}"


def main() -> int:
    """Writes the modules, or compares them; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; fail if one differs")
    check = parser.parse_args().check
    differing = []
    for path, text in modules().items():
        if check:
            if not path.exists() or path.read_text() != text:
                differing.append(str(path.relative_to(ROOT)))
        else:
            path.write_text(text)
    if differing:
        print("the server's functions differ from", *differing, sep="\n  ", file=sys.stderr)  # noqa: T201
    return 1 if differing else 0


def modules() -> dict[Path, str]:
    """Returns what each generated module should hold."""
    told = tomllib.loads((Path(__file__).parent / "functions.toml").read_text())
    routines = reported()
    texts = {HOME / "functions" / f"{group}.py": _module(group, told, routines) for group in GROUPS}
    texts[HOME / "expr" / "methods.py"] = _methods(told, routines)
    texts[HOME / "functions" / "names.py"] = _names(told, routines)
    return {path: _formatted(text) for path, text in texts.items()}


def reported() -> dict[str, dict[str, str]]:
    """Asks a server for its functions: for each name and kind, what is said about it."""
    with springald.connect() as con:
        rows = con.sql(
            "SELECT DISTINCT routine_name, function_type, description "
            "FROM information_schema.routines ORDER BY routine_name, function_type"
        ).to_pylist()
    routines: dict[str, dict[str, str]] = {}
    for row in rows:
        routines.setdefault(row["routine_name"], {})[row["function_type"]] = (
            row["description"] or ""
        )
    return routines


def _module(group: str, told: Mapping[str, Any], routines: Mapping[str, Mapping[str, str]]) -> str:
    functions = [
        _function(name, _parameters(signature), kinds, told)
        for name, signature in sorted(told[group].items())
        if (kinds := routines.get(name))
    ]
    aliases = [
        f"{alias} = {name}"
        for alias, name in sorted(told["aliases"].items())
        if name in told[group] and alias in routines
    ]
    body = "\n\n\n".join([*functions, "\n".join(aliases)]).rstrip()
    names = sorted([*(set(told[group]) & set(routines)), *(line.split()[0] for line in aliases)])
    listed = "".join(f"    {name!r},\n" for name in names)
    return (
        f'"""{GROUPS[group]}"""\n\n{_HEADER}\n{_imports(body)}\n'
        f"__all__ = [\n{listed}]\n\n\n{body}\n"
    )


def _imports(body: str) -> str:
    calls = ["OrderBy", "PartitionBy", "aggregate_call", "arguments", "ordered_set_call"]
    calls += ["scalar_call", "window_call"]
    used = [name for name in calls if re.search(rf"\b{name}\b", body)]
    kinds = [
        name for name in ("Expr", "IntoExpr", "IntoSortKey") if re.search(rf"\b{name}\b", body)
    ]
    lines = [f"from springald.expr.calls import {', '.join(used)}"]
    lines += [f"from springald.expr.expr import {', '.join(kinds)}"]
    if "NullTreatment" in body:
        lines += ["from springald.expr.window import NullTreatment"]
    return "\n".join(lines) + "\n"


def _parameters(signature: str) -> list[Parameter]:
    return [_parameter(item.strip()) for item in signature.split(",") if item.strip()]


def _parameter(item: str) -> Parameter:
    if item in _FLAGS:
        return Parameter(item, "flag")
    if item.startswith("*"):
        return Parameter(item[1:], "any")
    name, mark, value = re.fullmatch(r"(\w+)([?=]?)(.*)", item).groups()  # type: ignore[union-attr]
    kind = {"?": "optional", "=": "default", "": "required"}[mark]
    return Parameter(name, kind, value or "None")


def _function(
    name: str, parameters: list[Parameter], kinds: Mapping[str, str], told: Mapping[str, Any]
) -> str:
    signature = ", ".join(parameter.written for parameter in parameters)
    description = told["descriptions"].get(name) or next(iter(kinds.values()))
    return (
        f"def {name}({signature}) -> Expr:\n"
        f"{_docstring(description, *_example(name, parameters, kinds))}"
        f"    return {_call(name, parameters, kinds)}"
    )


def _call(name: str, parameters: list[Parameter], kinds: Mapping[str, str]) -> str:
    values = [each for each in parameters if each.kind != "flag"]
    flags = [f"{each.name}={each.name}" for each in parameters if each.kind == "flag"]
    maker = "scalar_call"
    first = [repr(name)]
    if "AGGREGATE" in kinds:
        maker = "aggregate_call"
    elif "WINDOW" in kinds:
        maker = "window_call"
    if values and values[0].name == "sort_expression":
        maker = "ordered_set_call"
        first.append(values.pop(0).name)
    given = [
        ("*" if each.kind == "any" else "") + each.name
        for each in values
        if each.kind != "optional"
    ]
    optional = [each for each in values if each.kind == "optional"]
    if optional:
        pairs = "".join(f"({each.name}, {each.value}), " for each in optional)
        given.append(f"optional=({pairs})")
    operands = f"arguments({', '.join(given)})"
    return f"{maker}({', '.join([*first, operands, *flags])})"


def _example(name: str, parameters: list[Parameter], kinds: Mapping[str, str]) -> tuple[str, str]:
    """Returns a call, and the text of the expression that it makes."""
    needed = [each for each in parameters if each.kind in ("required", "any")]
    letters = _EXAMPLE_COLUMNS[: len(needed)]
    columns = ", ".join(f'col("{letter}")' for letter in letters)
    call = f"{name}({columns})"
    inside = [*letters, *(each.value for each in parameters if each.kind == "default")]
    suffix = " OVER ()" if list(kinds) == ["WINDOW"] else ""
    if needed and needed[0].name == "sort_expression":
        inside.pop(0)
        suffix = " WITHIN GROUP (ORDER BY a NULLS LAST)"
    return call, f"Expr({name}({', '.join(inside)}){suffix})"


def _docstring(description: str, call: str, result: str, indent: str = "    ") -> str:
    width = _COLUMNS_MAX - len(indent) - len('r"""')
    text = "\n".join(textwrap.wrap(_sentences(description), width, break_long_words=False))
    raw = "r" if "\\" in text else ""
    body = f'{raw}"""{text}\n\nExample:\n    >>> {call}\n    {result}\n"""\n'
    return textwrap.indent(body, indent)


def _sentences(description: str) -> str:
    """Returns the first sentences of what the server says, without the marks of Markdown."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", description)
    plain = re.sub(r"(?<!\w)_(\w+)_(?!\w)", r"\1", plain)
    plain = " ".join(plain.split()).replace("π", "pi")
    plain = re.sub(r"\b(null)\b", "NULL", plain)
    found = re.findall(r".+?[.](?=\s|$)(?<!e[.]g[.])(?<!i[.]e[.])", plain)[:_SENTENCES_MAX]
    text = " ".join(sentence.strip() for sentence in found) or plain
    return text if text.endswith(".") else f"{text}."


def _methods(told: Mapping[str, Any], routines: Mapping[str, Mapping[str, str]]) -> str:
    methods = "\n\n".join(_method_texts(told, routines))
    return (
        f'"""Functions of one argument as methods of an expression."""\n\n{_HEADER}\n'
        "from typing import Self\n\n"
        '__all__ = ["FunctionMethods"]\n\n\n'
        "class FunctionMethods:\n"
        '    """The methods that call a function with the expression as the only argument."""\n\n'
        f"    __slots__ = ()\n\n{methods}\n\n"
        "    def _function(self, name: str) -> Self:\n"
        "        raise NotImplementedError\n"
    )


def _method_texts(
    told: Mapping[str, Any], routines: Mapping[str, Mapping[str, str]]
) -> Iterator[str]:
    for method in told["methods"]["names"].split():
        name = told["aliases"].get(method, method)
        description = told["descriptions"].get(name) or next(iter(routines[name].values()))
        docstring = _docstring(description, f'col("a").{method}()', f"Expr({name}(a))", " " * 8)
        body = f"        return self._function({name!r})\n"
        yield f"    def {method}(self) -> Self:\n{docstring}{body}"


def _names(told: Mapping[str, Any], routines: Mapping[str, Mapping[str, str]]) -> str:
    """Functions that nothing was told about are listed, so that a test can ask for them."""
    known = {name for group in GROUPS for name in told[group]}
    known |= set(told["aliases"]) | set(told["special"]["names"])
    tables, aggregates, windows = (
        sorted(name for name, kinds in routines.items() if kind in kinds)
        for kind in ("TABLE", "AGGREGATE", "WINDOW")
    )
    unknown = sorted(set(routines) - known - set(tables))
    if unknown:
        raise SystemExit(f"functions.toml says nothing about {', '.join(unknown)}")
    gone = sorted(known - set(routines))
    if gone:
        raise SystemExit(f"functions.toml names what the server does not have: {', '.join(gone)}")
    listed = "".join(f"    {name!r},\n" for name in sorted(routines))
    return (
        f'"""The names of all functions that the server has."""\n\n{_HEADER}\n'
        "from typing import Final\n\n"
        '__all__ = ["AGGREGATE_FUNCTIONS", "FUNCTIONS", "TABLE_FUNCTIONS", "WINDOW_FUNCTIONS"]\n\n'
        f"TABLE_FUNCTIONS: Final = {tuple(tables)!r}\n\n"
        f"AGGREGATE_FUNCTIONS: Final = frozenset({aggregates!r})\n\n"
        f"WINDOW_FUNCTIONS: Final = frozenset({windows!r})\n\n"
        f"FUNCTIONS: Final = (\n{listed})\n"
    )


def _formatted(text: str) -> str:
    """Sorts names and lines up, as the project's checks want it."""
    for command in (["check", "--fix-only", "--select=I,RUF022"], ["format"]):
        text = subprocess.run(  # noqa: S603 - the project's formatter
            ["ruff", *command, "--stdin-filename=functions.py", "-"],  # noqa: S607 - beside Python
            input=text,
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
        ).stdout
    return text


if __name__ == "__main__":
    sys.exit(main())
