"""Keep the log healthy for years: space, backups, retention, erasure, and what is wrong with it."""
