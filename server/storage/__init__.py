"""The DuckDB file: opened, laid out, written by one thread, read from snapshots."""
