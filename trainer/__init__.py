"""Data preparation, synthetic masks, training, evaluation and export of the networks."""
