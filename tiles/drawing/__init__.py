"""From cells to a picture."""
