"""Whole clusters in one thread: both cores, unchanged, and a world around them that is made up."""
