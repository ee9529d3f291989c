"""Recursion without Python's stack: a plan may be nested deeper than the interpreter allows.

What would call itself is written as a generator that yields the calls it needs and is sent what
they return; what needs no other call returns at once. `run` keeps the generators that wait on a
list of its own.
"""

from collections.abc import Generator, Iterable
from typing import Any, TypeVar

ResultT = TypeVar("ResultT")
Step = Generator[Any, Any, ResultT]


def run(step: Step[ResultT]) -> ResultT:
    """Carries a step out, and all that it needs.

    >>> def length(items):
    ...     return 0 if not items else 1 + (yield length(items[1:]))
    >>> run(length([1] * 500))
    500
    """
    waiting: list[Step[Any]] = [step]
    value: Any = None
    failure: BaseException | None = None
    while waiting:
        try:
            needed = waiting[-1].send(value) if failure is None else waiting[-1].throw(failure)
        except StopIteration as end:
            waiting.pop()
            value, failure = end.value, None
        except BaseException as raised:  # noqa: BLE001 - it goes to whoever asked for the step
            waiting.pop()
            value, failure = None, raised
        else:
            value, failure = None, None
            if isinstance(needed, Generator):
                waiting.append(needed)
            else:
                value = needed
    if failure is not None:
        raise failure
    return value  # type: ignore[no-any-return]


def all_of(steps: Iterable[Step[ResultT] | ResultT]) -> Step[list[ResultT]]:
    """Carries steps out one after the other; returns what each returned."""
    results: list[ResultT] = []
    for step in steps:
        results.append((yield step))  # noqa: PERF401 - a comprehension cannot yield
    return results
