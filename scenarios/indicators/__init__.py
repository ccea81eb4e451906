"""Indicators: pure functions from a trajectory to numbers with a unit and a source."""
