"""What turned out to be true: labels come in, and what was predicted is held against them."""
