import logging

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

from odoo.addons.health_billing.exchange import UnknownHost, read_key, resolve

from ..carriers import CarrierError, FolderSession, SftpSession
from ..carriers.base import BACK, is_plain_name

_logger = logging.getLogger(__name__)

MANAGER = "health_billing.group_manager"


class HealthCarrier(models.Model):
    """Who brings registered letters. Without one they are printed and posted by hand.

    Each kind is a small class (see ``health_collections/carriers``): a letter is given as a PDF with a
    manifest, what became of it comes back as a CSV.
    """

    _name = "health.carrier"
    _description = "Carrier of Registered Letters"
    _order = "sequence, id"

    name = fields.Char(required=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    kind = fields.Selection(
        [("folder", "Folder of the server"), ("sftp", "SFTP")], required=True, default="folder"
    )
    service = fields.Selection(
        [("registered", "On paper"), ("e_registered", "Electronic")],
        required=True,
        default="registered",
        help="Electronic: to people whose consent is recorded only.",
    )
    company_ids = fields.Many2many(
        "res.company",
        string="Practitioners",
        domain=[("health_provider_no", "!=", False)],
        help="Empty: all of them.",
    )
    folder = fields.Char(
        help="Below the base folder of the server; at an SFTP server, its folder. What became of letters "
        "is read in its sub-folder “retours”."
    )
    host = fields.Char("Server")
    port = fields.Integer(default=22)
    login = fields.Char(groups=MANAGER)
    password = fields.Char(groups=MANAGER, copy=False, help="Password, or that of the key.")
    private_key = fields.Text(groups=MANAGER, copy=False)
    host_key = fields.Char("Key of the server accepted", groups=MANAGER, copy=False)
    host_key_seen = fields.Char("Key of the server seen", readonly=True, copy=False)
    last_run = fields.Datetime(readonly=True, copy=False)
    is_ok = fields.Boolean("Went well", readonly=True, copy=False)
    last_result = fields.Char(readonly=True, copy=False)

    @api.constrains("kind", "folder", "host", "login", "private_key", "password")
    def _check_complete(self):
        for carrier in self:
            if carrier.kind == "folder" and not resolve(self.env.cr.dbname, carrier.folder):
                raise ValidationError(
                    self.env._(
                        "“%s” is no folder below the base folder of the server: give a path without “..”.",
                        carrier.folder or "",
                    )
                )
            if carrier.kind == "sftp" and not (carrier.host and carrier.login):
                raise ValidationError(
                    self.env._("“%s” lacks the server or the login.", carrier.name)
                )
            if carrier.private_key and not read_key(carrier.private_key, carrier.password):
                raise ValidationError(
                    self.env._("The private key cannot be read: paste it whole, with its password.")
                )

    @api.model
    def _of(self, company, service):
        """The carrier of a practitioner for that service: their own first; empty when by hand."""
        carriers = self.sudo().search(
            [("service", "=", service), ("company_ids", "in", (False, company.id))]
        )
        return (carriers.filtered("company_ids") or carriers)[:1]

    def _session_class(self):
        """Class of the sessions of this kind; an addon that adds a kind answers for it here."""
        self.ensure_one()
        return {"folder": FolderSession, "sftp": SftpSession}[self.kind]

    def _session(self):
        return self._session_class()(self.sudo())

    def _note_result(self, ok, text, **values):
        self.sudo().write(
            {"last_run": fields.Datetime.now(), "is_ok": ok, "last_result": text, **values}
        )

    def _note_error(self, error):
        seen = {"host_key_seen": error.seen} if isinstance(error, UnknownHost) else {}
        self._note_result(False, str(error), **seen)

    def _give(self, parcels):
        """Give letters to the carrier.

        :return: (references of those taken, what broke on the way or an empty text).
        """
        self.ensure_one()
        taken, problem = [], ""
        try:
            with self._session() as session:
                for parcel in parcels:
                    session.hand_over(parcel)
                    taken.append(parcel.reference)
        except CarrierError as error:
            problem = str(error)
            self._note_error(error)
        else:
            self._note_result(True, self.env._("%s letter(s) given.", len(taken)))
        return taken, problem

    def _fetch(self):
        """Read what became of letters; a file is put away once its statuses are noted.

        :return: sentences on what was done.
        """
        Contact = self.env["health.contact"].sudo()
        lines = []
        for carrier in self:
            count = 0
            try:
                with carrier._session() as session:
                    for name, statuses in session.statuses():
                        count += Contact._take_statuses(
                            [(status, self._proof(session, status)) for status in statuses]
                        )
                        session.done(BACK, name)
                carrier._note_result(True, self.env._("%s letter(s) followed.", count))
            except CarrierError as error:
                carrier._note_error(error)
                lines.append(f"{carrier.name} : {error}")
            if count:
                lines.append(
                    self.env._(
                        "%(name)s: %(count)s letter(s) followed.", name=carrier.name, count=count
                    )
                )
        return lines

    @api.model
    def _proof(self, session, status):
        """Proof that goes with a status: (name, bytes), or None when it is not there."""
        if not is_plain_name(status.proof) or status.proof not in session.names(BACK):
            return None
        return status.proof, session.get(BACK, status.proof)

    def _check_manager(self):
        if not self.env.su and not self.env.user.has_group(MANAGER):
            raise AccessError(self.env._("Carriers are for managers."))

    def action_try(self):
        """Open the connection and say what was found; nothing is given nor taken."""
        self.ensure_one()
        self._check_manager()
        try:
            with self._session() as session:
                count = len(session.names(BACK))
        except CarrierError as error:
            self._note_error(error)
            return self._tell(str(error), "warning")
        text = self.env._("The connection works; %s file(s) to read.", count)
        self._note_result(True, text)
        return self._tell(text, "success")

    def action_accept_host(self):
        """A manager compared the key of the server: it is the right one."""
        self.ensure_one()
        self._check_manager()
        if not self.host_key_seen:
            raise UserError(self.env._("Try the connection first: it shows the key."))
        self.write({"host_key": self.host_key_seen, "host_key_seen": False})
        return self.action_try()

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
