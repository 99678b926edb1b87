"""Maps between the frame and the canonical 128x128 crop."""
