"""Vignettes: small stories of care with what they are billed and what control says, one test each.

A biller can read and write them; ``vignettes/LISEZMOI.md`` explains the words. Each story names its source.
"""

import re
import tomllib
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

import pytest

from ngap import (
    ActType,
    Agreement,
    Book,
    Claim,
    Finding,
    Line,
    Patient,
    Prescription,
    PricedSession,
    Session,
    Stay,
    Tariff,
    act_types,
    by_code,
    control,
    letters,
    price_day,
)
from ngap.update import load_values

FOLDER = Path(__file__).parent / "vignettes"
PROFESSIONS = {"infirmier", "kinesitherapeute", "orthophoniste", "orthoptiste"}

STORY_KEYS = {
    *("nom", "reference", "profession", "zone", "aujourdhui", "patient", "patients"),
    *("ordonnances", "accords", "passe", "seances", "attendu", "total", "constats"),
    *("pourquoi", "propositions", "remarque"),
}
PATIENT_KEYS = {"naissance", "situation", "domicile", "sejours", "sortie"}
STAY_KEYS = {"nature", "du", "au"}
PRESCRIPTION_KEYS = {
    *("id", "jour", "debut", "fin", "actes", "seances", "renouvellements", "mentions"),
    *("hopital", "prescripteur"),
}
AGREEMENT_KEYS = {
    *("id", "recu", "reponse", "repondu", "actes", "seances", "urgence", "debut", "fin"),
    *("ordonnance", "patient"),
}
SESSION_KEYS = {
    *("jour", "heure", "lieu", "km", "actes", "ordonnance", "patient", "praticien", "meme_ville"),
    *("terrain", "appel", "urgence", "passage", "projet", "groupe", "renouvellement", "motif"),
    *("duree", "depassement", "qualifiant", "facture", "attendu", "importe"),
}
PAST_KEYS = (SESSION_KEYS - {"attendu"}) | {"nombre", "pas"}

#: key of the prescription of stories that name none
IMPLIED = "ordonnance sous-entendue"

#: “2 × AMI 4,1 F à 50 % = 12,60”
BILLED_RE = re.compile(
    r"^(?:(?P<quantity>\d+) × )?(?P<letter>[A-Z]{2,4})(?: (?P<coefficient>\d+(?:,\d+)?))?"
    r"(?: (?P<complement>[NF]))?(?: à (?P<factor>\d+) %)? = (?P<amount>\d+,\d\d)$"
)
#: “INF-AMI6-01 x 3”
ACT_RE = re.compile(r"^(?P<code>\S+)(?: x ?(?P<quantity>\d+))?$")


class BadVignette(Exception):
    """The story itself is wrong; the message says where."""


@lru_cache(maxsize=1)
def catalogue() -> dict[str, ActType]:
    return by_code(act_types())


@lru_cache(maxsize=1)
def tariff() -> Tariff:
    return Tariff(load_values())


@lru_cache(maxsize=1)
def key_letters():
    return letters()


def cents(text: str) -> int:
    return int(Decimal(str(text).replace(",", ".")) * 100)


def number(hundredths: int) -> str:
    """“4”, “4,1”, “2,02” of 400, 410, 202."""
    whole, rest = divmod(hundredths, 100)
    return f"{whole},{rest:02d}".rstrip("0") if rest else str(whole)


def euros(amount: int) -> str:
    return f"{amount // 100},{amount % 100:02d}"


def minutes(text: str | None) -> int | None:
    if text is None:
        return None
    hours, rest = text.split(":")
    return int(hours) * 60 + int(rest)


def day(text: str | date | None) -> date | None:
    return date.fromisoformat(text) if isinstance(text, str) else text


def known(table: dict, keys: set[str], where: str) -> dict:
    """The table itself, once every word in it is one we know."""
    strange = sorted(set(table) - keys)
    if strange:
        raise BadVignette(f"{where} : mot inconnu {', '.join(strange)} ; connus : {sorted(keys)}")
    return table


def written(line: Line, amount: int, profession: str) -> str:
    """How a vignette writes a billed line; travel and supplements go without their coefficient 1."""
    letter = key_letters().get((profession, line.key_letter))
    plain = line.coefficient == 100 and letter and letter.kind in ("travel", "supplement")
    parts = [
        f"{line.quantity} ×" if line.quantity != 1 else "",
        line.key_letter,
        "" if plain else number(line.coefficient),
        line.complement,
        f"à {line.factor} %" if line.factor not in (None, 100) else "",
        f"= {euros(amount)}",
    ]
    return " ".join(part for part in parts if part)


@dataclass
class Story:
    """A vignette, read into the plain values of the package."""

    table: dict
    patients: dict[str, Patient] = field(default_factory=dict)
    prescriptions: dict[str, Prescription] = field(default_factory=dict)
    agreements: dict[str, tuple[Agreement, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known(self.table, STORY_KEYS, "vignette")
        for needed in ("nom", "reference", "profession", "seances"):
            if not self.table.get(needed):
                raise BadVignette(f"{self.table.get('nom', '?')} : il manque « {needed} »")
        if self.table["profession"] not in PROFESSIONS:
            raise BadVignette(f"profession inconnue : {self.table['profession']}")
        tables = self.table.get("patients") or {"A": self.table.get("patient", {})}
        self.patients = {key: self._patient(key, one) for key, one in tables.items()}
        for one in self.table.get("ordonnances", ()):
            self.prescriptions[one["id"]] = self._prescription(one)
        if "ordonnances" not in self.table:
            self.prescriptions[IMPLIED] = Prescription(IMPLIED, date(2000, 1, 1), "Dr Martin")
        for rank, one in enumerate(self.table.get("accords", ())):
            patient = one.get("patient", next(iter(self.patients)))
            agreement = self._agreement(one, rank)
            self.agreements[patient] = (*self.agreements.get(patient, ()), agreement)

    @property
    def profession(self) -> str:
        return self.table["profession"]

    @property
    def zone(self) -> str:
        return self.table.get("zone", "metropole")

    def _patient(self, key: str, table: dict) -> Patient:
        known(table, PATIENT_KEYS, f"patient {key}")
        stays = [known(stay, STAY_KEYS, "séjour") for stay in table.get("sejours", ())]
        return Patient(
            key,
            birth_date=day(table.get("naissance")),
            flags=frozenset(table.get("situation", ())),
            home=table.get("domicile", ""),
            stays=tuple(Stay(s["nature"], day(s["du"]), day(s.get("au"))) for s in stays),
            discharged_on=day(table.get("sortie")),
        )

    def _prescription(self, table: dict) -> Prescription:
        known(table, PRESCRIPTION_KEYS, f"ordonnance {table.get('id')}")
        return Prescription(
            table["id"],
            day(table["jour"]),
            prescriber=table.get("prescripteur", "Dr Martin"),
            start=day(table.get("debut")),
            end=day(table.get("fin")),
            acts=frozenset(self.act(code).code for code in table.get("actes", ())),
            sessions=table.get("seances"),
            renewals=table.get("renouvellements", 0),
            mentions=frozenset(table.get("mentions", ())),
            is_hospital=table.get("hopital", False),
        )

    def _agreement(self, table: dict, rank: int) -> Agreement:
        known(table, AGREEMENT_KEYS, "accord")
        return Agreement(
            table.get("id", f"accord {rank}"),
            day(table.get("recu")),
            answer=table.get("reponse", ""),
            answered_on=day(table.get("repondu")),
            acts=frozenset(self.act(code).code for code in table.get("actes", ())),
            prescription=table.get("ordonnance"),
            sessions=table.get("seances"),
            is_emergency=table.get("urgence", False),
            start=day(table.get("debut")),
            end=day(table.get("fin")),
        )

    def act(self, code: str) -> ActType:
        if code not in catalogue():
            raise BadVignette(f"{self.table['nom']} : acte inconnu {code}")
        return catalogue()[code]

    def _line(self, table: dict, key: str, passage: int) -> Line:
        """What all lines of a session share; letter, coefficient and act are still to be set."""
        imported = table.get("importe", False)
        return Line(
            key,
            "",
            0,
            day(table["jour"]),
            passage=passage,
            minute=minutes(table.get("heure")),
            duration=table.get("duree"),
            called_minute=minutes(table.get("appel")),
            place=table.get("lieu", "" if imported else "office"),
            prescription=self._prescription_of(table),
            project=table.get("projet", ""),
            is_emergency=table.get("urgence", False),
            is_renewal=table.get("renouvellement", False),
            group_size=table.get("groupe", 1),
            reason=table.get("motif", ""),
        )

    def _prescription_of(self, table: dict) -> str | None:
        """The prescription named, or one that covers all where the story speaks of none."""
        implied = IMPLIED in self.prescriptions and not table.get("importe", False)
        return table.get("ordonnance", IMPLIED if implied else None)

    def entered(self, table: dict, key: str, passage: int) -> tuple[Line, ...]:
        """The acts of a session as the practitioner enters them, not priced."""
        lines = []
        for rank, text in enumerate(table.get("actes", ())):
            match = ACT_RE.match(text)
            act = self.act(match["code"])
            line = replace(
                self._line(table, f"{key}/{rank}", passage),
                key_letter=act.key_letter,
                coefficient=act.coefficient,
                act=act,
                quantity=int(match["quantity"] or 1),
            )
            if rank == 0 and "depassement" in table:
                line = replace(
                    line,
                    overrun=cents(table["depassement"]),
                    overrun_qualifier=table.get("qualifiant", ""),
                )
            lines.append(line)
        return tuple(lines)

    def billed(self, table: dict, key: str, passage: int) -> tuple[Line, ...]:
        """The lines of a session as another program billed them."""
        named = [self.act(code) for code in table.get("actes", ())]
        lines = []
        for rank, text in enumerate(table["facture"]):
            match = BILLED_RE.match(text)
            if not match:
                raise BadVignette(f"{self.table['nom']} : ligne de facture illisible « {text} »")
            letter, coefficient = match["letter"], cents(match["coefficient"] or "1")
            act = next(
                (a for a in named if (a.key_letter, a.coefficient) == (letter, coefficient)), None
            )
            line = replace(
                self._line(table, f"{key}/{rank}", passage),
                key_letter=letter,
                coefficient=coefficient,
                act=act,
                quantity=int(match["quantity"] or 1),
                complement=match["complement"] or "",
                factor=int(match["factor"] or 100),
                amount=cents(match["amount"]),
            )
            if rank == 0 and "depassement" in table:
                line = replace(
                    line,
                    overrun=cents(table["depassement"]),
                    overrun_qualifier=table.get("qualifiant", ""),
                )
            lines.append(line)
        return tuple(lines)

    def patient_of(self, table: dict) -> Patient:
        key = table.get("patient", next(iter(self.patients)))
        if key not in self.patients:
            raise BadVignette(f"{self.table['nom']} : patient inconnu {key}")
        return self.patients[key]

    def history(self) -> list[Claim]:
        """What was done before, one claim per day of care."""
        claims = []
        for rank, table in enumerate(self.table.get("passe", ())):
            known(table, PAST_KEYS, "passe")
            for time in range(table.get("nombre", 1)):
                moved = day(table["jour"]) + timedelta(days=time * table.get("pas", 1))
                key, one = f"passe {rank}/{time}", {**table, "jour": moved}
                read = self.billed if "facture" in one else self.entered
                claims.append(self._claim(one, key, read(one, key, one.get("passage", 1))))
        return claims

    def _claim(self, table: dict, key: str, lines: tuple[Line, ...]) -> Claim:
        return Claim(
            key,
            table.get("praticien", "P"),
            self.profession,
            self.zone,
            self.patient_of(table).key,
            lines,
            is_billed=table.get("importe", False),
        )

    def sessions(self) -> list[tuple[dict, Session]]:
        """The sessions of the story; without ``passage`` they count up within the patient's day."""
        ranks: dict[tuple, int] = {}
        result = []
        for rank, table in enumerate(self.table["seances"]):
            known(table, SESSION_KEYS, f"séance {rank + 1}")
            patient = self.patient_of(table)
            moment = (patient.key, day(table["jour"]), table.get("praticien", "P"))
            ranks[moment] = ranks.get(moment, 0) + 1
            passage = table.get("passage", 1 if table.get("importe") else ranks[moment])
            prescription = self.prescriptions.get(table.get("ordonnance"))
            if table.get("ordonnance") and not prescription:
                raise BadVignette(f"{self.table['nom']} : ordonnance {table['ordonnance']} absente")
            distance = cents(table.get("km", "0"))
            session = Session(
                f"séance {rank + 1}",
                table.get("praticien", "P"),
                self.profession,
                self.zone,
                patient,
                day(table["jour"]),
                self.entered(table, f"séance {rank + 1}", passage),
                passage=passage,
                minute=minutes(table.get("heure")),
                called_minute=minutes(table.get("appel")),
                place=table.get("lieu", "office"),
                distance=distance,
                terrain=table.get("terrain", "plain"),
                same_town=table.get("meme_ville", not distance),
                mentions=prescription.mentions if prescription else frozenset(),
                is_emergency=table.get("urgence", False),
            )
            result.append((table, session))
        return result


@dataclass
class Told:
    """What the package makes of a story."""

    priced: dict[str, PricedSession]
    findings: list[Finding]

    @property
    def lines(self) -> list[str]:
        return [text for key in self.priced for text in self.lines_of(key)]

    def lines_of(self, key: str) -> list[str]:
        priced = self.priced[key]
        profession = priced.session.profession
        return [written(one.line, one.amount, profession) for one in priced.lines]

    @property
    def total(self) -> int:
        return sum(session.total for session in self.priced.values())


def price(story: Story) -> dict[str, PricedSession]:
    """Each practitioner's day is priced as a whole, in the order of the story."""
    days: dict[tuple, list[Session]] = {}
    order = []
    for table, session in story.sessions():
        if "facture" not in table:
            order.append(session.key)
            days.setdefault((session.practitioner, session.day), []).append(session)
    priced = {}
    for sessions in days.values():
        for one in price_day(sessions, tariff(), catalogue(), key_letters()):
            priced[one.session.key] = one
    return {key: priced[key] for key in order}


def to_claim_lines(priced: PricedSession) -> tuple[Line, ...]:
    """The lines of the claim: what is not billed stays out, what was added gets a key."""
    lines = []
    for rank, one in enumerate(priced.lines):
        if one.line.factor == 0:
            continue
        key = one.line.key or f"{priced.session.key}/+{rank}"
        lines.append(replace(one.line, key=key, amount=one.amount))
    return tuple(lines)


def tell(story: Story) -> Told:
    priced = price(story)
    findings = [one for found in control(book_of(story, priced)).values() for one in found]
    findings += [one for session in priced.values() for one in session.findings]
    return Told(priced, findings)


def book_of(story: Story, priced: dict[str, PricedSession]) -> Book:
    """What control looks at: the claims of the story, one per practitioner, patient and day, and its past."""
    grouped: dict[tuple, Claim] = {}
    for table, session in story.sessions():
        if "facture" in table:
            lines = story.billed(table, session.key, session.passage)
        else:
            lines = to_claim_lines(priced[session.key])
        key = (session.practitioner, session.patient.key, session.day)
        if key in grouped:
            grouped[key] = replace(grouped[key], lines=(*grouped[key].lines, *lines))
        else:
            grouped[key] = story._claim(table, " ".join(map(str, key)), lines)
    claims = [
        replace(claim, overrun_total=sum(line.overrun for line in claim.lines))
        for claim in grouped.values()
    ]
    return Book(
        claims,
        tariff(),
        patients=story.patients,
        prescriptions=story.prescriptions,
        agreements=story.agreements,
        history=story.history(),
        acts=catalogue(),
        today=day(story.table.get("aujourdhui")),
    )


def difference(expected: list[str], found: list[str]) -> str:
    """In words: what is missing and what is too much."""
    left, extra = list(expected), []
    for text in found:
        if text in left:
            left.remove(text)
        else:
            extra.append(text)
    return f"attendu : {expected}\n  trouvé : {found}\n  manque : {left}\n  en trop : {extra}"


def check(table: dict) -> list[str]:
    """What of the story does not come true, in French; empty when all does."""
    story = Story(table)
    told = tell(story)
    wrong = []

    def compare(what: str, expected: list[str], found: list[str]) -> None:
        if sorted(expected) != sorted(found):
            wrong.append(f"{what}\n  {difference(expected, found)}")

    if "attendu" in table:
        compare("lignes", table["attendu"], told.lines)
    for session_table, session in story.sessions():
        if "attendu" in session_table:
            compare(session.key, session_table["attendu"], told.lines_of(session.key))
    if "total" in table and cents(table["total"]) != told.total:
        wrong.append(f"total attendu {table['total']}, trouvé {euros(told.total)}")
    codes = sorted({finding.rule for finding in told.findings})
    if "constats" in table and sorted(table["constats"]) != codes:
        said = "\n".join(f"    {f.rule} {f.severity.name} : {f.message}" for f in told.findings)
        wrong.append(f"constats\n  {difference(sorted(table['constats']), codes)}\n{said}")
    whys = [line.why for session in told.priced.values() for line in session.lines if line.why]
    for words in table.get("pourquoi", ()):
        if not any(words in why for why in whys):
            wrong.append(f"aucune ligne n'explique « {words} » ; explications : {whys}")
    labels = [finding.proposal.label for finding in told.findings if finding.proposal]
    if "propositions" in table:
        compare("propositions", table["propositions"], labels)
    return wrong


def _stories():
    for path in sorted(FOLDER.glob("*.toml")):
        text = path.read_text(encoding="utf-8")
        tables = known(tomllib.loads(text), {"vignette", "ordonnance"}, path.name)
        for rank, table in enumerate(tables["vignette"]):
            if "ordonnance" in tables and "ordonnances" not in table:
                _prescribe(table, tables["ordonnance"])
            yield pytest.param(table, id=f"{path.stem}: {table.get('nom', rank)}")


def _prescribe(table: dict, prescription: dict) -> None:
    """All care of a story without prescriptions is under the one of its file."""
    table["ordonnances"] = [{"id": "o", **prescription}]
    for one in (*table.get("seances", ()), *table.get("passe", ())):
        if not one.get("importe"):
            one.setdefault("ordonnance", "o")


@pytest.mark.parametrize("table", list(_stories()))
def test_vignette(table):
    if not {"attendu", "total", "constats"} & set(table):
        raise BadVignette(f"{table.get('nom')} : rien n'est attendu")
    wrong = check(table)
    assert not wrong, f"{table['nom']} ({table['reference']})\n" + "\n".join(wrong)


def test_names_of_vignettes_are_unique():
    names = [param.id for param in _stories()]
    assert len(names) == len(set(names))


SAMPLE = {
    "nom": "essai",
    "reference": "aucune",
    "profession": "infirmier",
    "seances": [{"jour": "2026-10-05", "actes": ["INF-AMI4-02"]}],
}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"nim": "faute"}, "nim"),
        ({"profession": "plombier"}, "plombier"),
        ({"reference": ""}, "reference"),
        ({"seances": [{"jour": "2026-10-05", "acte": []}]}, "acte"),
        ({"seances": [{"jour": "2026-10-05", "actes": ["INF-AMI4-99"]}]}, "INF-AMI4-99"),
        ({"seances": [{"jour": "2026-10-05", "facture": ["AMI4=12"]}]}, "AMI4=12"),
        ({"patient": {"nee": "1950-01-01"}}, "nee"),
    ],
)
def test_a_mistaken_vignette_is_refused(change, words):
    with pytest.raises(BadVignette, match=words):
        check({**SAMPLE, **change})


def test_a_false_expectation_shows_what_was_found():
    (wrong,) = check({**SAMPLE, "attendu": ["AMI 4 = 12,61"]})
    assert "12,61" in wrong and "AMI 4 = 12,60" in wrong
