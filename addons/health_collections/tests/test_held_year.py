from collections import Counter, defaultdict
from datetime import date, timedelta

from odoo.tests import tagged

from odoo.addons.health_billing.tools import euros

from .common import CollectionsCommon
from .held_year import START, nights, year

PAYERS = {"amo_pending": "amo", "amc_pending": "amc", "amo_rejected": "amo"}


@tagged("post_install", "-at_install")
class TestHeldYear(CollectionsCommon):
    """A year of nights over people whom something protects at one time or another: no reminder gets through."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.people = year(19)
        cls.bank = cls.env["account.journal"].search(
            [("company_id", "=", cls.nurse.id), ("type", "=", "bank")], limit=1
        )
        names = [f"NOM{person.rank:03d}" for person in cls.people]
        parents = cls.env["res.partner"].create(
            [
                {
                    "name": f"PARENT{person.rank:03d} Paul",
                    "health_kind": "patient",
                    "company_id": cls.nurse.id,
                    "email": f"parent{person.rank}@example.org",
                }
                if "parent_deceased" in person.kinds
                else {"name": "unused"}
                for person in cls.people
            ]
        )
        patients = cls.env["res.partner"].create(
            [
                {
                    "name": f"{name} Zoe",
                    "health_kind": "patient",
                    "company_id": cls.nurse.id,
                    "health_nir": f"2{person.rank:012d}",
                    "ref": f"REF{person.rank:05d}",
                    "email": f"zoe{person.rank}@example.org",
                    "health_debtor_id": "parent_deceased" in person.kinds and parent.id,
                }
                for person, name, parent in zip(cls.people, names, parents, strict=True)
            ]
        )
        cls.parents = dict(zip(cls.people, parents, strict=True))
        cls.fses = dict(zip(cls.people, cls.make_fses(cls.people, patients.ids, "8"), strict=True))
        cls.shares = {p: cls.share(fse, "patient") for p, fse in cls.fses.items()}

    @classmethod
    def make_fses(cls, people, patients, digit):
        """FSE of another program, made in one batch, with the payers' shares that the story needs."""
        values = [
            {
                "name": f"{digit}{person.rank:05d}",
                "origin": "journal",
                "company_id": cls.nurse.id,
                "patient_id": patient,
                "fse_date": person.care,
                "sent_on": person.care,
                "amo_partner_id": cls.cpam.id,
                "amc_partner_id": cls.mutuelle.id,
                "amount_total": euros(person.cents),
            }
            for person, patient in zip(people, patients, strict=True)
        ]
        fses = cls.env["health.fse"].create(values)
        debtors = {"amo": cls.cpam.id, "amc": cls.mutuelle.id}
        shares = []
        for person, fse in zip(people, fses, strict=True):
            parts = {"patient": person.cents}
            parts |= {PAYERS[kind]: 1890 for kind in person.kinds & PAYERS.keys()}
            shares += [
                {
                    "fse_id": fse.id,
                    "debtor_kind": kind,
                    "partner_id": debtors.get(kind, fse.patient_id.id),
                    "amount": euros(cents),
                    "due_date": person.care + timedelta(days=30),
                }
                for kind, cents in parts.items()
            ]
        cls.env["health.share"].create(shares)._post_invoices()
        return fses

    # -- how each hold begins and ends -------------------------------------------------------------

    def payer(self, person, kind):
        return self.share(self.fses[person], PAYERS[kind])

    def begin(self, person, hold):
        """What happens on the first day of a hold; what bears its own days is written at once."""
        share, patient = self.shares[person], self.shares[person].partner_id
        return getattr(self, f"begin_{hold.kind}")(person, hold, share, patient)

    def begin_amo_pending(self, person, hold, share, patient):
        return lambda: self.pay(self.payer(person, hold.kind))

    begin_amc_pending = begin_amo_pending

    def begin_amo_rejected(self, person, hold, share, patient):
        self.payer(person, hold.kind).is_rejected = True
        return lambda: self.pay(self.payer(person, hold.kind))

    def begin_blocked(self, person, hold, share, patient):
        share.move_id.action_toggle_block_payment()
        return share.move_id.action_toggle_block_payment

    def begin_do_nothing(self, person, hold, share, patient):
        patient.credit_policy_id = self.env.ref("account_credit_control.credit_control_no_follow")
        return lambda: patient.write({"credit_policy_id": False})

    def begin_dispute(self, person, hold, share, patient):
        share._dispute("was away")
        return share.action_end_dispute

    def begin_quote(self, person, hold, share, patient):
        quote = self.env["sale.order"].create(
            {"health_patient_id": patient.id, "partner_id": patient.id}
        )
        self.fses[person].quote_id = quote
        return lambda: quote.write({"signed_on": hold.end, "signed_by": "Zoe", "state": "sale"})

    def begin_question(self, person, hold, share, patient):
        question = self.env["health.question"].create(
            {"company_id": self.nurse.id, "text": "?", "fse_id": share.fse_id.id}
        )
        return lambda: question.write({"state": "processed"})

    def begin_request(self, person, hold, share, patient):
        request = self.env["health.debtor.request"].create(
            {"company_id": self.nurse.id, "partner_id": patient.id, "kind": "other"}
        )
        return lambda: request.write({"state": "done"})

    def begin_coverage_c2s(self, person, hold, share, patient, case="c2s"):
        self.make_coverage(
            patient,
            case_id=self.env.ref(f"health_billing.coverage_case_{case}").id,
            date_from=hold.start,
            date_to=hold.end,
        )

    def begin_coverage_ame(self, person, hold, share, patient):
        if "coverage_c2s" in person.kinds:
            # rights do not overlap: the other ones give way
            patient.health_coverage_ids.unlink()
            other = next(one for one in person.holds if one.kind == "coverage_c2s")
            hold = type(hold)(hold.kind, min(hold.start, other.start), max(hold.end, other.end))
        self.begin_coverage_c2s(person, hold, share, patient, "ame")

    def begin_hospital(self, person, hold, share, patient):
        self.env["health.stay"].create(
            {
                "patient_id": patient.id,
                "kind": "hospital",
                "date_from": hold.start,
                "date_to": hold.end,
            }
        )

    def begin_guardianship(self, person, hold, share, patient):
        patient.health_legal_protection = "guardianship"
        return lambda: patient.write({"health_legal_protection": False})

    def begin_palliative(self, person, hold, share, patient):
        patient.health_is_palliative = True
        return lambda: patient.write({"health_is_palliative": False})

    def begin_fragile(self, person, hold, share, patient):
        patient.health_is_fragile = True
        return lambda: patient.write({"health_is_fragile": False})

    def begin_credit_name(self, person, hold, share, patient, label="VIR M OU MME {name}", cents=1):
        line = self.env["account.bank.statement.line"].create(
            {
                "journal_id": self.bank.id,
                "date": hold.start,
                "payment_ref": label.format(
                    name=patient.name.split()[0], number=share.fse_id.name, ref=patient.ref
                ),
                "amount": euros(cents),
            }
        )
        return line.unlink

    def begin_credit_number(self, person, hold, share, patient):
        label = "VIR {ref}" if person.rank % 2 else "VIREMENT FSE {number}"
        return self.begin_credit_name(person, hold, share, patient, label, cents=2)

    def begin_credit_amount(self, person, hold, share, patient):
        return self.begin_credit_name(person, hold, share, patient, "VIR SEPA", person.cents)

    def begin_transaction(self, person, hold, share, patient):
        provider = self.demo_provider(self.nurse)
        transaction = self.env["payment.transaction"].create(
            {
                "provider_id": provider.id,
                "payment_method_id": provider.payment_method_ids[:1].id,
                "amount": share.amount,
                "currency_id": self.nurse.currency_id.id,
                "partner_id": patient.id,
                "reference": f"NOTE-{person.rank}",
                "invoice_ids": [(6, 0, share.move_id.ids)],
            }
        )
        transaction._set_pending()
        return transaction._set_canceled

    def begin_contact(self, person, hold, share, patient):
        self.env["health.contact"]._record(
            [
                {
                    "company_id": self.nurse.id,
                    "partner_id": patient.id,
                    "channel": "phone",
                    "kind": "reminder",
                    "day": hold.start,
                }
            ]
        )

    def begin_parent_deceased(self, person, hold, share, patient):
        self.parents[person].health_deceased_on = hold.start
        # another settles from then on
        return lambda: patient.write({"health_debtor_id": False})

    def begin_deceased(self, person, hold, share, patient):
        patient.health_deceased_on = hold.start

    def begin_paid(self, person, hold, share, patient):
        self.pay(share)

    def begin_written_off(self, person, hold, share, patient):
        share._write_off("lost")

    def begin_small(self, person, hold, share, patient):
        pass

    begin_old = begin_small

    def begin_ill_small_sum(self, person, hold, share, patient):
        self.make_coverage(
            patient,
            case_id=self.env.ref("health_billing.coverage_case_ald").id,
            date_from=date(2025, 1, 1),
        )

    def begin_plan(self, person, hold, share, patient):
        self.env["health.plan"]._ask(patient, self.nurse, share, 2, hold.start)
        self.assertEqual(share.plan_id.state, "running")

    def begin_replaced(self, person, hold, share, patient):
        [fse] = self.make_fses([person], patient.ids, "9")
        fse.replaces_id = self.fses[person]
        # what replaces it is paid at once: nothing of it is left to remind of
        self.pay(self.share(fse, "patient"))

    # -- the year ----------------------------------------------------------------------------------

    def test_no_reminder_gets_through(self):
        by_share = {share.id: person for person, share in self.shares.items()}
        waiting = [(hold, person) for person in self.people for hold in person.holds]
        ending, reminded = [], defaultdict(list)
        for night in nights():
            for hold, person in [one for one in waiting if one[0].start <= night]:
                waiting.remove((hold, person))
                ending.append((hold, self.begin(person, hold)))
            for hold, end in [one for one in ending if one[0].end and one[0].end <= night]:
                ending.remove((hold, end))
                if end:
                    end()
            self.nurse._health_run_reminders(night)
            lines = self.env["credit.control.line"].search(
                [("company_id", "=", self.nurse.id), ("date", "=", night)]
            )
            for share in lines.invoice_id.health_share_id:
                person = by_share[share.id]
                reminded[person].append(night)
                self.assertFalse(
                    person.held(night),
                    f"{night}: {person} was reminded, the guard saw {share.dunning_hold}",
                )
        for person, days in reminded.items():
            for before, after in zip(days, days[1:], strict=False):
                self.assertGreaterEqual((after - before).days, 7, person)
        # nobody was forgotten either: whoever stays free long enough hears of it
        free_long = [
            person
            for person in self.people
            if "small" not in person.kinds
            and all(not person.held(START + timedelta(days=offset)) for offset in range(300, 365))
        ]
        self.assertGreater(len(free_long), 30)
        self.assertEqual([person for person in free_long if not reminded[person]], [])
        held = Counter(kind for person in self.people for kind in person.kinds)
        self.assertGreaterEqual(len(held), 29)
