from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import split_every

#: SMS given to a gateway between two commits: what a crash could send twice
BATCH = 20
STATES = {"pending": "sent", "sent": "delivered", "error": "failed", "canceled": "cancelled"}


class SmsSms(models.Model):
    _inherit = "sms.sms"

    health_contact_id = fields.Many2one(
        "health.contact", "Contact", index="btree_not_null", readonly=True, ondelete="set null"
    )
    health_leaves_at = fields.Datetime("Not before", readonly=True)

    def _get_sms_company(self):
        """Override of `sms`: the practitioner in whose name it is."""
        return self.health_contact_id.company_id[:1] or super()._get_sms_company()

    def _split_by_api(self):
        """Override of `sms`: the gateway of each practitioner; never the paid service of Odoo."""
        for company, messages in self.grouped(lambda sms: sms._get_sms_company()).items():
            yield company._get_sms_api_class()(self.env(), company), messages

    @api.model
    def _process_queue(self):
        """Replace `sms`: what may leave now, practitioner by practitioner, in small batches."""
        domain = Domain("state", "=", "outgoing") & Domain("to_delete", "!=", True)
        domain &= Domain("health_leaves_at", "=", False) | Domain(
            "health_leaves_at", "<=", fields.Datetime.now()
        )
        messages = self.search(domain, limit=self._get_send_batch_size(), order="id")
        done = 0
        for ids in split_every(BATCH, messages.ids):
            batch = self.browse(ids).try_lock_for_update().filtered_domain(domain)
            for sms_api, group in batch._split_by_api():
                group.with_context(sms_api=sms_api)._send(unlink_sent=True)
            done += len(ids)
            self.env["ir.cron"]._commit_progress(len(ids), remaining=len(messages) - done)

    def _send(self, unlink_failed=False, unlink_sent=True, raise_exception=False):
        """Override of `sms`: messages to debtors are looked at again as they leave."""
        ready = self - self._health_stop()
        if not ready:
            return None
        return super(SmsSms, ready.with_context(health_results=True))._send(
            # a message of ours stays until it has left, or somebody was told
            unlink_failed=unlink_failed,
            unlink_sent=unlink_sent,
            raise_exception=raise_exception,
        )

    def _health_stop(self):
        """Cancel those whose reason to leave is gone, put off those that would leave at a wrong hour.

        :return: the messages that do not leave now.
        """
        ours = self.filtered("health_contact_id")
        stopped, later = ours.health_contact_id._recheck()
        for moment, contacts in self.env["health.contact"].union(*later).grouped(later.get).items():
            ours.filtered(
                lambda sms, group=contacts: sms.health_contact_id in group
            )._health_put_off(moment)
        held = ours.filtered(
            lambda sms: sms.health_contact_id in stopped or sms.health_contact_id in later
        )
        ours.health_contact_id._stop(stopped)
        return held

    def _health_put_off(self, moment):
        self.write({"health_leaves_at": moment})
        self.env.ref("sms.ir_cron_sms_scheduler_action")._trigger(moment)

    def write(self, vals):
        """Override: the history follows; the key of the page is not kept once it has left."""
        result = super().write(vals)
        if vals.get("state") in STATES and not self.env.context.get("health_results"):
            self._health_follow({})
        return result

    def _health_follow(self, reasons):
        labels = dict(self._fields["failure_type"]._description_selection(self.env))
        for sms in self.filtered("health_contact_id"):
            contact, state = sms.health_contact_id.sudo(), STATES.get(sms.state)
            if not state:
                continue
            reason = contact.state_reason if state == "cancelled" else False
            if state == "failed":
                reason = reasons.get(sms.uuid) or labels.get(sms.failure_type) or False
            contact._set_state(state, reason)
            if state != "failed" and sms.body != contact.body:
                sms.body = contact.body

    def _handle_call_result_hook(self, results):
        """Override of `sms`: references and reasons of the gateway; what it could not take is tried again."""
        super()._handle_call_result_hook(results)
        ours = self.filtered("health_contact_id")
        by_uuid = {result["uuid"]: result for result in results}
        most = self.env["health.parameter"].value_of("message_tries")
        again = ours.filtered(
            lambda sms: (
                sms.state == "error"
                and sms.failure_type == "sms_server"
                and sms.health_contact_id.tries + 1 < most
            )
        )
        for sms in ours - again:
            reference = by_uuid[sms.uuid].get("reference")
            if reference:
                sms.health_contact_id.sudo().write(
                    {"gateway_ref": reference, "gateway_id": by_uuid[sms.uuid].get("gateway_id")}
                )
        (ours - again)._health_follow(
            {uuid: result.get("failure_reason") for uuid, result in by_uuid.items()}
        )
        if again:
            wait = timedelta(minutes=self.env["health.parameter"].value_of("message_retry_minutes"))
            again.write({"state": "outgoing", "failure_type": False, "to_delete": False})
            again._health_put_off(fields.Datetime.now() + wait)
            for tries, contacts in again.health_contact_id.sudo().grouped("tries").items():
                contacts._set_state(
                    "queued",
                    self.env._("The SMS gateway did not answer: it is tried again."),
                    tries=tries + 1,
                )
