# ruff: noqa: F821 (env is given by "odoo shell")
"""Country, language, address and administrator of a new database.

Run by "entrypoint.sh install" between base and our addons. Does nothing when it has been
run on this database before.
"""

import os
from pathlib import Path

parameters = env["ir.config_parameter"].sudo()
if not parameters.get_param("report.url"):
    secrets = Path(os.environ.get("FACTURIERE_SECRETS", "/run/secrets"))
    env.company.write({"country_id": env.ref("base.fr").id, "currency_id": env.ref("base.EUR").id})
    env.ref("base.user_admin").write(
        {
            "lang": "fr_FR",
            "tz": "Europe/Paris",
            "password": (secrets / "admin_password").read_text().strip(),
        }
    )
    parameters.set_param("web.base.url", os.environ["FACTURIERE_URL"].rstrip("/"))
    parameters.set_param("web.base.url.freeze", "True")
    # wkhtmltopdf fetches style sheets here, inside the container, not through the proxy
    parameters.set_param("report.url", "http://127.0.0.1:8069")
    env.cr.commit()
