"""The losses, the discriminators and the recogniser."""
