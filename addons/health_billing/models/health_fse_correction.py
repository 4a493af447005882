from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ..tools import QUIET, cents
from .health_share import CLOSED

PAYERS = frozenset({"amo", "amc"})
#: every part an FSE may bill
PARTS = ("amo", "amc", "patient")


class HealthFse(models.Model):
    """A refused FSE is billed again under a new number, linked to the first; the old number never comes back.

    What the first one still owed is closed by credit notes; parts that were paid, or that a payer is still at work
    on, stay where they are and are not billed twice.
    """

    _inherit = "health.fse"

    billed_parts = fields.Char(
        copy=False,
        readonly=True,
        help="Parts that a corrected FSE bills again (amo, amc, patient); empty: all of them.",
    )
    twin_ids = fields.Many2many(
        "health.fse",
        string="Refused FSE with the same care",
        compute="_compute_twin_ids",
        compute_sudo=True,
    )
    kept_note = fields.Char("Not billed again", compute="_compute_kept_note", compute_sudo=True)

    # -- which parts ---------------------------------------------------------------------------------

    def _billed_kinds(self):
        """Parts that this FSE bills."""
        self.ensure_one()
        return frozenset((self.billed_parts or ",".join(PARTS)).split(","))

    @api.model
    def _bills(self, kind):
        """Domain of the FSE that bill a part."""
        return Domain("billed_parts", "=", False) | Domain("billed_parts", "like", kind)

    def _owed_anew(self, totals):
        """Of what each debtor owes for the acts (cents), what this FSE may bill."""
        self.ensure_one()
        if not self.billed_parts:
            return totals
        kinds = self._billed_kinds()
        owed = {kind: totals[kind] if kind in kinds else 0 for kind in totals}
        if "patient" not in kinds:
            # the patient's part stays on the first FSE; what a correction adds to it is billed here
            owed["patient"] = max(0, totals["patient"] - self._kept_of_patient())
        return owed

    def _kept_of_patient(self):
        kept, fse = 0, self.replaces_id
        while fse:
            for share in fse.share_ids:
                if share.debtor_kind == "patient" and share.closing != "replaced":
                    kept += cents(share.amount)
            fse = fse.replaces_id
        return kept

    @api.depends("replaces_id.share_ids.state", "billed_parts")
    def _compute_kept_note(self):
        kinds = dict(
            self.env["health.share"]._fields["debtor_kind"]._description_selection(self.env)
        )
        for fse in self:
            old = fse.replaces_id
            kept = old.share_ids.filtered(
                lambda share, fse=fse: share.debtor_kind not in fse._billed_kinds()
            )
            fse.kept_note = bool(kept) and self.env._(
                "Stays on FSE %(number)s: %(parts)s",
                number=old.name,
                parts=", ".join(
                    f"{kinds[share.debtor_kind]} ({share._state_label()})" for share in kept
                ),
            )

    def _parts_to_correct(self, parts=None):
        """Parts of each FSE to bill again, and what stands against it.

        Without ``parts``: what was refused; when that is the fund's part (or nothing), everything still open goes
        along, except what a payer is about to pay.

        :return: (dict of FSE id → set of parts, dict of FSE id → list of reasons)
        """
        refusals = self.share_ids._resend_refusals()
        wanted, problems = {}, defaultdict(list)
        for fse in self:
            shares = {share.debtor_kind: share for share in fse.share_ids if share.amount}
            rejected = {kind for kind, share in shares.items() if share.state == "rejected"}
            if parts:
                kinds = set(parts) & shares.keys()
            elif rejected and "amo" not in rejected:
                kinds = rejected
            else:
                kinds = {kind for kind, share in shares.items() if share.state not in CLOSED}
                if rejected:
                    kinds -= {kind for kind in kinds - rejected if shares[kind].id in refusals}
                if "patient" in kinds and shares["patient"].id in refusals:
                    kinds.discard("patient")
            if fse.state in ("entered", "draft"):
                problems[fse.id].append(self.env._("it is not validated: change it where it is"))
            elif not kinds & PAYERS and not (kinds and fse.kind == "P"):
                problems[fse.id].append(self.env._("no payer owes anything on it any more"))
            for kind in sorted(kinds):
                if shares[kind].id in refusals:
                    problems[fse.id].append(
                        f"{shares[kind].name.rpartition(' · ')[2]} {refusals[shares[kind].id]}"
                    )
            wanted[fse.id] = kinds
        return wanted, dict(problems)

    # -- correcting ----------------------------------------------------------------------------------

    def _correct(self, parts=None, vals=None):
        """Bill these FSE again under numbers to come: copies to be changed and validated, the old ones closed.

        In batches: credit notes are created and reconciled in one go, the number of queries does not depend on the
        number of FSE.

        :param parts: parts to bill again, e.g. ``{"amc"}``, which makes a DRE; default: what was refused
        :param vals: values to set on every new FSE
        :return: the new FSE, in the order of ``self``
        :raises UserError: one of them may not go out again; nothing is done
        """
        self.check_access("write")
        self.share_ids.lock_for_update()
        wanted, problems = self._parts_to_correct(parts)
        if problems:
            raise UserError(
                "\n".join(
                    self.env._(
                        "FSE %(number)s: %(reasons)s.", number=fse.name, reasons="; ".join(why)
                    )
                    for fse, why in ((fse, problems[fse.id]) for fse in self if fse.id in problems)
                )
            )
        old = self.sudo()
        made = (
            self.with_context(**QUIET)
            .sudo()
            .create(
                [
                    {**data, **fse._correction_values(wanted[fse.id]), **(vals or {})}
                    for fse, data in zip(old, old.copy_data(), strict=True)
                ]
            )
        )
        new_of = dict(zip(old, made, strict=True))
        acts = old.act_ids
        self.env["health.fse.act"].sudo().create(
            [
                {**data, "fse_id": new_of[act.fse_id].id}
                for act, data in zip(acts, acts.copy_data(), strict=True)
            ]
        )
        closing = old.share_ids.filtered(lambda share: share.debtor_kind in wanted[share.fse_id.id])
        self.env["health.share"].sudo().create(
            [
                {
                    "fse_id": new_of[share.fse_id].id,
                    "debtor_kind": share.debtor_kind,
                    "partner_id": share.partner_id.id,
                    "amount": share.amount,
                    "due_date": share.due_date,
                }
                for share in closing
            ]
        )
        whole = old.filtered(lambda fse: new_of[fse].kind != "D" or fse.kind == "D")
        self._move_visits([(fse.id, new_of[fse].id) for fse in whole])
        closing._close_replaced(self.env._("Corrected"))
        return made.with_env(self.env)

    def _correction_values(self, kinds):
        self.ensure_one()
        to_insurer = kinds & PAYERS == {"amc"} and "amo" in self.share_ids.mapped("debtor_kind")
        return {
            "kind": "D" if to_insurer else self.kind,
            "origin": "entry",
            "sent_on": False,
            "lot_no": False,
            "replaces_id": self.id,
            "billed_parts": ",".join(part for part in PARTS if part in kinds),
            "coverage_id": self.coverage_id.id,
            "quote_id": self.quote_id.id,
        }

    @api.model
    def _move_visits(self, pairs):
        """Bring the visits of FSE to others, given as (from id, to id)."""
        if not pairs:
            return
        Visit = self.env["health.visit"].sudo()
        Visit.flush_model(["fse_id"])
        self.env.cr.execute(
            SQL(
                """
                UPDATE health_visit visit SET fse_id = pair.new
                  FROM unnest(%s, %s) AS pair (old, new) WHERE visit.fse_id = pair.old
                """,
                [old for old, _new in pairs],
                [new for _old, new in pairs],
            )
        )
        Visit.invalidate_model(["fse_id"])
        self.invalidate_model(["visit_ids"])

    def _uncorrect(self):
        """Give corrections up: the new FSE go, the old ones owe again what they did.

        Works on the new FSE, or on the old ones.

        :return: the old FSE
        :raises UserError: one of the new FSE is validated
        """
        made = self.filtered("replaces_id") or self.replaced_by_ids
        old = made.replaces_id
        if not made:
            raise UserError(self.env._("None of these FSE is a correction."))
        made.check_access("write")
        made.sudo().unlink()
        return old

    def _give_back_to_replaced(self):
        """What goes with corrections that are deleted: credit notes are undone, visits go back."""
        made = self.sudo().filtered("replaces_id")
        if not made:
            return
        made._unlink_only_entered()
        self._move_visits([(fse.id, fse.replaces_id.id) for fse in made])
        self._reopen_replaced(made)

    @api.model
    def _reopen_replaced(self, made):
        """The shares that ``made`` closed on the FSE they replace are owed again."""
        kinds = {fse.replaces_id.id: fse._billed_kinds() for fse in made}
        shares = made.replaces_id.share_ids.filtered(
            lambda share: (
                share.closing == "replaced" and share.debtor_kind in kinds[share.fse_id.id]
            )
        )
        shares._undo_closing("restored")

    def action_correct(self):
        """Bill the FSE again under a new number, and show it to be changed."""
        made = self._correct()
        made._control()
        return made._action_show(self.env._("Corrected FSE"))

    def action_uncorrect(self):
        return self._uncorrect()._action_show(self.env._("FSE"))

    def action_open_replacements(self):
        """The chain of an FSE: what it replaces, and what replaces it."""
        return (self.replaces_id | self.replaced_by_ids)._action_show(self.env._("FSE"))

    def _action_show(self, title):
        action = {
            "type": "ir.actions.act_window",
            "name": title,
            "res_model": "health.fse",
            "view_mode": "list,form",
            "domain": [("id", "in", self.ids)],
        }
        if len(self) == 1:
            action.update(res_id=self.id, view_mode="form")
        return action

    # -- claims of another program that look like a resend -------------------------------------------

    @api.model
    def _twins(self, companies, fses=None):
        """FSE of a journal that bill the same acts as an earlier refused one, which nothing replaced.

        Proposed, never linked silently. Same patient, dates, key letters, coefficients, quantities and total.

        :param fses: only these as the later one
        :return: dict of later FSE id → list of ids of refused ones; one query
        """
        for model, names in (
            ("health.fse", ["state", "patient_id", "replaces_id", "origin", "amount_total"]),
            ("health.fse.act", ["fse_id", "act_date", "key_letter", "coefficient_hundredths"]),
        ):
            self.env[model].flush_model(names)
        acts = """(SELECT string_agg(concat_ws(' ', a.act_date, a.key_letter, a.coefficient_hundredths, a.quantity),
                                     ',' ORDER BY a.act_date, a.key_letter, a.coefficient_hundredths, a.quantity)
                     FROM health_fse_act a WHERE a.fse_id = %s.id)"""
        rows = self.env.execute_query(
            SQL(
                f"""
                SELECT later.id, old.id
                  FROM health_fse old
                  JOIN health_fse later ON later.company_id = old.company_id
                       AND later.patient_id = old.patient_id AND later.id <> old.id
                       AND later.fse_date >= old.fse_date
                 WHERE old.company_id = ANY(%(companies)s) AND old.state = 'rejected'
                   AND later.origin = 'journal' AND later.replaces_id IS NULL
                   AND later.state <> 'rejected'
                   AND (%(all)s OR later.id = ANY(%(ids)s))
                   AND later.sent_on > old.sent_on
                   AND NOT EXISTS (SELECT FROM health_fse other WHERE other.replaces_id = old.id)
                   AND {acts % "later"} = {acts % "old"}
                 ORDER BY later.id, old.fse_date, old.id
                """,
                companies=companies.ids,
                all=fses is None,
                ids=fses.ids if fses is not None else [],
            )
        )
        found = defaultdict(list)
        for later, old in rows:
            found[later].append(old)
        return dict(found)

    def _compute_twin_ids(self):
        journal = self.filtered(lambda fse: fse.origin == "journal" and not fse.replaces_id)
        found = self._twins(journal.company_id, journal) if journal.ids else {}
        for fse in self:
            fse.twin_ids = found.get(fse._origin.id, [])

    def action_link_twin(self):
        """This FSE is the resend of the refused one with the same care: link them, close the refused one."""
        self.check_access("write")
        found = self._twins(self.company_id, self)
        if not found:
            raise UserError(self.env._("No refused FSE bears the same care."))
        shares = self.env["health.share"]
        for fse in self.filtered(lambda fse: fse.id in found):
            old = self.browse(found[fse.id][-1])
            kinds = set(fse.share_ids.mapped("debtor_kind"))
            closing = old.share_ids.filtered(
                lambda share, kinds=kinds: (
                    share.debtor_kind in kinds
                    and share.state not in ("announced", *CLOSED)
                    and not share._is_partly_paid()
                )
            )
            if not closing:
                raise UserError(
                    self.env._("FSE %s owes nothing that can be billed again.", old.name)
                )
            fse.sudo().write(
                {
                    "replaces_id": old.id,
                    "billed_parts": ",".join(
                        part for part in PARTS if part in closing.mapped("debtor_kind")
                    ),
                }
            )
            shares |= closing
        shares._close_replaced(self.env._("Sent again by the practitioner's software"))
        return True

    def action_unlink_twin(self):
        """This FSE is not the resend: both are claims of their own again."""
        self.check_access("write")
        linked = self.filtered(lambda fse: fse.replaces_id and fse.origin == "journal").sudo()
        self._reopen_replaced(linked)
        linked.write({"replaces_id": False, "billed_parts": False})
        return True

    @api.model
    def _cards_twins(self):
        """Claims of another program that look like the resend of a refused one: to link, or to leave."""
        Cockpit = self.env["health.cockpit"]
        twins = self.browse(self._twins(self.env.companies))
        return [
            Cockpit._card(
                f"twins-{company.id}",
                self.env._("Sent again after a refusal?"),
                self.env._("Same patient, same care as a refused FSE: say whether it replaces it."),
                company,
                len(fses),
                Cockpit._act_window(
                    self.env._("Sent again after a refusal?"),
                    "health.fse",
                    [("id", "in", fses.ids)],
                ),
                self.env._("See the FSE"),
                amount=sum(fses.mapped("amount_total")),
            )
            for company, fses in twins.grouped("company_id").items()
        ]
