"""A PostgreSQL of our own for the tests: a cluster in a temporary folder, on loopback, stopped at the end."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

PROGRAMS = Path("/usr/lib/postgresql/15/bin")
TEMPLATE = "catalog_template"


@dataclass(frozen=True)
class Cluster:
    """A running PostgreSQL, with a database that is ready to hold a catalog."""

    port: int
    _numbers: Iterator[int]

    def address(self, database: str) -> str:
        """Return where a database is."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    @contextmanager
    def database(self) -> Iterator[str]:
        """Make a database that is ready to hold a catalog, and yield its address."""
        import psycopg

        name = f"catalog_{next(self._numbers)}"
        with psycopg.connect(self.address("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE {TEMPLATE}')
            try:
                yield self.address(name)
            finally:
                connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def find_lack() -> str:
    """Say what is missing to run PostgreSQL here; empty if nothing is."""
    if not (PROGRAMS / "postgres").is_file():
        return "PostgreSQL 15 is not installed (Debian: postgresql, postgresql-15-postgis-3)"
    if not Path("/usr/share/postgresql/15/extension/postgis.control").is_file():
        return "PostGIS is not installed (Debian: postgresql-15-postgis-3)"
    return ""


@contextmanager
def run_cluster() -> Iterator[Cluster]:
    """Run a cluster whose superuser is ``postgres``. It trusts who reaches it, and only this machine can."""
    from catalog.pgstac.migration import migrate

    folder = Path(tempfile.mkdtemp(prefix="datacommons-postgres-"))
    try:
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        data, log = folder / "data", folder / "log"
        _call("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        port = _find_port()
        settings = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
        _call("pg_ctl", "-D", data, "-l", log, "-w", "-o", settings, "start")
        try:
            cluster = Cluster(port, count())
            _call("createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "postgres", TEMPLATE)
            migrate(cluster.address(TEMPLATE))
            yield cluster
        finally:
            _call("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _call(program: str, *arguments: str | Path) -> None:
    # PostgreSQL refuses to run as root.
    user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    command = [*user, str(PROGRAMS / program), *map(str, arguments)]
    done = subprocess.run(command, cwd="/", check=False, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise RuntimeError(f"{program} failed: {done.stderr}")


def _find_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
