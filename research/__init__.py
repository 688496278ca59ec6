"""Research: from a table to a fitted pipeline, its holdout and its scores."""
