"""The commands that look after a commons as a whole."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from datacommons.commands.options import CommonsOption

catalog_commands = typer.Typer(help="The catalog as a whole.", no_args_is_help=True)

LinkOption = Annotated[bool, typer.Option("--link", help="Hard links to the files instead of copies, where possible.")]


def init(
    folder: Annotated[Path, typer.Argument(help="Folder to create; it may exist if it is empty.")],
    name: Annotated[str | None, typer.Option(help="Name shown to people.", show_default="the folder's")] = None,
    landscape: Annotated[
        str | None, typer.Option(help="Name of the first landscape.", show_default="the folder's")
    ] = None,
    contact: Annotated[str, typer.Option(help="Whom to ask.")] = "",
    licence: Annotated[str, typer.Option(help="SPDX identifier of the layers' licence, or 'other'.")] = "other",
    access: Annotated[str, typer.Option(help="Access label of what is ingested.")] = "public",
    language: Annotated[str, typer.Option(help="Language of titles.")] = "en",
) -> None:
    """Create a commons."""
    import datacommons
    from datacommons.commands.display import print_line

    with datacommons.init(
        folder,
        name=name,
        landscape=landscape,
        contact=contact,
        licence=licence,
        default_access=access,
        language=language,
    ) as commons:
        print_line(f"Created the commons {commons.settings.name!r} in {folder}.")


def doctor(
    repair: Annotated[bool, typer.Option("--repair", help="Mend what can be mended without loss.")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Compare sizes of files, not their checksums.")] = False,
    commons: CommonsOption = None,
) -> None:
    """Examine the catalog, the files, and whether they agree."""
    from datacommons.commands.display import print_findings
    from datacommons.founding import open_as_is
    from datacommons.settings import find_commons
    from datacommons.upkeep.doctor import examine

    with open_as_is(find_commons(commons, Path.cwd())) as opened:
        findings = examine(opened, repair=repair, checksums=not quick, progress=True)
    print_findings(findings)
    if not all(finding.repaired for finding in findings):
        raise typer.Exit(1)


def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to make.", show_default=False)],
    public: Annotated[bool, typer.Option("--public", help="Only what everybody may see.")] = False,
    link: LinkOption = False,
    replace: Annotated[bool, typer.Option("--replace", help="Replace an earlier export.")] = False,
    commons: CommonsOption = None,
) -> None:
    """Write the commons as a static STAC catalog, which needs no server."""
    from datacommons.commands.display import print_line
    from datacommons.founding import open_commons
    from datacommons.settings import find_commons
    from datacommons.upkeep.holdings import count_hidden, hold_commons
    from datacommons.upkeep.static import write_static

    with open_commons(find_commons(commons, Path.cwd())) as opened:
        written = write_static(hold_commons(opened, public=public), folder, link=link, replace=replace)
        hidden = 0 if public else count_hidden(opened)
    print_line(f"Wrote {written:,} items to {folder}.")
    if hidden:
        print_line(f"  note: {hidden:,} of them are not public, and files know no labels; --public leaves them out")


def import_(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A static STAC catalog.", show_default=False)],
    link: LinkOption = False,
    replace: Annotated[bool, typer.Option("--replace", help="Replace items of the same name.")] = False,
    commons: CommonsOption = None,
) -> None:
    """Take a static STAC catalog into the commons, all of it or nothing; a new --commons is created."""
    from datacommons.commands.display import print_line
    from datacommons.founding import open_commons
    from datacommons.settings import SETTINGS_FILE, find_commons
    from datacommons.upkeep.static import read_static
    from datacommons.upkeep.transfer import found_from, take_in

    holdings = read_static(folder)
    if commons is not None and not (commons / SETTINGS_FILE).exists():
        count = found_from(commons, holdings, link=link)
    else:
        with open_commons(find_commons(commons, Path.cwd())) as opened:
            count = take_in(opened, holdings, link=link, replace=replace)
    print_line(f"Took in {count:,} items.")


@catalog_commands.command()
def copy(
    source: Annotated[str, typer.Argument(metavar="FROM", help="Commons, static catalog, .sqlite, postgresql://.")],
    target: Annotated[str, typer.Argument(metavar="TO", help="New folder, .sqlite or postgresql://.")],
    static: Annotated[bool, typer.Option("--static", help="Make a static catalog of the folder.")] = False,
    link: LinkOption = False,
    replace: Annotated[bool, typer.Option("--replace", help="Replace an earlier export.")] = False,
) -> None:
    """Copy a commons or its catalog to another place; nothing is lost."""
    from datacommons.commands.display import print_line
    from datacommons.upkeep.transfer import copy_catalog

    count = copy_catalog(source, target, static=static, link=link, replace=replace)
    print_line(f"Copied {count:,} items to {target}.")


@catalog_commands.command()
def migrate(
    address: Annotated[
        str | None, typer.Argument(metavar="ADDRESS", help="A postgresql:// database.", show_default="the commons'")
    ] = None,
    commons: CommonsOption = None,
) -> None:
    """Make a PostgreSQL database ready to hold a catalog, or bring it up to date."""
    from catalog.pgstac.migration import migrate as migrate_database
    from datacommons.commands.display import print_line
    from datacommons.errors import InvalidSettings
    from datacommons.settings import find_commons, locate_catalog, read_settings

    if address is None:
        root = find_commons(commons, Path.cwd())
        address = locate_catalog(root, read_settings(root))
    if not address.startswith("postgresql://"):
        raise InvalidSettings(
            "The catalog of this commons is a file, which is always up to date. "
            "Name a database, as postgresql://user@host/database."
        )
    print_line(f"The database is ready: pgSTAC {migrate_database(address)}.")
