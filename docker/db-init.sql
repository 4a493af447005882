-- Once, when the cluster is made: Odoo's role. It makes its own database and is no superuser.
\set password `cat /run/secrets/db_password`
CREATE ROLE odoo LOGIN CREATEDB PASSWORD :'password';
