"""Several practitioners, several patients, one page."""

from odoo.tests import tagged

from odoo.addons.health_billing.tools import cents

from .note_common import NoteCase


@tagged("post_install", "-at_install")
class TestNoteVisit(NoteCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.twin = cls.make_patient(
            cls.physio,
            "Mme Anne Durand",
            "2990199999001",
            email="Anne.Durand@example.org",
            lang="fr_FR",
        )
        cls.third = cls.late("000321", company=cls.physio, patient=4200, patient_id=cls.twin.id)

    def who(self):
        return (self.link._visit() - self.link)._who()

    def test_each_practitioner_is_paid_apart(self):
        page = self.page(f"/ma-note/{self.token}").text
        self.assertIn("2 praticiens", page)
        self.assertIn("21,00\N{NO-BREAK SPACE}€", page)
        self.assertIn("42,00\N{NO-BREAK SPACE}€", page)
        who = self.who()
        self.assertIn(f"/payer/{who}", page)
        provider = self.demo_provider(self.physio)
        self.assertRefused(
            path=f"payer/{who}"
        )  # the nurse's provider does not take the other's money
        reference = self.transaction(
            path=f"payer/{who}",
            provider_id=provider.id,
            payment_method_id=provider.payment_method_ids[:1].id,
        )["reference"]
        self.simulate(reference)
        receipt = self.page(f"/ma-note/{self.token}/recu/{reference}").text
        self.assertIn(self.physio.name, receipt)
        self.assertIn("42,00", receipt)
        transaction = self.env["payment.transaction"].search([("reference", "=", reference)])
        self.assertEqual(transaction.company_id, self.physio)
        self.assertEqual(transaction.payment_id.company_id, self.physio)
        self.assertEqual(transaction.partner_id, self.twin)
        (self.first + self.third).invalidate_recordset()
        self.assertEqual((self.third.state, self.first.state), ("paid", "due"))
        again = self.page(f"/ma-note/{self.token}").text
        self.assertNotIn("2 praticiens", again)
        self.assertIn("21,00", again)

    def test_only_when_certain(self):
        Partner = self.env["res.partner"]
        self.assertEqual(self.patient._health_same_person(), self.twin)
        for values in (
            {"health_birth_date": "1999-01-02"},
            {"health_nir": "1600275999003"},
            {"health_birth_rank": 2},
            {"name": "DURAND Léa"},
            {"email": "other@example.org"},
            {"email": False, "phone": "01 23 45 67 89"},
        ):
            with self.subTest(values=values), self.env.cr.savepoint() as savepoint:
                self.patient.phone = "01 23 45 67 89"
                self.twin.write(values)
                self.assertFalse(self.patient._health_same_person())
                savepoint.rollback()
            self.env.invalidate_all()
        self.twin.write({"email": False, "phone": "+33 6 12 34 56 78"})
        self.patient.phone = "06.12.34.56.78"
        self.assertEqual(self.patient._health_same_person(), self.twin)
        # two files at one practitioner: nobody knows which
        self.twin.copy(
            {"health_nir": self.twin.health_nir, "name": self.twin.name, "phone": self.twin.phone}
        )
        self.assertEqual(self.patient._health_same_person(), Partner)

    def test_the_part_of_another_practitioner_lives_and_dies_with_the_link(self):
        who = self.who()
        child = self.link.child_ids
        self.assertEqual(child.company_id, self.physio)
        self.assertEqual(self.link._visit(), self.link | child, "made once")
        self.page(f"/ma-note/{self.token}/payer/{who}")
        other, token = self.make_link(
            self.make_patient(self.nurse, "MEUNIER Jean", "1600275999003")
        )
        self.page(f"/ma-note/{token}/payer/{who}", 404)
        # certain no more
        self.twin.name = "MARTIN Anne"
        self.page(f"/ma-note/{self.token}/payer/{who}", 404)
        self.twin.name = "DURAND Anne"
        self.page(f"/ma-note/{self.token}/payer/{who}")
        self.link.action_revoke()
        self.assertEqual(child.state, "revoked")
        self.page(f"/ma-note/{self.token}/payer/{who}", 410)
        self.refused(self.rpc, f"/ma-note/{self.token}/transaction/payer/{who}", {"amount": 42.0})
        self.assertFalse(other.child_ids)

    def test_one_who_settles_for_a_child(self):
        child = self.make_patient(self.nurse, "DURAND Léo", "1600275999003", lang="fr_FR")
        share = self.late("000322", patient=3000, patient_id=child.id)
        _link, other = self.make_link(child)
        child.health_debtor_id = self.patient
        page = self.page(f"/ma-note/{self.token}").text
        self.assertIn("51,00\N{NO-BREAK SPACE}€", page)
        self.assertIn("DURAND Léo", page)
        transaction = self.pay_online()
        self.assertEqual(cents(transaction.amount), 5100)
        share.invalidate_recordset()
        self.assertEqual((share.state, self.first.state), ("paid", "paid"))
        receipt = self.page(f"/ma-note/{self.token}/recu/{transaction.reference}").text
        self.assertIn("DURAND Léo", receipt)
        # the child's own link sees neither the parent's receipt nor anything left
        self.page(f"/ma-note/{other}/recu/{transaction.reference}", 404)
        page = self.page(f"/ma-note/{other}").text
        self.assertIn("plus rien à régler", page)
        self.assertNotIn(transaction.reference, page)

    def test_page_costs_the_same_for_many_sheets(self):
        def queries():
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.link._page_values()
            return self.env.cr.sql_log_count - before

        self.link._visit()
        queries()
        few = queries()
        for number in range(9):
            self.late(f"00033{number}")
        self.assertEqual(queries(), few)
