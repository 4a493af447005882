from collections import defaultdict

from odoo import api, fields, models

from odoo.addons.health_billing.tools import cents

from .res_partner_protection import CARE

#: stays during which nobody reads their mail in peace
STAYS = ("hospital", "had")


class HealthShare(models.Model):
    """Patients whom no machine may press: protected at any amount, or fragile and owing little."""

    _inherit = "health.share"

    dunning_hold_detail = fields.Char(
        "What protects", compute="_compute_dunning_hold_detail", compute_sudo=True, groups=CARE
    )

    @api.depends("dunning_hold")
    def _compute_dunning_hold_detail(self):
        """The reasons that only those who see the care may read."""
        day = fields.Date.context_today(self)
        self.dunning_hold_detail = False
        for code, search in (
            ("protected", "_dunning_protections"),
            ("human_only", "_dunning_fragile"),
        ):
            held = self.filtered(lambda share, code=code: share.dunning_hold == code)
            if held:
                for share, text in getattr(held, search)(day).items():
                    share.dunning_hold_detail = text

    def _dunning_people(self):
        """dict of share → the patient and whoever is written to for them, as a tuple of ids."""
        return {share: tuple({share.partner_id.id, share._dunning_debtor().id}) for share in self}

    def _dunning_protections(self, day):
        """Shares of protected people on that day, with what protects them.

        Looked at for the patient and for the person who settles: rights that leave nothing to pay (C2S, AME) today
        or on the day of care, legal protection, end of life, a stay in hospital.

        :return: dict of share → text.
        """
        people = self.partner_id | self.partner_id.health_debtor_id
        people.fetch(["health_legal_protection", "health_is_palliative"])
        legal = dict(people._fields["health_legal_protection"]._description_selection(self.env))
        found = {}
        for person in people:
            if person.health_legal_protection:
                found[person.id] = self.env._(
                    "Legal protection: %s.", legal[person.health_legal_protection]
                )
            elif person.health_is_palliative:
                found[person.id] = self.env._("Palliative care.")
        stays = self.env["health.stay"].search_fetch(
            [
                ("patient_id", "in", people.ids),
                ("kind", "in", STAYS),
                ("date_from", "<=", day),
                "|",
                ("date_to", "=", False),
                ("date_to", ">", day),
            ],
            ["patient_id", "kind", "date_from"],
        )
        kinds = dict(stays._fields["kind"]._description_selection(self.env))
        for stay in stays:
            found.setdefault(
                stay.patient_id.id,
                self.env._(
                    "%(stay)s since %(day)s.",
                    stay=kinds[stay.kind],
                    day=stay.date_from.strftime("%d/%m/%Y"),
                ),
            )
        rights = self._dunning_rights("pays_rest")
        protected = {}
        for share, persons in self._dunning_people().items():
            texts = [found[person] for person in persons if person in found]
            texts += [
                self.env._("%s: nothing may be left to pay, check the claim.", right.case_id.name)
                for right in rights.get(share.partner_id.id, ())
                if right._covers(share.fse_date)
            ]
            texts += [
                self.env._("%s today.", right.case_id.name)
                for person in persons
                for right in rights.get(person, ())
                if right._covers(day) and not right._covers(share.fse_date)
            ]
            if texts:
                protected[share] = " ".join(texts)
        return protected

    def _dunning_fragile(self, day):
        """Shares of people whom a person calls, with why: noted so, or long illness and a small sum in all.

        :return: dict of share → text.
        """
        people = self.partner_id | self.partner_id.health_debtor_id
        people.fetch(["health_is_fragile"])
        rights = self._dunning_rights("is_fragile")
        least = self.env["health.parameter"].value_of("fragile_least_amount")
        owed = self._dunning_owed() if rights else {}
        found = {}
        for share, persons in self._dunning_people().items():
            if any(people.browse(person).health_is_fragile for person in persons):
                found[share] = self.env._("To be called, as noted on the patient's form.")
                continue
            cases = [
                right.case_id.name
                for person in persons
                for right in rights.get(person, ())
                if right._covers(day) or right._covers(share.fse_date)
            ]
            if not cases:
                continue
            total = sum(cents(one.amount_residual) for one in owed.get(share._dunning_key(), ()))
            if total < least:
                found[share] = self.env._("%s and a small sum.", cases[0])
        return found

    def _dunning_rights(self, flag):
        """Rights of these people whose case bears that flag: dict of patient id → coverages."""
        cases = (
            self.env["health.coverage.case"]
            .with_context(active_test=False)
            .search([(flag, "=", True)])
        )
        people = self.partner_id | self.partner_id.health_debtor_id
        rights = defaultdict(list)
        for right in self.env["health.coverage"].search_fetch(
            [("patient_id", "in", people.ids), ("case_id", "in", cases.ids)],
            ["patient_id", "case_id", "date_from", "date_to"],
        ):
            rights[right.patient_id.id].append(right)
        return rights
