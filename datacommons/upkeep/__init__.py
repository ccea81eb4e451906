"""A commons as a whole: examined, exported, taken in, copied."""
