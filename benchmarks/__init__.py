"""Measurements of what the package claims, run by hand."""
