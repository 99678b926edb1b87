"""CUDA on an NVIDIA GPU: the driver, memory and streams, captured graphs."""
