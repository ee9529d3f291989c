"""One task, run by DataFusion."""
