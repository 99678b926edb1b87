"""Varies training samples: poses, masks, holes, headgear, light."""
