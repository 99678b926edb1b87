"""Gives faces stable numbers and smooth transforms over time."""
