"""Step 4: which cells make the transitions that the demand asks for."""
