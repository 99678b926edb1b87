"""Prepared faces: crops with landmarks, and backgrounds without people."""
