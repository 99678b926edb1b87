"""A clip with a known answer, unmasked and compared."""
