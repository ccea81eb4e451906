"""Layers and runs as STAC items."""
