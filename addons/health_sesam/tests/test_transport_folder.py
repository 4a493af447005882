import base64
import contextlib
import os
import time
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged

from ..norms import b2
from ..transports import FolderSession, TransportError
from .common import DAY
from .common_transport import TransportCommon


@tagged("post_install", "-at_install")
class TestFolderOut(TransportCommon):
    def setUp(self):
        super().setUp()
        self.road = self.folder_road("out")
        self.unsent("1", "2")
        self.lot, _left_out = self.Lot._build(self.nurse, DAY)

    def test_a_lot_leaves_whole_and_is_marked_sent(self):
        sent, failures = self.transmit(self.lot)
        self.assertEqual((sent, failures), (self.lot, []))
        [path] = self.out.iterdir()
        self.assertEqual(path.name, self.lot.b2_filename)
        self.assertEqual(path.read_bytes(), base64.b64decode(self.lot.b2_file))
        self.assertEqual(b2.read(path.read_bytes()).lots[0].total_fee, 2000)
        self.assertEqual((self.lot.state, self.lot.arl_state), ("sent", "waiting"))
        self.assertTrue(all(self.lot.fse_ids.mapped("sent_on")))
        row = self.lot.transmission_ids
        self.assertEqual(
            (row.state, row.user_id, row.size, row.direction, row.company_id),
            ("done", self.env.user, path.stat().st_size, "out", self.nurse),
        )
        self.assertEqual(len(row.checksum), 64)

    def test_sending_again_needs_a_word(self):
        self.transmit(self.lot)
        with self.assertRaisesRegex(UserError, "was sent already"):
            self.transmit(self.lot)
        self.assertEqual(len(self.lot.transmission_ids), 1)
        self.transmit(self.lot, again=True)
        self.assertEqual(self.lot.transmission_ids.mapped("state"), ["done", "done"])
        self.assertEqual(len(list(self.out.iterdir())), 1)

    def test_the_disk_is_full(self):
        def full(*_args):
            raise OSError(28, "No space left on device")

        with patch.object(os, "fsync", full):
            sent, [failure] = self.transmit(self.lot)
        self.assertFalse(sent)
        self.assertIn("No space left", failure)
        self.assertEqual((self.lot.state, self.lot.sent_on), ("ready", False))
        self.assertEqual(self.lot.transmission_ids.state, "failed")
        self.assertFalse(list(self.out.iterdir()), "no half of a file stays behind")
        self.assertFalse(self.road.is_ok)
        self.assertEqual(self.transmit(self.lot)[0], self.lot)

    def test_a_sending_that_died_is_not_forgotten(self):
        with (
            patch.object(FolderSession, "send", side_effect=MemoryError),
            contextlib.suppress(MemoryError),  # assertRaises would undo what must stay
        ):
            self.transmit(self.lot)
        self.lot.invalidate_recordset()
        self.assertEqual(self.lot.transmission_ids.state, "started")
        with self.assertRaisesRegex(UserError, "was sent already"):
            self.transmit(self.lot)
        cards = self.env["health.cockpit"]._cards_to_complete(DAY)
        self.assertIn("transmission-unknown", [card["key"] for card in cards])

    def test_a_file_that_says_something_else_stays(self):
        other = self.unsent("9")
        self.lot.fse_ids += other
        with self.assertRaisesRegex(UserError, "write it again"):
            self.transmit(self.lot)
        self.assertFalse(list(self.out.iterdir()))
        self.lot.action_write_file()
        self.assertTrue(self.lot.b2_checked)
        self.transmit(self.lot)
        [path] = self.out.iterdir()
        self.assertEqual(len(b2.read(path.read_bytes()).lots[0].invoices), 3)

    def test_a_name_that_is_a_path_goes_nowhere(self):
        self.lot.b2_filename = "../../x.b2"
        sent, [failure] = self.transmit(self.lot)
        self.assertFalse(sent)
        self.assertIn("no file name", failure)
        self.assertFalse([path for path in self.base.rglob("*") if path.is_file()])

    def test_without_a_transport(self):
        self.road.active = False
        self.assertFalse(self.lot.has_road)
        with self.assertRaisesRegex(UserError, "no transport"):
            self.transmit(self.lot)

    def test_the_practitioners_own_road_comes_first(self):
        own = self.folder_road("own", company_ids=[(6, 0, self.nurse.ids)], sequence=99)
        self.folder_road("other", company_ids=[(6, 0, self.physio.ids)], sequence=1)
        self.assertEqual(self.env["health.transport"]._for_lots(self.lot)[self.lot], own)
        own.active = False
        self.assertEqual(self.env["health.transport"]._for_lots(self.lot)[self.lot], self.road)

    def test_the_wizard_wants_the_signature(self):
        wizard = self.env["health.lot.send"].create({"lot_ids": [(6, 0, self.lot.ids)]})
        self.assertEqual(
            (wizard.lot_count, wizard.fse_count, wizard.unsigned_count, wizard.sent_count),
            (1, 2, 1, 0),
        )
        with self.assertRaisesRegex(UserError, "signs before"):
            wizard.action_send()
        wizard.is_signed = True
        with self.enter_registry_test_mode():
            wizard.action_send()
        self.assertEqual(self.lot.state, "sent")
        self.assertTrue(self.lot.signed_on)
        again = self.env["health.lot.send"].create({"lot_ids": [(6, 0, self.lot.ids)]})
        self.assertEqual(again.sent_count, 1)
        with self.assertRaisesRegex(UserError, "was sent already"), self.enter_registry_test_mode():
            again.action_send()

    def test_the_night_sends_signed_lots_where_it_may(self):
        with self.enter_registry_test_mode():
            self.env["health.cycle"].run(DAY)
        self.assertEqual(self.lot.state, "ready", "nobody signed")
        self.lot.action_mark_signed()
        with self.enter_registry_test_mode():
            self.env["health.cycle"].run(DAY)
        self.assertEqual(self.lot.state, "ready", "nobody allowed it")
        self.road.is_automatic = True
        with self.enter_registry_test_mode():
            report = self.env["health.cycle"].run(DAY).report
        self.assertEqual(self.lot.state, "sent")
        self.assertIn("1 lot(s) sent", report)
        with self.enter_registry_test_mode():
            self.env["health.cycle"].run(DAY)
        self.assertEqual(len(self.lot.transmission_ids), 1)

    def test_queries_do_not_grow_with_the_lots(self):
        def queries(numbers):
            self.unsent(*numbers)
            lots = self.Lot._build(self.nurse, DAY)[0]
            self.assertEqual(len(lots), len(numbers))
            self.env.flush_all()
            self.env.invalidate_all()
            with self.enter_registry_test_mode():
                start = self.env.cr.sql_log_count
                lots._transmit()
                self.env.flush_all()
                return self.env.cr.sql_log_count - start

        self.env["health.lot.rule"].create({"kind": "F", "max_fse": 1, "source": "Test"})
        queries(["100"])
        few = queries([str(number) for number in range(200, 203)])
        many = queries([str(number) for number in range(300, 330)])
        self.assertLessEqual(many, few + 2)


@tagged("post_install", "-at_install")
class TestFolderIn(TransportCommon):
    def setUp(self):
        super().setUp()
        self.road = self.folder_road("in", direction="in")
        self.content = self.journal({"fse_no": "1"})

    def put(self, name, content=None, age=3600):
        path = self.out / name
        path.write_bytes(self.content if content is None else content)
        os.utime(path, (time.time() - age,) * 2)
        return path

    def names(self, folder=""):
        return sorted(path.name for path in (self.out / folder).iterdir() if path.is_file())

    def test_a_file_is_taken_once_and_put_away(self):
        self.put("journal.csv")
        self.fetch(self.road)
        self.assertEqual(self.names("traités"), ["journal.csv"])
        self.assertEqual(self.names(), [])
        [row] = self.road.transmission_ids
        self.assertEqual((row.state, row.inbox_id.state), ("done", "done"))
        self.assertEqual(self.env["health.fse"].search_count([("name", "=", "1")]), 1)
        # the same name with other content comes later
        self.put("journal.csv", self.journal({"fse_no": "2"}))
        self.fetch(self.road)
        self.assertEqual(self.names("traités"), ["journal (2).csv", "journal.csv"])
        self.assertEqual(len(self.road.transmission_ids), 2)

    def test_what_a_person_must_look_at_is_put_apart(self):
        self.put("photo.bin", b"\x00\x01nothing")
        self.fetch(self.road)
        self.assertEqual(self.names("à revoir"), ["photo.bin"])
        self.assertEqual(self.road.transmission_ids.state, "failed")
        self.assertTrue(self.road.is_ok, "the road itself works")

    def test_files_still_written_wait(self):
        self.put("young.csv", age=2)
        self.put("half.csv.part")
        self.put(".hidden.tmp")
        self.put("other.txt.filepart")
        lines = self.fetch(self.road)
        self.assertFalse(self.road.transmission_ids)
        self.assertIn("4 still being written", " ".join(lines))
        self.assertEqual(len(self.names()), 4)
        self.put("young.csv", age=120)
        self.fetch(self.road)
        self.assertEqual(len(self.road.transmission_ids), 1)

    def test_the_pattern(self):
        self.road.pattern = "*.CSV, arl*"
        self.put("a.csv")
        self.put("notes.txt", b"hello")
        self.fetch(self.road)
        self.assertEqual(self.road.transmission_ids.filename, "a.csv")
        self.assertEqual(self.names(), ["notes.txt"])

    def test_put_away_only_what_the_database_holds(self):
        """A night that is undone after the fetch leaves the files where they were."""
        self.put("journal.csv")
        savepoint = self.env.cr.savepoint()
        self.road._fetch()
        savepoint.rollback()
        savepoint.close(rollback=False)
        self.env.invalidate_all()
        self.after_commit()
        self.assertEqual(self.names(), ["journal.csv"])
        self.fetch(self.road)
        self.assertEqual(self.names("traités"), ["journal.csv"])
        self.assertEqual(self.env["health.fse"].search_count([("name", "=", "1")]), 1)

    def test_a_file_that_could_not_be_put_away_is_not_read_twice(self):
        self.put("journal.csv")
        with patch.object(FolderSession, "acknowledge", side_effect=TransportError("cut")):
            self.fetch(self.road)
        self.assertEqual(self.names(), ["journal.csv"])
        inboxes = self.env["health.inbox"].search_count([])
        self.fetch(self.road)
        self.assertEqual(self.env["health.inbox"].search_count([]), inboxes)
        self.assertEqual(self.names("traités"), ["journal.csv"])

    def test_left_there_and_remembered(self):
        self.road.after = "leave"
        self.put("journal.csv")
        self.fetch(self.road)
        self.fetch(self.road)
        self.assertEqual(self.names(), ["journal.csv"])
        self.assertEqual(len(self.road.transmission_ids), 1)
        self.put("journal.csv", self.journal({"fse_no": "2"}), age=600)
        self.fetch(self.road)
        self.assertEqual(len(self.road.transmission_ids), 2)

    def test_a_cut_in_the_middle_keeps_what_came(self):
        for rank in range(3):
            self.put(f"{rank}.csv", self.journal({"fse_no": str(rank + 1)}))
        real = FolderSession.fetch

        def cut(session, file):
            if file.name == "1.csv":
                raise TransportError("cut")
            return real(session, file)

        with patch.object(FolderSession, "fetch", cut):
            self.fetch(self.road)
        self.assertFalse(self.road.is_ok)
        self.assertEqual((self.names(), self.names("traités")), (["1.csv", "2.csv"], ["0.csv"]))
        cards = self.env["health.cockpit"]._cards_to_complete(DAY)
        self.assertIn(f"transport-{self.road.id}", [card["key"] for card in cards])
        self.fetch(self.road)
        self.assertTrue(self.road.is_ok)
        self.assertEqual(self.names("traités"), ["0.csv", "1.csv", "2.csv"])
        self.assertEqual(self.env["health.fse"].search_count([("name", "in", ["1", "2", "3"])]), 3)

    def test_the_disk_is_full(self):
        self.put("journal.csv")
        Attachment = type(self.env["ir.attachment"])
        with patch.object(Attachment, "_file_write", side_effect=OSError(28, "No space left")):
            self.fetch(self.road)
        self.assertFalse(self.road.is_ok)
        self.assertEqual(self.names(), ["journal.csv"])
        self.assertFalse(self.env["health.fse"].search_count([("name", "=", "1")]))
        self.fetch(self.road)
        self.assertEqual(self.env["health.fse"].search_count([("name", "=", "1")]), 1)

    def test_links_and_paths_that_leave_the_base_folder(self):
        (self.out / "secret.csv").symlink_to("/etc/passwd")
        self.fetch(self.road)
        self.assertFalse(self.road.transmission_ids)
        for folder in ("/etc", "../../etc", "a/../../..", "", "."):
            with self.subTest(folder), self.assertRaises(ValidationError):
                self.road.folder = folder
        (self.base / "door").symlink_to("/etc")
        with self.assertRaises(ValidationError):
            self.road.folder = "door"

    def test_practitioner_of_a_file_that_does_not_say(self):
        self.road.company_ids = self.nurse
        self.put("arl.csv", b"unknown table;b\n1;2\n")
        self.fetch(self.road)
        self.assertEqual(self.road.transmission_ids.inbox_id.company_id, self.nurse)

    def test_the_night_fetches_before_all(self):
        self.put("journal.csv")
        report = self.env["health.cycle"].run(DAY).report
        self.assertIn("1 file(s) taken", report.split("\n")[0])

    def test_queries_do_not_grow_with_known_files(self):
        self.road.after = "leave"

        def queries(count):
            for rank in range(count):
                self.put(f"{count}-{rank}.bin", b"x%d-%d" % (count, rank))
            self.road._fetch()
            self.env.flush_all()
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            self.road._fetch()
            self.env.flush_all()
            return self.env.cr.sql_log_count - start

        queries(1)
        few = queries(3)
        self.assertEqual(queries(30), few)


@tagged("post_install", "-at_install")
class TestTransportAccess(TransportCommon):
    def test_roles(self):
        road = self.folder_road("in", direction="in")
        road.write({"login": "me", "password": "s3cret"})
        users = {
            name: self.make_user(f"t-{name}", f"health_billing.group_{name}")
            for name in ("biller", "manager", "accountant")
        }
        users["practitioner"] = self.make_user(
            "t-prac", "health_billing.group_practitioner", self.nurse
        )
        users["stranger"] = self.make_user("t-user", "base.group_user")
        for name in ("accountant", "practitioner", "stranger"):
            for model in ("health.transport", "health.transmission", "health.arl.profile"):
                with self.subTest(f"{name} {model}"), self.assertRaises(AccessError):
                    self.env[model].with_user(users[name]).search([])
            with self.subTest(name), self.assertRaises(AccessError):
                road.with_user(users[name]).action_fetch()
        as_biller = road.with_user(users["biller"])
        self.assertEqual(as_biller.name, road.name)
        for field in ("password", "private_key", "login", "host_key"):
            with self.subTest(field), self.assertRaises(AccessError):
                as_biller.read([field])
        with self.assertRaises(AccessError):
            as_biller.write({"folder": "elsewhere"})
        with self.assertRaises(AccessError):
            as_biller.transmission_ids.create({"direction": "in", "filename": "x", "state": "done"})
        as_biller.action_try()
        self.assertTrue(as_biller.is_ok, as_biller.last_result)
        as_manager = road.with_user(users["manager"])
        self.assertEqual(as_manager.password, "s3cret")
        as_manager.folder = "elsewhere"
        self.assertEqual(as_manager.copy().password, False)

    def test_another_practice_is_not_seen(self):
        road = self.folder_road("in", direction="in", company_ids=[(6, 0, self.physio.ids)])
        only = self.make_user("t-one", "health_billing.group_biller", self.nurse)
        seen = (
            self.env["health.transport"]
            .with_user(only)
            .with_context(allowed_company_ids=self.nurse.ids)
        )
        self.assertNotIn(road, seen.search([]))
        with self.assertRaises(AccessError):
            road.with_user(only).with_context(allowed_company_ids=self.nurse.ids).action_fetch()
