"""What can go wrong at the front door: each error says what was wrong, what was found and how to mend it."""

from __future__ import annotations


class DataCommonsError(Exception):
    """Base of every error that the front door raises on purpose."""


class NotACommons(DataCommonsError, FileNotFoundError):
    """The folder holds no ``commons.toml``, or no commons could be found from here."""


class FolderNotEmpty(DataCommonsError, FileExistsError):
    """A commons is only created in a new or an empty folder."""


class InvalidSettings(DataCommonsError, ValueError):
    """``commons.toml`` or a setting given to :func:`datacommons.init` cannot be used."""


class SourceNotFound(DataCommonsError, FileNotFoundError):
    """A file named by the user is not there."""


class InvalidRaster(DataCommonsError, ValueError):
    """A raster cannot become a layer: damaged, without CRS, empty, of another kind, or elsewhere."""


class InvalidVector(DataCommonsError, ValueError):
    """A vector file cannot become a layer: damaged, without CRS or features, crossing itself, or elsewhere."""


class InvalidLegend(DataCommonsError, ValueError):
    """A legend is missing, cannot be read, or contradicts that of the landscape."""


class InvalidIngest(DataCommonsError, ValueError):
    """The options of an ingest contradict each other or leave something open."""


class ItemExists(DataCommonsError, FileExistsError):
    """The commons has this layer already."""


class InvalidCatalog(DataCommonsError, ValueError):
    """A static catalog cannot be taken in: it is not whole, not STAC, or leads out of its folder."""


class LandscapeNotFound(DataCommonsError, LookupError):
    """The commons has no landscape of this name."""


class LayerNotFound(DataCommonsError, LookupError):
    """The landscape has no layer of this name or year."""


class RunNotFound(DataCommonsError, LookupError):
    """The commons has no run of this name."""


class LayerDamaged(DataCommonsError, OSError):
    """The file of a layer in the commons is missing or cannot be read."""


class SourceUnknown(DataCommonsError, LookupError):
    """There is no ready-made source of this name."""


class SampleUnknown(DataCommonsError, LookupError):
    """There is no sample of this name."""


class NotInstalled(DataCommonsError, ImportError):
    """A package is missing that only some need; says how it is installed."""


class RemoteFailed(DataCommonsError, OSError):
    """What lies on the network could not be read, though it was tried with patience."""


class BucketFailed(DataCommonsError, OSError):
    """A bucket cannot be read or written."""


class NotWritten(DataCommonsError, OSError):
    """A result could not be written; nothing of it was published."""


class PortTaken(DataCommonsError, OSError):
    """Another program listens where the server was to listen."""
