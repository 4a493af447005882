from collections import defaultdict

from markupsafe import Markup

from odoo import SUPERUSER_ID, api, fields, models
from odoo.tools import SQL, format_date

from ..tools import cents, format_cents

#: what happens on one day, in the order in which it can
ORDER = (
    "entered",
    "imported",
    "validated",
    "lot",
    "sent",
    "arl",
    "arl_missing",
    "announced",
    "rejected",
    "deferred",
    "received",
    "silent",
)


class HealthFse(models.Model):
    """Everything that happened to an FSE and its shares, told from the facts each time it is asked for."""

    _inherit = "health.fse"

    timeline = fields.Html(compute="_compute_timeline", compute_sudo=True, sanitize=False)

    def _events(self):
        """What happened: dict of FSE id → list of events; extend it, super first.

        An event is a dict: day, kind, text, who, part (kind of debtor, or empty: the whole FSE), model, id. Each
        kind is one query, however many FSE there are.
        """
        events = defaultdict(list)
        fses = self.sudo()
        for fse in fses:
            fse._own_events(events[fse.id])
        for share in fses.share_ids:
            if share.silent_on:
                events[share.fse_id.id].append(
                    self._event(
                        share.silent_on,
                        "silent",
                        self.env._("No answer within the payer's usual delay"),
                        share,
                        part=share.debtor_kind,
                    )
                )
        self._decision_events(fses, events)
        self._received_events(fses, events)
        return dict(events)

    @api.model
    def _event(self, day, kind, text, record, who="", part=""):
        return {
            "day": day,
            "kind": kind,
            "text": text,
            "who": who or "",
            "part": part or "",
            "model": record._name,
            "id": record.id,
        }

    def _own_events(self, events):
        """What the FSE itself tells."""
        self.ensure_one()
        made = self.create_date.date()
        if self.origin == "journal":
            text = self.env._("Read in the journal of the practitioner's software")
            events.append(self._event(made, "imported", text, self, self.create_uid.name))
        else:
            text = self.env._("Entered")
            if self.replaces_id:
                text = self.env._("Entered, to bill FSE %s again", self.replaces_id.name)
            events.append(self._event(made, "entered", text, self, self.create_uid.name))
        if self.validated_on:
            text = self.env._("Validated under number %s", self.name)
            who = self.validated_by_id.name
            events.append(self._event(self.validated_on.date(), "validated", text, self, who))
        if self.sent_on:
            text = self.env._("Sent in lot %s", self.lot_no) if self.lot_no else self.env._("Sent")
            events.append(self._event(self.sent_on, "sent", text, self))

    @api.model
    def _decision_events(self, fses, events):
        """What persons decided about the shares."""
        labels = dict(
            self.env["health.share.decision"]._fields["kind"]._description_selection(self.env)
        )
        later = {fse: fse.replaced_by_ids for fse in fses}
        for decision in (
            self.env["health.share.decision"]
            .sudo()
            .search([("share_id", "in", fses.share_ids.ids)], order="id")
        ):
            share = decision.share_id
            text = labels[decision.kind]
            if decision.kind == "replaced" and later[share.fse_id]:
                numbers = ", ".join(later[share.fse_id].mapped("name"))
                text = self.env._("%(what)s: FSE %(numbers)s", what=text, numbers=numbers)
            if decision.reason and decision.kind != "replaced":
                text = self.env._("%(what)s: %(why)s", what=text, why=decision.reason)
            events[share.fse_id.id].append(
                self._event(
                    decision.date,
                    decision.kind,
                    text,
                    share,
                    decision.user_id.name,
                    share.debtor_kind,
                )
            )

    @api.model
    def _received_events(self, fses, events):
        """What was received for the shares, from whichever payment."""
        for name in ("account.partial.reconcile", "account.move.line", "health.share"):
            self.env[name].flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT share.fse_id, share.debtor_kind, credit.date, credit.move_id, sum(partial.amount)
                  FROM health_share share
                  JOIN account_move_line debit ON debit.move_id = share.move_id
                  JOIN account_partial_reconcile partial ON partial.debit_move_id = debit.id
                  JOIN account_move_line credit ON credit.id = partial.credit_move_id
                 WHERE share.fse_id = ANY(%s)
                   AND credit.move_id IS DISTINCT FROM share.closing_move_id
                 GROUP BY share.fse_id, share.debtor_kind, credit.date, credit.move_id
                """,
                fses.ids,
            )
        )
        for fse_id, kind, day, move_id, amount in rows:
            text = self.env._("Received: %s", format_cents(cents(amount)))
            move = self.env["account.move"].browse(move_id)
            events[fse_id].append(self._event(day, "received", text, move, part=kind))

    @api.model
    def _may_tell_care(self):
        """Whether the reader may know why a payer refused: the accountant may not."""
        user = self.env.user
        return self.env.uid == SUPERUSER_ID or any(
            user.has_group(f"health_billing.group_{name}") for name in ("biller", "practitioner")
        )

    def _compute_timeline(self):
        events = self._events() if self.ids else {}
        for fse in self:
            fse.timeline = self._timeline_html(events.get(fse.id, []))

    @api.model
    def _timeline_html(self, events):
        """Events as a list to read, the latest first."""
        parts = dict(
            self.env["health.share"]._fields["debtor_kind"]._description_selection(self.env)
        )
        rank = {kind: place for place, kind in enumerate(ORDER)}
        events = sorted(
            events, key=lambda event: (event["day"], rank.get(event["kind"], len(ORDER)))
        )
        row = Markup(
            "<tr><td class='text-nowrap'>%s</td><td class='text-nowrap text-muted'>%s</td>"
            "<td>%s</td><td class='text-muted'>%s</td></tr>"
        )
        head = Markup("<thead><tr><th>%s</th><th>%s</th><th>%s</th><th>%s</th></tr></thead>") % (
            self.env._("Date"),
            self.env._("Part"),
            self.env._("Event"),
            self.env._("By"),
        )
        body = Markup("").join(
            row
            % (
                format_date(self.env, event["day"]),
                parts.get(event["part"], ""),
                event["text"],
                event["who"],
            )
            for event in reversed(events)
        )
        return (
            Markup("<table class='table table-sm o_health_timeline'>%s<tbody>%s</tbody></table>")
            % (head, body)
            if events
            else False
        )
