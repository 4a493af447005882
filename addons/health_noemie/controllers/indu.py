from odoo.http import Controller, content_disposition, request, route

#: what may be fetched of a file, and how it is made
MADE = {
    "preuves.zip": ("application/zip", "_proofs_zip"),
    "preuves.pdf": ("application/pdf", "_proofs_pdf"),
    "dossier.zip": ("application/zip", "_pack"),
}


class InduController(Controller):
    """Proofs and hand-over pack of an overpayment file, to whoever may read its claims."""

    @route("/facturiere/indu/<int:indu_id>/<string:name>", type="http", auth="user", readonly=False)
    def indu_download(self, indu_id, name):
        if name not in MADE:
            raise request.not_found()
        mimetype, method = MADE[name]
        Pack = request.env["health.indu.pack"]
        indu = Pack._of(indu_id)
        content, filename = getattr(Pack.with_env(indu.env), method)(indu)
        return request.make_response(
            content,
            headers=[
                ("Content-Type", mimetype),
                ("Content-Length", str(len(content))),
                ("Content-Disposition", content_disposition(filename)),
                ("Cache-Control", "no-store"),
                ("X-Content-Type-Options", "nosniff"),
            ],
        )
