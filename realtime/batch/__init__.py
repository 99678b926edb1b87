"""Unmasks many files, in processes here or on a Ray cluster."""
