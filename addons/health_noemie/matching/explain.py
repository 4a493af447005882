"""Why a reading was decided, and why another was not: French sentences with numbers, amounts and days."""

from collections import defaultdict
from datetime import timedelta

from . import labels as text
from .model import (
    RULE_GARBLED,
    RULE_GROUP,
    RULE_NEGATIVE,
    RULE_PATIENT,
    RULE_PAYER,
    RULE_REFERENCE,
    RULE_SPLIT,
    RULE_UNANNOUNCED,
    Candidate,
    Credit,
    Decision,
    Settlement,
    Unmatched,
)
from .readings import NEAR, SHORT, Account, Reading

#: ways to explain a movement that a person is shown, at most
SHOWN = 12
#: settlements whose amount agrees with a movement that names nobody: shown within these days
ABOUT = (timedelta(days=-10), timedelta(days=30))


# -- decisions -------------------------------------------------------------------------------------


def decisions(account: Account, decided, readings) -> list[Decision]:
    rivals = defaultdict(list)
    for reading in readings:
        for item in reading.items:
            rivals[item].append(reading)
    return [
        Decision(
            tuple(sorted(c.id for c in reading.credits)),
            tuple(sorted(s.id for s in reading.settlements)),
            rule(reading),
            _evidence(reading, bool(_others_of(reading, rivals))),
            _runner_up(account, reading, rivals),
            tuple(sorted(s.id for s in reading.shares)),
        )
        for reading in decided
    ]


def _others_of(reading, rivals) -> list[Reading]:
    """Readings that take something of this one."""
    others = {rival.key: rival for item in reading.items for rival in rivals.get(item, ())}
    others.pop(reading.key, None)
    return list(others.values())


def rule(reading: Reading) -> str:
    if reading.kind == "patient":
        return RULE_PATIENT
    if reading.kind == "shares":
        return RULE_UNANNOUNCED
    if reading.kind in ("group", "split"):
        return RULE_GROUP if reading.kind == "group" else RULE_SPLIT
    if not reading.quotes:
        return RULE_PAYER
    whole = all(quote.how == "whole" for quote in reading.quotes.values())
    return RULE_REFERENCE if whole else RULE_GARBLED


def _sum(items) -> str:
    return " + ".join(text.euros(cents) for cents in items)


def _shown(quote) -> str:
    if quote.how == "cut":
        return f"« {quote.shown} », coupé de {quote.number}"
    if quote.how == "garbled":
        return f"« {quote.shown} » pour {quote.number}"
    return quote.number


def _numbers(reading) -> list[str]:
    return sorted({_shown(quote) for quote in reading.quotes.values()})


def _evidence(reading: Reading, contested: bool) -> str:
    amount = text.euros(sum(c.amount_cents for c in reading.credits))
    numbers = _numbers(reading)
    if reading.kind == "patient":
        if len(reading.shares) == 1:
            return (
                f"Le libellé cite {reading.shares[0].references[0]} et le montant est celui que le "
                f"patient doit : {amount}."
            )
        return (
            f"Le libellé cite {text.listed(numbers)}, et le montant est la somme de ce que le patient "
            f"doit : {_sum(s.amount_cents for s in reading.shares)} = {amount}."
        )
    if reading.kind == "shares":
        return _unannounced(reading, amount)
    if reading.kind == "group":
        total = _sum(s.expected_cents for s in reading.settlements)
        evidence = (
            f"Un seul virement de {amount} pour {len(reading.settlements)} règlements annoncés : "
            f"{total}. Aucun autre ensemble ne donne cette somme."
        )
        return f"{evidence} Le libellé cite {text.listed(numbers)}." if numbers else evidence
    settlement = reading.settlements[0]
    announced = text.days(settlement.date)
    if reading.kind == "split":
        evidence = (
            f"Le virement annoncé le {announced} ({amount}) est arrivé en {len(reading.credits)} "
            f"crédits : {_sum(c.amount_cents for c in reading.credits)}, reçus les "
            f"{text.listed(sorted({text.days(c.date) for c in reading.credits}))}."
        )
        if numbers:
            return f"{evidence} Le libellé cite {text.listed(numbers)}."
        return f"{evidence} Aucune autre somme ne donne ce montant."
    days = text.gap((reading.credits[0].date - settlement.date).days)
    if reading.quotes:
        quote = next(iter(reading.quotes.values()))
        if quote.how == "whole":
            return (
                f"Le libellé de la banque cite la référence {text.listed(numbers)} du virement annoncé "
                f"le {announced}, et le montant est le même : {amount}."
            )
        flaw = (
            "est le début ou la fin de la référence"
            if quote.how == "cut"
            else "est, à un ou deux caractères près, la référence"
        )
        named = f", le libellé nomme {reading.names[0]}" if reading.names else ""
        return (
            f"Le libellé porte « {quote.shown} », qui {flaw} {quote.number} du virement annoncé le "
            f"{announced}{named}, et le montant est le même : {amount} ({days})."
        )
    alone = (
        "c'est le seul ordre qui explique tous les virements de ce montant"
        if contested
        else "aucune autre lecture n'existe"
    )
    return (
        f"Le libellé nomme {reading.names[0]}, le montant est celui du virement annoncé le {announced} "
        f"({amount}, {days}), et {alone}."
    )


def _unannounced(reading, amount):
    total = _sum(s.amount_cents for s in reading.shares)
    count = len(reading.shares)
    parts = "la part ouverte" if count == 1 else f"les {count} parts ouvertes"
    cited = sorted({quote.shown for quote in reading.quotes.values()})
    known = [*reading.names, *sorted(reading.shares[0].payer_names), "Un payeur"]
    payer = f"{known[0]} verse {amount} sans retour NOEMIE"
    if cited:
        return f"{payer} ; le libellé cite {text.listed(cited)}, et le montant est celui de {parts} : {total}."
    what = (
        f"tout le lot {reading.lot.removeprefix('LOT ')}"
        if reading.lot
        else "tout ce qui reste ouvert"
    )
    return f"{payer} : c'est {what} chez ce payeur ({parts} : {total}), et aucune autre somme ne convient."


def _runner_up(account: Account, reading: Reading, rivals) -> str:
    """The best reading that was set aside, and why."""
    if others := _others_of(reading, rivals):
        return _set_aside(reading, min(others, key=lambda r: (-r.weight, r.key)))
    if reading.kind != "single" or not reading.quotes:
        return ""
    credit, settlement = reading.credits[0], reading.settlements[0]
    same = [
        s
        for s in account.same_amount(credit, NEAR)
        if s.id != settlement.id
        and (s.payer_key == settlement.payer_key or s.payer_key in account.named[credit.id])
    ]
    if not same:
        return ""
    other = min(same, key=lambda s: (abs(credit.date - s.date), s.id))
    return (
        f"Écarté : le virement du même montant annoncé le {text.days(other.date)}, "
        "dont le libellé ne cite pas la référence."
    )


def _set_aside(reading, rival):
    mine = {c.id for c in reading.credits}
    if mine.isdisjoint(c.id for c in rival.credits):
        credit = rival.credits[0]
        return (
            f"Écarté : le crédit du {text.days(credit.date)} ({text.euros(credit.amount_cents)}) pour le "
            "même virement ; une autre lecture, mieux appuyée, l'explique."
        )
    if rival.shares:
        parts = _sum(s.amount_cents for s in rival.shares)
        return f"Écarté : des parts ouvertes qui font le même montant ({parts}), sans numéro cité."
    if len(rival.settlements) > 1:
        return f"Écarté : la somme {_sum(s.expected_cents for s in rival.settlements)}, moins bien appuyée."
    other = rival.settlements[0]
    why = "que le libellé ne cite pas" if not rival.quotes else "que le libellé cite moins bien"
    if rival.kind == "far":
        why = "trop éloigné"
    elif rival.kind == "split":
        why = "en plusieurs crédits, moins bien appuyé"
    elif not reading.quotes:
        why = "qu'un autre crédit explique"
    return (
        f"Écarté : le virement de {text.euros(other.expected_cents)} annoncé le "
        f"{text.days(other.date)}, {why}."
    )


def negative(reading: Reading) -> Decision:
    """A debit that a payer announced."""
    credit, settlement = reading.credits[0], reading.settlements[0]
    amount = text.euros(abs(credit.amount_cents))
    how = (
        f"cite {text.listed(_numbers(reading))}" if reading.quotes else f"nomme {reading.names[0]}"
    )
    return Decision(
        (credit.id,),
        (settlement.id,),
        RULE_NEGATIVE,
        f"Le payeur a annoncé le {text.days(settlement.date)} qu'il reprend {amount} ; le débit du "
        f"{text.days(credit.date)} {how} et porte ce montant.",
    )


# -- what is left ----------------------------------------------------------------------------------


def reasons(reading: Reading) -> tuple[str, ...]:
    """What speaks for a reading."""
    found = []
    for quote in dict.fromkeys(reading.quotes.values()):
        how = {"whole": "en entier", "cut": "coupé", "garbled": "à un ou deux caractères près"}
        found.append(f"Le libellé cite {_shown(quote)} ({how[quote.how]}).")
    if reading.names:
        found.append(f"Le libellé nomme {reading.names[0]}.")
    if not reading.gap:
        amounts = [s.expected_cents for s in reading.settlements]
        amounts = amounts or [s.amount_cents for s in reading.shares]
        pieces = amounts if len(amounts) > 1 else [c.amount_cents for c in reading.credits]
        total = text.euros(sum(amounts))
        found.append(
            f"Somme au centime : {_sum(pieces)} = {total}."
            if len(pieces) > 1
            else f"Même montant : {total}."
        )
    if reading.lot:
        found.append(f"C'est tout le lot {reading.lot.removeprefix('LOT ')}.")
    days = _days(reading)
    if days is not None and abs(days) <= NEAR[1].days:
        found.append(f"Annoncé le {text.days(reading.settlements[0].date)}, {text.gap(days)}.")
    return tuple(found)


def _days(reading):
    """Days from the announce to the bank, the largest."""
    gaps = [(c.date - s.date).days for c in reading.credits for s in reading.settlements]
    return max(gaps, key=lambda days: (abs(days), days)) if gaps else None


def against(reading: Reading, by_credit, by_settlement) -> tuple[str, ...]:
    """What speaks against a reading."""
    found = []
    if reading.gap:
        found.append(_gap_text(reading))
    if reading.unsound:
        found.append(reading.unsound[0].upper() + reading.unsound[1:] + ".")
    days = _days(reading)
    if days is not None and not NEAR[0].days <= days <= NEAR[1].days:
        found.append(
            f"Annoncé le {text.days(reading.settlements[0].date)}, {text.gap(days)} : c'est loin."
        )
    others = {
        r.key: r for c in reading.credits for r in by_credit.get(c.id, ()) if r is not reading
    }
    others.pop(reading.key, None)
    if others:
        found.append(f"{len(others)} autre(s) lecture(s) de ce crédit.")
    mine = {c.id for c in reading.credits}
    claims = {
        c.id: c
        for s in reading.settlements
        for r in by_settlement.get(s.id, ())
        for c in r.credits
        if c.id not in mine
    }
    if claims:
        rival = min(claims.values(), key=lambda c: (c.date, c.id))
        found.append(
            f"Le crédit du {text.days(rival.date)} ({text.euros(rival.amount_cents)}) peut aussi être "
            "ce virement."
        )
    if not reading.quotes:
        found.append("Aucune référence n'est citée.")
    if not reading.names and not reading.quotes:
        found.append("Le libellé ne nomme pas le payeur.")
    return tuple(found)


def _gap_text(reading):
    gap = reading.gap
    more = "de plus" if gap > 0 else "de moins"
    sentence = f"La banque a reçu {text.euros(abs(gap))} {more} que l'annonce"
    if len(reading.settlements) == 1:
        settlement = reading.settlements[0]
        if gap > 0 and gap == settlement.retained_cents:
            return f"{sentence} : la retenue annoncée n'a pas été prélevée."
        if gap < 0 and -gap == settlement.lump_cents:
            return f"{sentence} : le forfait annoncé n'a pas été versé."
        if gap > 0:
            return f"{sentence} : un forfait non annoncé, ou un autre règlement avec lui ?"
        return f"{sentence} : une retenue non annoncée, ou un virement en plusieurs fois ?"
    return f"{sentence}."


def _candidate(reading, by_credit, by_settlement, of=None):
    return Candidate(
        tuple(sorted(s.id for s in reading.settlements)),
        tuple(sorted(s.id for s in reading.shares)),
        tuple(sorted(c.id for c in reading.credits if c.id != of)),
        reading.gap,
        reasons(reading),
        against(reading, by_credit, by_settlement),
    )


def _others(part, credit: Credit, gone) -> list[Reading]:
    """Readings that are none by rule, but may be what happened: another amount, no name."""
    account = part.account
    quotes, named = account.quotes[credit.id], account.named[credit.id]
    found = []
    cited = tuple(account.by_id[i] for i in sorted(quotes) if i not in gone)
    if cited:
        shown = {(credit.id, s.id): quotes[s.id] for s in cited}
        names = named.get(cited[0].payer_key, ())
        found.append(Reading("single", SHORT, (credit,), cited, quotes=shown, names=names))
    for settlement in account.same_amount(credit, ABOUT):
        if settlement.id not in gone:
            number = account.contradiction(settlement, credit)
            unsound = f"le libellé porte un autre numéro, {number}" if number else ""
            names = named.get(settlement.payer_key, ())
            found.append(
                Reading("single", 500, (credit,), (settlement,), names=names, unsound=unsound)
            )
    for key, names in named.items():
        near = [s for s in account.near(key, credit.date) if s.id not in gone]
        near.sort(key=lambda s: (abs(s.expected_cents - credit.amount_cents), s.id))
        found += [Reading("single", 100, (credit,), (s,), names=names) for s in near[: SHOWN // 2]]
    for share_id in sorted(account.shares.cited(account.labels[credit.id])):
        share = account.shares.by_id[share_id]
        if share.kind == "patient" and account.all_named[credit.id]:
            continue
        found.append(
            Reading("shares", 300, (credit,), shares=(share,), names=named.get(share.payer_key, ()))
        )
    return found


def _ranked(readings) -> list[Reading]:
    best = {}
    for reading in sorted(
        readings,
        key=lambda r: (
            -r.weight,
            bool(r.gap),
            abs(r.gap),
            abs(_days(r) or 0),
            r.key,
        ),
    ):
        best.setdefault(reading.key[:3], reading)
    return list(best.values())[:SHOWN]


def credit(part, movement: Credit, by_credit, by_settlement, done, gone) -> Unmatched:
    """A credit that nothing explains: why, and what it may be."""
    account = part.account
    open_ = [
        r
        for r in by_credit.get(movement.id, ())
        if gone.isdisjoint(s.id for s in r.settlements) and done.isdisjoint(c.id for c in r.credits)
    ]
    candidates = tuple(
        _candidate(r, by_credit, by_settlement, movement.id)
        for r in _ranked([*open_, *_others(part, movement, gone)])
    )
    return Unmatched(movement.id, _why(part, account, movement, open_, gone), candidates)


def _why(part, account, movement, open_, gone):
    amount = text.euros(movement.amount_cents)
    if movement.id in part.bank.held:
        return f"Un débit de {amount} peut avoir repris ce crédit : dites d'abord ce qu'était le débit."
    if part.blocked.get(movement.id):
        return part.blocked[movement.id]
    if open_:
        return _why_open(open_, amount)
    quotes, named = account.quotes[movement.id], account.named[movement.id]
    cited = [account.by_id[i] for i in sorted(quotes) if i not in gone]
    if cited:
        announced = _sum(s.expected_cents for s in cited)
        numbers = text.listed(sorted({_shown(quotes[s.id]) for s in cited}))
        return (
            f"Le libellé cite {numbers}, mais le payeur a annoncé {announced} et la banque a reçu "
            f"{amount} : vérifiez l'écart avec le payeur."
        )
    if quotes or part.refs & account.labels[movement.id].numbers:
        numbers = {_shown(quote) for quote in quotes.values()}
        numbers = numbers or part.refs & account.labels[movement.id].numbers
        return (
            f"Le libellé cite {text.listed(sorted(numbers))}, déjà reçu par un autre crédit : virement "
            "en double ou erreur de la banque, à vérifier."
        )
    names = sorted(found[0] for found in named.values())
    known = sorted(found[0] for found in account.all_named[movement.id].values())
    if known and not any(key in account.by_payer for key in named):
        return (
            f"{known[0]} verse {amount} sans avoir rien annoncé : il manque son retour NOEMIE ; "
            "demandez-lui le détail de ce virement."
        )
    if names:
        return (
            f"{text.listed(names)} n'a annoncé aucun virement de {amount} autour du "
            f"{text.days(movement.date)} : le retour NOEMIE manque, ou le montant diffère."
        )
    return (
        "Le libellé ne nomme aucun payeur attendu et ne cite aucune référence annoncée : il manque "
        "le retour NOEMIE ou le nom sous lequel ce payeur verse."
    )


def _why_open(open_, amount):
    top = max(r.weight for r in open_)
    strong = [r for r in open_ if 2 * r.weight > top]
    if len(strong) > 1:
        return (
            f"Plusieurs virements annoncés expliquent {amount} et rien dans le libellé ne les "
            "départage : choisissez le bon."
            if any(r.settlements for r in strong)
            else f"Plusieurs parts ouvertes font {amount} et rien dans le libellé ne les départage : "
            "choisissez les bonnes."
        )
    best = strong[0]
    if best.unsound:
        if best.shares:
            return f"Des parts ouvertes font {amount}, mais {best.unsound} : confirmez ou écartez."
        if len(best.settlements) > 1:
            return (
                f"{amount} est la somme de {len(best.settlements)} virements annoncés, mais "
                f"{best.unsound} : confirmez ou écartez."
            )
        return (
            f"Un virement annoncé le {text.days(best.settlements[0].date)} convient, mais "
            f"{best.unsound} : confirmez ou écartez."
        )
    return (
        f"Un autre crédit peut être le même virement annoncé de {amount}, et rien ne les départage : "
        "choisissez lequel."
        if best.settlements
        else f"Un autre crédit peut payer les mêmes parts ({amount}) : choisissez lequel."
    )


def debit(part, movement: Credit, by_credit) -> Unmatched:
    """A debit that nothing explains."""
    amount = text.euros(movement.amount_cents)
    candidates = [
        Candidate(
            credit_ids=(i,),
            reasons=("Même montant : ce débit peut avoir repris ce crédit.",),
            against=("Plusieurs crédits possibles, ou aucun numéro en commun.",),
        )
        for i in part.bank.doubtful.get(movement.id, ())
    ]
    candidates += [
        Candidate(
            tuple(s.id for s in reading.settlements),
            reasons=reasons(reading),
            against=against(reading, by_credit, {}),
        )
        for reading in _ranked(by_credit.get(movement.id, ()))
    ]
    reason = f"Ce mouvement de {amount} n'est pas un crédit."
    if candidates:
        reason += (
            " Il peut reprendre un crédit reçu ou un virement négatif annoncé : choisissez lequel."
        )
    return Unmatched(movement.id, reason, tuple(candidates))


def settlement(record: Settlement, readings, already) -> Unmatched:
    """An announced transfer that no movement brings."""
    amount = text.euros(record.expected_cents)
    candidates = [
        Candidate(
            credit_ids=(movement.id,),
            reasons=(
                f"Crédit de {amount} du {text.days(movement.date)}, expliqué sans retour à l'époque.",
            ),
            against=("Il est comptabilisé sur des parts : annulez ce rapprochement d'abord.",),
        )
        for movement in already
    ]
    candidates += [
        Candidate(
            tuple(sorted(s.id for s in reading.settlements if s.id != record.id)),
            (),
            tuple(sorted(c.id for c in reading.credits)),
            reading.gap,
            reasons(reading),
            against(reading, {}, {}),
        )
        for reading in _ranked(readings)
    ]
    if already:
        reason = f"{amount} a sans doute été reçu avant ce retour et expliqué sans lui : vérifiez."
    elif record.expected_cents < 0 and not candidates:
        reason = f"Aucun virement n'est attendu ({amount}) : le payeur reprend cette somme."
    elif record.expected_cents <= 0 and not candidates:
        reason = f"Aucun virement n'est attendu ({amount})."
    elif candidates:
        reason = f"Plusieurs lectures possibles pour {amount} : une personne doit choisir."
    else:
        reason = f"Aucun crédit de {amount} n'a encore été trouvé à la banque."
    return Unmatched(record.id, reason, tuple(candidates), "settlement")
