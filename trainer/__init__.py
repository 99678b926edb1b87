"""Data preparation, synthetic masks, training, evaluation and export of unmask-video's networks."""
