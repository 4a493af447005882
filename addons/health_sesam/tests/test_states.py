"""What the acknowledgement of a lot makes of its shares; what is billed again by a DRE."""

from importlib.util import module_from_spec, spec_from_file_location

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools.misc import file_path

from .common import DAY, SesamCommon


@tagged("post_install", "-at_install")
class TestStates(SesamCommon):
    def states(self, fse):
        return {share.debtor_kind: share.state for share in fse.share_ids}

    def migrate(self):
        path = file_path("health_sesam/migrations/19.0.3.0.0/post-states.py")
        spec = spec_from_file_location("post_states", path)
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        self.env.flush_all()
        module.migrate(self.env.cr, "19.0.2.0.0")
        self.env.invalidate_all()

    def test_shares_follow_their_lot(self):
        fse = self.unsent("101")
        lot = self.build()
        self.assertEqual(self.states(fse), {"amo": "to_send", "amc": "to_send", "patient": "due"})
        with self.assertRaisesRegex(UserError, "lot 001"):
            fse._correct()
        lot._set_sent(DAY)
        self.assertEqual((self.states(fse)["amo"], fse.state), ("sent", "sent"))
        lot.arl_missed_on = DAY
        self.assertEqual((self.states(fse)["amo"], fse.state), ("arl_missing", "sent"))
        self.ingest("arl.csv", self.arl_list({"lot_date": str(DAY), "result": "negatif"}))
        self.assertEqual((self.states(fse)["amo"], fse.state), ("arl_refused", "arl_refused"))
        self.assertEqual(self.states(fse)["patient"], "due")
        kinds = [event["kind"] for event in fse._events()[fse.id]]
        self.assertEqual(sorted(kinds), ["arl", "arl_missing", "imported", "lot", "sent"])
        # as the version before left them
        expected = self.states(fse), fse.state
        self.env.cr.execute("UPDATE health_share SET state = 'sent' WHERE state = 'arl_refused'")
        self.env.cr.execute("UPDATE health_fse SET state = 'sent' WHERE id = %s", [fse.id])
        for _again in range(2):
            self.migrate()
            self.assertEqual((self.states(fse), fse.state), expected)
        lot._set_sent(DAY)
        self.assertEqual(self.states(fse)["amo"], "sent")
        self.ingest("arl2.csv", self.arl_list({"lot_date": str(DAY), "date": "2026-10-07"}))
        self.assertEqual((self.states(fse)["amo"], fse.state), ("acknowledged", "sent"))

    def test_part_refused_by_the_insurer_leaves_in_a_lot_of_its_own(self):
        fse = self.unsent("101")
        self.build()._set_sent(DAY)
        fse.share_ids.filtered(lambda share: share.debtor_kind == "amc").is_rejected = True
        made = fse._correct()
        made.sudo().write({"validated_on": "2026-10-08 08:00:00"})
        made._number()
        made.share_ids._post_invoices()
        lots, left_out = self.Lot._build(self.nurse, DAY, fses=fse + made)
        self.assertFalse(left_out, left_out.mapped("lot_issue"))
        self.assertEqual((lots.kind, lots.fse_ids, lots.payer_id), ("D", made, self.mutuelle))
        self.assertEqual((lots.amount_amo, lots.amount_amc), (0, 3))
        self.assertTrue(lots.b2_checked)
