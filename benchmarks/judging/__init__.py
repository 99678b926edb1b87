"""Results judged by eye, one face at a time: `sheet --judge`."""
