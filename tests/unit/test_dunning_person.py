"""One page for two practitioners: only for a person who is certainly the same."""

import pytest

from dunning.person import mobile, same_contact, same_name


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("DURAND Anne", "Mme Anne Durand", True),
        ("LEFÈVRE-ROY Zoé", "Lefevre Roy Zoe", True),
        # twins share number, birth date and their parents' address
        ("DE LA TOUR Anne", "DE LA TOUR Léa", False),
        ("Mme DURAND Anne", "Mme DURAND Léa", False),
        ("DURAND Jean", "DURAND Jean-Paul", False),
        ("DURAND", "DURAND", False),
        ("", "", False),
        ("M. Durand", "Mr Durand", False),
    ],
)
def test_same_name(one, other, same):
    assert same_name(one, other) is same
    assert same_name(other, one) is same


@pytest.mark.parametrize(
    ("written", "digits"),
    [
        ("06 12 34 56 78", "612345678"),
        ("+33 (0)6.12.34.56.78", "612345678"),
        ("0033712345678", "712345678"),
        ("612345678", "612345678"),
        ("01 23 45 67 89", ""),
        ("06 12 34 56", ""),
        ("", ""),
    ],
)
def test_mobile(written, digits):
    assert mobile(written) == digits


def test_same_contact():
    assert same_contact("A@x.fr ", "", "a@X.fr", "0612345678")
    assert same_contact("", "+33612345678", "b@x.fr", "06 12 34 56 78")
    # a landline is a household's, nothing known is nobody's
    assert not same_contact("", "0123456789", "", "01 23 45 67 89")
    assert not same_contact("", "", "", "")
    assert not same_contact("a@x.fr", "", "b@x.fr", "")
