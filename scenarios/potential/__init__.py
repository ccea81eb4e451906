"""Step 3: the relative chance of each cell to make a transition, learned from the history."""
