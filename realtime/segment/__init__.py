"""Decides which pixels are mask, and whether one is worn."""
