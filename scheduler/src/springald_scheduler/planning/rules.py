"""The rules that improve a whole plan before it is cut, in their order."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from springald.engine.plan_view import PlanNode
from springald.errors import UnsupportedError
from springald.limits import FRAGMENT_DEPTH_MAX
from springald_scheduler.planning.model import Upload
from springald_scheduler.planning.placed import Placement
from springald_scheduler.planning.runtime_filters import RuntimeFilters
from springald_scheduler.planning.session_settings import SessionSettings


@dataclass(frozen=True, slots=True)
class Improved:
    """A plan, and what rules did to it, for people."""

    root: PlanNode
    decisions: tuple[str, ...] = ()


def improvements(
    settings: SessionSettings,
    root: PlanNode,
    partitions: int,
    uploads: Mapping[str, Upload],
) -> Iterator[Improved]:
    """Yields a plan as the session's rules improve it, and then as it is.

    Whoever cannot make stages of the first goes on with the next. A rule that fails costs its gain
    and not the query, and is told of as a decision.
    """
    untouched = Improved(root)
    if root.depth() <= FRAGMENT_DEPTH_MAX:
        try:
            improved = _improved(settings, root, partitions, uploads)
        except UnsupportedError:
            pass  # has an operator that is not cut anyway
        except Exception as failure:  # noqa: BLE001 - the plan as it is needs no rule
            untouched = Improved(root, (f"no rule improves the plan: one failed with {failure!r}",))
        else:
            if improved.decisions:
                yield improved
    yield untouched


def _improved(
    settings: SessionSettings, root: PlanNode, partitions: int, uploads: Mapping[str, Upload]
) -> Improved:
    decisions: list[str] = []
    if settings.range_placement != "never":
        placement = Placement(
            partitions,
            always=settings.range_placement == "always",
            one_step=settings.one_step_aggregates,
        )
        root = placement.improve(root)
        decisions += placement.decisions
    if settings.runtime_filters != "never":
        filters = RuntimeFilters(uploads, always=settings.runtime_filters == "always")
        root = filters.improve(root)
        decisions += filters.decisions
    return Improved(root, tuple(decisions))
