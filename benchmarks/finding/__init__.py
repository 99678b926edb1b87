"""How well faces are found: by size and roll, in groups, in real footage, and at what cost."""
