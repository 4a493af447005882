"""What files travel in."""

import base64
import gzip
import zlib
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from norms import NormError, b2, envelope, noemie

NOEMIE = noemie.write(
    noemie.NoemieFile(sender_no="1", dest_no="2", file_id="A", created_on=date(2026, 3, 1))
)
B2 = b2.write(b2.B2File(sender_no="1", dest_no="2", file_id="A", created_on=date(2026, 3, 1)))


def part(content, kind="application/EDI-consent"):
    return (
        f"Content-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n"
        f"Content-Description: IRIS/B2\r\n\r\n"
    ).encode() + base64.encodebytes(content).replace(b"\n", b"\r\n")


def message(*parts):
    head = b"From: a@b.fr\r\nSubject: IR/1\r\nMIME-Version: 1.0\r\n"
    head += b'Content-Type: multipart/mixed; boundary="XX"\r\n\r\n'
    text = b"Content-Type: text/plain\r\n\r\nBonjour\r\n"
    body = b"".join(b"--XX\r\n" + item + b"\r\n" for item in (text, *parts))
    return head + body + b"--XX--\r\n"


WRAPPINGS = {
    "plain": lambda x: x,
    "gzip": gzip.compress,
    "zlib": zlib.compress,
    "base64": base64.b64encode,
    "base64 lines": base64.encodebytes,
    "mime part": part,
    "mime part of gzip": lambda x: part(gzip.compress(x)),
    "message": lambda x: message(part(gzip.compress(x))),
    "gzip of a message": lambda x: gzip.compress(message(part(x))),
}


@pytest.mark.parametrize("wrap", WRAPPINGS.values(), ids=WRAPPINGS)
@pytest.mark.parametrize(("content", "kind"), [(NOEMIE, "noemie"), (B2, "b2")])
def test_unwrap_and_recognise(wrap, content, kind):
    wrapped = wrap(content)
    assert envelope.unwrap(wrapped) == [content]
    assert envelope.recognise(wrapped) == kind


def test_a_message_may_hold_several_files():
    assert envelope.unwrap(message(part(NOEMIE), part(gzip.compress(B2)))) == [NOEMIE, B2]


def test_line_breaks_blanks_and_a_mark_do_not_hide_a_file():
    assert envelope.recognise(b"\xef\xbb\xbf\r\n" + NOEMIE) == "noemie"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"000",
        b"provider_no;fse_no\n1;2\n",
        b"\x89PNG\r\n\x1a\n" + bytes(200),
        b"<?xml version='1.0'?><Document/>",
        b"000XX" + b"0" * 200,
        b"%PDF-1.4\n",
    ],
)
def test_other_files_are_left_alone(content):
    assert envelope.recognise(content) is None
    assert envelope.unwrap(content) == [content]


def test_a_truncated_file_is_still_recognised():
    assert envelope.recognise(NOEMIE[:100]) == "noemie"


def test_too_big():
    with pytest.raises(NormError, match="trop gros"):
        envelope.unwrap(bytes(envelope.MAX_BYTES + 1))


def test_a_bomb_is_refused():
    bomb = gzip.compress(bytes(envelope.MAX_BYTES + 10_000_000))
    with pytest.raises(NormError, match="trop gros"):
        envelope.unwrap(bomb)


def test_too_deep():
    content = NOEMIE
    for _turn in range(9):
        content = gzip.compress(content)
    with pytest.raises(NormError, match="imbriquées"):
        envelope.unwrap(content)


@pytest.mark.parametrize("cut", [3, 12, 40])
def test_damaged_compression(cut):
    with pytest.raises(NormError, match="compressé"):
        envelope.unwrap(gzip.compress(NOEMIE)[:-cut])


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.sampled_from([b"", b"\x1f\x8b", b"\x78\x9c", b"Content-Type: "]))
def test_random_bytes_never_crash(content, start):
    assert envelope.recognise(start + content) in (None, "b2", "noemie")
    try:
        assert isinstance(envelope.unwrap(start + content), list)
    except NormError:
        pass
