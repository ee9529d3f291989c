"""Where black-box tests run their queries: in this process, and on clusters of two shapes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import springald

LOCAL = "local"
CLUSTERS = ("2x1", "3x2")
# Its executors fetch from each other, as those of several hosts do.
APART = "3x2"
ALL = (LOCAL, *CLUSTERS)


@dataclass(frozen=True)
class Target:
    """A place to connect to.

    Attributes:
        name: `local`, or executors and slots of each, as in `3x2`.
        connect: opens a session there.
    """

    name: str
    connect: Callable[[], springald.Connection]

    @property
    def is_cluster(self) -> bool:
        """Tells whether queries can run on several executors here."""
        return self.name != LOCAL


@contextmanager
def started(name: str) -> Iterator[Target]:
    """Starts what `name` says and stops it afterwards."""
    if name == LOCAL:
        yield Target(name, springald.connect)
        return
    executors, slots = map(int, name.split("x"))
    with springald.LocalCluster(executors, slots, read_in_place=name != APART) as cluster:
        yield Target(name, cluster.connect)
