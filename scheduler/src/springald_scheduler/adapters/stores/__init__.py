"""Where a scheduler's state is kept: one interface, and memory, sqlite and etcd behind it."""
