"""Pure arithmetic of collections: no Odoo, no clock, integer cents. One file per topic."""
