"""The project's sessions: what is run, in which order. `./dev SESSION` runs one of them.

Every session uses the .venv that `./dev` made; arguments after the session's name go to the tool
it is about, for example `./dev unit scheduler/tests -k cancel`.
"""

import os
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import nox
from nox.command import CommandFailed

nox.needs_version = ">=2025.5.1"
nox.options.default_venv_backend = "none"
nox.options.sessions = ["test"]

# nox started by its path, without an activated environment, must find the tools beside itself.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])

DISTRIBUTIONS = ("python", "scheduler", "executor")
SOURCES = [f"{name}/src" for name in DISTRIBUTIONS]
UNIT_TESTS = [f"{name}/tests" for name in DISTRIBUTIONS]
SCRIPTS = [
    "noxfile.py",
    "tools",
    "docs",
    "demo",
    "benchmarks",
    "integration-tests",
    "java-bindings",
]
BASELINE = "proto/baseline/springald.binpb"
CPP = "cpp-examples"
CPP_BUILD = f"{CPP}/build"


@nox.session
def lint(session: nox.Session) -> None:
    """Style, types, layers, protos, stubs, versions; reports all that fail, not the first."""
    checks = [
        ["ruff", "check"],
        ["ruff", "format", "--check"],
        ["mypy", *SOURCES],
        *(["mypy", tree] for tree in [*UNIT_TESTS, *SCRIPTS] if _has_python(tree)),
        ["lint-imports"],
        ["buf", "lint", "proto"],
        ["buf", "format", "--diff", "--exit-code", "proto"],
        ["buf", "breaking", "proto", "--against", BASELINE],
        ["python", "-m", "tools.generate_stubs", "--check"],
        ["clang-format", "--dry-run", "--Werror", *_cpp_sources()],
    ]
    failed = [" ".join(check) for check in checks if not _passes(session, check)]
    failed += list(_version_problems())
    if failed:
        session.error("\n".join(["lint found problems:", *failed]))


@nox.session
def fix(session: nox.Session) -> None:
    """Mends what a tool can mend: style, format of Python, C++ and protos."""
    session.run("ruff", "check", "--fix")
    session.run("ruff", "format")
    session.run("buf", "format", "--write", "proto")
    session.run("clang-format", "-i", *_cpp_sources())


@nox.session
def stubs(session: nox.Session) -> None:
    """Regenerates the committed Python stubs from proto/."""
    session.run("python", "-m", "tools.generate_stubs", *session.posargs)


@nox.session
def functions(session: nox.Session) -> None:
    """Writes springald.functions from what a server reports; run when the engine is upgraded."""
    session.run("python", "-m", "tools.generate_functions", *session.posargs)


@nox.session
def baseline(session: nox.Session) -> None:
    """Writes the descriptor set that `lint` holds proto/ against; run once, at a release."""
    Path(BASELINE).parent.mkdir(exist_ok=True)
    session.run("buf", "build", "proto", "--exclude-source-info", "--output", BASELINE)


@nox.session
def release(session: nox.Session) -> None:
    """Writes what this release's client sends, to be kept for ever; run once, at a release."""
    paths = {"PYTHONPATH": "integration-tests"}
    session.run("python", "-m", "conformance.golden_writer", env=paths)
    session.notify("baseline")


@nox.session
def unit(session: nox.Session) -> None:
    """Tests that need no second process: cores alone and together, planning, engine, client."""
    pure = [*UNIT_TESTS, "benchmarks/tests", "integration-tests/simulation"]
    session.run("pytest", *(session.posargs or pure))


@nox.session
def simulate(session: nox.Session) -> None:
    """Both cores in made-up worlds; `-- --histories N --seed S` for more, or other ones."""
    arguments = session.posargs or ["--histories", "1000"]
    session.run("python", "-m", "simulation", *arguments, env={"PYTHONPATH": "integration-tests"})


@nox.session
def oracle(session: nox.Session) -> None:
    """Answers of a real cluster held against the engine in one process."""
    session.run("pytest", *(session.posargs or ["integration-tests/oracle"]))


@nox.session
def cluster(session: nox.Session) -> None:
    """Processes that start, are refused, are cancelled and die; bad input; recipes."""
    _system(session, "etcd")
    folders = ["integration-tests/cluster", "integration-tests/compat", "integration-tests/recipes"]
    session.run("pytest", *(session.posargs or filter(_exists, folders)))


@nox.session
def state(session: nox.Session) -> None:
    """Stores of state, one contract for memory, sqlite and real etcd servers."""
    _system(session, "etcd")
    session.run("pytest", *(session.posargs or ["integration-tests/stores"]))


@nox.session
def system(session: nox.Session) -> None:
    """Installs what Python packages do not bring (JDK, C++ compiler, ...), or says what to install.

    Sessions that need some of it begin with this themselves.
    """
    _system(session, *(session.posargs or ["java", "cpp", "etcd"]))


@nox.session
def cpp(session: nox.Session) -> None:
    """Builds the C++ client, and runs its examples on a real cluster."""
    _build_cpp(session)
    session.run("pytest", *(session.posargs or ["integration-tests/cpp"]))


@nox.session
def conformance(session: nox.Session) -> None:
    """The vectors that hold the clients together, through each client under test."""
    _build_cpp(session)
    _maven(session, "--quiet", "test-compile")
    session.run("pytest", *(session.posargs or ["integration-tests/conformance"]))


@nox.session
def java(session: nox.Session) -> None:
    """Builds the Java bindings, and tests them on a real cluster; arguments go to Maven."""
    _maven(session, *(session.posargs or ["verify"]))


@nox.session
def test(session: nox.Session) -> None:
    """Everything that must pass before a change lands, the cheapest first."""
    parts = ("lint", "unit", "state", "oracle", "cluster", "cpp", "java", "conformance")
    for part in parts:
        session.notify(part)


@nox.session
def faults(session: nox.Session) -> None:
    """Breaks clusters under queries, again and again: `-- --runs 20 --only killed --write`."""
    _system(session, "etcd")
    arguments = session.posargs or ["--runs", "5"]
    session.run("python", "-m", "faults", *arguments, env={"PYTHONPATH": "integration-tests"})


@nox.session
def demo(session: nox.Session) -> None:
    """Makes TPC-H data, starts a scheduler and two executors, and runs queries on them."""
    session.run("python", "demo/tpch.py", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Runs the benchmark harness; slow, by hand."""
    session.run(
        "python", "-m", "benchmarks", *session.posargs, env={"PYTHONPATH": "integration-tests"}
    )


def _system(session: nox.Session, *groups: str) -> None:
    session.run("python", "-m", "tools.system_packages", *groups)


def _build_cpp(session: nox.Session) -> None:
    _system(session, "cpp")
    # The interpreter says where pyarrow's headers and libraries are.
    python = f"-DPython3_EXECUTABLE={sys.executable}"
    session.run("cmake", "-S", CPP, "-B", CPP_BUILD, python, silent=True)
    session.run("cmake", "--build", CPP_BUILD, "--parallel", str(os.cpu_count() or 1), silent=True)


def _cpp_sources() -> list[str]:
    files = (file for kind in ("*.cpp", "*.hpp") for file in Path(CPP).rglob(kind))
    return sorted(str(file) for file in files if not file.is_relative_to(CPP_BUILD))


def _maven(session: nox.Session, *arguments: str) -> None:
    _system(session, "java")
    python = f"-Dspringald.python={sys.executable}"
    command = ["mvn", "-B", "-ntp", "-f", "java-bindings/pom.xml", python]
    session.run(*command, *arguments, external=True)


def _exists(path: str) -> bool:
    return Path(path).exists()


def _has_python(path: str) -> bool:
    return path.endswith(".py") or any(Path(path).rglob("*.py"))


def _passes(session: nox.Session, command: list[str]) -> bool:
    try:
        session.run(*command)
    except CommandFailed:
        return False
    return True


def _version_problems() -> Iterator[str]:
    """The distributions are released together, under one version, and pin each other by it."""
    python, scheduler, executor = (
        tomllib.loads(Path(name, "pyproject.toml").read_text())["project"] for name in DISTRIBUTIONS
    )
    version = python["version"]
    for project in (scheduler, executor):
        if project["version"] != version:
            yield f"one version for all: got {project['version']} in {project['name']}"
    pom = ET.parse("java-bindings/pom.xml").findtext("{*}version")  # noqa: S314 - our own
    if pom != version:
        yield f"one version for all: got {pom} in java-bindings/pom.xml"
    extras = python["optional-dependencies"]
    for pin in [*scheduler["dependencies"], *executor["dependencies"], *extras["local"]]:
        if pin.startswith("springald") and not pin.endswith(f"=={version}"):
            yield f"distributions pin each other exactly: got {pin}, not =={version}"
