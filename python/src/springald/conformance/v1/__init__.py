"""Generated from the protobuf package springald.conformance.v1."""
