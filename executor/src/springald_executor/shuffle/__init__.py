"""Shuffle files: written by range, read in place or over Flight."""
