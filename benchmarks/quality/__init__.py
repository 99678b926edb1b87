"""How good the networks' results are on held-out faces."""
