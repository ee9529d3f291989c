"""The scheduler's process: `python -m springald_scheduler --bind HOST:PORT`."""

import gc
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from importlib.metadata import version
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Final

import structlog
from pydantic import ValidationError
from pydantic_settings import CliApp, SettingsError

from springald.engine.routing import routing_fingerprint
from springald.engine.session import ENGINE_NAME
from springald.errors import AddressInUseError, IoFailedError, SpringaldError
from springald.lifeline import watch_parent
from springald.limits import (
    JOBS_REMEMBERED_MAX,
    PROTOCOL_MAJOR,
)
from springald.own_folder import OwnFolder, new_name
from springald.server_process import hear_signals, set_up_log, write_ready
from springald_scheduler.adapters.desks import Desks
from springald_scheduler.adapters.election import Election
from springald_scheduler.adapters.follower import Follower
from springald_scheduler.adapters.grpc_server import GrpcServer
from springald_scheduler.adapters.journal import Cluster, Journal, cluster_of, raise_epoch
from springald_scheduler.adapters.memory_journal import MemoryJournal
from springald_scheduler.adapters.mirror import Mirror
from springald_scheduler.adapters.planner_pool import PlannerProcesses
from springald_scheduler.adapters.service import SchedulerApi
from springald_scheduler.adapters.stores.interface import StateStore, StoreError, Unchanged
from springald_scheduler.adapters.stores.opening import MEMORY, is_shared, open_store
from springald_scheduler.core.events import ClusterFacts
from springald_scheduler.core.limits import CoreLimits
from springald_scheduler.core.scheduler import SchedulerCore
from springald_scheduler.driver import SchedulerDriver
from springald_scheduler.limits import (
    GARBAGE_OBJECTS_MIN,
    STATE_MS_MAX,
    STATE_OF_SEVERAL_MS_MAX,
    STORE_AT_START_LOOK_MS,
    STORE_AT_START_MS_MAX,
    THREAD_SWITCH_MS,
)
from springald_scheduler.settings import SchedulerSettings

log = structlog.get_logger("springald.scheduler")

EXIT_FAILED: Final = 1
EXIT_USAGE: Final = 2
EXIT_ADDRESS_IN_USE: Final = 3

_EOF: Final = "end of standard input"
_STATE_LOST: Final = "state that cannot be kept: "


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a scheduler until it is told to stop; returns the exit code."""
    try:
        settings = CliApp.run(
            SchedulerSettings, cli_args=list(sys.argv[1:] if arguments is None else arguments)
        )
    except (ValidationError, SettingsError) as error:
        sys.stderr.write(f"springald scheduler: {_problems(error)}\n")
        return EXIT_USAGE
    set_up_log(settings.log_level)
    causes: SimpleQueue[str] = SimpleQueue()
    hear_signals(causes.put)
    if settings.stop_on_stdin_eof:
        watch_parent(lambda: causes.put(_EOF))
    try:
        serve(settings, causes)
    except SpringaldError as error:
        sys.stderr.write(f"springald scheduler: {error}\n")
        return EXIT_ADDRESS_IN_USE if isinstance(error, AddressInUseError) else EXIT_FAILED
    return 0


def serve(settings: SchedulerSettings, causes: "SimpleQueue[str]") -> None:
    """Serves until there is a cause to stop: a signal's name, or the end of standard input.

    Raises:
        AddressInUseError: The address cannot be bound.
    """
    # News passes through several threads; none of them should wait long for one that computes.
    sys.setswitchinterval(THREAD_SWITCH_MS / 1000)
    gc.set_threshold(GARBAGE_OBJECTS_MIN, *gc.get_threshold()[1:])
    with ExitStack() as stack:
        folder = _folder(settings, stack)
        planner = PlannerProcesses(
            settings.allowed_paths,
            folder,
            writable_paths=settings.writable_paths,
            planning_ms_max=settings.planning_ms_max,
            planning_bytes_max=settings.planning_memory,
        )
        stack.callback(planner.close)
        if is_shared(settings.state_name):
            serve_in_turn(settings, planner, causes)
            return
        # Whoever has the address has the state: a second scheduler is refused before it takes it.
        # In the end the driver is closed before it, because a server waits for its streams.
        server = stack.enter_context(GrpcServer(settings.bind))
        driver = stack.enter_context(_driver(settings, planner, stack, causes))
        server.serve(SchedulerApi(driver), driver)
        log.info("scheduler serves", address=server.address, pid=os.getpid())
        if settings.ready_file:
            write_ready(settings.ready_file, {"address": server.address, "pid": os.getpid()})
        cause = causes.get()
        log.info("scheduler stops", cause=cause)
        if cause == _EOF:
            # Whoever started it has started the executors too, and ends them all.
            driver.cancel_jobs("the cluster stops; run it again on another one")
        if cause.startswith(_STATE_LOST):
            reason = cause.removeprefix(_STATE_LOST)
            raise IoFailedError(f"a scheduler stops when it cannot keep its state: {reason}")


def serve_in_turn(
    settings: SchedulerSettings, planner: PlannerProcesses, causes: "SimpleQueue[str]"
) -> None:
    """Serves whenever this scheduler leads those that share its store, until there is a cause."""
    facts, limits = local_facts(), core_limits(settings)
    with ExitStack() as stack:
        store = open_store(settings.state_name)
        stack.callback(store.close)
        cluster = _wait_cluster(store, causes)
        if cluster is None:
            return
        follower = Follower(
            Mirror(store),
            planner,
            cluster,
            limits.session_lease_ms,
            lambda: election.leader_address,
        )

        def lead(fence: Unchanged) -> Callable[[], None]:
            with ExitStack() as leading:
                follower.end()
                leading.callback(follower.begin)
                journal = Journal(store, fence, STATE_OF_SEVERAL_MS_MAX, read_by_others=True)
                driver = SchedulerDriver(
                    SchedulerCore(facts, limits, journal.load()),
                    planner,
                    journal,
                    allowed_paths=settings.allowed_paths,
                    cluster=cluster,
                    on_broken=lambda _: election.step_down(),
                )
                leading.callback(driver.close)
                leading.callback(journal.close)
                desks.open(SchedulerApi(driver), driver)
                leading.callback(desks.close)
                return leading.pop_all().close

        desks = Desks(lambda: election.leader_address, SchedulerApi(follower))
        server = stack.enter_context(GrpcServer(settings.bind))
        server.serve(desks, desks)
        election = Election(store, settings.advertise or server.address, lead)
        follower.begin()
        stack.callback(follower.end)
        stack.callback(election.close)
        election.begin()
        log.info("scheduler serves", address=server.address, pid=os.getpid(), store=store.name)
        if settings.ready_file:
            write_ready(settings.ready_file, {"address": server.address, "pid": os.getpid()})
        log.info("scheduler stops", cause=causes.get())


def _wait_cluster(store: StateStore, causes: "SimpleQueue[str]") -> Cluster | None:
    """Waits for a store that others may be starting; returns what its cluster shares.

    None if there was a cause to stop before.

    Raises:
        IoFailedError: The store does not answer in time.
    """
    deadline = time.monotonic() + STORE_AT_START_MS_MAX / 1000
    while True:
        try:
            return cluster_of(store)
        except StoreError as error:
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                raise IoFailedError(
                    f"a scheduler's store answers within {STORE_AT_START_MS_MAX / 1000:g} s: got "
                    f"none at {store.name}, {error.message}; start it, or look at --state"
                ) from error
            log.warning(
                "waiting for the store", store=store.name, left_s=int(left_s), reason=error.message
            )
        with suppress(Empty):
            log.info("scheduler stops", cause=causes.get(timeout=STORE_AT_START_LOOK_MS / 1000))
            return None


def _driver(
    settings: SchedulerSettings,
    planner: PlannerProcesses,
    stack: ExitStack,
    causes: "SimpleQueue[str]",
) -> SchedulerDriver:
    """Makes the driver, with what an earlier process left in the store."""
    facts, limits = local_facts(), core_limits(settings)
    paths = settings.allowed_paths
    if settings.state_name == MEMORY:
        return SchedulerDriver(
            SchedulerCore(facts, limits), planner, MemoryJournal(), allowed_paths=paths
        )
    store = open_store(settings.state_name)
    stack.callback(store.close)
    cluster = cluster_of(store)
    fence = raise_epoch(store)
    if fence is None:
        raise AddressInUseError(f"a store has one scheduler: got another one in {store.name}")
    journal = Journal(store, fence, STATE_MS_MAX)
    stack.callback(journal.close)
    records = journal.load()
    log.info("state is kept", store=store.name, records=len(records))
    return SchedulerDriver(
        SchedulerCore(facts, limits, records),
        planner,
        journal,
        allowed_paths=paths,
        cluster=cluster,
        on_broken=lambda failure: causes.put(_STATE_LOST + failure.message),
    )


def _folder(settings: SchedulerSettings, stack: ExitStack) -> Path:
    """Makes a folder for the scheduler's files, and removes those of schedulers that are gone."""
    try:
        if settings.work_dir:
            settings.work_dir.mkdir(parents=True, exist_ok=True)
            return settings.work_dir
        folder = OwnFolder(Path(tempfile.gettempdir()), new_name("springald-scheduler-"))
    except OSError as failure:
        message = f"a scheduler writes into a folder of its own: got {failure}"
        raise IoFailedError(f"{message}; name another one with --work-dir") from failure
    stack.callback(folder.remove)
    return folder.path


def local_facts() -> ClusterFacts:
    """What executors of this scheduler must agree on: what is true of its own process."""
    return ClusterFacts(
        protocol_major=PROTOCOL_MAJOR,
        engine_version=f"{ENGINE_NAME} {version('datafusion')}",
        python_version=f"{sys.version_info.major}.{sys.version_info.minor}",
        architecture=platform.machine(),
        routing_fingerprint=routing_fingerprint(),
    )


def core_limits(settings: SchedulerSettings) -> CoreLimits:
    """The core's limits: the protocol's, but for what the settings change."""
    return CoreLimits(
        session_lease_ms=settings.session_lease_ms,
        executor_silence_ms_max=settings.executor_silence_ms_max,
        no_executor_ms_max=settings.no_executor_ms_max,
        unwatched_job_ms_max=settings.unwatched_job_ms_max,
        jobs_remembered_max=JOBS_REMEMBERED_MAX,
    )


def _problems(error: ValidationError | SettingsError) -> str:
    if isinstance(error, SettingsError):
        return str(error)
    lines = []
    for each in error.errors():
        name = "-".join(str(part) for part in each["loc"]).replace("_", "-")
        text = each["msg"].removeprefix("Value error, ")
        lines.append(f"--{name}: {text}" if name else text)
    return "\n  ".join(lines)


if __name__ == "__main__":
    sys.exit(main())
