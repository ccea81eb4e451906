"""The open door: STAC API, tiles, files and page from one process."""
