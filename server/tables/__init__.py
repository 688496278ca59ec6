"""Requests and answers that are tables: CSV, NDJSON and Parquet."""
