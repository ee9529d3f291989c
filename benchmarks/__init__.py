"""Benchmarks, run by hand: `./dev bench --scale 1`."""
