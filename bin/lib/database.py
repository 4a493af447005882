"""Databases of the checkout: exists NAME | copy SOURCE NAME | drop NAME | prepare NAME | list; their files go along."""

import os
import shutil
import sys
from pathlib import Path

import psycopg2
from psycopg2 import sql

FILESTORE = Path(os.environ["FACTURIERE_HOME"], "data", "filestore")
ADDONS = Path(os.environ["FACTURIERE_ROOT"], "addons")


def connect():
    connection = psycopg2.connect(dbname="postgres")
    connection.autocommit = True
    return connection


def exists(cursor, name):
    cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
    return cursor.fetchone() is not None


def drop(cursor, name):
    cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
    shutil.rmtree(FILESTORE / name, ignore_errors=True)


def copy(cursor, source, name):
    drop(cursor, name)
    cursor.execute(
        sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
            sql.Identifier(name), sql.Identifier(source)
        )
    )
    if (FILESTORE / source).exists():
        shutil.copytree(FILESTORE / source, FILESTORE / name)


def rename(cursor, source, name):
    drop(cursor, name)
    cursor.execute(
        sql.SQL("ALTER DATABASE {} RENAME TO {}").format(
            sql.Identifier(source), sql.Identifier(name)
        )
    )
    if (FILESTORE / source).exists():
        (FILESTORE / source).rename(FILESTORE / name)


def prepare(name):
    """What has to be done in a database before Odoo updates it."""
    with psycopg2.connect(dbname=name) as connection, connection.cursor() as cursor:
        for path in sorted(ADDONS.glob("*/migrations/before-update.sql")):
            cursor.execute(path.read_text())


def main(command, *names):
    if command == "prepare":
        return prepare(*names)
    with connect().cursor() as cursor:
        if command == "exists":
            return 0 if exists(cursor, *names) else 1
        if command == "list":
            cursor.execute("SELECT datname FROM pg_database WHERE NOT datistemplate ORDER BY 1")
            print("\n".join(row[0] for row in cursor.fetchall()))
        else:
            {"copy": copy, "drop": drop, "rename": rename}[command](cursor, *names)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
