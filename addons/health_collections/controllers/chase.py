from odoo.http import Controller, content_disposition, request, route

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class ChaseController(Controller):
    """What a biller fetches to claim from a payer: the pack for its form, the ledger of late payments."""

    @route("/facturiere/relance/<int:chase_id>/reclamation.zip", type="http", auth="user")
    def chase_pack(self, chase_id):
        chase = request.env["health.chase"].browse(chase_id).exists()
        if not chase:
            raise request.not_found()
        # a pack names patients: for who works the claims
        chase.check_access("write")
        content, filename = request.env["health.chase.pack"]._zip(chase)
        return self._file(content, filename, "application/zip")

    @route("/facturiere/penalites/<int:claim_id>/releve.xlsx", type="http", auth="user")
    def lateness_ledger(self, claim_id):
        claim = request.env["health.lateness.claim"].browse(claim_id).exists()
        if not claim:
            raise request.not_found()
        claim.check_access("read")
        content, filename = claim._ledger()
        return self._file(content, filename, XLSX)

    @staticmethod
    def _file(content, filename, mimetype):
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
