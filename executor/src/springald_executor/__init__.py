"""The Springald executor: runs tasks in engine processes and serves their shuffle files."""
