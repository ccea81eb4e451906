"""What a URL names, who may see it, and what is answered."""
