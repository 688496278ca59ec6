"""The stored inputs through another model file: what would be answered otherwise."""
