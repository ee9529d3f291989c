"""Generated from the protobuf package springald.executor.v1."""
