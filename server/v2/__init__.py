"""The Open Inference Protocol V2 over REST: what model servers and their clients agree on."""
