"""Exports networks to ONNX and TFLite, prunes and quantises them."""
