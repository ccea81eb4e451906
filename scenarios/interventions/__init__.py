"""Step 5: what the partnership's plans and the rules of conversion bar, add and slow down."""
