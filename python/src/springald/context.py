"""The connection under datafusion-python's name."""

from springald.client import Connection, opened_session

__all__ = ["SessionContext"]


class SessionContext(Connection):
    """A connection that is made by its constructor, as programs for datafusion-python make one.

    Example:
        >>> with SessionContext() as ctx:
        ...     ctx.from_pydict({"a": [1, 2]}).count()
        2

    Args:
        url: As for `springald.connect()`: None means local mode.
        **settings: Settings to begin with.
    """

    def __init__(self, url: str | None = None, **settings: object) -> None:
        super().__init__(opened_session(url, settings))
