import base64

from odoo import api, fields, models


class HealthContactPrint(models.TransientModel):
    """A file of several letters on its way to the printer; it is kept no longer than any wizard."""

    _name = "health.contact.print"
    _description = "Letters to Print"

    content = fields.Binary(readonly=True, attachment=False)

    @api.model
    def _download(self, content):
        wizard = self.create({"content": base64.b64encode(content)})
        name = self.env._("Letters.pdf")
        return {
            "type": "ir.actions.act_url",
            "url": f"/web/content?model={self._name}&id={wizard.id}&field=content&download=true&filename={name}",
            "target": "download",
        }
