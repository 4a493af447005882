"""What may not be read in a message."""

import csv
from pathlib import Path

import pytest

from dunning.care_words import Words, find

ROWS = list(
    csv.DictReader(
        (Path(__file__).parents[2] / "addons/health_collections/data/care_words.csv").open()
    )
)
WORDS = Words(
    frozenset(row["word"] for row in ROWS if row["kind"] == "code"),
    tuple(row["word"] for row in ROWS if row["kind"] == "stem"),
)


def test_every_word_has_its_source():
    assert all(row["source"] and row["grade"] in "ABC" for row in ROWS)
    assert {row["kind"] for row in ROWS} == {"code", "stem"}
    # a stem is compared without accents and one word at a time
    assert all(row["word"].isascii() and " " not in row["word"] for row in ROWS)


@pytest.mark.parametrize(
    "text",
    [
        "Votre pansement du 3 mai reste à régler",
        "3 INJECTIONS à régler",
        "Rééducation du genou : 12 €",
        "AMI 4 + MAU",
        "bénéficiaire de la C2S",
        "patient en ALD",
        "assuré n° 2 99 01 99 123 456 78",
        "dossier 1850578006048",
        "suite à votre hospitalisation",
    ],
)
def test_care_is_seen(text):
    assert find(text, WORDS)


@pytest.mark.parametrize(
    "text",
    [
        "Bonjour Anne DURAND, il reste 12,60 € après l'Assurance Maladie et votre mutuelle.",
        "Feuille de soins n° 000123 du 05/10/2026",
        "Réglez ici : https://exemple.fr/ma-note/AMI-C2S-pansement",
        "Virement : FR76 3000 6000 0112 3456 7890 189, référence T1234",
        "Nous vous mettons en demeure de payer 1 234,50 € avant le 23/12/2026.",
        "Appelez le 01 02 03 04 05 ou le +33 6 12 34 56 78",
        "ami de la famille",
    ],
)
def test_plain_reminders_pass(text):
    assert find(text, WORDS) == ""


def test_names_are_no_secret_of_the_message():
    text = "Cabinet infirmier Martin\nMadame AMI Jeanne, il reste 12 €"
    assert find(text, WORDS) == "infirmier"
    assert find(text, WORDS, ["Cabinet infirmier Martin", "AMI Jeanne"]) == ""
    # a name inside a word frees nothing
    assert find("pansements", WORDS, ["panse"]) == "pansements"
