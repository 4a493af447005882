"""Pure arithmetic of collections: dates and integer cents, nothing of Odoo."""
