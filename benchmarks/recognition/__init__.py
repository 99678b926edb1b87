"""Benchmarks of the feed for face recognition."""
