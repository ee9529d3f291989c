"""How much memory an engine process may hold, with a task and without one."""

from springald_executor.core.limits import (
    ENGINE_BASE_BYTES,
    ENGINE_GROWN_BYTES_MAX,
    ENGINE_GROWN_SHARE_DIVISOR,
    ENGINE_OVERRUN_PERCENT,
)


def engine_bytes_max(share_bytes: int) -> int:
    """Returns how much an engine process may hold with a task of a share of memory.

    Example:
        >>> engine_bytes_max(256 << 20) >> 20
        896
    """
    return ENGINE_BASE_BYTES + share_bytes * ENGINE_OVERRUN_PERCENT // 100


def idle_engine_bytes_max(share_bytes: int, slots: int) -> int:
    """Returns how much an engine process may hold after a task of a share of memory and slots.

    The next task may have a single slot. If it takes no more than its share, it is not killed for
    what was there before.

    Example:
        >>> idle_engine_bytes_max(256 << 20, 1) >> 20, idle_engine_bytes_max(4 << 30, 1) >> 20
        (640, 2048)
    """
    kept = max(ENGINE_GROWN_BYTES_MAX, share_bytes // ENGINE_GROWN_SHARE_DIVISOR)
    next_share = share_bytes // slots
    return min(kept, engine_bytes_max(next_share) - next_share)
