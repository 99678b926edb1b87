"""Reads and writes video files and pictures."""
