"""Long videos, killed processes and broken files."""
