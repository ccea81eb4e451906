"""Hindcasts: what the model says of a date that it did not see, and what that is worth."""
