"""Generated from the protobuf package springald.error."""
