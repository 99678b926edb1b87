"""Puts a fill back into the frame, as sharp and grainy as its surroundings."""
