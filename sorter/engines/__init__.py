"""What turns pixels into logits: ONNX Runtime, OpenVINO, torch; which there are and whether they agree."""
