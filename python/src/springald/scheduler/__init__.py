"""Generated from the protobuf package springald.scheduler."""
