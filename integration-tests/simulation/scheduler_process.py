"""A scheduler's process: its core, and what its driver and adapters do around it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from simulation.chance import Fault
from simulation.clock import Timer
from simulation.network import Stream
from simulation.queries import replan
from simulation.rules import Ledger, hold, task_state
from simulation.store import Store, StoreError
from springald.errors import SpringaldError
from springald.executor.v1 import executor_pb2 as pb
from springald_scheduler.adapters.executor_links import ExecutorLinks
from springald_scheduler.codec.definitions import Definitions
from springald_scheduler.codec.executors import (
    action_to_proto,
    event_from_proto,
    refusal_to_proto,
    registration_from_proto,
)
from springald_scheduler.core import actions as do
from springald_scheduler.core import events as on
from springald_scheduler.core.failures import Failure
from springald_scheduler.core.invariants import check_invariants
from springald_scheduler.core.limits import CoreLimits
from springald_scheduler.core.scheduler import SchedulerCore
from springald_scheduler.core.views import JobView, view_job

if TYPE_CHECKING:
    from simulation.world import World

FACTS = on.ClusterFacts(1, "datafusion 55.0.0", "3.11", "x86_64", "fingerprint")
LIMITS = CoreLimits(
    session_lease_ms=40_000,
    no_executor_ms_max=15_000,
    unwatched_job_ms_max=8_000,
    jobs_remembered_max=3,
    executors_remembered_max=2,
)
"""Shorter than those of the protocol where a history would else wait for nothing."""


@dataclass(eq=False)
class Link:
    """The scheduler's end of a stream."""

    stream: Stream
    held: list[pb.ConnectResponse] = field(default_factory=list)

    def send(self, message: pb.ConnectResponse) -> None:
        """Sends a message, behind those that are held."""
        self.flush()
        self.stream.send_down(message)

    def hold(self, message: pb.ConnectResponse) -> None:
        """Keeps a message for the next one."""
        self.held.append(message)

    def flush(self) -> None:
        """Sends what is held."""
        held, self.held = self.held, []
        for message in held:
            self.stream.send_down(message)

    def end(self, _: SpringaldError | None) -> None:
        """Ends the stream."""
        self.flush()
        self.stream.end_down()


@dataclass(eq=False)
class Follower:
    """A client that waits for the end of a job."""

    job_id: str
    tell: Callable[[JobView], None]


class SchedulerProcess:
    """One life of a scheduler."""

    def __init__(
        self,
        world: "World",
        ledger: Ledger,
        store: Store,
        key: bytes,
        on_death: Callable[[], None],
    ) -> None:
        """Starts with what the store has, if it is durable."""
        records = store.load() if world.is_durable else None
        self.core = SchedulerCore(FACTS, LIMITS, records)
        self.is_alive = True
        self._story = world.story
        self._clock = world.clock
        self._chance = world.chance
        self._library = world.library
        self._queries = world.queries
        self._ledger = ledger
        self._store = store
        self._key = key
        self._on_death = on_death
        self._links = ExecutorLinks()
        self._link_of: dict[Stream, Link] = {}
        self._definitions = Definitions()
        self._waiting: list[do.Action] = []
        self._put = self._done = 0
        self._settling: list[tuple[int, Callable[[], None]]] = []
        self._is_busy = False
        self._alarm: Timer | None = None
        self._followers: list[Follower] = []
        self._planner_sessions: set[str] = set()
        self._callers: list[Callable[[], None]] | None = []
        ledger.note_restart()

    def begin(self) -> None:
        """Takes up what an earlier life left."""
        self.post(on.SchedulerStarted())

    def die(self) -> None:
        """Ends the process on the spot."""
        self.is_alive = False
        if self._alarm:
            self._alarm.is_off = True
        for stream in list(self._link_of):
            stream.break_off(above_is_gone=True)
        self._on_death()

    # For clients. What they are told is durable.

    def serve(self, act: Callable[[], None]) -> None:
        """Does what a client asks for, once all has been taken up that was before."""
        if self._callers is None:
            act()
        else:
            self._callers.append(act)

    def ask(self, event: on.Event, reply: Callable[[list[do.Action]], None]) -> None:
        """Tells the core what a client wants, and the client what becomes of it."""
        actions = self.post(event)
        self._settle(lambda: reply(actions))

    def look(self, session_id: str, name: str, reply: Callable[[JobView | None], None]) -> None:
        """Tells a client how a job stands."""
        view = view_job(self.core.world, session_id, name, self._clock.now_ms)

        def tell() -> None:
            if view:
                self._ledger.check_told(view)
            reply(view)

        self._settle(tell)

    def follow(self, job_id: str, tell: Callable[[JobView], None]) -> Follower | None:
        """Tells a client when a job has ended, perhaps now; None if there is no such job."""
        view = view_job(self.core.world, "", job_id, self._clock.now_ms)
        if view is None or view.released:
            return None
        follower = Follower(job_id, tell)
        self._followers.append(follower)
        self.post(on.JobWatched(job_id))
        self._wake(job_id)
        return follower

    def leave(self, follower: Follower) -> None:
        """Takes in that a client follows a job no more."""
        if self.is_alive and follower in self._followers:
            self._followers.remove(follower)
            self.post(on.JobUnwatched(follower.job_id))

    # For executors.

    def meet(self, stream: Stream) -> None:
        """Takes a stream that an executor opened."""
        self._link_of[stream] = Link(stream)

    def hear(self, stream: Stream, message: pb.ConnectRequest) -> None:
        """Takes a message of an executor."""
        if not self.is_alive:
            return
        link = self._link_of.get(stream)
        if link is None:
            return
        life = self._links.life_of(link)
        if message.WhichOneof("message") == "registration":
            event = registration_from_proto(message.registration)
            self._links.arrive(event.executor_id, event.incarnation, link)
            self.post(event)
            return
        if life is None:
            link.end(None)
            return
        known = event_from_proto(message, *life)
        hold(known is not None, f"a message is known: got {message}")
        if known:
            self.post(known)
        if isinstance(known, on.ExecutorHeard):
            link.flush()

    def lose(self, stream: Stream, reason: str) -> None:
        """Takes in that an executor's stream ended."""
        link = self._link_of.pop(stream, None)
        life = self._links.remove(link) if link and self.is_alive else None
        if life:
            self._ledger.note_departure(*life)
            self.post(on.ExecutorDisconnected(*life, reason))

    # The core and its actions.

    def post(self, event: on.Event) -> list[do.Action]:
        """Tells the core an event, checks it, and has its actions carried out."""
        world = self.core.world
        before = None
        if isinstance(event, on.SessionOpened):
            self._planner_sessions.add(event.session_id)
        if isinstance(event, on.TaskFinished):
            before = task_state(world, event.attempt_id)
        self._ledger.note_missed(event, world)
        actions = self.core.handle(event, now_ms=self._clock.now_ms)
        for action in actions:
            self._ledger.note_action(action)
            if isinstance(action, do.DefineStage):
                read = {e.executor_id for outputs in action.inputs for e in outputs if e.sizes}
                there = read <= world.executors.keys()
                hold(there, f"a stage reads who is there: {action.job_id}/s{action.stage.stage_id}")
        if any(isinstance(action, do.ServeClients) for action in actions):
            self._ledger.note_taken_up(world)
        if self._story.is_told:
            self._tell_story(event, actions)
        self._ledger.note_report(event, before, world)
        if actions or not isinstance(event, on.ExecutorHeard | on.TimePassed):
            check_invariants(world)
        self._waiting += actions
        self._put += len(actions)
        self._set_alarm()
        self._carry()
        return actions

    def _tell_story(self, event: on.Event, actions: list[do.Action]) -> None:
        if not isinstance(event, on.ExecutorHeard | on.TimePassed) or actions:
            self._story.add(self._clock.now_ms, "scheduler", event)
        for action in actions:
            self._story.add(self._clock.now_ms, "    asks", action)

    def check_store_empty(self) -> None:
        """Nothing is kept that belongs to sessions and jobs."""
        kept = [key for key in self._store.records if key[0] not in {"executor", "counter"}]
        hold(not kept, f"records are forgotten: got {kept}")

    def _settle(self, act: Callable[[], None]) -> None:
        """Does something once all that was asked for until now is carried out."""
        if self._done >= self._put:
            act()
        elif self.is_alive:
            self._settling.append((self._put, act))

    def _set_alarm(self) -> None:
        if self._alarm:
            self._alarm.is_off = True
        wake_ms = self.core.wake_ms
        if wake_ms is not None:
            late_ms = self._chance.one_of(0, 0, 0, 1, 20)
            self._alarm = self._clock.at(wake_ms + late_ms, self._ring)

    def _ring(self) -> None:
        if self.is_alive:
            self.post(on.TimePassed())

    def _carry(self) -> None:
        while self._waiting and not self._is_busy and self.is_alive:
            taken, self._waiting = self._waiting, []
            self._carry_batch(taken, self._put)

    def _carry_batch(self, taken: list[do.Action], ticket: int) -> None:
        """Writes what is to be kept at one go, and then does the rest."""
        kept = [each for each in taken if isinstance(each, do.Persist | do.Forget)]
        wait_ms = 0
        if kept:
            try:
                wait_ms = self._store.write(kept)
            except StoreError:
                self.die()
                return
        self._is_busy = True
        if wait_ms:
            self._clock.after(wait_ms, lambda: self._go_on(taken, ticket))
        else:
            self._carry_all(taken, ticket)

    def _go_on(self, taken: list[do.Action], ticket: int) -> None:
        if self.is_alive:
            self._carry_all(taken, ticket)
            self._carry()

    def _carry_all(self, taken: list[do.Action], ticket: int) -> None:
        for action in taken:
            self._carry_out(action)
        self._done = ticket
        self._is_busy = False
        ready = [act for due, act in self._settling if due <= ticket]
        self._settling = [each for each in self._settling if each[0] > ticket]
        for act in ready:
            act()
        if self._chance.strikes(Fault.SCHEDULER_KILLED, 0.02):
            self.die()

    def _carry_out(self, action: do.Action) -> None:
        match action:
            case do.ServeClients():
                callers, self._callers = self._callers, None
                for act in callers or ():
                    self._clock.after(0, act)
            case do.RestoreSession():
                self._planner_sessions.add(action.session_id)
            case do.DropSession():
                self._planner_sessions.discard(action.session_id)
            case do.PublishJob(job_id=job_id):
                self._wake(job_id)
            case do.PlanJob():
                wait_ms = self._chance.one_of(1, 5, 50, 400)
                self._clock.after(wait_ms, lambda: self._plan(action))
            case do.ReplanStage():
                wait_ms = self._chance.one_of(1, 5, 50, 400)
                self._clock.after(wait_ms, lambda: self._replan(action))
            case do.ToExecutor():
                self._carry_out_there(action)

    def _carry_out_there(self, action: do.ToExecutor) -> None:
        life = (action.executor_id, action.incarnation)
        match action:
            case do.AcceptExecutor():
                link = self._links.put(*life)
                if isinstance(link, Link):
                    registered = pb.Registered(ticket_key=self._key, allowed_paths=["/"])
                    link.send(pb.ConnectResponse(registered=registered))
                elif not self._links.is_put(*life):
                    self._clock.after(0, lambda: self._post_late(on.ExecutorDisconnected(*life)))
            case do.RefuseExecutor():
                turned = self._links.turn_away(*life)
                if turned:
                    if not action.failure.retryable:
                        turned.send(refusal_to_proto(action.failure))
                    turned.end(None)
            case do.DisconnectExecutor():
                self._links.end(*life, SpringaldError(action.reason))
            case do.DefineStage():
                self._ledger.check_definition(action, dict(self._store.records))
                message = self._definitions.write(action)
                hold(message is not None, "a stage can be written")
                if message:
                    self._links.send(*life, message)
            case _:
                waits = isinstance(action, do.ReleaseJobFiles) and action.in_no_hurry
                message = action_to_proto(action)
                if message:
                    self._links.send(*life, message, waits=waits)

    def _post_late(self, event: on.Event) -> None:
        if self.is_alive:
            if isinstance(event, on.ExecutorDisconnected):
                self._ledger.note_departure(event.executor_id, event.incarnation)
            self.post(event)

    def _wake(self, job_id: str) -> None:
        """Tells those who follow a job if it has ended."""
        if not any(each.job_id == job_id for each in self._followers):
            return
        view = view_job(self.core.world, "", job_id, self._clock.now_ms)
        if view is None or not (view.state.terminal or view.released):
            return
        for follower in [each for each in self._followers if each.job_id == job_id]:
            self._settle(lambda f=follower: self._tell(f, view))  # type: ignore[misc]

    def _tell(self, follower: Follower, view: JobView) -> None:
        if follower in self._followers:
            self._ledger.check_told(view)
            self.leave(follower)
            follower.tell(view)

    def _plan(self, action: do.PlanJob) -> None:
        if not self.is_alive:
            return
        job = self.core.world.jobs.get(action.job_id)
        knows = action.session_id in self._planner_sessions or job is None or job.state.terminal
        hold(knows, f"the planner knows the session of what it plans: got {action.job_id}")
        if self._chance.strikes(Fault.PLAN_FAILED):
            failure = Failure("SQL_SYNTAX", "it does not plan")
            self._post_late(on.JobFailed(action.job_id, failure))
        else:
            self._post_late(on.JobPlanned(action.job_id, self._queries[action.statement].graph))

    def _replan(self, action: do.ReplanStage) -> None:
        failed = self._chance.strikes(Fault.REPLAN_FAILED)
        stage = None if failed else replan(action, self._library)
        self._post_late(on.StageReplanned(action.job_id, action.stage.stage_id, stage))
