import io
import os
import time

import paramiko

from odoo.exceptions import ValidationError
from odoo.tests import tagged

from odoo.addons.health_billing.exchange import fingerprint
from odoo.addons.health_billing.tests.sftp_server import PASSWORD, USER

from .common import DAY
from .common_transport import TransportCommon


@tagged("post_install", "-at_install")
class TestSftp(TransportCommon):
    def setUp(self):
        super().setUp()
        (self.base / "depot").mkdir()
        self.server = self.serve_sftp()
        self.road = self.env["health.transport"].create(
            {
                "name": "Concentrator",
                "kind": "sftp",
                "direction": "out",
                "host": "127.0.0.1",
                "port": self.server.port,
                "folder": "depot",
                "login": USER,
                "password": PASSWORD,
                "host_key": fingerprint(self.server.host_key),
            }
        )

    def lot(self):
        self.unsent("1", "2")
        return self.Lot._build(self.nurse, DAY)[0]

    def put(self, name, content):
        path = self.base / "depot" / name
        path.write_bytes(content)
        os.utime(path, (time.time() - 3600,) * 2)

    def names(self, folder="depot"):
        return sorted(path.name for path in (self.base / folder).iterdir() if path.is_file())

    def test_an_unknown_server_is_told_nothing(self):
        self.road.host_key = False
        self.road.action_try()
        key = fingerprint(self.server.host_key)
        self.assertFalse(self.road.is_ok)
        self.assertIn(key, self.road.last_result)
        self.assertEqual(self.server.seen, [], "no password was said")
        self.road.action_accept_host()
        self.assertEqual(self.road.host_key, key)
        self.assertTrue(self.road.is_ok, self.road.last_result)
        self.assertEqual(self.server.seen, [(USER, PASSWORD)])

    def test_a_server_that_changed_is_told_nothing(self):
        lot = self.lot()
        self.road.host_key = "SHA256:another"
        sent, [failure] = self.transmit(lot)
        self.assertFalse(sent)
        self.assertIn("changed", failure)
        self.assertEqual((self.server.seen, self.names()), ([], []))
        self.assertEqual((lot.state, lot.transmission_ids.state), ("ready", "failed"))

    def test_wrong_password_and_server_away(self):
        self.road.password = "wrong"
        self.road.action_try()
        self.assertIn("refuses", self.road.last_result)
        self.assertNotIn("wrong", self.road.last_result)
        self.server.__exit__()
        self.road.action_try()
        self.assertIn("cannot be reached", self.road.last_result)

    def test_private_key(self):
        with self.assertRaises(ValidationError):
            self.road.private_key = "nonsense"
        self.server.client_key = paramiko.ECDSAKey.generate()
        text = io.StringIO()
        self.server.client_key.write_private_key(text)
        self.road.write({"private_key": text.getvalue(), "password": False})
        self.road.action_try()
        self.assertTrue(self.road.is_ok, self.road.last_result)

    def test_a_lot_leaves(self):
        lot = self.lot()
        self.assertEqual(self.transmit(lot), (lot, []))
        self.assertEqual(self.names(), [lot.b2_filename])
        self.assertEqual(lot.state, "sent")
        self.transmit(lot, again=True)
        self.assertEqual(self.names(), [lot.b2_filename])
        # a server without the extension that replaces files
        self.server.has_posix_rename = False
        self.transmit(lot, again=True)
        self.assertEqual(self.names(), [lot.b2_filename])

    def test_the_line_is_cut_while_sending(self):
        lot = self.lot()
        self.server.cut_after = 300
        sent, failures = self.transmit(lot)
        self.assertFalse(sent)
        self.assertIn("broke", failures[0])
        self.assertEqual((lot.state, lot.transmission_ids.state), ("ready", "failed"))
        self.assertNotIn(lot.b2_filename, self.names(), "half a file is never under its name")
        self.server.cut_after = None
        self.assertEqual(self.transmit(lot)[0], lot)
        self.assertIn(lot.b2_filename, self.names())

    def test_files_come_and_a_cut_loses_nothing(self):
        self.road.direction = "in"
        for rank in range(3):
            self.put(f"{rank}.csv", self.journal({"fse_no": str(rank + 1)}))
        self.put("9.csv.part", b"half")
        self.server.cut_reading = "1.csv"
        self.fetch(self.road)
        self.assertFalse(self.road.is_ok)
        self.assertIn("broke", self.road.last_result)
        self.assertEqual(len(self.road.transmission_ids), 1)
        self.server.cut_reading = None
        self.fetch(self.road)
        self.assertTrue(self.road.is_ok, self.road.last_result)
        self.assertEqual(self.names("depot/traités"), ["0.csv", "1.csv", "2.csv"])
        self.assertEqual(self.names(), ["9.csv.part"])
        self.assertEqual(self.env["health.fse"].search_count([("name", "in", ["1", "2", "3"])]), 3)
        self.assertEqual(set(self.road.transmission_ids.inbox_id.mapped("state")), {"done"})
