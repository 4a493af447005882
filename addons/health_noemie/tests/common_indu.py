"""An overpayment file with its claims, for the tests of several sides of it."""

from datetime import date

from odoo.addons.health_billing.tools import cents
from odoo.addons.health_sesam.norms import noemie

from .common import DAY, NoemieCommon

PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00\x90wS\xde"
    b"\x00\x00\x00\x0cIDATx\x9cc\xf8\xff\xff?\x00\x05\xfe\x02\xfe\xdc\xccY\xe7\x00\x00\x00\x00IEND\xaeB`\x82"
)


class InduCommon(NoemieCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        (cls.nurse + cls.physio).write({"phone": False})

    @classmethod
    def debt(cls, amount, ref="D123456789", balance=0, kind="IND", operation="RPR"):
        return noemie.Movement(
            debt_ref=ref,
            debt_date=DAY,
            debt_kind=kind,
            operation=operation,
            amount=amount,
            balance=balance,
        )

    def withhold(self, *debts, number="000000101", ref="262850012345", day=DAY, amo=6000):
        """Drop a return whose transfer is short of these debts; the settlement."""
        if not self.env["health.fse"].search([("name", "=", number)]):
            self.make_fse(self.nurse, number, amo=amo)
        content = self.noemie(
            self.settlement(self.paid(number, amo=amo), movements=list(debts), ref=ref, day=day),
            file_id=f"F{number[-5:]}",
        )
        inbox = self.drop(content)
        self.assertEqual(inbox.state, "done", inbox.message)
        return self.settlements()[-1]

    def indus(self):
        return self.env["health.indu"].search(
            [("company_id", "in", self.companies.ids)], order="id"
        )

    @classmethod
    def make_indu(cls, *lines, company=None, **values):
        """A file from a letter; lines are (FSE number, cents, position)."""
        return cls.env["health.indu"].create(
            {
                "company_id": (company or cls.nurse).id,
                "payer_id": cls.cpam.id,
                "reference": "2026-4711",
                "notified_on": date(2026, 10, 1),
                "received_on": date(2026, 10, 5),
                "amount_notified": sum(amount for _n, amount, _d in lines) / 100,
                "line_ids": [
                    (0, 0, {"fse_number": number, "amount": amount / 100, "decision": decision})
                    for number, amount, decision in lines
                ],
                **values,
            }
        )

    def send(self, indu, kind, day, instalments=1):
        letter = self.env["health.indu.letter"]._draw_up(indu, kind, instalments)
        letter.sent_on = day
        return letter

    def balances(self, company=None):
        """dict of account code → cents, over every posted entry of a practice; residuals too."""
        self.env.flush_all()
        rows = self.env["account.move.line"]._read_group(
            [("company_id", "=", (company or self.nurse).id), ("parent_state", "=", "posted")],
            ["account_id"],
            ["balance:sum", "amount_residual:sum"],
        )
        return {
            account.with_company(company or self.nurse).code: (
                cents(balance),
                cents(left),
            )
            for account, balance, left in rows
            if cents(balance) or cents(left)
        }
