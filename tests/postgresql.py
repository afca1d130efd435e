"""A PostgreSQL server that lives as long as the tests, and new databases on it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from apps.support.shop.database import Database


@contextmanager
def postgresql_server() -> Iterator[str]:
    """The URL in TEST_POSTGRESQL_URL, or that of a throw-away server from the installed programs."""
    given = os.environ.get("TEST_POSTGRESQL_URL")
    if given:
        yield given
        return
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    initdb = shutil.which("initdb") or (str(found[-1]) if found else None)
    if initdb is None:
        pytest.skip("no PostgreSQL: install its server, or set TEST_POSTGRESQL_URL")
    programs = Path(initdb).resolve().parent
    # PostgreSQL refuses to run as root; its own user runs it then.
    user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    folder = tempfile.mkdtemp(prefix="duet-postgresql-")
    if user:
        shutil.chown(folder, "postgres")
    server = [*user, str(programs / "pg_ctl"), "-D", f"{folder}/data", "-w"]
    quiet = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": "/"}
    subprocess.run(
        [*user, str(programs / "initdb"), "-D", f"{folder}/data", "-A", "trust", "-U", "duet", "-E", "UTF8"],
        **quiet,
    )
    options = f"-k {folder} -c listen_addresses='' -c fsync=off"
    subprocess.run([*server, "-o", options, "-l", f"{folder}/log", "start"], **quiet)
    try:
        yield f"postgresql://duet@/postgres?host={folder}"
    finally:
        subprocess.run([*server, "-m", "immediate", "stop"], **quiet)
        shutil.rmtree(folder, ignore_errors=True)


def new_database(server_url: str) -> str:
    """The URL of an empty database on the server."""
    url = Database(server_url).url
    name = f"shop_{uuid.uuid4().hex}"
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f'create database "{name}"'))
    admin.dispose()
    return url.set(database=name).render_as_string(hide_password=False)
