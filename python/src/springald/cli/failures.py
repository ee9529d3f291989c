"""How a command ends: its exit code, and what a person reads when it goes wrong."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import typer

from springald.cli.streams import forget_output
from springald.errors import (
    AddressInUseError,
    CallerError,
    CancelledError,
    IoFailedError,
    SchedulerUnavailableError,
    SpringaldError,
)

__all__ = ["FAILED", "INTERRUPTED", "UNREACHABLE", "USAGE", "exit_code", "failing", "print_error"]

FAILED: Final = 1
USAGE: Final = 2
UNREACHABLE: Final = 3
INTERRUPTED: Final = 130


def exit_code(error: SpringaldError) -> int:
    """Returns the exit code of an error.

    Example:
        >>> from springald.errors import CastFailedError, UnknownTableError
        >>> exit_code(UnknownTableError("t")), exit_code(CastFailedError("x"))
        (2, 1)
    """
    match error:
        case SchedulerUnavailableError() | AddressInUseError():
            return UNREACHABLE
        case CancelledError():
            return FAILED
        case CallerError():
            return USAGE
        case _:
            return FAILED


@contextmanager
def failing() -> Iterator[None]:
    """Ends the command as its errors say: text to standard error, and an exit code."""
    try:
        yield
        sys.stdout.flush()
    except SpringaldError as error:
        print_error(error)
        raise typer.Exit(exit_code(error)) from None
    except KeyboardInterrupt:
        typer.secho("interrupted", err=True)
        raise typer.Exit(INTERRUPTED) from None
    except BrokenPipeError:
        # Whoever reads the output has seen enough.
        forget_output()
        raise typer.Exit from None
    except OSError as error:
        # Files have names, and other things typed errors: what is left is the output.
        forget_output()
        what = "standard output can be written" if error.filename is None else "a file is at hand"
        print_error(IoFailedError(f"{what}: got {error}"))
        raise typer.Exit(FAILED) from None


def print_error(error: SpringaldError) -> None:
    """Prints an error with its code and caret, and the engine's words where they may help."""
    typer.secho(str(error), fg=typer.colors.RED, err=True)
    if error.fault == "bug" and error.engine_message and error.engine_message not in error.message:
        typer.secho(f"the engine says: {error.engine_message}", err=True)
