"""The FSE journal without Odoo: bytes of a CSV or XLSX file in, checked FSE and row issues out."""

from .reader import Act, Fse, Issue, Journal, JournalError, looks_like_journal, read_journal

__all__ = ["Act", "Fse", "Issue", "Journal", "JournalError", "looks_like_journal", "read_journal"]
