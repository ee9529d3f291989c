"""Generated from the protobuf package springald.etcd.v1."""
