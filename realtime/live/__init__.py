"""Live preview: the newest frame wins, and dropped frames are counted."""
