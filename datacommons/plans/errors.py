"""What can go wrong with a visitor's plan, and which HTTP status that is."""

from __future__ import annotations

from typing import Final

from datacommons.errors import DataCommonsError
from scenarios.errors import ScenarioInvalid


class PlanError(DataCommonsError):
    """Base of the errors of plans. Its message is shown to strangers: no paths in it, nor names of what is hidden."""


class PlanInvalid(PlanError, ValueError):
    """What is planned cannot be: the message says what was found, and how to mend it."""


class PlanNotFound(PlanError, LookupError):
    """There is no such plan, landscape or run, as far as this visitor may know, or it is no longer kept."""


class PlanTooLarge(PlanError, ValueError):
    """The plan, or the landscape, is larger than this server takes on."""


class PlansBusy(PlanError, BlockingIOError):
    """Too many plans wait already.

    Parameters
    ----------
    message : str
    retry_after_s : int
        When to ask again.
    """

    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


HTTP_STATUS: Final[dict[type[Exception], int]] = {
    PlanInvalid: 400,
    ScenarioInvalid: 400,
    PlanNotFound: 404,
    PlanTooLarge: 413,
    PlansBusy: 429,
}
"""Error to HTTP status."""
