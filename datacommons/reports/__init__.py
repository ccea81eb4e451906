"""What a hindcast says, as one HTML file."""
