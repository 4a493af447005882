"""Pure arithmetic of collections: dates and integer cents, nothing of Odoo."""

"""Pure arithmetic of collections: no Odoo, no clock, integer cents. One file per topic."""
