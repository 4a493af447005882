import logging

from psycopg2 import Error

from odoo import api, fields, models
from odoo.exceptions import UserError

_logger = logging.getLogger(__name__)


class HealthTransmission(models.Model):
    """One file that travelled, or tried to: who, when, where, how long, its checksum.

    What leaves is noted before it leaves and after, each time for good (in a cursor of its own): a
    program that dies on the way leaves “started” behind, and nobody sends the file twice unaware.
    """

    _name = "health.transmission"
    _description = "Transmission"
    _order = "id desc"
    _rec_name = "filename"

    transport_id = fields.Many2one(
        "health.transport", index=True, readonly=True, ondelete="restrict"
    )
    direction = fields.Selection([("out", "Sent"), ("in", "Received")], required=True)
    date = fields.Datetime(required=True, default=fields.Datetime.now, readonly=True)
    user_id = fields.Many2one("res.users", string="By", readonly=True)
    company_id = fields.Many2one("res.company", string="Practitioner", index=True, readonly=True)
    lot_id = fields.Many2one(
        "health.lot", index="btree_not_null", readonly=True, ondelete="set null"
    )
    inbox_id = fields.Many2one(
        "health.inbox",
        string="Received file",
        index="btree_not_null",
        readonly=True,
        ondelete="set null",
    )
    filename = fields.Char("File", required=True, readonly=True)
    size = fields.Integer("Bytes", readonly=True)
    checksum = fields.Char("SHA-256", readonly=True)
    stamp = fields.Char(readonly=True, help="Size and time of the file at the far side.")
    place = fields.Char("Where to", readonly=True)
    state = fields.Selection(
        [
            ("started", "Started, end unknown"),
            ("done", "Done"),
            ("failed", "Failed"),
        ],
        required=True,
        readonly=True,
    )
    message = fields.Char("What happened", readonly=True)
    is_put_away = fields.Boolean("Put away", readonly=True)

    _seen = models.Index("(transport_id, filename) WHERE direction = 'in'")

    @api.model
    def _note(self, vals_list):
        """Rows that stay whatever becomes of the transaction; answers their ids."""
        try:
            with self.env.registry.cursor() as cr:
                return self.with_env(self.env(cr=cr)).sudo().create(vals_list).ids
        except Error as error:
            # the lots of this very transaction are not there for anybody else yet
            raise UserError(
                self.env._("The lots are not recorded yet: open them again, then send them.")
            ) from error

    @api.model
    def _note_ends(self, ends):
        """Write how each noted row ended: ``{id: vals}``, one write per kind of end."""
        groups = {}
        for row_id, vals in ends.items():
            groups.setdefault(tuple(sorted(vals.items())), []).append(row_id)
        with self.env.registry.cursor() as cr:
            rows = self.with_env(self.env(cr=cr)).sudo()
            for vals, ids in groups.items():
                rows.browse(ids).write(dict(vals))
        self.browse(ends).invalidate_recordset()
