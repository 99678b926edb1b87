"""How fast the networks and the commands are."""
