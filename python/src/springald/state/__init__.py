"""Generated from the protobuf package springald.state."""
