"""The deterministic state machine: events in, ordered actions out, standard library only."""
