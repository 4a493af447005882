import json
from collections import defaultdict
from dataclasses import asdict

from odoo import api, fields, models
from odoo.tools import SQL, split_every

from .. import ngap
from ..tools import format_cents

#: FSE per batch: memory stays flat however many are given
BATCH = 1000
#: models that bring findings of their own: a method ``_findings(fses)`` that returns a list of dicts
FINDING_SOURCES = ("health.coverage", "sale.order", "health.ngap.value")


class HealthControl(models.AbstractModel):
    """Control of FSE: what the rules and the other models object, written as findings.

    What was passed stays passed as long as the same objection stands; what no longer holds goes away.
    """

    _name = "health.control"
    _description = "Control of FSE"

    @api.model
    def _run(self, fses):
        """Control these FSE, in batches."""
        # one practitioner and patient after the other, so that a batch shares its history
        ids = [
            fse_id
            for (fse_id,) in self.env.execute_query(
                SQL(
                    "SELECT id FROM health_fse WHERE id = ANY(%s) ORDER BY company_id, patient_id, id",
                    list(fses.ids),
                )
            )
        ]
        for chunk in split_every(BATCH, ids):
            self._batch(fses.browse(chunk))

    @api.model
    def _batch(self, fses):
        """Make the findings of these FSE what holds now."""
        wanted = self._wanted(fses)
        Finding = self.env["health.finding"].sudo()
        known = defaultdict(list)
        for finding in Finding.search_fetch(
            [("fse_id", "in", fses.ids)],
            ["fse_id", "act_id", "rule_code", "severity", "message", "proposal", "state"],
            order="id",
        ):
            known[finding.fse_id.id, finding.rule_code, finding.act_id.id].append(finding)
        created, changed = [], []
        for vals in wanted:
            same = known.get((vals["fse_id"], vals["rule_code"], vals["act_id"]))
            if not same:
                created.append(vals)
                continue
            finding = same.pop(0)
            if finding.state == "applied" or vals["severity"] > finding.severity:
                # it is back, or worse than what was passed
                vals["state"] = "open"
            news = {
                name: value
                for name, value in vals.items()
                if name not in ("fse_id", "act_id") and (finding[name] or False) != (value or False)
            }
            if news:
                changed.append((finding, news))
        Finding.union(
            *(
                finding
                for findings in known.values()
                for finding in findings
                if finding.state != "applied"
            )
        ).unlink()
        groups = {}
        for finding, news in changed:
            key = str(sorted(news.items(), key=lambda item: item[0]))
            groups.setdefault(key, [news, []])[1].append(finding.id)
        for news, ids in groups.values():
            Finding.browse(ids).write(news)
        self.env.flush_all()
        self._insert(created)
        self.env.cr.execute(
            SQL(
                "UPDATE health_fse SET controlled_on = %s WHERE id = ANY(%s)",
                fields.Datetime.now(),
                list(fses.ids),
            )
        )
        # nothing of this batch is needed for the next one
        self.env.invalidate_all(flush=False)

    @api.model
    def _insert(self, vals_list):
        """New findings, straight into the table: figures derived from facts, which nobody follows.

        Through the engine they would cost more than the control itself.
        """
        if not vals_list:
            return
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO health_finding (
                    fse_id, act_id, rule_code, severity, message, reference, proposal, proposal_label, state,
                    company_id, patient_id, fse_amount, create_uid, write_uid, create_date, write_date)
                SELECT new.fse_id, new.act_id, new.rule_code, new.severity, new.message, new.reference, new.proposal,
                       new.proposal_label, 'open', fse.company_id, fse.patient_id, fse.amount_total,
                       %(user)s, %(user)s, now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC'
                  FROM jsonb_to_recordset(%(rows)s) AS new (
                       fse_id int, act_id int, rule_code text, severity text, message text, reference text,
                       proposal jsonb, proposal_label text)
                  JOIN health_fse fse ON fse.id = new.fse_id
                """,
                user=self.env.uid,
                rows=json.dumps(
                    [{name: value or None for name, value in vals.items()} for vals in vals_list]
                ),
            )
        )

    @api.model
    def _wanted(self, fses):
        """Values of the findings that hold now: those of the rules, then those of other models."""
        result = []
        answers = ngap.control(self.env["health.ngap"]._book(fses))
        for fse_id, findings in answers.items():
            for finding in findings:
                proposal = finding.proposal
                result.append(
                    {
                        "fse_id": fse_id,
                        "act_id": finding.line or False,
                        "rule_code": finding.rule,
                        "severity": str(int(finding.severity)),
                        "message": finding.message,
                        "reference": finding.reference,
                        "proposal": self._proposal_values(proposal) if proposal else False,
                        "proposal_label": self._proposal_label(proposal) if proposal else False,
                    }
                )
        for name in FINDING_SOURCES:
            for vals in self.env[name]._findings(fses):
                result.append(
                    {
                        "fse_id": vals["fse_id"],
                        "act_id": vals.get("act_id") or False,
                        "rule_code": vals["rule_code"],
                        "severity": vals["severity"],
                        "message": vals["message"],
                        "reference": vals.get("reference") or False,
                        "proposal": vals.get("proposal") or False,
                        "proposal_label": (vals.get("proposal") or {}).get("label", False),
                    }
                )
        for fse in self.env["health.fse"].search_fetch(
            [("id", "in", fses.ids), ("price_issue", "!=", False)], ["price_issue"]
        ):
            result.append(
                {
                    "fse_id": fse.id,
                    "act_id": False,
                    "rule_code": "GEN-14",
                    "severity": "3",
                    "message": fse.price_issue,
                    "reference": ngap.rule_texts()["GEN-14"].reference,
                    "proposal": False,
                    "proposal_label": False,
                }
            )
        return result

    @api.model
    def _proposal_values(self, proposal):
        return {name: value for name, value in asdict(proposal).items() if value not in (None, "")}

    @api.model
    def _proposal_label(self, proposal):
        if not proposal.gain:
            return proposal.label
        sign = "+" if proposal.gain > 0 else ""
        return f"{proposal.label} ({sign}{format_cents(proposal.gain)})"
