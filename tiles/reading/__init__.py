"""From a file to the cells under the pixels of a tile, or in a polygon."""
