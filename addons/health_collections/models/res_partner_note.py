from odoo import models

from ..dunning.person import same_contact, same_name


class ResPartner(models.Model):
    """Whose notes one page shows."""

    _inherit = "res.partner"

    def _health_settles_for(self):
        """Whose shares this person settles: their own and those of whoever named them.

        :return: patients, with full rights.
        """
        person = self.sudo()
        return person | person.health_debtor_for_ids

    def _health_same_person(self):
        """The same person as other practitioners know them, when there is no doubt: NIR, birth date and
        rank, name, and an e-mail address or a mobile number.

        Patients belong to one practitioner each; this is looked at for the person's own page only, never to show
        one practitioner what another knows.

        :return: patients of other practitioners, at most one per practitioner, with full rights.
        """
        self.ensure_one()
        person = self.sudo()
        if not (person.health_nir and person.health_birth_date) or person.health_is_temporary_nir:
            return person.browse()
        found = person.search(
            [
                ("health_kind", "=", "patient"),
                ("health_nir", "=", person.health_nir),
                ("health_birth_date", "=", person.health_birth_date),
                ("health_birth_rank", "=", person.health_birth_rank),
                ("company_id", "!=", person.company_id.id),
            ]
        ).filtered(
            lambda other: (
                same_name(person.name or "", other.name or "")
                and same_contact(
                    person.email or "", person.phone or "", other.email or "", other.phone or ""
                )
            )
        )
        # two files of one person at one practitioner: which one is meant is not certain
        alone = [group for group in found.grouped("company_id").values() if len(group) == 1]
        return person.browse().union(*alone)
