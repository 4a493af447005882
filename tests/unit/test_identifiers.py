"""Numbers that name people, funds and establishments; all synthetic."""

import identifiers as ids
import pytest


@pytest.mark.parametrize(
    ("nir", "key"),
    [
        ("2990199999001", "57"),
        ("1990199999999", "79"),
        ("199012A999001", "36"),
        ("299012B999002", "12"),
        # a minor who asks for anonymity
        ("1555555131333", "50"),
        ("2555555131333", "97"),
    ],
)
def test_nir_and_its_key(nir, key):
    assert ids.is_nir(nir)
    assert ids.nir_key(nir) == key
    assert ids.is_nir_with_key(f"{nir[0]} {nir[1:5]} {nir[5:]} {key}")
    assert not ids.is_nir_with_key(nir + f"{int(key) % 97 + 1:02d}")


def test_temporary_numbers_are_taken_and_told_apart():
    assert ids.is_nir("7990199999001") and ids.is_temporary_nir("7990199999001")
    assert not ids.is_temporary_nir("2990199999001")
    assert not ids.is_temporary_nir("9990199999001"), "an AME number is no waiting number"


@pytest.mark.parametrize(
    "wrong", ["", None, "299019999900", "29901999990011", "299012C999002", "X"]
)
def test_what_is_no_nir(wrong):
    assert not ids.is_nir(wrong)
    with pytest.raises(ValueError):
        ids.nir_key(wrong)


@pytest.mark.parametrize(
    ("check", "right", "wrong"),
    [
        (ids.is_provider_no, "123456782", "123456783"),
        (ids.is_adeli, "123456782", "12345678"),
        (ids.is_finess, "123456782", "12345678A"),
        (ids.is_rpps, "10000000017", "10000000018"),
        (ids.is_prescriber_no, "10000000017", "1000000001"),
        (ids.is_prescriber_no, "123456782", "999999999"),
        (ids.is_siren, "732829320", "732829321"),
        (ids.is_siret, "73282932000074", "73282932000075"),
        (ids.is_iban, "FR7630006000011234567890189", "FR7630006000011234567890188"),
        (ids.is_fund_no, "01751", "11751"),
        (ids.is_fund_no, "017510000", "0175100"),
        (ids.is_amc_no, "0099999999", "1234567"),
    ],
)
def test_numbers_with_a_key_or_a_shape(check, right, wrong):
    assert check(right)
    assert not check(wrong)
    assert not check("")
    assert not check(None)


def test_corsican_establishments_keep_their_key_in_the_numeric_form():
    numeric = "200100001"
    body = numeric[:8]
    key = next(str(digit) for digit in range(10) if ids.is_finess(body + str(digit)))
    assert ids.is_finess("2A00" + body[4:] + key)
    assert not ids.is_finess("2A00" + body[4:] + str((int(key) + 1) % 10))


def test_blanks_and_dots_do_not_count():
    assert ids.plain(" 2 99 01.99-999 001 ") == "2990199999001"
    assert ids.plain("2a") == "2A"


def test_each_regime_has_a_name():
    assert ids.regimes()["01"] == "Régime général"
    assert all(len(code) == 2 and label for code, label in ids.regimes().items())


def test_each_exemption_has_a_name():
    assert ids.exemptions()["4"] == "Soins conformes au protocole ALD"
