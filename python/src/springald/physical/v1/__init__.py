"""Generated from the protobuf package springald.physical.v1."""
