from datetime import date
from decimal import Decimal

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from ..ngap import catalogue
from ..tools import cents
from .common import HealthCommon


@tagged("post_install", "-at_install")
class TestCatalogue(HealthCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.products = cls.env["product.product"].with_context(lang=None)
        cls.values = cls.env["health.ngap.value"]
        cls.biller = cls.make_user("biller", "health_billing.group_biller")
        cls.manager = cls.make_user("manager", "health_billing.group_manager")
        cls.practitioner = cls.make_user("nurse", "health_billing.group_practitioner", cls.nurse)
        cls.stranger = cls.make_user("stranger", "base.group_user")

    def as_user(self, user, record):
        return record.with_user(user).with_context(allowed_company_ids=user.company_ids.ids)

    def act(self, code):
        return self.products.search([("health_act_code", "=", code)])

    def entered(self, letter="AMI", coefficient=400, day=date(2026, 11, 10), company=None, **act):
        """An FSE entered here, not sent, with one act."""
        company = company or self.nurse
        patient = self.patient
        if company != self.nurse:
            patient = self.make_patient(company, "PETIT Jean", "1990199999002")
        return self.env["health.fse"].create(
            {
                "name": f"E{self.env['health.fse'].search_count([]) + 1}",
                "company_id": company.id,
                "patient_id": patient.id,
                "fse_date": day,
                "amo_partner_id": self.cpam.id,
                "act_ids": [
                    (
                        0,
                        0,
                        {
                            "act_date": day,
                            "key_letter": letter,
                            "coefficient_hundredths": coefficient,
                            "amount": 14,
                            **act,
                        },
                    )
                ],
            }
        )

    # -- acts ----------------------------------------------------------------------------------------

    def test_every_act_of_the_files_is_a_product(self):
        acts = {
            act.health_act_code: act
            for act in self.products.search([("health_act_code", "!=", False)])
        }
        for act in catalogue.act_types():
            product = acts[act.code]
            self.assertEqual(
                (
                    product.health_profession,
                    product.health_key_letter,
                    product.health_coefficient_hundredths,
                    product.name,
                    set(product.health_tags.split()) if product.health_tags else set(),
                    product.health_agreement_from or None,
                    product.health_minutes or None,
                ),
                (
                    act.profession,
                    act.key_letter,
                    act.coefficient,
                    act.label.strip(),
                    set(act.tags),
                    act.agreement_from,
                    act.minutes,
                ),
            )
            whole = Decimal(product.health_coefficient.replace(",", "."))
            self.assertEqual(whole * 100, act.coefficient)
        letters = {
            (act.health_profession, act.health_key_letter): act.health_kind for act in acts.values()
        }
        self.assertEqual(letters["kinesitherapeute", "IFD"], "travel")
        self.assertEqual(letters["infirmier", "IFD"], "travel")
        self.assertEqual(letters["infirmier", "MCI"], "supplement")
        self.assertEqual(letters["orthophoniste", "IK"], "distance")

    def test_loading_again_changes_nothing_of_the_agency(self):
        act = self.act("INF-AMI5-01")
        act.write({"health_minutes": 12, "name": "Saignée (cabinet)"})
        value = self.values.search([("key_letter", "=", "AMK"), ("zone", "=", "dom")], limit=1)
        value.value = 2.5
        count = self.products.search_count([]), self.values.search_count([])
        self.values._load_catalogue()
        self.values._load_catalogue()
        self.assertEqual((self.products.search_count([]), self.values.search_count([])), count)
        self.assertEqual((act.health_minutes, act.name), (12, "Saignée (cabinet)"))
        self.assertEqual(value.value, 2.5)
        self.assertFalse(self.env["health.catalogue.update"].search([("state", "=", "draft")]))

    def test_act_of_an_older_catalogue_gets_its_code(self):
        act = self.act("INF-AMI5-01")
        act.write({"health_act_code": False, "health_loaded": False, "health_kind": False})
        self.values._load_catalogue()
        self.assertEqual((act.health_act_code, act.health_kind), ("INF-AMI5-01", "act"))
        self.assertEqual(len(self.act("INF-AMI5-01")), 1)

    def test_loading_again_is_cheap(self):
        self.env.flush_all()
        self.env.invalidate_all()
        with self.assertQueryCount(30):
            self.values._load_catalogue()
            self.env.flush_all()

    def search_names(self, text, **context):
        return [
            name for _id, name in self.products.with_context(**context).name_search(text, limit=200)
        ]

    def test_an_act_is_found_as_a_biller_types_it(self):
        names = self.search_names("AMI 4")
        self.assertTrue(names)
        self.assertTrue(all(name.startswith("AMI 4 · ") for name in names), names)
        self.assertTrue(all(len(name) <= 64 for name in names))
        dressings = self.search_names("ami4 pans")
        self.assertTrue(dressings)
        self.assertLess(len(dressings), len(names))
        found = self.products.browse([one for one, _name in self.products.name_search("ami4 pans")])
        self.assertTrue(all("pans" in name.lower() for name in found.mapped("name")))
        self.assertTrue(
            found[0].name.startswith("Pansement"), "what begins with the word comes first"
        )
        self.assertEqual(set(found.mapped("health_coefficient_hundredths")), {400})
        self.assertEqual(self.search_names("AMI 5 · Saig"), self.search_names("inf-ami5-01"))
        self.assertIn("AMI 5 · Saignée", self.search_names("saignée"))
        self.assertTrue(self.search_names("ami 1,5"))
        self.assertEqual(self.search_names("ami 1,5"), self.search_names("AMI 1.5"))

    def test_search_keeps_to_profession_and_day(self):
        self.assertFalse(self.search_names("AMI 4", health_profession="kinesitherapeute"))
        mine = self.products.with_company(self.physio).with_context(health_profession=True)
        self.assertTrue(mine.name_search(""))
        self.assertEqual(
            {
                self.products.browse(one).health_profession
                for one, _name in mine.name_search("", limit=None)
            },
            {"kinesitherapeute"},
        )
        self.act("INF-AMI5-01").health_date_to = "2026-11-06"
        self.assertTrue(
            self.search_names(
                "saignée", health_profession="infirmier", health_day=date(2026, 11, 5)
            )
        )
        self.assertFalse(
            self.search_names(
                "saignée", health_profession="infirmier", health_day=date(2026, 11, 6)
            )
        )

    def test_other_products_keep_their_name_and_search(self):
        plain = self.products.create({"name": "Pansements en stock", "default_code": "PST"})
        self.assertEqual(plain.display_name, "[PST] Pansements en stock")
        self.assertIn(plain.id, [one for one, _name in self.products.name_search("PST")])
        self.assertIn(plain.id, [one for one, _name in self.products.name_search("stock")])

    # -- values --------------------------------------------------------------------------------------

    def test_price_of_an_act_on_both_sides_of_a_change(self):
        tariff = self.values._tariff()
        self.assertEqual(tariff.value("AMI", "metropole", date(2026, 11, 5)).cents, 315)
        self.assertEqual(tariff.value("AMI", "metropole", date(2026, 11, 6)).cents, 335)
        act = self.act("INF-AMI5-01")
        shown = {
            (value.zone, value.date_from): cents(value.act_price)
            for value in act.health_value_ids.with_context(
                health_coefficient_hundredths=act.health_coefficient_hundredths
            )
        }
        self.assertEqual(shown["metropole", date(2009, 4, 15)], 1575)
        self.assertEqual(shown["metropole", date(2026, 11, 6)], 1675)

    def test_odd_letters_are_priced_and_named(self):
        physio = self.products.search(
            [("health_profession", "=", "kinesitherapeute"), ("health_key_letter", "=", "IFD")]
        )
        self.assertEqual(physio.health_value_ids.mapped("key_letter"), ["IFD_kine"])
        self.assertEqual(
            physio.health_value_ids.letter_label, "Indemnité forfaitaire de déplacement"
        )
        amk = self.values.search([("key_letter", "=", "AMK")], limit=1)
        self.assertEqual(amk.letter_label, "Physiotherapist")

    def test_value_of_unknown_end_is_never_official(self):
        old = self.values.search([("key_letter", "=", "IKM_ortho_montagne")])
        self.assertEqual((old.grade, old.date_to), ("C", False))
        today = self.values._tariff().value("IK_ortho_plaine", "metropole", date(2026, 11, 22))
        self.assertEqual((today.cents, today.grade), (38, "C"))

    def test_unconfirmed_value_is_never_used_silently(self):
        value = self.values.search(
            [
                ("key_letter", "=", "AMI"),
                ("zone", "=", "metropole"),
                ("date_from", "=", "2026-11-06"),
            ]
        )
        value.write({"grade": "C", "source": "vu sur un forum"})
        fse, before = self.entered(), self.entered(day=date(2026, 11, 5))
        sent = self.entered()
        sent.sent_on = "2026-11-11"
        journal = self.entered()
        journal.origin = "journal"
        fses = fse + before + sent + journal
        [finding] = self.values._findings(fses)
        self.assertEqual(
            (finding["fse_id"], finding["rule_code"], finding["severity"]), (fse.id, "TAR-01", "2")
        )
        self.assertEqual(finding["act_id"], fse.act_ids.id)
        for part in ("AMI", "3,35 €", "06/11/2026", "vu sur un forum"):
            self.assertIn(part, finding["message"])
        self.env["health.finding"].create(finding)
        cards = self.values._cockpit_cards("to_complete", date(2026, 11, 20))
        [card] = [card for card in cards if card["key"] == "ngap-values"]
        self.assertEqual((card["count"], card["amount"]), (1, 14.0))
        self.assertEqual(card["action"]["domain"], [("id", "in", value.ids)])
        self.assertEqual((value.fse_count, value.fse_amount), (1, 14.0))
        self.assertEqual(value.action_open_fses()["domain"], [("id", "in", fse.ids)])
        with self.assertRaises(AccessError):
            self.as_user(self.biller, value).action_confirm()
        self.as_user(self.manager, value).action_confirm()
        self.assertEqual(value.confirmed_by_id, self.manager)
        self.assertTrue(value.confirmed_on)
        self.assertFalse(self.values._findings(fses))
        self.assertFalse(fse.finding_ids)
        self.assertFalse(self.values._cards_unconfirmed())
        value.value = 3.4
        self.assertFalse(value.is_confirmed, "a changed value has to be confirmed anew")
        self.assertTrue(self.values._findings(fses))

    def test_value_borrowed_from_the_mainland_is_never_used_silently(self):
        self.nurse.health_zone = "mayotte"
        known, borrowed = self.entered(day=date(2026, 11, 5)), self.entered(day=date(2026, 11, 6))
        [finding] = self.values._findings(known + borrowed)
        self.assertEqual(
            (finding["fse_id"], finding["rule_code"], finding["severity"]),
            (borrowed.id, "TAR-01", "2"),
        )
        for part in ("AMI", "mayotte", "métropole", "3,35 €"):
            self.assertIn(part, finding["message"])

    def test_unconfirmed_value_of_travel_is_found_through_its_odd_name(self):
        value = self.values.search([("key_letter", "=", "IFD_kine"), ("zone", "=", "metropole")])
        value.grade = "C"
        fse = self.entered("IFD", 100, company=self.physio)
        [finding] = self.values._findings(fse)
        self.assertIn("IFD_kine", finding["message"])

    def test_unconfirmed_act_is_shown_and_confirmed_once(self):
        act = self.act("INF-AMI5-01")
        act.health_grade = "C"
        fse = self.entered(coefficient=500, day=date(2026, 10, 5), product_id=act.id)
        [finding] = self.values._findings(fse)
        self.assertEqual((finding["rule_code"], finding["severity"]), ("TAR-02", "1"))
        with self.assertRaises(AccessError):
            self.as_user(self.biller, act).action_health_confirm()
        self.as_user(self.manager, act).action_health_confirm()
        self.assertEqual(act.health_confirmed_by_id, self.manager)
        self.assertFalse(self.values._findings(fse))

    def test_value_in_force_is_ended_not_deleted(self):
        value = self.values.search(
            [("key_letter", "=", "AMI"), ("date_from", "=", "2009-04-15")], limit=1
        )
        with self.assertRaises(UserError):
            value.unlink()

    def test_findings_take_the_same_queries_for_3_and_30(self):
        self.values.search([("key_letter", "=", "AMI"), ("date_from", "=", "2026-11-06")]).write(
            {"grade": "C"}
        )
        fses = self.env["health.fse"].union(*(self.entered() for _number in range(30)))
        self.values._findings(fses[:1])
        counts = []
        for some in (fses[:3], fses):
            self.env.flush_all()
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            self.assertEqual(len(self.values._findings(some)), len(some))
            counts.append(self.env.cr.sql_log_count - start)
        self.assertEqual(counts[0], counts[1])

    # -- rights --------------------------------------------------------------------------------------

    def test_who_may_read_and_change(self):
        value, act = self.values.search([], limit=1), self.act("INF-AMI5-01")
        for user in (self.biller, self.practitioner, self.manager):
            self.assertTrue(self.as_user(user, value).read(["value"]))
            self.assertTrue(self.as_user(user, act).read(["health_act_code"]))
        for user in (self.biller, self.practitioner):
            with self.assertRaises(AccessError):
                self.as_user(user, value).write({"source": "x"})
            with self.assertRaises(AccessError):
                self.as_user(user, act).write({"health_minutes": 1})
        self.as_user(self.manager, value).write({"source": "x"})
        self.as_user(self.manager, act).write({"health_minutes": 1})
        with self.assertRaises(AccessError):
            self.as_user(self.stranger, self.values).search([])
