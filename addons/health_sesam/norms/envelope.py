"""What a file travels in: gzip, zlib, base64, MIME parts, one inside the other."""

import base64
import binascii
import email
import email.policy
import re
import zlib

from .codec import codes, layout
from .errors import NormError

MAX_BYTES = 50 * 1024 * 1024
_MAX_DEPTH = 6
_GZIP = b"\x1f\x8b"
_MIME_HEADER = re.compile(rb"\s{0,16}[A-Za-z][A-Za-z0-9-]{1,60}:[ \t\r\n]")
_MIME_BODY = re.compile(rb"(?im)^(content-type|content-transfer-encoding):")
_BASE64 = re.compile(rb"[A-Za-z0-9+/\s]+={0,2}\s*")
_BASE64_AT_LEAST = 27


def unwrap(content):
    """Files that ``content`` holds, out of their wrapping; ``[content]`` when it has none.

    :raises NormError: too big once unwrapped, damaged compression, wrapping too deep
    """
    return _unwrap(bytes(content), 0)


def recognise(content):
    """``"b2"``, ``"noemie"`` or None, from the header record; never raises."""
    try:
        for part in unwrap(content):
            kind = _kind(part)
            if kind:
                return kind
    except NormError:
        return None
    return None


def strip_text(content):
    """One-byte text without line breaks nor leading blanks."""
    text = content.decode("latin-1")
    text = text[leading_blanks(text) :]
    if "\n" in text or "\r" in text:
        text = text.replace("\r", "").replace("\n", "")
    return text


def leading_blanks(text):
    """Number of characters before the first record: blanks and the UTF-8 mark (read as three)."""
    return len(text) - len(text.removeprefix("\xef\xbb\xbf").lstrip(" \t\r\n"))


def _kind(content):
    header = layout("b2")["B2.000"]
    text = strip_text(content[: 2 * header.length])
    if len(text) < header.by_key["dest_type"].end or not header.matches(text):
        return None
    fields = {
        key: text[field.start - 1 : field.start - 1 + field.length]
        for key, field in header.by_key.items()
    }
    if fields["norm_version"] == layout("b2")["B2.000"].by_key["norm_version"].default:
        return "b2"
    if fields["sender_type"] in codes()["b2_sender_types"]["values"]:
        return "b2"
    if fields["sender_type"] in codes()["payer_types"]["values"]:
        return "noemie"
    return None


def _unwrap(content, depth):
    if len(content) > MAX_BYTES:
        raise NormError(
            f"Fichier trop gros : plus de {MAX_BYTES // 1024 // 1024} Mo",
            advice="Rien n'a été enregistré ; découpez le fichier.",
        )
    if depth > _MAX_DEPTH:
        raise NormError("Trop d'enveloppes imbriquées")
    if _kind(content):
        return [content]
    if content[:2] == _GZIP:
        return _unwrap(_inflate(content, 31), depth + 1)
    if _is_zlib(content):
        try:
            return _unwrap(_inflate(content, 15), depth + 1)
        except NormError:
            # A text may begin with the two bytes of zlib: let it be what it is.
            if content[:1] != b"\x78" or content[1:2] in b"\x01\x5e":
                return [content]
            raise
    if _MIME_HEADER.match(content) and _MIME_BODY.search(content[:65536]):
        parts = _mime_parts(content)
        if parts:
            opened = [file for part in parts for file in _unwrap(part, depth + 1)]
            known = [file for file in opened if _kind(file)]
            return known or opened
    decoded = _base64(content)
    if decoded is not None:
        opened = _unwrap(decoded, depth + 1)
        if any(_kind(file) for file in opened):
            return opened
    return [content]


def _is_zlib(content):
    return (
        len(content) > 6
        and content[0] & 0x0F == 8
        and content[0] >> 4 <= 7
        and (content[0] * 256 + content[1]) % 31 == 0
    )


def _inflate(content, wbits):
    """Decompressed bytes, several members included, never more than the ceiling in memory."""
    out = bytearray()
    data = content
    try:
        while data:
            worker = zlib.decompressobj(wbits)
            out += worker.decompress(data, MAX_BYTES + 1 - len(out))
            if len(out) > MAX_BYTES:
                raise NormError(
                    f"Fichier trop gros une fois décompressé : plus de {MAX_BYTES >> 20} Mo",
                    advice="Rien n'a été enregistré ; découpez le fichier.",
                )
            if not worker.eof:
                raise NormError("Fichier compressé tronqué", byte=len(content))
            data = worker.unused_data
            if data[:2] != _GZIP or wbits != 31:
                break  # padding after the last member
    except zlib.error as error:
        raise NormError("Fichier compressé endommagé") from error
    return bytes(out)


def _mime_parts(content):
    """Decoded leaves of a message, attachments first; empty when it is no message at all."""
    try:
        message = email.message_from_bytes(content, policy=email.policy.compat32)
        leaves = [part for part in message.walk() if not part.is_multipart()]
        if not message.is_multipart() and not message.get("Content-Transfer-Encoding"):
            return [content.split(b"\n\r\n", 1)[-1].split(b"\n\n", 1)[-1]]
        return [payload for part in leaves if (payload := part.get_payload(decode=True))]
    except (ValueError, LookupError, TypeError, AttributeError, RuntimeError):
        # The standard parser is not meant for hostile input and raises many kinds.
        return []


def _base64(content):
    if len(content) < _BASE64_AT_LEAST or not _BASE64.fullmatch(content):
        return None
    try:
        return base64.b64decode(b"".join(content.split()), validate=True)
    except (binascii.Error, ValueError):
        return None
