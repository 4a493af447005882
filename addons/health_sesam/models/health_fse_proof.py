from odoo import models


class HealthFse(models.Model):
    _inherit = "health.fse"

    def _sending_proof(self):
        """Override of `health_billing`: the lot, its acknowledgement, and the file that was transmitted."""
        proofs = super()._sending_proof()
        # who may see the share may see that its FSE left, whatever they may see of lots
        lots = self.sudo().lot_id
        arl_day = dict(
            self.env["health.arl"]
            .sudo()
            ._read_group(
                [
                    ("lot_id", "in", lots.ids),
                    ("result", "=", "positive"),
                    ("is_superseded", "=", False),
                ],
                ["lot_id"],
                ["date:max"],
            )
        )
        files = {}
        for sent in (
            self.env["health.transmission"]
            .sudo()
            .search(
                [
                    ("lot_id", "in", lots.ids),
                    ("direction", "=", "out"),
                    ("state", "=", "done"),
                ],
                order="id",
            )
        ):
            files[sent.lot_id] = (sent.filename, sent.checksum or "")
        for fse in self:
            lot = fse.sudo().lot_id
            if not lot:
                continue
            name, checksum = files.get(lot, ("", ""))
            proofs[fse].update(
                sent_on=lot.sent_on or fse.sent_on,
                lot=lot.name,
                arl=fse.sudo().arl_state or "",
                arl_on=fse.sudo().arl_state == "ok" and arl_day.get(lot, False),
                file=name,
                checksum=checksum,
            )
        return proofs
