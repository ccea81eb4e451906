"""From archives on the network to layers of a commons."""
