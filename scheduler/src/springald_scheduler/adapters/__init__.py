"""The edges: gRPC, Flight, state stores."""
