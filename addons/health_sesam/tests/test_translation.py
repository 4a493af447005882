from odoo.tests import tagged
from odoo.tools import file_open
from odoo.tools.translate import PoFileReader, TranslationModuleReader

from .common import SesamCommon


@tagged("post_install", "-at_install")
class TestTranslation(SesamCommon):
    def test_every_string_is_french(self):
        """Everything that Odoo would export for translation stands in i18n/fr.po, translated."""
        with file_open("health_sesam/i18n/fr.po", "rb") as file:
            known = {}
            for row in PoFileReader(file):
                known[row["src"]] = row["value"]
        exported = self._exported()
        self.assertGreater(len(exported), 80)
        self.assertFalse([source for source in exported if not known.get(source)])

    def _exported(self):
        reader = TranslationModuleReader(self.env.cr, modules=["health_sesam"], lang=None)
        return {row[4] for row in reader}

    def test_screens_are_french(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.env["ir.module.module"].search([("name", "=", "health_sesam")])._update_translations(
            "fr_FR"
        )
        lot = self.env["health.lot"].with_context(lang="fr_FR")
        states = dict(lot._fields["state"]._description_selection(lot.env))
        self.assertEqual(states["ready"], "À signer et envoyer")
        arch = lot.get_view(view_type="form")["arch"]
        self.assertIn("Marquer comme envoyé", arch)
        self.assertNotIn("Mark as sent", arch)
        menu = self.env.ref("health_sesam.menu_arl").with_context(lang="fr_FR")
        self.assertEqual(menu.name, "ARL")
