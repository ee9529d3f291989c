"""Sessions live under a lease; when one ends, everything that it holds is released."""

from springald_scheduler.core.actions import DropSession, Forget, Persist, Refuse
from springald_scheduler.core.alarms import AlarmKind
from springald_scheduler.core.endings import release_job
from springald_scheduler.core.events import (
    SessionChanged,
    SessionClosed,
    SessionOpened,
    SessionSeen,
)
from springald_scheduler.core.failures import job_cancelled, session_not_found
from springald_scheduler.core.model import Session
from springald_scheduler.core.records import SessionRecord, session_key
from springald_scheduler.core.uploads import close_uploads
from springald_scheduler.core.world import World
from springald_scheduler.core.writing import write_held_of_session


def on_session_opened(world: World, event: SessionOpened) -> None:
    """Begins a session."""
    if event.session_id in world.sessions:
        world.ignore("session that is open already")
        return
    session = Session(
        event.session_id, opened_ms=world.now_ms, seen_ms=world.now_ms, catalog=event.catalog
    )
    world.sessions[session.session_id] = session
    world.do(Persist(world.cause, _record(session)))
    set_session_alarm(world, session)


def on_session_changed(world: World, event: SessionChanged) -> None:
    """Keeps a session's tables and settings."""
    session = world.sessions.get(event.session_id)
    if session is None:
        world.ignore("change of a session that is not open")
        return
    write_held_of_session(world, session.session_id)
    session.catalog = event.catalog
    world.do(Persist(world.cause, _record(session)))


def on_session_seen(world: World, event: SessionSeen) -> None:
    """Renews the lease."""
    session = world.sessions.get(event.session_id)
    if session:
        session.seen_ms = world.now_ms
    else:
        world.do(Refuse(world.cause, session_not_found(event.session_id)))


def on_session_closed(world: World, event: SessionClosed) -> None:
    """Ends a session; one that does not exist is closed already (P3.4)."""
    session = world.sessions.get(event.session_id)
    if session:
        _end(world, session, "its session was closed")
    else:
        world.ignore("close of a session that is not open")


def on_session_due(world: World, session_id: str) -> None:
    """Ends a session that was not heard of for its lease; one with watchers is."""
    session = world.sessions[session_id]
    if session.watchers:
        session.seen_ms = world.now_ms
    if session.seen_ms + world.limits.session_lease_ms > world.now_ms:
        set_session_alarm(world, session)
        return
    lease_s = world.limits.session_lease_ms / 1000
    _end(world, session, f"its session expired after {lease_s:g} s without a call")


def _end(world: World, session: Session, how: str) -> None:
    world.alarms.clear(AlarmKind.SESSION, session.session_id)
    world.do(Forget(world.cause, session_key(session.session_id)))
    for job_id in list(session.job_ids):
        release_job(world, world.jobs[job_id], job_cancelled(how))
    close_uploads(world, session)
    del world.sessions[session.session_id]
    world.do(DropSession(world.cause, session.session_id))


def _record(session: Session) -> SessionRecord:
    return SessionRecord(session.session_id, session.opened_ms, session.catalog)


def set_session_alarm(world: World, session: Session) -> None:
    """Has a session end that is not heard of for its lease from when it was seen."""
    due_ms = session.seen_ms + world.limits.session_lease_ms
    world.alarms.set(AlarmKind.SESSION, session.session_id, due_ms)
