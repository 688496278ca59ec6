"""The commands beside serving: ``python -m server <command>``."""
