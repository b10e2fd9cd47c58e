"""Training: recipes, learners, the loop, retraining. Whole networks need the extra `train`."""
