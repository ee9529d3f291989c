"""Between protocol messages and core types, the only place that knows both."""
