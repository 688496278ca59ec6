"""Who may ask what of the server, and what a browser is told of its answers."""
