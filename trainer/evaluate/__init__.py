"""Measures generators under named protocols."""
