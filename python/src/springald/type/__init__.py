"""Generated from the protobuf package springald.type."""
