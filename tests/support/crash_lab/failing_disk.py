"""A process that goes on with custody acts until its disk fails, and then says what still works.

Usage: ``python -m tests.support.crash_lab.failing_disk FOLDER ROUND``. The books in FOLDER have the rounds before. It
prints ``done ACT`` as the scenario does; ``refused CODE`` for each of two acts that the store refuses; ``read COUNT``,
the deliveries that can still be read; ``closed CODE`` when the books could not be opened at all; ``end`` at last.
"""

from __future__ import annotations

import sys
from pathlib import Path

from orchestrator.domain.errors import WardporterError
from tests.support.crash_lab.scenario import Books, ToldHouse, let_write_back_often, pause, say
from tests.support.deliveries import NOON


def main(folder: str, number: str) -> None:
    try:
        books = Books(Path(folder))
    except WardporterError as error:
        say(f"closed {error.code}")
    else:
        let_write_back_often(books.store)
        _go_on(books, int(number))
        books.close()
    say("end")


def _go_on(books: Books, number: int) -> None:
    try:
        ToldHouse(books, first_round=number).play(number)
    except WardporterError as error:
        say(f"refused {error.code}")
        try:
            with books.store.transaction() as uow:
                pause(uow, at=NOON)
        except WardporterError as again:
            say(f"refused {again.code}")
        with books.store.reading() as uow:
            say(f"read {len(uow.deliveries.page(after=None, limit=100, states=None))}")


if __name__ == "__main__":
    main(*sys.argv[1:])
