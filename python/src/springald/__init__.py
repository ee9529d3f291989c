"""Springald: distributed SQL and DataFrames on Apache Arrow."""
