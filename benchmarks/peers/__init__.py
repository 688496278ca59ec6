"""The server beside its peers: each in an environment of its own, on the same model and rows."""
