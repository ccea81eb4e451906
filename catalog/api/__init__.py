"""The STAC API on a catalog store."""
