"""How live preview keeps up with a camera."""
