"""Watch what is asked and answered: drift, novelty, missing values, latency, accuracy."""
