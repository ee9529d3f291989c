"""The edges: gRPC, Flight, engine processes."""
