import io
from datetime import timedelta

from PIL import (
    Image,
    ImageOps,
    JpegImagePlugin,
    PngImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from odoo import api, fields, models
from odoo.exceptions import UserError

#: what a phone takes, by content, whatever its name says (Odoo keeps Pillow from loading its readers by itself)
FORMATS = tuple(
    reader.format
    for reader in (
        JpegImagePlugin.JpegImageFile,
        PngImagePlugin.PngImageFile,
        WebPImagePlugin.WebPImageFile,
    )
)
#: sides and surface: more than any camera gives; what is kept is enough to read a card
MOST_PIXELS, KEPT_SIDE, QUALITY = 60_000_000, 1920, 85


class HealthDebtorPhoto(models.Model):
    """A photo that a patient sent from their page: seen by billers, by nobody else."""

    _name = "health.debtor.photo"
    _description = "Photo sent by a Patient"
    _order = "id"
    _check_company_auto = True

    name = fields.Char(required=True, readonly=True)
    request_id = fields.Many2one(
        "health.debtor.request", required=True, index=True, readonly=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="request_id.company_id", store=True, index=True)
    image = fields.Binary(attachment=True, required=True, readonly=True)

    @api.model
    def _clean(self, content):
        """The photo made anew: no place, no camera, nothing hidden in it, and no larger than needed to read it.

        :param bytes content: what was sent.
        :return: bytes of a JPEG.
        :raises UserError: when it is no photo that can be read.
        """
        refusal = self.env._(
            "This file is not a photo we can read. Take a photo of the card, or choose a JPEG or PNG image."
        )
        try:
            photo = Image.open(io.BytesIO(content), formats=FORMATS)
            if photo.width * photo.height > MOST_PIXELS:
                raise UserError(self.env._("This photo is too large. Take it with less detail."))
            photo = ImageOps.exif_transpose(photo)
            photo.thumbnail((KEPT_SIDE, KEPT_SIDE))
            if photo.mode in ("RGBA", "LA", "P"):
                photo = photo.convert("RGBA")
                ground = Image.new("RGBA", photo.size, "white")
                photo = Image.alpha_composite(ground, photo)
            kept = io.BytesIO()
            photo.convert("RGB").save(kept, "JPEG", quality=QUALITY, exif=b"")
        except UserError:
            raise
        except (
            UnidentifiedImageError,
            Image.DecompressionBombError,
            OSError,
            ValueError,
            SyntaxError,
            EOFError,
        ) as error:
            raise UserError(refusal) from error
        return kept.getvalue()

    @api.autovacuum
    def _gc_photos(self):
        """A card is not kept longer than its question: it goes some time after the answer."""
        days = self.env["health.parameter"].value_of("note_photo_days")
        self.sudo().search(
            [
                ("request_id.state", "=", "done"),
                ("request_id.done_on", "<", fields.Datetime.now() - timedelta(days=days)),
            ]
        ).unlink()
