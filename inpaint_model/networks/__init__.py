"""The networks as torch modules, for training and export."""
