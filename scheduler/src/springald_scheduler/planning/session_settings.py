"""Settings of a session: which there are, and which a session may change."""

import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from springald import substitutes
from springald.engine.session import DEFAULT_SETTINGS, PINNED_SETTINGS, PROTECTED_PREFIXES
from springald.errors import (
    InvalidSettingError,
    ProtectedSettingError,
    UnknownSettingError,
)
from springald.limits import PARTITIONS_MAX
from springald_scheduler.planning.drafts import CutRules

DISTRIBUTION: Final = "springald.distribution"
_OFFSET: Final = re.compile(r"[+-]\d\d(:?\d\d)?")
PROFILE: Final = "springald.profile"
INLINE_ROWS_BYTES_MAX: Final = "springald.inline_rows_bytes_max"
SINGLE_TASK_BYTES_MAX: Final = "springald.single_task_bytes_max"
RANGE_PLACEMENT: Final = "springald.range_placement"
RUNTIME_FILTERS: Final = "springald.runtime_filters"
ONE_STEP_AGGREGATES: Final = "springald.one_step_aggregates"
SHARED_STAGES: Final = "springald.shared_stages"
INLINE_VALUES: Final = "springald.inline_values"
SPARED_EXCHANGES: Final = "springald.spared_exchanges"
ADAPTIVE_BROADCAST: Final = "springald.adaptive_broadcast"
ADAPTIVE_COALESCE: Final = "springald.adaptive_coalesce"
ADAPTIVE_FILTER: Final = "springald.adaptive_filter"
ADAPTIVE_MERGE: Final = "springald.adaptive_merge"
ADAPTIVE_SKIP_EMPTY: Final = "springald.adaptive_skip_empty"
ADAPTIVE_SPLIT: Final = "springald.adaptive_split"
ADAPTIVE_SWAP: Final = "springald.adaptive_swap"
UNSUPPORTED_TYPES: Final = "springald.unsupported_types"
TARGET_PARTITIONS: Final = "datafusion.execution.target_partitions"
TIME_ZONE: Final = "datafusion.execution.time_zone"
_BROADCAST_BYTES: Final = "datafusion.optimizer.hash_join_single_partition_threshold"
_BROADCAST_ROWS: Final = "datafusion.optimizer.hash_join_single_partition_threshold_rows"

_TASK_BYTES_TARGET: Final = 1024 * 1024
"""How much a task reads to be worth its message: some milliseconds of work."""

_SPLIT_BYTES_MIN: Final = 4 * 1024 * 1024
"""How much of a partition a task reads at least to be worth reading the other inputs again."""

_WHATEVER: Final = 1 << 62
_OTHER_NAMES: Final = {"timezone": TIME_ZONE, "time.zone": TIME_ZONE}

_DESCRIPTIONS: Final[dict[str, tuple[str, str]]] = {
    DISTRIBUTION: (
        "auto",
        "whether a query is cut into stages: auto (where it gains), always (where it can) or never",
    ),
    PROFILE: (
        "false",
        "whether all that the engine measures is kept, and what it expected: true or false",
    ),
    SINGLE_TASK_BYTES_MAX: (
        str(16 * 1024 * 1024),
        "how many bytes a query scans at most to run as one task when the distribution is auto",
    ),
    INLINE_ROWS_BYTES_MAX: (
        str(64 * 1024),
        "how many bytes a result of one task has at most to come with its job's last news",
    ),
    UNSUPPORTED_TYPES: (
        "",
        "types that the client cannot read, with commas between them: of "
        + ", ".join(substitutes.UNSUPPORTED_TYPES),
    ),
    RANGE_PLACEMENT: (
        "auto",
        "whether files in the order of a key are read in ranges of it: auto, always or never",
    ),
    RUNTIME_FILTERS: (
        "auto",
        "whether keys of a smaller table filter a larger one first: auto, always or never",
    ),
    ONE_STEP_AGGREGATES: (
        "auto",
        "whether two steps of an aggregate with no exchange between are one: auto, always or never",
    ),
    SHARED_STAGES: (
        "auto",
        "whether stages that do the same are run once: auto, always or never",
    ),
    INLINE_VALUES: (
        "auto",
        "whether tasks finish an aggregate of one row themselves: auto, always or never",
    ),
    SPARED_EXCHANGES: (
        "auto",
        "whether rows are not sent by keys by which they lie already: auto, always or never",
    ),
    ADAPTIVE_BROADCAST: (
        "auto",
        "whether a build side that turns out small is broadcast: auto, always or never",
    ),
    ADAPTIVE_COALESCE: (
        "auto",
        "whether a stage that turns out to read little has fewer tasks: auto, always or never",
    ),
    ADAPTIVE_FILTER: (
        "auto",
        "whether rows are dropped by the keys of a finished build side: auto, always or never",
    ),
    ADAPTIVE_MERGE: (
        "auto",
        "whether a stage does what one would that turns out to read little: auto, always or never",
    ),
    ADAPTIVE_SKIP_EMPTY: (
        "auto",
        "whether stages are left out that have no rows then: auto, always or never",
    ),
    ADAPTIVE_SPLIT: (
        "auto",
        "whether tasks share a partition that turns out much too large: auto, always or never",
    ),
    ADAPTIVE_SWAP: (
        "auto",
        "whether a join builds its table of the side that turns out smaller: auto, always or never",
    ),
}


_RULES: Final = frozenset({
    ADAPTIVE_BROADCAST, ADAPTIVE_COALESCE, ADAPTIVE_FILTER, ADAPTIVE_MERGE, ADAPTIVE_SKIP_EMPTY,
    ADAPTIVE_SPLIT, ADAPTIVE_SWAP, DISTRIBUTION,
    INLINE_VALUES, ONE_STEP_AGGREGATES, RANGE_PLACEMENT, RUNTIME_FILTERS, SHARED_STAGES,
    SPARED_EXCHANGES,
})  # fmt: skip
"""Settings that say whether something is done: auto, always or never."""


_SIZES: Final = frozenset({INLINE_ROWS_BYTES_MAX, SINGLE_TASK_BYTES_MAX})
"""Settings that are a number of bytes."""


@dataclass(frozen=True, slots=True)
class AdaptiveRules:
    """What may be done when stages are measured, and from which sizes on; 0 for never.

    `broadcast_always` lets joins wait for their build side even if its size is known before;
    `filter_always` lets stages wait for keys that may drop nothing.
    """

    task_bytes_target: int = 0
    skip_empty: bool = False
    split_bytes_min: int = 0
    broadcast_bytes_max: int = 0
    broadcast_rows_max: int = 0
    broadcast_always: bool = False
    filter_bytes_max: int = 0
    filter_rows_max: int = 0
    filter_always: bool = False
    merge_bytes_max: int = 0
    swap_bytes_min: int = 0


def _defaults() -> dict[str, str]:
    return {name: default for name, (default, _) in _DESCRIPTIONS.items()}


@dataclass(slots=True)
class SessionSettings:
    """What a session has set, by full name; engine settings go to the engine as text."""

    own: dict[str, str] = field(default_factory=_defaults)
    engine: dict[str, str] = field(default_factory=dict)

    def set(self, name: str, value: str) -> None:
        """Changes one setting.

        Raises:
            UnknownSettingError: There is none of that name.
            ProtectedSettingError: It keeps answers right, or belongs to the process.
            InvalidSettingError: It does not take the value.
        """
        name = full_name(name)
        if name in _DESCRIPTIONS:
            self.own[name] = _checked(name, value)
            return
        if name.startswith("springald."):
            known = ", ".join(_DESCRIPTIONS)
            raise UnknownSettingError(f"a springald setting is one of {known}: got {name!r}")
        if name in PINNED_SETTINGS or name.startswith(PROTECTED_PREFIXES):
            message = f"a session leaves the settings that keep answers right: got {name!r}"
            raise ProtectedSettingError(f"{message}; it stays as it is")
        if name == TARGET_PARTITIONS:
            _check_partitions(value)
        if name == TIME_ZONE:
            _check_time_zone(value)
        self.engine[name] = value

    def reset(self, name: str) -> bool:
        """Brings one setting, or `all`, back to where it began; returns False if it was there."""
        name = full_name(name)
        if name == "all":
            # What a client can read is a fact about it, and no wish of its user.
            kept = {UNSUPPORTED_TYPES: self.own[UNSUPPORTED_TYPES]}
            self.own, self.engine = _defaults() | kept, {}
        elif name in _DESCRIPTIONS:
            self.own[name] = _DESCRIPTIONS[name][0]
        else:
            return self.engine.pop(name, None) is not None
        return True

    @property
    def distribution(self) -> str:
        """Whether queries are cut: `auto`, `always` or `never`."""
        return self.own[DISTRIBUTION]

    @property
    def range_placement(self) -> str:
        """Whether tables are read in ranges of a key: `auto`, `always` or `never`."""
        return self.own[RANGE_PLACEMENT]

    @property
    def runtime_filters(self) -> str:
        """Whether scans are filtered by the keys of other tables: `auto`, `always` or `never`."""
        return self.own[RUNTIME_FILTERS]

    @property
    def one_step_aggregates(self) -> bool:
        """True if two steps of an aggregate become one where no exchange is left between them."""
        return self.own[ONE_STEP_AGGREGATES] != "never"

    @property
    def cut_rules(self) -> CutRules:
        """What a cut may spare."""
        return CutRules(
            share_stages=self.own[SHARED_STAGES] != "never",
            inline_values=self.own[INLINE_VALUES] != "never",
            spare_exchanges=self.own[SPARED_EXCHANGES] != "never",
            one_step=self.one_step_aggregates,
        )

    @property
    def profile(self) -> bool:
        """True if queries are profiled."""
        return self.own[PROFILE] == "true"

    @property
    def inline_rows_bytes_max(self) -> int:
        """The most bytes of a result that needs no fetching."""
        return int(self.own[INLINE_ROWS_BYTES_MAX])

    @property
    def unsupported_types(self) -> frozenset[str]:
        """Types that results must not have, because the client cannot read them."""
        return frozenset(filter(None, self.own[UNSUPPORTED_TYPES].split(",")))

    @property
    def adaptive(self) -> AdaptiveRules:
        """What may be done when stages are measured."""
        whole = {
            "never": (0, 0),
            "auto": (self._engine_size(_BROADCAST_BYTES), self._engine_size(_BROADCAST_ROWS)),
            "always": (_WHATEVER, _WHATEVER),
        }
        broadcast, filters = whole[self.own[ADAPTIVE_BROADCAST]], whole[self.own[ADAPTIVE_FILTER]]
        tasks = {"never": 0, "auto": _TASK_BYTES_TARGET, "always": _WHATEVER}
        parts = {"never": 0, "auto": _SPLIT_BYTES_MIN, "always": 1}
        return AdaptiveRules(
            task_bytes_target=tasks[self.own[ADAPTIVE_COALESCE]],
            skip_empty=self.own[ADAPTIVE_SKIP_EMPTY] != "never",
            split_bytes_min=parts[self.own[ADAPTIVE_SPLIT]],
            broadcast_bytes_max=broadcast[0],
            broadcast_rows_max=broadcast[1],
            broadcast_always=self.own[ADAPTIVE_BROADCAST] == "always",
            filter_bytes_max=filters[0],
            filter_rows_max=filters[1],
            filter_always=self.own[ADAPTIVE_FILTER] == "always",
            merge_bytes_max=tasks[self.own[ADAPTIVE_MERGE]],
            swap_bytes_min=parts[self.own[ADAPTIVE_SWAP]],
        )

    def _engine_size(self, name: str) -> int:
        """Returns an engine setting that is a number, or 0 if what was set is not one."""
        value = self.engine.get(name, DEFAULT_SETTINGS[name])
        return int(value) if value.isascii() and value.isdigit() else 0

    @property
    def single_task_bytes_max(self) -> int:
        """The most bytes that a query scans as one task."""
        return int(self.own[SINGLE_TASK_BYTES_MAX])

    @property
    def target_partitions(self) -> int | None:
        """The number of partitions that the session asks for, if it does."""
        value = self.engine.get(TARGET_PARTITIONS)
        return int(value) if value and int(value) > 0 else None

    def rows(self) -> list[tuple[str, str]]:
        """Springald's own settings with their values."""
        return sorted(self.own.items())


def full_name(name: str) -> str:
    """Returns a setting's name as it is kept; SQL has a name of its own for the time zone.

    Example:
        >>> full_name("TimeZone"), full_name("springald.distribution")
        ('datafusion.execution.time_zone', 'springald.distribution')
    """
    name = name.lower()
    return _OTHER_NAMES.get(name, name)


def unknown_setting(name: str) -> UnknownSettingError:
    """Returns the error for a setting that there is none of."""
    return UnknownSettingError(f"a setting has this name: got {name!r}; SHOW ALL lists them")


def _check_time_zone(value: str) -> None:
    if _OFFSET.fullmatch(value):
        return
    try:
        ZoneInfo(value)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        message = f"a time zone is a name such as Europe/Paris, or an offset: got {value!r}"
        raise InvalidSettingError(f"{message}; see the list of the IANA") from None


def _check_partitions(value: str) -> None:
    with suppress(ValueError):  # what is no number is the engine's to refuse
        if int(value) > PARTITIONS_MAX:
            message = f"{TARGET_PARTITIONS} is at most {PARTITIONS_MAX}: got {value}"
            raise InvalidSettingError(f"{message}; a few for each slot are enough")


def _checked(name: str, value: str) -> str:
    if name in _RULES and value.lower() in {"auto", "always", "never"}:
        return value.lower()
    if name == PROFILE and value.lower() in {"true", "false"}:
        return value.lower()
    if name == UNSUPPORTED_TYPES:
        names = value.lower().replace(" ", "").split(",")
        if set(names) <= {"", *substitutes.UNSUPPORTED_TYPES}:
            return ",".join(filter(None, names))
    if name in _SIZES and value.isascii() and value.isdigit():
        return value
    raise InvalidSettingError(f"{name} says {_DESCRIPTIONS[name][1]}: got {value!r}")
