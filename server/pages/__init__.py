"""The pages of the model and of one prediction, and the form to try it."""
