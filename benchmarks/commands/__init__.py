"""The benchmarks' commands, by what they measure; heavy modules are imported inside them."""
