"""Generated from the protobuf package springald.plan."""
