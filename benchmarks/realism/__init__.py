"""Whether a result looks real: sharpness, seam, flicker, jitter."""
