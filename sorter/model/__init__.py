"""A model folder, what it says of its network, and the rule that makes a label of scores."""
