"""From the user's files to layers of a commons."""
