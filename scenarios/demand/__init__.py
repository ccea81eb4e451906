"""Steps 1 and 2: what changed into what, and how much of it every year to come."""
