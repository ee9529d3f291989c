"""Between protocol messages and what Python code works with."""
