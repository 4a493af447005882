"""What goes wrong on the way, said to a person."""

import errno

import paramiko

from odoo.exceptions import UserError


class ExchangeError(UserError):
    """The far side cannot be reached, refuses, or broke on the way; the text says what to do."""


class UnknownHost(ExchangeError):
    """The key of the server is not the one that was accepted; nothing was said to it."""

    def __init__(self, message, seen):
        super().__init__(message)
        self.seen = seen


def reason(env, error):
    """What broke, in a few words. Never the text of a server: it may hold anything."""
    if isinstance(error, TimeoutError):
        return env._("no answer")
    number = getattr(error, "errno", None)
    if number in (errno.ENOSPC, errno.EDQUOT):
        return env._("No space left on the disk")
    if number in (errno.EACCES, errno.EPERM):
        return env._("access refused")
    if number == errno.EROFS:
        return env._("can be read only")
    if number == errno.ENOENT:
        return env._("no such file or folder")
    if number in (errno.ENOTDIR, errno.EEXIST):
        return env._("a file already bears this name")
    if isinstance(error, EOFError | ConnectionError | paramiko.SSHException):
        return env._("line cut")
    return errno.errorcode.get(number) or type(error).__name__
