"""Definitions of stages, written once for all executors that run them."""

from collections import OrderedDict
from dataclasses import dataclass

from springald.errors import SpringaldError
from springald.executor.v1 import executor_pb2 as pb
from springald.limits import MESSAGE_BYTES_MAX
from springald_scheduler.codec.executors import action_to_proto
from springald_scheduler.codec.failures import failure_from_error
from springald_scheduler.core.actions import DefineStage, LaunchTask
from springald_scheduler.core.failures import Failure
from springald_scheduler.limits import DEFINITIONS_KEPT_MAX


class Definitions:
    """The last definitions that were written, and why others could not be."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, int], _Kept] = OrderedDict()

    def write(self, action: DefineStage) -> pb.ConnectResponse | None:
        """Returns the message that defines a stage; None if it cannot be sent, see `failure`."""
        kept = self._kept.get((action.job_id, action.stage.stage_id))
        if kept is None or kept.version != action.version:
            kept = self._keep(action, _written(action))
        return None if isinstance(kept.definition, Failure) else kept.definition

    def spoil(self, action: DefineStage, failure: Failure) -> None:
        """Takes down that a stage could not be defined, so that its tasks fail."""
        self._keep(action, failure)

    def failure(self, action: LaunchTask) -> Failure | None:
        """Returns why the stage of a task could not be defined, if that is so."""
        kept = self._kept.get((action.job_id, action.stage_id))
        return kept.definition if kept and isinstance(kept.definition, Failure) else None

    def _keep(self, action: DefineStage, definition: "_Definition") -> "_Kept":
        kept = _Kept(action.version, definition)
        self._kept[action.job_id, action.stage.stage_id] = kept
        if len(self._kept) > DEFINITIONS_KEPT_MAX:
            self._kept.popitem(last=False)
        return kept


_Definition = pb.ConnectResponse | Failure | None


@dataclass(frozen=True, slots=True)
class _Kept:
    """What was written of a version of a stage."""

    version: int
    definition: _Definition


def _written(action: DefineStage) -> _Definition:
    try:
        message = action_to_proto(action)
    except SpringaldError as error:
        return failure_from_error(error)
    size = message.ByteSize() if message else 0
    if size > MESSAGE_BYTES_MAX:
        return Failure(
            "PLAN_TOO_LARGE",
            f"a stage's definition must have at most {MESSAGE_BYTES_MAX} bytes: got {size}; "
            "read fewer files or use fewer partitions",
        )
    return message
