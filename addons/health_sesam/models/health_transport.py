import fnmatch
import hashlib
import logging
import re

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

from odoo.addons.health_billing.exchange import UnknownHost, base_folder, read_key, resolve
from odoo.addons.health_billing.models.health_inbox import MAX_BYTES

from ..transports import FolderSession, MailSession, SftpSession, TransportError
from ..transports.base import is_plain_name, is_unfinished

_logger = logging.getLogger(__name__)

MANAGER = "health_billing.group_manager"
#: kinds that go one way only
ONE_WAY = {"email": "out", "mailbox": "in"}


def _names(words, text):
    """Whether an address of ``text`` is one of ``words``: addresses, or domains as ``@…``.

    >>> _names("arl@caisse.fr, @rss.fr", "<x@422.01.rss.fr>"), _names("@rss.fr", "a@rss.fr")
    (False, True)
    """
    known = {word.strip().lower() for word in (words or "").split(",")} - {""}
    for address in re.findall(r"[\w.+-]+@[\w.-]+", text.lower()):
        if address in known or "@" + address.split("@")[1] in known:
            return True
    return False


class HealthTransport(models.Model):
    """A road for files: lots that leave, returns and acknowledgements that come.

    Each kind is a small class (see ``health_sesam/transports``). A manager sets a road up and
    alone sees its secrets; a biller uses it.
    """

    _name = "health.transport"
    _description = "Transport"
    _order = "direction, sequence, id"

    name = fields.Char(required=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    direction = fields.Selection(
        [("out", "Lots that leave"), ("in", "Files that come")], required=True, default="in"
    )
    kind = fields.Selection(
        [
            ("folder", "Folder of the server"),
            ("sftp", "SFTP"),
            ("email", "E-mail"),
            ("mailbox", "Mailbox"),
        ],
        required=True,
        default="folder",
    )
    company_ids = fields.Many2many(
        "res.company",
        string="Practitioners",
        domain=[("health_provider_no", "!=", False)],
        help="Empty: all of them. One only: files that do not say whose they are are this one's.",
    )
    pattern = fields.Char(
        "Files taken",
        default="*",
        required=True,
        help="Names with * and ?, several with a comma: *.noe, arl*.csv",
    )
    after = fields.Selection(
        [
            ("move", "Put into “traités” or “à revoir” there"),
            ("leave", "Leave them there and remember them"),
        ],
        string="Files once read",
        required=True,
        default="move",
    )
    is_automatic = fields.Boolean(
        "Sent by the night once signed",
        help="Off: a person sends. The practitioner signs; nothing leaves that they did not see.",
    )
    folder = fields.Char(help="Below the base folder of the server; at an SFTP server, its folder.")
    base_folder = fields.Char(compute="_compute_base_folder", groups=MANAGER)
    host = fields.Char("Server")
    port = fields.Integer(default=22)
    login = fields.Char(groups=MANAGER)
    password = fields.Char(groups=MANAGER, copy=False, help="Password, or that of the key.")
    private_key = fields.Text(groups=MANAGER, copy=False)
    host_key = fields.Char("Key of the server accepted", groups=MANAGER, copy=False)
    host_key_seen = fields.Char("Key of the server seen", readonly=True, copy=False)
    mail_server_id = fields.Many2one("ir.mail_server", "Mail server", groups=MANAGER)
    mail_from = fields.Char("Sender", groups=MANAGER)
    recipient = fields.Char(
        "Written to",
        default="{regime}{caisse}@{caisse}.{regime}.rss.fr",
        help="{regime} and {caisse} become those of the payer of the lot.",
    )
    compress = fields.Boolean("Compressed")
    is_test = fields.Boolean("Marked as a test")
    fetchmail_server_id = fields.Many2one("fetchmail.server", "Incoming mail", groups=MANAGER)
    address = fields.Char("Received at", help="Addresses written to, with a comma between them.")
    sender = fields.Char("Sent by", help="Addresses or domains (@…), with a comma between them.")
    last_run = fields.Datetime(readonly=True, copy=False)
    is_ok = fields.Boolean("Went well", readonly=True, copy=False)
    last_result = fields.Text(readonly=True, copy=False)
    transmission_ids = fields.One2many("health.transmission", "transport_id")

    @api.depends("kind")
    def _compute_base_folder(self):
        for transport in self:
            transport.base_folder = str(base_folder(self.env.cr.dbname))

    @api.constrains("direction", "kind")
    def _check_way(self):
        for transport in self:
            if ONE_WAY.get(transport.kind, transport.direction) != transport.direction:
                raise ValidationError(
                    self.env._(
                        "E-mail takes lots out, a mailbox brings files in: not the contrary."
                    )
                )

    @api.constrains("kind", "folder")
    def _check_folder(self):
        for transport in self.filtered(lambda record: record.kind == "folder"):
            if not resolve(self.env.cr.dbname, transport.folder):
                raise ValidationError(
                    self.env._(
                        "“%(folder)s” is no folder below %(base)s: give a path without “..” that starts "
                        "from there.",
                        folder=transport.folder or "",
                        base=base_folder(self.env.cr.dbname),
                    )
                )

    @api.constrains("kind", "host", "login", "mail_server_id", "private_key", "recipient")
    def _check_complete(self):
        for transport in self:
            missing = False
            if transport.kind == "sftp":
                missing = not (transport.host and transport.login)
            elif transport.kind == "email":
                missing = not (transport.mail_server_id and transport.recipient)
            if missing:
                raise ValidationError(
                    self.env._("“%s” lacks the server, the login or the address.", transport.name)
                )
            if transport.private_key and not read_key(transport.private_key, transport.password):
                raise ValidationError(
                    self.env._("The private key cannot be read: paste it whole, with its password.")
                )

    # -- plug-ins --------------------------------------------------------------------------------

    def _session_class(self):
        """Class of the sessions of this kind; an addon that adds a kind answers for it here."""
        self.ensure_one()
        return {"folder": FolderSession, "sftp": SftpSession, "email": MailSession}[self.kind]

    def _session(self):
        return self._session_class()(self)

    def _note_result(self, ok, text):
        self.sudo().write({"last_run": fields.Datetime.now(), "is_ok": ok, "last_result": text})

    def _note_failure(self, error):
        if isinstance(error, UnknownHost):
            self.sudo().host_key_seen = error.seen
        self._note_result(False, str(error))

    # -- buttons ---------------------------------------------------------------------------------

    def _check_user(self):
        """Billers use the roads that they see."""
        self.check_access("read")
        if not self.env.su and not self.env.user.has_group("health_billing.group_biller"):
            raise AccessError(self.env._("Transports are for billers."))

    def action_try(self):
        """Open the road and say what was found; nothing is sent nor taken."""
        self.ensure_one()
        self._check_user()
        try:
            if self.kind == "mailbox":
                text = self._try_mailbox()
            else:
                with self._session() as session:
                    text = session.describe()
        except TransportError as error:
            self._note_failure(error)
            return self._tell(str(error), "warning")
        self._note_result(True, text)
        return self._tell(text, "success")

    def _try_mailbox(self):
        server = self.sudo().fetchmail_server_id
        if not server:
            return self.env._("No mailbox is read for it: mails come through a mail alias only.")
        try:
            connection = server._connect__()
            connection.disconnect()
        except Exception as error:
            raise TransportError(
                self.env._("The mailbox “%s” cannot be opened.", server.name)
            ) from error
        return self.env._("The mailbox “%s” opens.", server.name)

    def action_accept_host(self):
        """A manager compared the key of the server: it is the right one."""
        self.ensure_one()
        if not self.host_key_seen:
            raise UserError(self.env._("Try the connection first: it shows the key."))
        self.write({"host_key": self.host_key_seen, "host_key_seen": False})
        return self.action_try()

    def action_fetch(self):
        """Take what waits at the far side, now."""
        self._check_user()
        lines = [line for transport in self for line in transport._fetch()]
        failed = self.filtered(lambda transport: not transport.is_ok)
        return self._tell("\n".join(lines), "warning" if failed else "success")

    def action_open_transmissions(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Transmissions"),
            "res_model": "health.transmission",
            "view_mode": "list,form",
            "domain": [("transport_id", "=", self.id)],
        }

    @api.model
    def _tell(self, text, kind):
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "message": text,
                "type": kind,
                "sticky": kind != "success",
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    # -- what comes ------------------------------------------------------------------------------

    def _takes(self, name):
        """Whether a file of this name is taken."""
        patterns = [part.strip() for part in (self.pattern or "*").split(",") if part.strip()]
        return is_plain_name(name) and any(
            fnmatch.fnmatch(name.lower(), pattern.lower()) for pattern in patterns
        )

    def _fetch(self):
        """Take every whole file that waits: each is recorded once, then put away over there.

        Putting away comes after the commit: what the database forgets is still there to be taken
        again, and what it knows is recognised by its bytes. A road that breaks keeps what came.

        :return: sentences on what was done.
        """
        self.ensure_one()
        if self.kind == "mailbox":
            return self._fetch_mailbox()
        rows, waiting, error = [], 0, None
        try:
            with self._session() as session:
                files = [file for file in session.list() if self._takes(file.name)]
                rows, waiting, error = self._take(session, files)
        except TransportError as broken:
            error = broken
        review = sum(row["state"] == "failed" for row in rows)
        lines = [self.env._("%(name)s: %(count)s file(s) taken.", name=self.name, count=len(rows))]
        if review:
            lines.append(self.env._("%s of them to look at.", review))
        if waiting:
            lines.append(self.env._("%s still being written: next time.", waiting))
        if error:
            lines.append(str(error))
            if isinstance(error, UnknownHost):
                self.sudo().host_key_seen = error.seen
        self._note_result(not error, " ".join(lines))
        return lines

    def _take(self, session, files):
        """Ingest the files that are whole and new; note each one.

        :return: (values of the transmissions, number of files left for later, what broke).
        """
        Transmission = self.env["health.transmission"].sudo()
        known = self._received([file.name for file in files])
        stamps = {(row.filename, row.stamp) for row in known}
        sums = {(row.filename, row.checksum): row for row in known}
        rows, put_away, waiting, error = [], [], 0, None
        for file in files:
            if self.after == "leave" and (file.name, file.stamp) in stamps:
                continue
            if not self._is_whole(file):
                waiting += 1
                continue
            try:
                vals, good = self._take_one(session, file, sums)
            except TransportError as broken:
                error = broken
                break
            if vals:
                rows.append(vals)
            put_away.append((file, good))
        Transmission.create(rows)
        if put_away and self.after == "move":
            self._put_away_after_commit(put_away)
        return rows, waiting, error

    def _is_whole(self, file):
        """Whether nobody writes the file any more, as far as its name and age tell."""
        age = self.env["health.parameter"].value_of("transport_file_age")
        return not is_unfinished(file.name) and file.age >= age

    def _take_one(self, session, file, sums):
        """Ingest one file unless its bytes came before.

        :param sums: what came before, ``{(name, checksum): its transmission}``.
        :return: (values of its transmission or None, whether all is well with it).
        """
        company = self.company_ids if len(self.company_ids) == 1 else None
        vals = {
            "transport_id": self.id,
            "direction": "in",
            "user_id": self.env.uid,
            "company_id": company.id if company else False,
            "filename": file.name,
            "size": file.size,
            "stamp": file.stamp,
            "state": "failed",
        }
        if file.size > MAX_BYTES:
            if (file.name, False) in sums:
                sums[file.name, False].stamp = file.stamp
                return None, False
            message = self.env._("Larger than 50 MB: not read. Split it by period.")
            return {**vals, "message": message}, False
        content = session.fetch(file)
        checksum = hashlib.sha256(content).hexdigest()
        if (file.name, checksum) in sums:
            row = sums[file.name, checksum]
            row.stamp = file.stamp
            return None, row.state == "done"
        try:
            with self.env.cr.savepoint():
                inbox = self.env["health.inbox"].ingest(
                    file.name, content, company, background=True
                )
        except OSError as broken:
            # nothing of it was kept (a full disk …): it is still over there for the next time
            raise TransportError(
                self.env._(
                    "“%(file)s” could not be kept: %(reason)s",
                    file=file.name,
                    reason=broken.strerror or type(broken).__name__,
                )
            ) from broken
        good = inbox.state not in ("review", "refused")
        return {
            **vals,
            "checksum": checksum,
            "inbox_id": inbox.id,
            "company_id": inbox.company_id.id or vals["company_id"],
            "state": "done" if good else "failed",
            "message": (inbox.message or "").split("\n")[0],
        }, good

    def _put_away_after_commit(self, files):
        """Move the files over there once the database holds them for good."""
        # another transaction: only values may be carried over
        transport_id, registry, uid = self.id, self.env.registry, self.env.uid

        def move():
            with registry.cursor() as cr:
                transport = api.Environment(cr, uid, {})["health.transport"].sudo()
                transport = transport.browse(transport_id)
                # what came back to nothing (a step undone) stays over there
                held = {
                    (row.filename, row.stamp)
                    for row in transport._received([file.name for file, _good in files])
                }
                try:
                    with transport._session() as session:
                        for file, good in files:
                            if (file.name, file.stamp) in held:
                                session.acknowledge(file, good)
                except TransportError:
                    # recognised by their bytes next time, and put away then
                    _logger.warning("Transport %s: files could not be put away", transport_id)

        self.env.cr.postcommit.add(move)

    def _received(self, names):
        """What came by this road under these names."""
        return (
            self.env["health.transmission"]
            .sudo()
            .search(
                [
                    ("transport_id", "=", self.id),
                    ("direction", "=", "in"),
                    ("filename", "in", names),
                ]
            )
        )

    # -- mailboxes -------------------------------------------------------------------------------

    def _fetch_mailbox(self):
        """Read the mailbox as Odoo does every few minutes; each mail ends in received files."""
        server = self.sudo().fetchmail_server_id
        if not server:
            text = self.env._("%s: mails come by themselves; nothing to fetch.", self.name)
            self._note_result(True, text)
            return [text]
        before = (
            self.env["health.transmission"].sudo().search_count([("transport_id", "=", self.id)])
        )
        error = server._fetch_mail()
        self.env.invalidate_all()
        if error:
            text = self.env._("The mailbox “%s” cannot be opened.", server.name)
        else:
            count = (
                self.env["health.transmission"]
                .sudo()
                .search_count([("transport_id", "=", self.id)])
            )
            text = self.env._(
                "%(name)s: %(count)s file(s) taken.", name=self.name, count=count - before
            )
        self._note_result(not error, text)
        return [text]

    @api.model
    def _for_mail(self, recipients, sender, server_id=None):
        """The mailbox transport that a mail concerns: by address, then sender, then server."""
        mailboxes = self.sudo().search([("kind", "=", "mailbox")])
        recipients, sender = (recipients or "").lower(), (sender or "").lower()

        for found in (
            mailboxes.filtered(lambda box: _names(box.address, recipients)),
            mailboxes.filtered(lambda box: _names(box.sender, sender)),
            mailboxes.filtered(lambda box: server_id and box.fetchmail_server_id.id == server_id),
        ):
            if found:
                return found[:1] if len(found) == 1 else self._for_several(found)
        return self.browse()

    def _trusts(self, sender):
        """Whether files of this sender may be read: a known mailbox, and its senders if it has any."""
        return bool(self) and (not self.sender or _names(self.sender, (sender or "").lower()))

    @api.model
    def _for_several(self, found):
        """Several mailboxes fit: none tells whose the mail is."""
        common = found.filtered(lambda box: len(box.company_ids) != 1)
        return common[:1] if common else self.browse()

    # -- lots that leave -------------------------------------------------------------------------

    @api.model
    def _for_lots(self, lots):
        """The road of each lot: one of its practitioner's own, else one of all; ``{lot: road}``."""
        roads = self.sudo().search([("direction", "=", "out")])
        return {
            lot: next(
                (
                    road
                    for own in (True, False)
                    for road in roads
                    if bool(road.company_ids) == own
                    and (not own or lot.company_id in road.company_ids)
                ),
                self.browse(),
            )
            for lot in lots
        }

    def _send(self, files):
        """Bring files over, each whole or not at all.

        :param files: ``{row of transmission: (lot, name, bytes)}``.
        :return: ({row: where it lies}, {row: what went wrong}).
        """
        self.ensure_one()
        places, wrong = {}, {}
        try:
            with self._session() as session:
                for row, (lot, name, content) in files.items():
                    if not is_plain_name(name):
                        wrong[row] = self.env._("“%s” is no file name: write the file again.", name)
                        continue
                    try:
                        places[row] = session.send(name, content, lot)
                    except TransportError as error:
                        wrong[row] = str(error)
        except TransportError as error:
            if isinstance(error, UnknownHost):
                self.sudo().host_key_seen = error.seen
            wrong.update({row: str(error) for row in files if row not in places | wrong})
        if wrong:
            self._note_result(False, next(iter(wrong.values())))
        else:
            self._note_result(True, self.env._("%s lot(s) sent.", len(places)))
        return places, wrong

    # -- the night -------------------------------------------------------------------------------

    @api.model
    def _night_fetch(self):
        """Fetch from every road but mailboxes, which Odoo reads by itself every few minutes."""
        roads = self.search([("direction", "=", "in"), ("kind", "!=", "mailbox")])
        return [line for road in roads for line in road._fetch()]
