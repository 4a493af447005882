from odoo import api, models

from odoo.addons.health_billing.tools import cents, format_cents


class HealthCycle(models.Model):
    _inherit = "health.cycle"

    @api.model
    def _steps(self):
        """Override of `health_billing`: files before all, lots after the invoices of the shares."""
        return super()._steps() + [
            (5, "fetch", self.env._("Fetch"), "_step_fetch"),
            (30, "lots", self.env._("Lots and ARL"), "_step_lots"),
            (35, "send", self.env._("Send"), "_step_send"),
        ]

    @api.model
    def _step_fetch(self, day):
        """Take what waits in folders and at SFTP servers; Odoo reads the mailboxes by itself."""
        lines = self.env["health.transport"]._night_fetch()
        return lines or [self.env._("no transport to fetch from.")]

    @api.model
    def _step_send(self, day):
        """Lots whose list the practitioner signed leave, where a manager allowed it."""
        sent, problems = self.env["health.lot"]._transmit_signed(
            self.env.companies.filtered("health_provider_no")
        )
        lines = [self.env._("%s lot(s) sent.", len(sent))] if sent else []
        return lines + problems or [self.env._("no signed lot leaves by itself.")]

    @api.model
    def _step_lots(self, day):
        """FSE that their software sent go into the lots it used, the others into lots to sign."""
        Lot = self.env["health.lot"]
        companies = self.env.companies.filtered("health_provider_no")
        read = Lot._collect_sent(companies)
        built, left_out = Lot._build(companies, day)
        silent = Lot._note_missing_arl(companies, day)
        lines = []
        if read:
            lines.append(self.env._("%s lot(s) read in the FSE journals.", len(read)))
        if built:
            lines.append(
                self.env._(
                    "%(lots)s lot(s) ready to sign: %(fse)s FSE, %(amount)s.",
                    lots=len(built),
                    fse=sum(built.mapped("fse_count")),
                    amount=format_cents(sum(cents(lot.amount_total) for lot in built)),
                )
            )
        if left_out:
            lines.append(self.env._("%s FSE cannot go into a lot (see why).", len(left_out)))
        if silent:
            lines.append(self.env._("%s lot(s) without their ARL.", len(silent)))
        return lines or [self.env._("nothing new to send or to ask for.")]
