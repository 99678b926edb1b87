"""TensorRT and TensorRT for RTX: finding the library, building engines, running them."""
