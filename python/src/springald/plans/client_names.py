"""Names that clients make up for what a person has given no name."""

from typing import Final

CLIENT_NAME_PREFIX: Final = "__springald_"
"""How they begin. Messages and listings leave them out, because nobody wrote them (clause P8.9)."""
