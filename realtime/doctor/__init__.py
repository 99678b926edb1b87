"""Checks what works on this machine, and says how to fix what does not."""
