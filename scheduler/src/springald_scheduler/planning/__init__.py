"""From a statement to stages: the session's catalog, the engine's plan, and where it is cut."""
