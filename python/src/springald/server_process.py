"""What the processes of a cluster have in common: signals, logs, and telling that they are ready.

Needs structlog, which scheduler and executor bring; the thin client imports nothing from here.
"""

import faulthandler
import json
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import structlog

from springald.errors import IoFailedError

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
_READ_BYTES: Final = 64


def hear_signals(tell: Callable[[str], None]) -> None:
    """Has SIGTERM and SIGINT told by name, on a thread of its own.

    SIGUSR1 has all threads' stacks written to standard error, also if they hang.

    Python runs a handler when the main thread gets to it, which may be never while it waits; the
    wakeup socket is written to at once, whatever the main thread does.
    """
    faulthandler.register(signal.SIGUSR1)
    reader, writer = socket.socketpair()
    writer.settimeout(0)  # a signal handler must not wait
    signal.set_wakeup_fd(writer.detach(), warn_on_full_buffer=False)
    for number in _SIGNALS:
        signal.signal(number, lambda *_: None)

    def listen() -> None:
        while heard := reader.recv(_READ_BYTES):
            for number in heard:
                if number in _SIGNALS:
                    tell(signal.Signals(number).name)

    threading.Thread(target=listen, name="signals", daemon=True).start()


def set_up_log(level: str) -> None:
    """Has log lines written to standard error, as events with their ids."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def write_ready(path: Path, told: Mapping[str, object]) -> None:
    """Writes a ready file as JSON, so that nobody reads half of it.

    Raises:
        IoFailedError: It cannot be written.
    """
    unready = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        unready.write_text(json.dumps(dict(told)))
        unready.replace(path)
    except OSError as failure:
        message = f"a ready file can be written: got {failure}"
        raise IoFailedError(f"{message}; name another one with --ready-file") from failure
