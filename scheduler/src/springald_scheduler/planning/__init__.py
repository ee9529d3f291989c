"""SQL to physical plan to stages."""
