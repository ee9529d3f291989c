"""The project's sessions: what is run, in which order. `./dev SESSION` runs one of them.

Every session uses the .venv that `./dev` made; arguments after the session's name go to the tool
it is about, for example `./dev unit scheduler/tests -k cancel`.
"""

import os
import sys
import tomllib
from pathlib import Path

import nox

nox.needs_version = ">=2025.5.1"
nox.options.default_venv_backend = "none"
nox.options.sessions = ["test"]

# nox started by its path, without an activated environment, must find the tools beside itself.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])

DISTRIBUTIONS = ("python", "scheduler", "executor")
SOURCES = [f"{name}/src" for name in DISTRIBUTIONS]
UNIT_TESTS = [f"{name}/tests" for name in DISTRIBUTIONS]
SCRIPTS = ["noxfile.py", "tools", "docs", "demo", "benchmarks", "integration-tests"]
BASELINE = "proto/baseline/springald.binpb"


@nox.session
def lint(session: nox.Session) -> None:
    """Format, style, types, layers, protos, stubs and versions: everything but running the code."""
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("mypy", *SOURCES)
    for tree in filter(_exists, [*UNIT_TESTS, *SCRIPTS]):
        session.run("mypy", tree)
    session.run("lint-imports")
    session.run("buf", "lint", "proto")
    session.run("buf", "format", "--diff", "--exit-code", "proto")
    session.run("buf", "breaking", "proto", "--against", BASELINE)
    session.run("python", "-m", "tools.generate_stubs", "--check")
    _check_versions(session)


@nox.session
def fix(session: nox.Session) -> None:
    """Mends what a tool can mend: style, format of Python and protos."""
    session.run("ruff", "check", "--fix")
    session.run("ruff", "format")
    session.run("buf", "format", "--write", "proto")


@nox.session
def stubs(session: nox.Session) -> None:
    """Regenerates the committed Python stubs from proto/."""
    session.run("python", "-m", "tools.generate_stubs", *session.posargs)


@nox.session
def baseline(session: nox.Session) -> None:
    """Writes the descriptor set that `lint` holds proto/ against; run once, at a release."""
    Path(BASELINE).parent.mkdir(exist_ok=True)
    session.run("buf", "build", "proto", "--exclude-source-info", "--output", BASELINE)


@nox.session
def unit(session: nox.Session) -> None:
    """Tests that need no second process: cores, planning, engine, client."""
    session.run("pytest", *(session.posargs or UNIT_TESTS))


@nox.session
def oracle(session: nox.Session) -> None:
    """Answers of a real cluster held against the engine in one process."""
    session.run("pytest", *(session.posargs or ["integration-tests/oracle"]))


@nox.session
def cluster(session: nox.Session) -> None:
    """Processes that start, are refused, are cancelled and die; bad input; recipes."""
    folders = ["integration-tests/cluster", "integration-tests/compat", "integration-tests/recipes"]
    session.run("pytest", *(session.posargs or filter(_exists, folders)))


@nox.session
def test(session: nox.Session) -> None:
    """Everything that must pass before a change lands, the cheapest first."""
    for part in ("lint", "unit", "oracle", "cluster"):
        session.notify(part)


@nox.session
def demo(session: nox.Session) -> None:
    """Makes TPC-H data, starts a scheduler and two executors, and runs queries on them."""
    session.run("python", "demo/tpch.py", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Runs the benchmark harness; slow, by hand."""
    session.run("python", "-m", "benchmarks", *session.posargs)


def _exists(path: str) -> bool:
    return Path(path).exists()


def _check_versions(session: nox.Session) -> None:
    """The distributions are released together, under one version, and pin each other by it."""
    projects = [
        tomllib.loads(Path(name, "pyproject.toml").read_text())["project"] for name in DISTRIBUTIONS
    ]
    versions = {project["version"] for project in projects}
    if len(versions) != 1:
        session.error(f"one version for all distributions: got {sorted(versions)}")
    (version,) = versions
    extras = projects[0]["optional-dependencies"]
    pins = [*projects[1]["dependencies"], *projects[2]["dependencies"], *extras["local"]]
    for pin in pins:
        if pin.startswith("springald") and not pin.endswith(f"=={version}"):
            session.error(f"distributions pin each other exactly: got {pin!r}, want {version}")
