"""Pixel helpers that know nothing of faces or time."""
