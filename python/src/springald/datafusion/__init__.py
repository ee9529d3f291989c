"""Generated from the protobuf package springald.datafusion."""
