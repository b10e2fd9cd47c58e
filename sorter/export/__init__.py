"""A network's ONNX files, float32 and int8, and proof that they agree."""
