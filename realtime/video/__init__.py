"""Unmasks a recorded video: every frame, in order."""
