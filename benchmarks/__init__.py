"""FPS, latency and quality measurements: each prints a table and writes JSON."""
