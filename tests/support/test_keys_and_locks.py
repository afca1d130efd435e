"""Keys, and the lock that leaves the desks to one process, on each kind of database."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import pytest

from apps import api_keys
from apps.auth import Access, AuthError, Scope, UnprotectedServerError
from apps.support.errors import DatabaseNotReadyError
from apps.support.shop.database import Database
from apps.support.shop.locks import Work, only_one


def test_a_key_is_found_until_it_is_revoked(empty_database: Database) -> None:
    stored = api_keys.StoredKeys(empty_database)
    assert not stored.any()
    with empty_database.write() as session:
        key = api_keys.create(session, "shop", [Scope.TRUSTED, Scope.DESK])
    found = stored.find(key)
    assert found is not None
    assert (found.name, found.scopes) == ("shop", {Scope.TRUSTED, Scope.DESK})
    assert stored.any()
    for wrong in (key[:-1], key + "x", "", "\x00", "\ud800", "' or 1=1 --"):
        assert stored.find(wrong) is None
    with empty_database.write() as session:
        api_keys.revoke(session, "shop")
    assert stored.find(key) is None
    assert not stored.any()


def test_a_server_for_others_asks_for_a_key_even_when_the_last_one_is_gone(empty_database: Database) -> None:
    stored = api_keys.StoredKeys(empty_database)
    for_others, for_this_machine = Access("0.0.0.0", (), stored), Access("127.0.0.1", (), stored)
    with pytest.raises(UnprotectedServerError, match="duet keys create"):
        for_others.check_listening()
    for_this_machine.check_listening()
    assert for_this_machine.caller(None, "localhost:8000").allows(Scope.ADMIN)
    with pytest.raises(AuthError):
        for_others.caller(None, "localhost:8000")
    with empty_database.write() as session:
        api_keys.create(session, "shop", [Scope.DESK])
    for_others.check_listening()


def test_nobody_is_let_in_while_the_keys_cannot_be_looked_up(empty_database: Database) -> None:
    with empty_database.engine.begin() as connection:
        connection.exec_driver_sql("drop table api_keys")
    access = Access("127.0.0.1", ("configured",), api_keys.StoredKeys(empty_database))
    assert access.caller("Bearer configured", None).allows(Scope.ADMIN)
    without = Access("127.0.0.1", (), api_keys.StoredKeys(empty_database))
    for header in (None, "Bearer x"):
        with pytest.raises(DatabaseNotReadyError):
            without.caller(header, "localhost")


def test_the_desks_are_left_to_one_process_and_freed_when_it_is_killed(empty_database: Database) -> None:
    url = empty_database.url.render_as_string(hide_password=False)
    program = (
        "import sys, threading, time\n"
        "from apps.support.shop.database import Database\n"
        "from apps.support.shop.locks import Work, only_one\n"
        "with only_one(Database(sys.argv[1]), Work.DESKS, threading.Event()) as held:\n"
        "    print('held' if held else 'not', flush=True)\n"
        "    time.sleep(600)\n"
    )
    other = subprocess.Popen([sys.executable, "-c", program, url], stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        stop = threading.Event()
        threading.Timer(0.5, stop.set).start()
        with only_one(empty_database, Work.DESKS, stop) as held:
            assert held is None
    finally:
        other.kill()
        other.communicate()
    started = time.monotonic()
    with only_one(empty_database, Work.DESKS, threading.Event()) as held:
        assert held is not None
        assert held()
    assert time.monotonic() - started < 30
