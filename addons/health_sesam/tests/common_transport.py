from odoo.addons.health_billing.tests.common_exchange import ExchangeFolder

from .common import SesamCommon


class TransportCommon(ExchangeFolder, SesamCommon):
    """Roads on a base folder of this test alone."""

    def folder_road(self, folder, **values):
        road = self.env["health.transport"].create(
            {"name": folder, "kind": "folder", "direction": "out", "folder": folder, **values}
        )
        self.out = self.base / folder
        self.out.mkdir(exist_ok=True)
        return road

    def transmit(self, lots, **options):
        with self.enter_registry_test_mode():
            return lots._transmit(**options)

    def after_commit(self):
        """What happens once the transaction is committed."""
        with self.enter_registry_test_mode():
            self.env.cr.postcommit.run()

    def fetch(self, road):
        lines = road._fetch()
        self.after_commit()
        return lines
