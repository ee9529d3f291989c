"""What the nox sessions run beside ready-made tools; no distribution contains it."""
