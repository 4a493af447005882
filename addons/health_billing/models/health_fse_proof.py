from odoo import models


class HealthFse(models.Model):
    _inherit = "health.fse"

    def _sending_proof(self):
        """What shows that these FSE left and were received; addons that know lots and their ARL add to it.

        :return: dict of FSE → dict of sent_on (date or False), lot (number or ""), arl_on (day of the positive
            acknowledgement or False), arl ("ok", "refused", "missing", "waiting", "not_needed" or ""), file (name)
            and checksum of what was transmitted.
        """
        return {
            fse: {
                "sent_on": fse.sent_on,
                "lot": fse.lot_no or "",
                "arl_on": False,
                "arl": "",
                "file": "",
                "checksum": "",
            }
            for fse in self
        }
