"""The tables of the oracle suite: each one is small, and shaped to make a wrong plan visible."""

import random
import string
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa

from oracle.datasets import Dataset

FIRST_DAY = date(2024, 1, 1)
FIRST_TIME = datetime(2024, 1, 1, tzinfo=UTC)
WIDE_COLUMNS = 300
FAT_BYTES = 60_000


def some(rng: random.Random, values: Sequence[Any], nulls: float = 0.15) -> Any:  # noqa: ANN401
    """Picks a value, or none as often as `nulls` says."""
    return None if rng.random() < nulls else rng.choice(values)


def word(rng: random.Random, letters: int) -> str:
    """Makes a word; past 12 letters a string view keeps it in a buffer of its own."""
    return "".join(rng.choices(string.ascii_lowercase, k=letters))


def _facts(rng: random.Random) -> pa.Table:
    count = 240
    return pa.table(
        {
            "id": pa.array(range(count), pa.int64()),
            "k": pa.array([some(rng, range(12)) for _ in range(count)], pa.int32()),
            "g": pa.array([some(rng, "abcde") for _ in range(count)]),
            "h": pa.array([rng.randrange(4) for _ in range(count)], pa.int16()),
            "q": pa.array([some(rng, range(100)) for _ in range(count)], pa.int64()),
            "x": pa.array([some(rng, range(-40, 40)) for _ in range(count)], pa.float64()),
            "d": pa.array(
                [
                    some(rng, [Decimal(cents) / 100 for cents in range(-999, 999)])
                    for _ in range(count)
                ],
                pa.decimal128(12, 2),
            ),
            "day": pa.array([FIRST_DAY + timedelta(rng.randrange(60)) for _ in range(count)]),
            "at": pa.array(
                [FIRST_TIME + timedelta(minutes=rng.randrange(9999)) for _ in range(count)],
                pa.timestamp("us"),
            ),
            "b": pa.array([some(rng, [True, False]) for _ in range(count)]),
            "s": pa.array([some(rng, [word(rng, 5), word(rng, 30)]) for _ in range(count)]),
        }
    )


def _few(count: int) -> Callable[[random.Random], pa.Table]:
    """As facts, but so few that three may be joined in any way; floats are quarters."""

    def make(rng: random.Random) -> pa.Table:
        return _few_rows(rng, count)

    return make


def _few_rows(rng: random.Random, count: int) -> pa.Table:
    return pa.table(
        {
            "id": pa.array(range(count), pa.int64()),
            "k": pa.array([some(rng, range(8)) for _ in range(count)], pa.int64()),
            "g": pa.array([some(rng, "abcd") for _ in range(count)]),
            "d": pa.array(
                [
                    some(rng, [Decimal(cents) / 100 for cents in range(-300, 300, 75)])
                    for _ in range(count)
                ],
                pa.decimal128(12, 2),
            ),
            "x": pa.array(
                [some(rng, [at / 4 for at in range(-20, 20)]) for _ in range(count)], pa.float64()
            ),
            "b": pa.array([some(rng, [True, False]) for _ in range(count)]),
            "day": pa.array(
                [some(rng, [FIRST_DAY + timedelta(rng.randrange(50))]) for _ in range(count)]
            ),
        }
    )


def _dims(rng: random.Random) -> pa.Table:
    keys = [0, 1, 2, 2, 3, 4, 5, 5, 5, 7, None, None, 90, 91]
    return pa.table(
        {
            "k": pa.array(keys, pa.int32()),
            "label": pa.array([word(rng, 20) for _ in keys]),
            "w": pa.array([rng.randrange(1, 50) for _ in keys], pa.int64()),
        }
    )


def _side(
    key: str, rest: str, count: int, keys: Sequence[int], nulls: float
) -> Callable[..., pa.Table]:
    """Makes one side of a join: keys with duplicates and NULLs, a payload and a number."""

    def make(rng: random.Random) -> pa.Table:
        return pa.table(
            {
                key: pa.array([some(rng, keys, nulls) for _ in range(count)], pa.int32()),
                rest: pa.array([f"{rest}{at:03}-{word(rng, 14)}" for at in range(count)]),
                f"{rest}n": pa.array([rng.randrange(10) for _ in range(count)], pa.int64()),
            }
        )

    return make


def _sales(rng: random.Random) -> pa.Table:
    count = 300
    return pa.table(
        {
            "d_year": pa.array([rng.choice([1998, 1999, 2000]) for _ in range(count)], pa.int32()),
            "d_moy": pa.array([rng.randrange(1, 13) for _ in range(count)], pa.int32()),
            "item": pa.array([rng.randrange(8) for _ in range(count)], pa.int32()),
            "store": pa.array(
                [some(rng, ["north", "south", "the far east of town"]) for _ in range(count)]
            ),
            "amount": pa.array([rng.randrange(1000) for _ in range(count)], pa.int64()),
        }
    )


def _series(rng: random.Random) -> pa.Table:
    count = 160
    return pa.table(
        {
            "id": pa.array(range(count), pa.int64()),
            "p": pa.array([some(rng, "uvwxy") for _ in range(count)]),
            "o": pa.array([rng.randrange(24) for _ in range(count)], pa.int64()),
            "v": pa.array([some(rng, range(-50, 50)) for _ in range(count)], pa.int64()),
            "f": pa.array([rng.randrange(400) / 4 for _ in range(count)], pa.float64()),
            "day": pa.array([FIRST_DAY + timedelta(rng.randrange(40)) for _ in range(count)]),
        }
    )


def _edges(rng: random.Random) -> pa.Table:
    pairs = {(one, one + step) for one in range(12) for step in (1, 2, 5) if rng.random() < 0.8}
    ordered = sorted(pairs)
    return pa.table(
        {
            "src": pa.array([pair[0] for pair in ordered], pa.int64()),
            "dst": pa.array([pair[1] for pair in ordered], pa.int64()),
        }
    )


def _plain(rng: random.Random) -> pa.Table:
    count = 30
    return pa.table(
        {
            "id": pa.array(range(count), pa.int64()),
            "n": pa.array([rng.randrange(5) for _ in range(count)], pa.int64()),
            "t": pa.array([word(rng, 16) for _ in range(count)]),
        }
    )


def _rows(count: int) -> Callable[[random.Random], pa.Table]:
    def make(rng: random.Random) -> pa.Table:
        return _plain(rng).slice(0, count)

    return make


def _nested(rng: random.Random) -> pa.Table:
    count = 36
    item = pa.struct([("a", pa.int32()), ("b", pa.string())])

    def struct() -> dict[str, Any]:
        return {"a": some(rng, range(4)), "b": some(rng, ["p", word(rng, 18)])}

    return pa.table(
        {
            "id": pa.array(range(count), pa.int64()),
            "st": pa.array([some(rng, [struct()]) for _ in range(count)], item),
            "li": pa.array(
                [
                    some(rng, [[some(rng, range(5)) for _ in range(rng.randrange(4))]])
                    for _ in range(count)
                ],
                pa.list_(pa.int64()),
            ),
            "ls": pa.array(
                [some(rng, [[struct() for _ in range(rng.randrange(3))]]) for _ in range(count)],
                pa.list_(item),
            ),
            "ma": pa.array(
                [
                    some(rng, [[("x", at), ("y" * 15, None)][: rng.randrange(3)]])
                    for at in range(count)
                ],
                pa.map_(pa.string(), pa.int64()),
            ),
            "fx": pa.array(
                [some(rng, [[at / 2, -at / 4]]) for at in range(count)], pa.list_(pa.float32(), 2)
            ),
            "nothing": pa.nulls(count),
        }
    )


def _numbers(rng: random.Random) -> pa.Table:
    count = 40
    made: dict[str, pa.Array] = {"id": pa.array(range(count), pa.int64())}
    for bits in (8, 16, 32, 64):
        top = 2 ** (bits - 1) - 1
        signed = [some(rng, [-top - 1, top, 0, rng.randint(-9, 9)]) for _ in range(count)]
        made[f"i{bits}"] = pa.array(signed, getattr(pa, f"int{bits}")())
        unsigned = [some(rng, [2**bits - 1, 0, rng.randint(0, 9)]) for _ in range(count)]
        made[f"u{bits}"] = pa.array(unsigned, getattr(pa, f"uint{bits}")())
    odd = [0.0, -0.0, 1.5, -2.25, float("nan"), float("inf"), float("-inf")]
    for bits in (16, 32, 64):
        floats = pa.array([some(rng, odd) for _ in range(count)], pa.float64())
        made[f"f{bits}"] = floats.cast(getattr(pa, f"float{bits}")(), safe=False)
    for bits, digits, scale in ((32, 7, 2), (64, 15, 3), (128, 30, 5), (256, 60, 7)):
        whole = 10 ** (digits - scale) - 1
        decimals = [
            some(rng, [Decimal(whole), Decimal(-whole), Decimal("-1.25")]) for _ in range(count)
        ]
        made[f"d{bits}"] = pa.array(decimals, getattr(pa, f"decimal{bits}")(digits, scale))
    return pa.table(made)


def _times(rng: random.Random) -> pa.Table:
    count = 40
    moments = [
        some(rng, [FIRST_TIME + timedelta(hours=rng.randrange(9000), microseconds=at)])
        for at in range(count)
    ]
    clock = [some(rng, [time(rng.randrange(24), rng.randrange(60), at)]) for at in range(count)]
    spans = [some(rng, [timedelta(seconds=rng.randrange(-900, 900))]) for _ in range(count)]
    days = [some(rng, [FIRST_DAY + timedelta(rng.randrange(-9000, 900))]) for _ in range(count)]
    return pa.table(
        {
            "id": pa.array(range(count), pa.int64()),
            "day32": pa.array(days, pa.date32()),
            "day64": pa.array(days, pa.date64()),
            "clock_ms": pa.array(clock, pa.time32("ms")),
            "clock_us": pa.array(clock, pa.time64("us")),
            "clock_ns": pa.array(clock, pa.time64("ns")),
            "at_ms": pa.array(moments, pa.timestamp("us")).cast(pa.timestamp("ms"), safe=False),
            "at_us": pa.array(moments, pa.timestamp("us")),
            "at_ns": pa.array(moments, pa.timestamp("ns")),
            "utc": pa.array(moments, pa.timestamp("us", "UTC")),
            "berlin": pa.array(moments, pa.timestamp("us", "Europe/Berlin")),
            "shifted": pa.array(moments, pa.timestamp("ns", "+05:30")),
            "span_s": pa.array(spans, pa.duration("s")),
            "span_us": pa.array(spans, pa.duration("us")),
        }
    )


def _bytes(rng: random.Random) -> pa.Table:
    count = 40
    words = [
        some(rng, ["", "kort", "ünïcödé 🐟", word(rng, 12), word(rng, 13), word(rng, 200)])
        for _ in range(count)
    ]
    raw = [None if text is None else text.encode() + b"\x00\xff" for text in words]
    return pa.table(
        {
            "id": pa.array(range(count), pa.int64()),
            "plain": pa.array(words, pa.string()),
            "big": pa.array(words, pa.large_string()),
            "view": pa.array(words, pa.string_view()),
            "raw": pa.array(raw, pa.binary()),
            "raw_big": pa.array(raw, pa.large_binary()),
            "raw_view": pa.array(raw, pa.binary_view()),
            "four": pa.array(
                [some(rng, [b"abcd", b"\x00\x01\x02\x03"]) for _ in range(count)], pa.binary(4)
            ),
        }
    )


def _coded(rng: random.Random) -> pa.Table:
    count = 48
    # Dealt to files in turn, so each file has words of its own: no two share a dictionary.
    words = [some(rng, [f"file{at % 4}-{rng.randrange(3)}", "common"]) for at in range(count)]
    return pa.table(
        {
            "id": pa.array(range(count), pa.int64()),
            "w8": pa.array(words).dictionary_encode().cast(pa.dictionary(pa.int8(), pa.string())),
            "w32": pa.array(words).dictionary_encode(),
            "n16": pa.DictionaryArray.from_arrays(
                pa.array([some(rng, range(3)) for _ in range(count)], pa.int16()),
                pa.array([10, 20, 30], pa.int64()),
            ),
        }
    )


def _wide(rng: random.Random) -> pa.Table:
    count = 24
    columns: dict[str, Any] = {"id": pa.array(range(count), pa.int64())}
    for at in range(WIDE_COLUMNS):
        columns[f"c{at:03}"] = pa.array([some(rng, range(1000)) for _ in range(count)], pa.int64())
    return pa.table(columns)


def _fat(rng: random.Random) -> pa.Table:
    count = 12
    return pa.table(
        {
            "id": pa.array(range(count), pa.int64()),
            "n": pa.array([rng.randrange(3) for _ in range(count)], pa.int64()),
            "t": pa.array([word(rng, 40) * (FAT_BYTES // 40) for _ in range(count)]),
        }
    )


def _texts(rng: random.Random) -> pa.Table:
    """What CSV and JSON can carry as well as Parquet."""
    count = 60
    return pa.table(
        {
            "id": pa.array(range(count), pa.int64()),
            "n": pa.array([rng.randrange(6) for _ in range(count)], pa.int64()),
            "x": pa.array([rng.randrange(200) / 8 + 1 / 16 for _ in range(count)], pa.float64()),
            "t": pa.array([word(rng, rng.choice([4, 16])) for _ in range(count)]),
        }
    )


_KEYS = [1, 1, 2, 3, 4, 5, 6, 7]
_OTHER_KEYS = [2, 2, 3, 5, 7, 8, 9]
_TEXT_COLUMNS = "id BIGINT, n BIGINT, x DOUBLE, t VARCHAR"

DATASETS: dict[str, Dataset] = {
    "facts": Dataset(_facts),
    "few": Dataset(_few(32)),
    "fewer": Dataset(_few(15), files=3),
    "dims": Dataset(_dims, files=3),
    "lefts": Dataset(_side("lk", "l", 16, _KEYS, 0.2)),
    "rights": Dataset(_side("rk", "r", 18, _OTHER_KEYS, 0.2), files=3),
    "lefts_big": Dataset(_side("lk", "l", 150, [*_KEYS, *range(20, 60)], 0.1)),
    "rights_big": Dataset(_side("rk", "r", 150, [*_OTHER_KEYS, *range(40, 90)], 0.1), files=3),
    "lefts_none": Dataset(_side("lk", "l", 0, _KEYS, 0.0), files=3),
    "rights_none": Dataset(_side("rk", "r", 0, _KEYS, 0.0), files=3),
    "lefts_null": Dataset(_side("lk", "l", 9, _KEYS, 1.0), files=3),
    "rights_null": Dataset(_side("rk", "r", 9, _KEYS, 1.0), files=3),
    "rights_full": Dataset(_side("rk", "r", 14, _OTHER_KEYS, 0.0), files=3),
    "sales": Dataset(_sales),
    "series": Dataset(_series),
    "edges": Dataset(_edges, files=3),
    "none": Dataset(_rows(0), files=3),
    "half": Dataset(_rows(16), hollow=(1, 2)),
    "first_none": Dataset(_rows(16), hollow=(0,)),
    "one": Dataset(_rows(1), files=1),
    "one_of_four": Dataset(_rows(1), hollow=(0, 1, 3)),
    "one_each": Dataset(_rows(5), files=5),
    "no_files": Dataset(_rows(0), files=0, columns="id BIGINT, n BIGINT, t VARCHAR"),
    "many": Dataset(_rows(30), files=24),
    "single": Dataset(_rows(30), files=1),
    "groups": Dataset(_rows(30), files=1, row_group_rows=2),
    "nested": Dataset(_nested, files=3),
    "numbers": Dataset(_numbers),
    "times": Dataset(_times),
    "bytes": Dataset(_bytes),
    "bytes_arrow": Dataset(_bytes, format="arrow"),
    "coded": Dataset(_coded),
    "coded_arrow": Dataset(_coded, format="arrow"),
    "wide": Dataset(_wide, files=3),
    "fat": Dataset(_fat, files=3),
    "csv": Dataset(
        _texts, format="csv", columns=_TEXT_COLUMNS, options="OPTIONS ('has_header' 'true')"
    ),
    "csv_other": Dataset(
        _texts,
        format="csv",
        columns=_TEXT_COLUMNS,
        options="OPTIONS ('has_header' 'true', 'delimiter' ';', 'compression' 'gzip')",
        csv_delimiter=";",
        compression="gzip",
    ),
    "json": Dataset(_texts, format="json", columns=_TEXT_COLUMNS),
    "arrow": Dataset(_texts, format="arrow"),
    "arrow_stream": Dataset(_texts, format="arrow", arrow_stream=True),
    "memory": Dataset(_texts, format="memory"),
    "memory_nested": Dataset(_nested, format="memory"),
    "memory_bytes": Dataset(_bytes, format="memory"),
    "memory_coded": Dataset(_coded, format="memory"),
    "memory_none": Dataset(_rows(0), format="memory"),
    "by_folder": Dataset(_sales, files=2, folder_by="item", options="PARTITIONED BY (item)"),
    "by_order": Dataset(_plain, options="WITH ORDER (id ASC)"),
}
