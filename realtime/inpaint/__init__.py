"""Fills the hole and corrects the fill in crop space."""
