"""Live preview: the newest frame wins, what is left out is counted, and it stops cleanly."""
