"""Whole files through a model: read by ranges, checked, answered on all cores, written in parts."""
