"""From a scenario to a published run, and back."""
