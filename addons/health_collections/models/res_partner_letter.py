from odoo import api, fields, models

from ..dunning.envelope import address_block
from ..dunning.french import day_text


class ResPartner(models.Model):
    _inherit = "res.partner"

    def _health_envelope_lines(self):
        """Name and address as a window envelope shows them, one line each."""
        self.ensure_one()
        if self._health_without_address():
            # seen by whoever folds the letter
            return [self.name or "", "ADRESSE À COMPLÉTER"]
        abroad = self.country_id and self.country_id != self.env.ref("base.fr")
        return address_block(
            self.name or "",
            [self.street or "", self.street2 or ""],
            " ".join(filter(None, (self.zip, self.city))),
            self.country_id.name if abroad else "",
        )

    def _health_without_address(self):
        """Those of them to whom no letter can go: no postcode or town, or for a person nothing that says where in it.

        A large organisation may have a town and a postcode of its own (CEDEX) for all its address.
        """
        return self.filtered(
            lambda partner: (
                not (partner.zip and partner.city)
                or partner.health_kind not in ("amo", "amc")
                and not (partner.street or partner.street2)
            )
        )

    @api.model
    def _health_day_text(self, day=None):
        """A day as a French letter writes it; today by default."""
        return day_text(day or fields.Date.context_today(self))
