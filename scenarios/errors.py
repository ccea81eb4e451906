"""What can go wrong in the engine. Every error is also a standard-library type, and says how to mend it."""

from __future__ import annotations


class ScenarioError(Exception):
    """Root of all errors of the scenario engine."""


class ScenarioInvalid(ScenarioError, ValueError):
    """A scenario file or one of its fields cannot be accepted."""


class ScenarioNotFound(ScenarioError, FileNotFoundError):
    """The scenario file, or a file that it names, is not there."""


class ClusterUnknown(ScenarioError, ValueError):
    """What was named is no way to work."""


class ClusterFailed(ScenarioError, RuntimeError):
    """The processes that were to work are not there, are not like this one, or died."""


class HistoryInvalid(ScenarioError, ValueError):
    """The land-cover history cannot be used to learn from."""
