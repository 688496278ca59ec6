"""SQL from users: checked, run within limits, answered as a page or a file."""
