"""Who pays one act: sickness fund (AMO), complementary insurer (AMC), patient. Integer cents, exact sums."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Terms:
    """Conditions of payment on the day of an act.

    :param amo_rate: percentage of the tariff that the fund bears.
    :param amc_rate: percentage of what the fund leaves that the insurer bears.
    :param third_party_amo: the fund pays the professional; else it refunds the patient.
    :param third_party_amc: the same for the insurer.
    :param pays_rest: public funds bear the rest (C2S, AME): nothing is left to the patient.
    """

    amo_rate: int
    amc_rate: int = 0
    third_party_amo: bool = True
    third_party_amc: bool = False
    pays_rest: bool = False

    def __post_init__(self) -> None:
        for rate in (self.amo_rate, self.amc_rate):
            if not 0 <= rate <= 100:
                raise ValueError(f"Un taux va de 0 à 100 % : {rate} est refusé.")


@dataclass(frozen=True, slots=True)
class Split:
    """What each debtor owes the professional for one act; the three make the amount to the cent.

    :param amo_base: tariff that the fund takes as its base (0 outside the nomenclature).
    :param refund_amo: what the fund will pay back to a patient who paid directly (information).
    :param refund_amc: the same for the insurer.
    """

    amo: int
    amc: int
    patient: int
    amo_base: int = 0
    refund_amo: int = 0
    refund_amc: int = 0

    @property
    def total(self) -> int:
        return self.amo + self.amc + self.patient


def _percent(amount: int, rate: int) -> int:
    """``rate`` per cent of an amount, rounded half up."""
    return (amount * rate + 50) // 100


def split(amount: int, terms: Terms, overrun: int = 0, is_covered: bool = True) -> Split:
    """Share one act between its debtors.

    The AMO part is rounded half up, everything else follows by difference, so the sum is always exact.

    :param amount: cents billed for the act, **overrun included** (as ``health.fse.act.amount``).
    :param overrun: part of ``amount`` beyond the tariff: always the patient's, never the insurer's. Whoever
        may not be asked for one (C2S, AME) is protected by a blocking finding before the claim leaves.
    :param is_covered: ``False`` for an act outside the nomenclature or not prescribed: the patient pays it.
    :raises ValueError: amounts that make no sense (message in French).

    Common scheme, third-party payment on both sides (12.60 € at 60 %):

    >>> split(1260, Terms(60, 100, third_party_amc=True))
    Split(amo=756, amc=504, patient=0, amo_base=1260, refund_amo=0, refund_amc=0)

    The half cent goes to the fund, an insurer that bears 70 % of the rest leaves something:

    >>> split(315, Terms(90, 70, third_party_amc=True))
    Split(amo=284, amc=22, patient=9, amo_base=315, refund_amo=0, refund_amc=0)

    C2S with the fund: nothing for the patient:

    >>> split(1260, Terms(60, pays_rest=True)).amo
    1260

    Direct payment, with 10 € beyond the tariff:

    >>> split(2260, Terms(60, 100, third_party_amo=False), overrun=1000)
    Split(amo=0, amc=0, patient=2260, amo_base=1260, refund_amo=756, refund_amc=504)

    Outside the nomenclature:

    >>> split(3000, Terms(100), is_covered=False)
    Split(amo=0, amc=0, patient=3000, amo_base=0, refund_amo=0, refund_amc=0)
    """
    if amount < 0 or overrun < 0:
        raise ValueError(
            "Un acte ne se facture pas en négatif : vérifiez le montant et le dépassement."
        )
    if overrun > amount:
        raise ValueError(
            "Le dépassement est compris dans le montant de l'acte : il ne peut pas lui être supérieur."
        )
    if not is_covered:
        return Split(0, 0, amount)
    base = amount - overrun
    fund = _percent(base, terms.amo_rate)
    rest = base - fund
    if terms.pays_rest:
        # the fund itself, unless an insurer manages the C2S contract
        to_insurer = rest if terms.third_party_amc else 0
        return Split(base - to_insurer, to_insurer, overrun, amo_base=base)
    insurer = _percent(rest, terms.amc_rate)
    amo = fund if terms.third_party_amo else 0
    amc = insurer if terms.third_party_amc else 0
    return Split(
        amo,
        amc,
        amount - amo - amc,
        amo_base=base,
        refund_amo=fund - amo,
        refund_amc=insurer - amc,
    )


@dataclass(frozen=True, slots=True)
class Franchise:
    """Medical franchise in cents: per act, and its ceilings per day and per calendar year (data, never code)."""

    per_act: int
    per_day: int
    per_year: int


def franchise(
    days: Iterable[date],
    terms: Franchise,
    is_exempt: bool = False,
    known: Mapping[int, int] | None = None,
) -> dict[date, int]:
    """What the fund will keep from the patient's refunds, by day: information only, never billed.

    :param days: the day of each act, one entry per act (travel is none).
    :param is_exempt: minors, maternity, C2S, AME …; ALD does not exempt.
    :param known: cents already kept, by calendar year.

    >>> from datetime import date
    >>> terms = Franchise(per_act=100, per_day=400, per_year=5000)
    >>> franchise([date(2026, 10, 5)] * 6 + [date(2026, 10, 6)], terms)
    {datetime.date(2026, 10, 5): 400, datetime.date(2026, 10, 6): 100}
    >>> franchise([date(2026, 10, 5)], terms, known={2026: 4950})
    {datetime.date(2026, 10, 5): 50}
    """
    if is_exempt:
        return {}
    kept = dict(known or {})
    found: dict[date, int] = {}
    for day in sorted(days):
        left = max(0, terms.per_year - kept.get(day.year, 0))
        taken = min(terms.per_act, max(0, terms.per_day - found.get(day, 0)), left)
        if taken > 0:
            found[day] = found.get(day, 0) + taken
            kept[day.year] = kept.get(day.year, 0) + taken
    return found
