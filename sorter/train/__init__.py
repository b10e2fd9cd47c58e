"""Training: data, the loop, metrics, export. Needs the extra `train`."""
