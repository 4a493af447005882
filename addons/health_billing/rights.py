"""What an FSE tells of the rights it was made under, and the periods of rights read on FSE."""


def act_days(fse):
    """Days of the acts of an FSE; its own day where it has none."""
    return {act.act_date for act in fse.act_ids if act.act_date} or {fse.fse_date}


def first_day(fse):
    return min(act_days(fse))


class Signs:
    """What an FSE tells of the rights it was made under."""

    __slots__ = (
        "amc_id",
        "amc_member",
        "amc_no",
        "amc_pays",
        "exemption",
        "fund",
        "nature",
        "rate",
    )

    @classmethod
    def of(cls, fse):
        self = cls()
        self.fund = (fse.amo_org or "")[:5]
        # an FSE that the patient alone owes may bear no rate
        self.rate = fse.amo_rate
        self.nature = fse.insurance_nature
        self.exemption = fse.exemption or "0"
        self.amc_no = (fse.amc_org or "").zfill(10) if fse.amc_org else ""
        self.amc_member = fse.amc_member or ""
        self.amc_id = fse.amc_partner_id.id
        self.amc_pays = any(s.debtor_kind == "amc" and s.amount for s in fse.share_ids)
        return self


class Period:
    """A stretch of a patient's rights while FSE are read; turned into records in batch at the end."""

    def __init__(self, record, start, end, seen, values, is_read):
        self.record = record
        self.start = start
        self.end = end
        self.seen = seen
        self.values = values
        self.is_read = is_read
        self._before = {"date_from": start, "date_to": end, "seen_on": seen}
        self._completed = {}

    @classmethod
    def of(cls, coverage):
        values = {
            "amo_org": coverage.amo_org or "",
            "amo_rate": coverage.amo_rate,
            "insurance_nature": coverage.insurance_nature,
            "exemption": coverage.exemption or "0",
            "amc_org": (coverage.amc_org or "").zfill(10) if coverage.amc_org else "",
            "amc_partner_id": coverage.amc_partner_id.id,
            "amc_member": coverage.amc_member or "",
            "third_party_amc": coverage.third_party_amc,
            "amc_rate": coverage.amc_rate,
        }
        return cls(
            coverage,
            coverage.date_from,
            coverage.date_to or None,
            coverage.seen_on or None,
            values,
            coverage.origin == "journal" and coverage.proof_result != "open",
        )

    @classmethod
    def learnt(cls, fse, signs, start, end, cases):
        """A period read on an FSE."""
        debtors = {share.debtor_kind for share in fse.share_ids if share.amount}
        values = {
            "patient_id": fse.patient_id.id,
            "origin": "journal",
            "case_id": cases.get((signs.nature, signs.exemption, signs.rate), cases[None]).id,
            "amo_partner_id": fse.amo_partner_id.id,
            "amo_org": fse.amo_org,
            "amo_rate": signs.rate,
            "insurance_nature": signs.nature,
            "exemption": signs.exemption,
            "third_party_amo": not debtors or "amo" in debtors,
            "amc_partner_id": fse.amc_partner_id.id,
            "amc_org": signs.amc_no,
            "amc_member": signs.amc_member,
            "third_party_amc": signs.amc_pays,
        }
        return cls(None, start, end, start, values, True)

    def covers(self, day):
        return self.start <= day and (self.end is None or day < self.end)

    def is_unrelated_to(self, signs):
        """Whether the FSE is for care without relation to the exemption: same fund, lower rate, no code."""
        return (
            self.values["exemption"] == "4"
            and signs.exemption == "0"
            and signs.rate < self.values["amo_rate"]
        )

    def difference(self, signs):
        """What the FSE bears that these rights do not: list of (what, rights, FSE); what it leaves out is none."""
        values, found = self.values, []
        if signs.fund and signs.fund != (values["amo_org"] or "")[:5]:
            found.append(("fund", (values["amo_org"] or "")[:5], signs.fund))
        if not self.is_unrelated_to(signs):
            if signs.rate and signs.rate != values["amo_rate"]:
                found.append(("rate", values["amo_rate"], signs.rate))
            if signs.exemption != (values["exemption"] or "0"):
                found.append(("exemption", values["exemption"] or "0", signs.exemption))
        if signs.nature != values["insurance_nature"]:
            found.append(("nature", values["insurance_nature"], signs.nature))
        if (
            signs.amc_no
            and signs.amc_no != values["amc_org"]
            and (values["amc_org"] or not self.is_read)
        ):
            found.append(("insurer", values["amc_org"], signs.amc_no))
        return found

    def complete(self, signs):
        """Learn the insurer that earlier FSE did not name."""
        if signs.amc_no and not self.values["amc_org"]:
            self._completed = {
                "amc_org": signs.amc_no,
                "amc_member": signs.amc_member,
                "amc_partner_id": signs.amc_id,
                "third_party_amc": signs.amc_pays,
            }
            self.values.update(self._completed)

    def inherit_contract(self, before):
        for name in ("amc_org", "amc_partner_id", "amc_member", "third_party_amc", "amc_rate"):
            if before.values.get(name):
                self.values[name] = before.values[name]

    def create_values(self):
        values = {**self.values, "date_from": self.start, "date_to": self.end, "seen_on": self.seen}
        self._before = {"date_from": self.start, "date_to": self.end, "seen_on": self.seen}
        self._completed = {}
        return values

    def changes(self):
        now = {"date_from": self.start, "date_to": self.end, "seen_on": self.seen}
        changed = {
            name: value or False for name, value in now.items() if value != self._before[name]
        }
        return changed | self._completed
