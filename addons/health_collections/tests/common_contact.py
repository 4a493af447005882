from freezegun import freeze_time

from .common import DAY, CollectionsCommon

#: a Tuesday, ten in the morning in Paris
NOON = "2026-11-17 09:00:00"
URL = "https://example.org/ma-note/abcdefghijklmnopqrstuvwx"


class ContactCommon(CollectionsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        frozen = freeze_time(NOON)
        frozen.start()
        cls.addClassCleanup(frozen.stop)
        cls.nurse.email = "cabinet@example.org"
        cls.patient.write(
            {
                "phone": "06 12 34 56 78",
                "street": "3 rue des Lilas",
                "zip": "44000",
                "city": "Nantes",
                "country_id": cls.env.ref("base.fr").id,
            }
        )
        cls.debt = cls.late("000901")
        cls.Contact = cls.env["health.contact"]

    def send(self, channel, share=None, **values):
        share = self.debt if share is None else share
        return self.Contact._send(
            [
                {
                    "company_id": self.nurse,
                    "partner_id": self.patient,
                    "channel": channel,
                    "kind": "reminder",
                    "subject": "Une somme reste à régler",
                    "body": f"<p>Il reste 12,60 € à régler : {URL}</p>"
                    if channel == "email"
                    else f"Il reste 12,60 € à régler : {URL}",
                    "urls": [URL],
                    "share_ids": share,
                    "amount": sum(share.mapped("amount_residual")),
                    "day": DAY,
                    **values,
                }
            ]
        )
