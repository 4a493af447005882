from odoo import api, models


class HealthControlTrigger(models.AbstractModel):
    """A fact about a patient that rules look at: when it changes, the FSE that have not left are controlled again.

    So an objection goes the moment its cause does, whoever mended it. Inherited beside ``mail.thread`` and the
    like; ``_control_fields`` names what the rules read.
    """

    _name = "health.control.trigger"
    _description = "Fact that rules look at"

    _control_fields = frozenset()

    @api.model_create_multi
    def create(self, vals_list):
        records = super().create(vals_list)
        records._control_again(records.patient_id)
        return records

    def write(self, vals):
        if not self._control_fields & vals.keys():
            return super().write(vals)
        before = self.patient_id
        result = super().write(vals)
        self._control_again(before | self.patient_id)
        return result

    def unlink(self):
        patients = self.patient_id
        result = super().unlink()
        self._control_again(patients)
        return result

    @api.model
    def _control_again(self, patients):
        self.env["health.fse"].sudo()._control_unsent(patients)
