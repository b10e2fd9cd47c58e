"""How good a model is, and what is in a folder of examples."""
