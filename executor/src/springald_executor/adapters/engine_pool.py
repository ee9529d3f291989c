"""Engines behind one interface: as processes, or as threads of this process for local mode."""

from collections.abc import Callable
from typing import Protocol

from springald_executor.core.events import Event
from springald_executor.core.model import TaskRequest

Post = Callable[[Event], None]


class EnginePool(Protocol):
    """Whoever runs engines. Nothing here waits; news comes as events."""

    def begin(self, post: Post) -> None:
        """Takes whom to tell."""

    def start(self, engine_id: int) -> None:
        """Starts an engine; `EngineReady` or `EngineDied` follows."""

    def stop(self, engine_id: int) -> None:
        """Kills an engine; `EngineDied` follows."""

    def run(self, engine_id: int, request: TaskRequest) -> None:
        """Hands an attempt to an engine; `TaskRan`, `TaskBroke` or `EngineDied` follows."""

    def watch(self) -> None:
        """Looks whether an engine has outgrown its task's share; called now and then."""

    def close(self) -> None:
        """Kills all engines and waits until they are gone; no event follows."""
