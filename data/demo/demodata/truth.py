"""What a correct product must find. Computed from the generator's own facts, never by the product.

The state of a share follows from three facts: sent, answered, received.
"""

from collections import Counter

from . import world

#: silence: days after which a payer that answered less than SAMPLES times is late, and the margin after the delay
#: within which the others answer nine times out of ten
AMO_DAYS = 10
AMC_DAYS = 30
SAMPLES = 20
MARGIN = 3
REMINDER_DAYS = 10
PARTS = ("amo", "amc", "patient")


def _sorted(mapping):
    """The same mapping in the order of its keys."""
    return {key: mapping[key] for key in sorted(mapping)}


class Ledger:
    """The facts, indexed."""

    def __init__(self, story, entries):
        self.story = story
        self.entries = entries
        self.answers = {(answer.fse, answer.part): answer for answer in story.answers}
        self.patient_paid = {entry.fse for entry in entries if entry.fse}
        self.delays = self._delays()

    def _delays(self):
        """Days between sending and answer, by payer, flow and part, sorted."""
        delays = {}
        for (fse, part), answer in self.answers.items():
            if fse.sent_on and not fse.broken:
                days = (answer.settlement.transfer_date - fse.sent_on).days
                delays.setdefault(self._payer_key(fse, part), []).append(days)
        return {key: sorted(days) for key, days in delays.items()}

    @staticmethod
    def _payer_key(fse, part):
        payer = fse.fund if part == "amo" else fse.insurer
        return payer and payer.org_no, fse.plan.kind, part

    def usual_days(self, fse, part):
        """Days after which silence is abnormal: nine answers in ten and a margin, or the prior."""
        days = self.delays.get(self._payer_key(fse, part), [])
        if len(days) < SAMPLES:
            return AMO_DAYS if part == "amo" else AMC_DAYS
        return days[-(-len(days) * 9 // 10) - 1] + MARGIN

    def state(self, fse, part):
        if part == "patient":
            return "paid" if fse in self.patient_paid else "due"
        if not fse.sent_on:
            return "to_send"
        answer = self.answers.get((fse, part))
        if answer is None:
            return self._waiting_state(fse, part)
        if answer.state == "R":
            return "rejected"
        if answer.settlement.credit is None:
            return "announced"
        return "paid" if answer.paid == answer.asked else "partial"

    def _waiting_state(self, fse, part):
        """Sent, and the payer says nothing: what the acknowledgement of the lot and the calendar make of it."""
        lot = (fse.provider.provider_no, fse.lot_no)
        if lot in self.story.negative_lots:
            return "arl_refused"
        if (world.DEMO_DATE - fse.sent_on).days > self.usual_days(fse, part):
            return "silent"
        return "arl_missing" if lot in self.story.missing_lots else "acknowledged"

    def silent(self, fse, part):
        return self.state(fse, part) == "silent"


def _shares(ledger, fses):
    shares, states = {}, {}
    for part in PARTS:
        own = [fse for fse in fses if fse.total(part)]
        shares[part] = {"count": len(own), "cents": sum(fse.total(part) for fse in own)}
        counts, cents = Counter(), Counter()
        for fse in own:
            state = ledger.state(fse, part)
            counts[state] += 1
            cents[state] += fse.total(part)
        states[part] = {
            state: {"count": counts[state], "cents": cents[state]} for state in sorted(counts)
        }
    return shares, states


def _overdue(ledger, fses):
    result = []
    for fse in fses:
        days = (world.DEMO_DATE - fse.due_date).days
        if ledger.state(fse, "patient") != "due" or not fse.total("patient") or days <= 0:
            continue
        open_parts = [
            part for part in ("amo", "amc") if fse.total(part) and ledger.state(fse, part) != "paid"
        ]
        if days <= REMINDER_DAYS:
            why = "not_late_enough"
        elif open_parts:
            why = "payer_part_open"
        elif not fse.patient.email:
            why = "no_email"
        else:
            why = ""
        result.append(
            {
                "fse_no": fse.no,
                "cents": fse.total("patient"),
                "due_date": fse.due_date.isoformat(),
                "days_overdue": days,
                "email": fse.patient.email,
                "reminder": not why,
                "why_not": why,
            }
        )
    return result


def _settlement(settlement):
    return {
        "payer_org_no": settlement.payer.org_no,
        "reference": settlement.reference,
        "transfer_date": settlement.transfer_date.isoformat(),
        "cents": settlement.amount,
        "lines": len(settlement.answers),
    }


def _practitioner(ledger, provider):
    story = ledger.story
    written = [fse for fse in story.fses if fse.provider is provider]
    fses = [fse for fse in written if not fse.broken]
    answers = [answer for answer in story.answers if answer.fse.provider is provider]
    settlements = [s for s in story.settlements if s.provider is provider]
    entries = [entry for entry in ledger.entries if entry.provider is provider]
    receipts = [entry for entry in entries if entry.amount > 0]
    shares, states = _shares(ledger, fses)

    rejections = {}
    for answer in answers:
        if answer.state == "R":
            row = rejections.setdefault(
                answer.reason.code,
                {"label": answer.reason.label, "count": 0, "cents": 0, "shares": []},
            )
            row["count"] += 1
            row["cents"] += answer.asked
            row["shares"].append([answer.fse.no, answer.part])

    received = {
        part: sum(
            answer.paid
            for answer in answers
            if answer.part == part and answer.settlement.credit is not None
        )
        for part in ("amo", "amc")
    }
    received["patient"] = sum(entry.amount for entry in entries if entry.fse)

    return {
        "provider_no": provider.provider_no,
        "name": provider.name,
        "fse": {
            "count": len(fses),
            "rows": sum(len(fse.acts) for fse in fses),
            "cents": sum(fse.total() for fse in fses),
            "not_sent": sum(1 for fse in fses if not fse.sent_on),
            "to_review": [fse.no for fse in written if fse.broken],
        },
        "shares": shares,
        "states": states,
        "lots": {
            "sent": len({fse.lot_no for fse in fses if fse.lot_no}),
            "negative_arl": sorted(
                lot for number, lot in story.negative_lots if number == provider.provider_no
            ),
            "no_arl": sorted(
                lot for number, lot in story.missing_lots if number == provider.provider_no
            ),
        },
        "announced": {
            "settlements": len(settlements),
            "lines": len(answers),
            "amo": sum(answer.paid for answer in answers if answer.part == "amo"),
            "amc": sum(answer.paid for answer in answers if answer.part == "amc"),
        },
        "received": received,
        "rejections": _sorted(rejections),
        "partials": [
            {
                "fse_no": answer.fse.no,
                "part": answer.part,
                "asked": answer.asked,
                "paid": answer.paid,
                "missing": answer.asked - answer.paid,
            }
            for answer in answers
            if answer.state == "P" and answer.paid != answer.asked
        ],
        "silent": {
            part: {
                "count": sum(1 for fse in fses if ledger.silent(fse, part) and fse.total(part)),
                "cents": sum(fse.total(part) for fse in fses if ledger.silent(fse, part)),
                "fse_no": [fse.no for fse in fses if ledger.silent(fse, part) and fse.total(part)],
            }
            for part in ("amo", "amc")
        },
        "announced_not_received": [
            _settlement(s) for s in settlements if s.credit is None and s.amount
        ],
        "bank": {
            "iban": provider.iban,
            "opening_cents": provider.opening_balance,
            "closing_cents": provider.opening_balance + sum(entry.amount for entry in entries),
            "credits": {"count": len(receipts), "cents": sum(e.amount for e in receipts)},
            "debits": {
                "count": len(entries) - len(receipts),
                "cents": sum(e.amount for e in entries if e.amount < 0),
            },
            "explained": [
                {
                    "servicer_ref": entry.servicer_ref,
                    "date": entry.day.isoformat(),
                    "cents": entry.amount,
                    "evidence": entry.evidence,
                    "references": [s.reference for s in entry.settlements],
                    "fse_no": entry.fse.no if entry.fse else "",
                }
                for entry in entries
                if not entry.queue
            ],
            "queued": [
                {
                    "servicer_ref": entry.servicer_ref,
                    "date": entry.day.isoformat(),
                    "cents": entry.amount,
                    "label": entry.label,
                    "reason": entry.queue,
                }
                for entry in entries
                if entry.queue
            ],
        },
        "retentions_cents": sum(s.retention for s in settlements),
        "lump_sums_cents": sum(s.lump_sum for s in settlements),
        "overdue_patients": _overdue(ledger, fses),
    }


CASE_TITLES = {
    "reject_rights_closed": "Rejet : droits fermés à la date des soins",
    "reject_exemption_unknown": "Rejet : exonération inconnue, trois FSE d'un même patient",
    "reject_already_paid": "Rejet : facture déjà payée (le même soin envoyé deux fois)",
    "reject_prescriber": "Rejet : prescripteur inconnu",
    "reject_wrong_fund": "Rejet : assuré absent du fichier de la caisse",
    "reject_amc_member": "Rejet de la seule part AMC : adhérent inconnu",
    "partial_amo": "Paiement partiel de la part AMO",
    "partial_amc": "Paiement partiel par une complémentaire réglée à part",
    "partial_amc_with_fund": "Paiement partiel de la part AMC réglée avec la caisse",
    "notice": "Signalement : payé, carte Vitale à mettre à jour",
    "silence_amo": "Silence d'une caisse au-delà de son délai habituel",
    "silence_amc": "Silence d'une complémentaire au-delà de son délai habituel",
    "arl_negative": "Lot refusé (ARL négatif)",
    "arl_missing": "Lot sans ARL",
    "announced_not_received": "Virement annoncé et jamais reçu",
    "two_settlements": "Un virement pour deux règlements",
    "no_reference": "Virement sans référence : payeur, montant et date concordent",
    "retention": "Retenue d'un indu (IND) sur un virement",
    "lump_sum": "Forfait sans facture",
    "credit_without_return": "Virement d'une complémentaire sans retour",
    "nobody": "Virement qui n'est à personne",
    "bank_fee": "Frais de banque",
    "patient_late": "Patient en retard, payeurs soldés, e-mail connu : relance",
    "patient_late_no_email": "Patient en retard sans e-mail",
    "patient_late_guarded": "Patient en retard, part du payeur ouverte : pas de relance",
    "patient_pays": "Patient qui paie par virement avec le numéro de FSE",
    "amc_with_fund": "Part AMC payée avec celle de la caisse",
    "amc_apart": "Part AMC payée à part",
    "all_paid_by_patient": "Sans tiers payant : le patient règle tout",
    "alsace_moselle": "Régime local d'Alsace-Moselle à 90 %",
    "degraded": "FSE dégradée (B2 sans carte)",
    "corsica": "NIR de Corse",
    "broken_row": "Lignes dont les parts ne font pas le montant : à revoir",
    "not_sent": "FSE des deux derniers jours, pas encore envoyées",
}


def _cases(ledger, files):
    """Case key -> FSE numbers, practitioners and files."""
    story = ledger.story
    found = {key: {"fses": list(fses)} for key, fses in story.cases.items()}

    def settlements(key, chosen):
        found[key] = {
            "fses": [answer.fse for s in chosen for answer in s.answers],
            "settlements": chosen,
            "providers": [s.provider for s in chosen],
        }

    def entries(key, chosen):
        found[key] = {
            "fses": [entry.fse for entry in chosen if entry.fse],
            "providers": [entry.provider for entry in chosen],
            "bank": True,
        }

    settlements("announced_not_received", story.announced_only)
    settlements("two_settlements", [s for pair in story.together for s in pair])
    settlements("no_reference", story.no_reference)
    settlements("retention", [s for s in story.settlements if s.retention])
    settlements("lump_sum", [s for s in story.settlements if s.lump_sum])
    entries("nobody", [e for e in ledger.entries if e.queue == "nobody"])
    entries("bank_fee", [e for e in ledger.entries if e.queue == "bank_fee"])
    entries("patient_pays", [e for e in ledger.entries if e.fse])
    found["credit_without_return"]["bank"] = True

    good = [fse for fse in story.fses if not fse.broken]
    late = {row["fse_no"]: row for row in _overdue(ledger, good)}

    def fses(key, chosen):
        found[key] = {"fses": [fse for fse in good if chosen(fse)]}

    fses("patient_late", lambda f: f.no in late and late[f.no]["reminder"])
    fses("patient_late_no_email", lambda f: f.no in late and late[f.no]["why_not"] == "no_email")
    fses(
        "patient_late_guarded",
        lambda f: f.no in late and late[f.no]["why_not"] == "payer_part_open",
    )
    paid_with_fund = {
        answer.fse
        for answer in story.answers
        if answer.part == "amc" and answer.settlement.payer.centre
    }
    fses("amc_with_fund", lambda f: f in paid_with_fund)
    fses("amc_apart", lambda f: f.insurer and not f.insurer.with_fund)
    fses("all_paid_by_patient", lambda f: f.plan.cover == "direct")
    fses("alsace_moselle", lambda f: f.plan.cover == "am")
    fses("degraded", lambda f: f.plan.kind == "B")
    fses("corsica", lambda f: f.patient.nir[5:7] in ("2A", "2B"))
    fses("not_sent", lambda f: not f.sent_on)
    found["broken_row"] = {"fses": [fse for fse in story.fses if fse.broken]}

    result = []
    for key, title in CASE_TITLES.items():
        case = found[key]
        numbers = list(dict.fromkeys(fse.no for fse in case["fses"]))
        providers = list(
            dict.fromkeys(
                provider.provider_no
                for provider in [fse.provider for fse in case["fses"]] + case.get("providers", [])
            )
        )
        chosen = case.get("settlements")
        if chosen is None and (key.startswith(("reject", "partial")) or key == "notice"):
            wanted = set(case["fses"])
            part = "amc" if key in ("partial_amc", "reject_amc_member") else None
            chosen = [
                answer.settlement
                for answer in story.answers
                if answer.fse in wanted and part in (None, answer.part)
            ]
        names = [s.filename for s in chosen or []]
        if case.get("bank") or key in ("two_settlements", "no_reference", "retention"):
            names += [f"bank/{number}.xml" for number in providers]
        if key.startswith("arl"):
            names += [f"arl/{number}.csv" for number in providers]
        if not names:
            names = [f"fse/{number}.csv" for number in providers]
        result.append(
            {
                "key": key,
                "title": title,
                "provider_no": providers,
                "fse_no": numbers,
                "files": sorted(dict.fromkeys(names)),
            }
        )
        missing = [name for name in result[-1]["files"] if name not in files]
        if missing:
            raise LookupError(f"case {key}: no file {missing}")
    return result


def _sum(rows, *path):
    total = 0
    for row in rows:
        for key in path:
            row = row.get(key, {}) if isinstance(row, dict) else row
        total += row or 0
    return total


def build(story, entries, files):
    """The content of ``expected.json``. ``files`` are the names of the input files made."""
    ledger = Ledger(story, entries)
    rows = [_practitioner(ledger, provider) for provider in world.PRACTITIONERS]
    return {
        "demo_date": world.DEMO_DATE.isoformat(),
        "unit": "cents",
        "rules": {
            "silent_amo_days": AMO_DAYS,
            "silent_amc_days": AMC_DAYS,
            "silent_samples": SAMPLES,
            "silent_margin_days": MARGIN,
            "patient_due_days": 30,
            "reminder_after_days_overdue": REMINDER_DAYS,
        },
        "totals": {
            "fse": _sum(rows, "fse", "count"),
            "fse_cents": _sum(rows, "fse", "cents"),
            "fse_to_review": sum(len(row["fse"]["to_review"]) for row in rows),
            "shares": {
                part: {
                    "count": _sum(rows, "shares", part, "count"),
                    "cents": _sum(rows, "shares", part, "cents"),
                }
                for part in PARTS
            },
            "announced_cents": _sum(rows, "announced", "amo") + _sum(rows, "announced", "amc"),
            "received_cents": {part: _sum(rows, "received", part) for part in PARTS},
            "rejections": sum(
                reason["count"] for row in rows for reason in row["rejections"].values()
            ),
            "credits": {
                "count": _sum(rows, "bank", "credits", "count"),
                "cents": _sum(rows, "bank", "credits", "cents"),
            },
            "queued": sum(len(row["bank"]["queued"]) for row in rows),
            "reminders": sum(late["reminder"] for row in rows for late in row["overdue_patients"]),
        },
        "practitioners": rows,
        "cases": _cases(ledger, files),
    }
