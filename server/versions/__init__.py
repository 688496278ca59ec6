"""Several models behind one server: which of them answer, and how that is switched."""
