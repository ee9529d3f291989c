"""What answers queries, each place in a process of its own: engine, cluster, competitors."""
