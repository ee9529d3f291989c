"""Generated from the protobuf package springald.state.v1."""
