"""Where this engine build sends rows under hash partitioning.

Two executors that route differently give wrong joins without any error, so each one registers a
digest of where a fixed set of keys goes, and one that differs is refused.
"""

import hashlib
from functools import cache
from typing import Final

import pyarrow as pa
from datafusion import SessionContext
from datafusion.plan import ExecutionPlan

from springald.engine import plan_view as pv
from springald.engine.session import make_context

_PARTITIONS: Final = 61
_KEYS: Final = 1_024


@cache
def routing_fingerprint() -> str:
    """Returns a digest of the partition of each of a thousand keys of several types."""
    context = make_context({}, partitions=_PARTITIONS)
    keys = pa.record_batch({
        "number": pa.array(range(_KEYS), pa.int64()),
        "text": pa.array([f"key {i}" for i in range(_KEYS)], pa.string_view()),
        "day": pa.array(range(_KEYS), pa.date32()),
        "amount": pa.array([i * 1_000_003 for i in range(_KEYS)], pa.decimal128(20, 0)),
        "measure": pa.array([i / 7 for i in range(_KEYS)], pa.float64()),
    })  # fmt: skip
    context.register_record_batches("keys", [[keys]])
    digest = hashlib.sha256()
    for column in keys.schema.names:
        for partition in _route(context, column):
            digest.update(f"{column}:{','.join(map(str, partition))};".encode())
    return digest.hexdigest()


def _route(context: SessionContext, column: str) -> list[list[int]]:
    """Returns, for each partition, the numbers of the keys that one column sends there."""
    scan = pv.parse(context.table("keys").execution_plan().to_bytes(context))
    index = context.table("keys").schema().names.index(column)
    routed_scan = pv.hash_repartition(scan, [pv.column(column, index)], _PARTITIONS)
    plan = ExecutionPlan.from_bytes(context, pv.serialize(routed_scan))
    return [
        sorted(
            number
            for batch in context.execute(plan, partition)
            for number in batch.to_pyarrow().column("number").to_pylist()
        )
        for partition in range(plan.partition_count)
    ]
