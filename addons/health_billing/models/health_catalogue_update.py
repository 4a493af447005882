import base64
import hashlib
import io
import zipfile
import zlib
from datetime import date, timedelta
from pathlib import Path

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL
from odoo.tools.misc import file_path

from ..ngap import letters, update
from ..ngap.impact import Impact, Use, measure
from ..tools import QUIET, cents, euros, format_cents

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
#: largest file and archive that is read, in bytes: the whole nomenclature is a tenth of it
MAX_SIZE = 5_000_000
#: changes named in the news of a practitioner; the rest is counted
NEWS_LINES = 25


class HealthCatalogueUpdate(models.Model):
    """An update of acts and values from data files: what it changes, what it costs or brings, who applied it.

    Past periods stay: a new value ends the one before it, an act that disappears is ended, nothing is deleted.
    """

    _name = "health.catalogue.update"
    _description = "NGAP Catalogue Update"
    _order = "id desc"

    name = fields.Char(required=True, default=lambda self: self._default_name())
    state = fields.Selection(
        [("draft", "To check"), ("done", "Applied")], default="draft", required=True, copy=False
    )
    effective_on = fields.Date(
        "Acts: in force from",
        required=True,
        default=fields.Date.context_today,
        help="First day of acts that a file adds without a date, and end of those it no longer has. "
        "Values bear their own dates.",
    )
    attachment_ids = fields.Many2many("ir.attachment", string="Files", copy=False)
    is_shipped = fields.Boolean("Files shipped with the program", copy=False)
    problems = fields.Text(readonly=True, copy=False)
    line_ids = fields.One2many(
        "health.catalogue.update.line", "update_id", string="Changes", readonly=True
    )
    impact_ids = fields.One2many(
        "health.catalogue.update.impact", "update_id", string="Practitioners", readonly=True
    )
    fse_ids = fields.Many2many("health.fse", string="FSE touched", readonly=True, copy=False)
    fse_count = fields.Integer("FSE touched, not sent", compute="_compute_fse_count")
    line_count = fields.Integer("Changes found", readonly=True, copy=False)
    act_count = fields.Integer("Acts touched", readonly=True, copy=False)
    amount = fields.Monetary("Difference", readonly=True, copy=False)
    currency_id = fields.Many2one("res.currency", default=lambda self: self.env.ref("base.EUR"))
    first_day = fields.Date("First change on", readonly=True, copy=False)
    compared_on = fields.Datetime(readonly=True, copy=False)
    fingerprint = fields.Char(copy=False)
    summary = fields.Char(compute="_compute_summary")
    applied_by_id = fields.Many2one("res.users", readonly=True, copy=False)
    applied_on = fields.Datetime(readonly=True, copy=False)

    @api.model
    def _default_name(self):
        day = fields.Date.context_today(self)
        return self.env._("NGAP, update of %s", day.strftime("%d/%m/%Y"))

    @api.depends("fse_ids")
    def _compute_fse_count(self):
        for one in self:
            one.fse_count = len(one.fse_ids)

    @api.depends("line_count", "act_count", "amount", "state", "compared_on", "problems")
    def _compute_summary(self):
        for one in self:
            if one.problems or not one.compared_on:
                one.summary = False
            elif not one.line_count:
                one.summary = self.env._("Nothing changes: the catalogue says all this already.")
            else:
                amount = cents(one.amount)
                one.summary = self.env._(
                    "%(changes)s change(s); %(acts)s act(s) planned or not sent are touched, %(amount)s.",
                    changes=one.line_count,
                    acts=one.act_count,
                    amount=f"{'+' if amount >= 0 else ''}{format_cents(amount)}",
                )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_done(self):
        if "done" in self.mapped("state"):
            raise UserError(self.env._("An update that was applied stays in the log."))

    def _check_manager(self):
        if not self.env.su and not self.env.user.has_group("health_billing.group_manager"):
            raise AccessError(self.env._("Only an agency manager may update the NGAP catalogue."))

    # -- files ---------------------------------------------------------------------------------------

    @api.model
    def _shipped_files(self, folder):
        """The files of acts and values in the program's own data folder, by name."""
        return {
            path.name: path.read_bytes()
            for path in sorted(Path(folder).glob("*.csv"))
            if path.name.startswith(("acts_", "ngap_"))
        }

    def _files(self):
        """The files of the update by name, archives opened.

        :return: the files, and why some could not be taken (:class:`update.Issue`)
        """
        self.ensure_one()
        if self.is_shipped and not self.attachment_ids:
            return self._shipped_files(file_path("health_billing/data/ngap")), []
        files, issues = {}, []
        for attachment in self.attachment_ids:
            content = attachment.raw or b""
            if len(content) > MAX_SIZE:
                issues.append(
                    update.Issue(
                        attachment.name,
                        0,
                        "",
                        "le fichier dépasse 5 Mo : ce n'est pas un catalogue NGAP.",
                    )
                )
            elif attachment.name.lower().endswith(".zip"):
                self._open_archive(attachment.name, content, files, issues)
            else:
                self._add_file(attachment.name, content, files, issues)
        return files, issues

    @api.model
    def _open_archive(self, name, content, files, issues):
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                members = [one for one in archive.infolist() if not one.is_dir()]
                if sum(one.file_size for one in members) > MAX_SIZE:
                    issues.append(
                        update.Issue(name, 0, "", "l'archive dépasse 5 Mo une fois ouverte.")
                    )
                    return
                for one in members:
                    self._add_file(one.filename, archive.read(one), files, issues)
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            RuntimeError,
            NotImplementedError,
            OSError,
        ):
            issues.append(
                update.Issue(
                    name, 0, "", "l'archive ne s'ouvre pas (abîmée ou protégée) ; refaites-la."
                )
            )

    @api.model
    def _add_file(self, name, content, files, issues):
        name = name.replace("\\", "/").rsplit("/", 1)[-1].lower()
        if name in files and files[name] != content:
            issues.append(
                update.Issue(
                    name, 0, "", "ce fichier est déposé deux fois avec un contenu différent."
                )
            )
        files[name] = content

    # -- comparing -----------------------------------------------------------------------------------

    def _merge(self):
        """What the files lead to.

        :return: issues, merged acts, changes of acts, merged values, changes of values, values before
        """
        files, issues = self._files()
        reading = update.read_files(files) if files or not issues else update.Reading()
        issues += reading.issues
        held_acts = self.env["product.product"].sudo()._health_held()
        held_values = self.env["health.ngap.value"].sudo()._held()
        acts = update.merge_acts(held_acts, reading.acts, self.effective_on, issues)
        values = update.merge_values(held_values, reading.values)
        old_acts = {code: one.row for code, one in held_acts.items()}
        old_values = {key: one.row for key, one in held_values.items()}
        return (
            issues,
            acts,
            update.difference(old_acts, acts.rows),
            values,
            update.difference(old_values, values.rows),
            old_values,
        )

    @api.model
    def _fingerprint(self, acts, values):
        """Changes when what would be recorded changes."""
        text = repr(
            [
                (
                    one.kind,
                    one.key,
                    *(row and sorted(update.to_plain(row).items()) for row in (one.old, one.new)),
                )
                for one in (*acts, *values)
            ]
        )
        return hashlib.sha256(text.encode()).hexdigest()

    def action_compare(self):
        """Read the files and show what they change and whom it touches; nothing is applied yet."""
        self._check_manager()
        for one in self:
            if one.state == "draft":
                one._compare()

    def action_load_shipped(self):
        """Compare with the files that came with the program."""
        self._check_manager()
        self.write({"is_shipped": True, "attachment_ids": [fields.Command.clear()]})
        self.action_compare()

    def _compare(self):
        self.ensure_one()
        self.attachment_ids.sudo().filtered(lambda file: not file.res_id).write(
            {"res_model": self._name, "res_id": self.id}
        )
        if not self.attachment_ids and not self.is_shipped:
            raise UserError(
                self.env._(
                    "No file yet: drop ngap_values.csv or ngap_acts.csv (or a ZIP of them), "
                    "or reload the shipped files."
                )
            )
        issues, acts, act_changes, _values, value_changes, old_values = self._merge()
        self.line_ids.unlink()
        self.impact_ids.unlink()
        if issues:
            self.write(
                {
                    "problems": "\n".join(map(str, issues[:100])),
                    "fingerprint": False,
                    "line_count": 0,
                    "act_count": 0,
                    "amount": 0,
                    "first_day": False,
                    "fse_ids": [fields.Command.clear()],
                    "compared_on": fields.Datetime.now(),
                }
            )
            return
        new_values = update.applied(old_values, value_changes)
        impact = self._measure(act_changes, value_changes, old_values, new_values)
        lines = [
            *(self._act_line(change, impact) for change in act_changes),
            *(self._value_line(change, impact) for change in value_changes),
        ]
        days = [line["day"] for line in lines if line["day"]]
        self.write(
            {
                "problems": False,
                "fingerprint": self._fingerprint(act_changes, value_changes),
                "line_ids": [fields.Command.create(line) for line in lines],
                "impact_ids": [
                    fields.Command.create(vals) for vals in self._impact_vals(lines, impact)
                ],
                "fse_ids": [fields.Command.set(list(impact.refs))],
                "line_count": len(lines),
                "act_count": impact.total.acts,
                "amount": euros(impact.total.cents),
                "first_day": min(days, default=False),
                "compared_on": fields.Datetime.now(),
            }
        )

    def _act_line(self, change, impact):
        row, count = change.new or change.old, impact.changes.get(change.key)
        name = f"{row.short} · {row.label}"
        old = new = False
        day = self.effective_on
        if change.kind == "added":
            new, day = self._from_text(row.start), row.start or self.effective_on
        elif change.kind == "ended":
            day = change.new.end
            new = self.env._("billable until %s", (day - timedelta(days=1)).strftime("%d/%m/%Y"))
        else:
            before, after = (update.to_plain(one) for one in (change.old, change.new))
            different = [field for field in after if after[field] != before[field]]
            old = " ; ".join(self._act_fact(field, change.old) for field in different)
            new = " ; ".join(self._act_fact(field, change.new) for field in different)
        return {
            "target": "act",
            "kind": change.kind,
            "name": name,
            "profession": row.profession,
            "day": day,
            "before": old,
            "after": new,
            "source": row.source,
            "grade": row.grade or "C",
            "act_count": count.acts if count else 0,
            "amount": euros(count.cents) if count else 0,
        }

    def _act_fact(self, field, row):
        labels = {
            "label": self.env._("label"),
            "code": self.env._("code"),
            "reference": self.env._("reference"),
            "agreement": self.env._("prior agreement"),
            "source": self.env._("source"),
            "grade": self.env._("proof"),
            "tags": self.env._("families"),
            "agreement_from": self.env._("agreement from session"),
            "minutes": self.env._("minutes"),
            "start": self.env._("from"),
            "end": self.env._("until (excluded)"),
        }
        value = getattr(row, field)
        if isinstance(value, frozenset):
            value = " ".join(sorted(value))
        elif isinstance(value, date):
            value = value.strftime("%d/%m/%Y")
        return f"{labels.get(field, field)} : {value or '—'}"

    def _from_text(self, day):
        return self.env._("from %s", day.strftime("%d/%m/%Y")) if day else self.env._("billable")

    def _value_line(self, change, impact):
        row, count = change.new or change.old, impact.changes.get(change.key)
        zones = dict(
            self.env["res.company"]._fields["health_zone"]._description_selection(self.env)
        )
        professions = {
            letter.profession
            for letter in letters().values()
            if letter.tariff_letter == row.key_letter
        }
        return {
            "target": "value",
            "kind": change.kind,
            "name": row.key_letter,
            "profession": professions.pop() if len(professions) == 1 else False,
            "zone": row.zone,
            "zone_label": zones.get(row.zone, row.zone),
            "day": change.new.end if change.kind == "ended" else row.start,
            "before": self._value_text(change.old),
            "after": self._value_text(change.new),
            "source": row.source,
            "grade": row.grade,
            "act_count": count.acts if count else 0,
            "amount": euros(count.cents) if count else 0,
        }

    def _value_text(self, row):
        if not row:
            return False
        text = format_cents(row.cents)
        start = row.start.strftime("%d/%m/%Y")
        if row.start == update.UNKNOWN_START:
            return text
        if row.end:
            last = (row.end - timedelta(days=1)).strftime("%d/%m/%Y")
            return self.env._(
                "%(value)s from %(start)s to %(last)s", value=text, start=start, last=last
            )
        return self.env._("%(value)s from %(start)s", value=text, start=start)

    # -- impact --------------------------------------------------------------------------------------

    def _measure(self, act_changes, value_changes, old, new):
        """Acts not sent or planned that the changes touch, of every practitioner, in a few queries."""
        if not act_changes and not value_changes:
            return Impact()
        names = {change.key[0] for change in value_changes}
        names |= {
            letter
            for (_profession, letter), known in letters().items()
            if known.tariff_letter in names
        }
        codes = [change.key for change in act_changes if change.old]
        companies = self.env["res.company"].sudo().search([("health_provider_no", "!=", False)])
        where = {one.id: (one.health_profession or "", one.health_zone or "") for one in companies}
        products = {
            one.id: one
            for one in self.env["product.product"]
            .sudo()
            .with_context(active_test=False)
            .search(
                ["|", ("health_key_letter", "in", list(names)), ("health_act_code", "in", codes)]
            )
        }
        uses = [
            *self._fse_uses(where, products, names),
            *self._visit_uses(where, products),
            *self._plan_uses(where, products),
        ]
        return measure(uses, act_changes, value_changes, old, new, letters())

    def _fse_uses(self, where, products, names):
        groups = (
            self.env["health.fse.act"]
            .sudo()
            ._read_group(
                [
                    ("fse_id.origin", "=", "entry"),
                    ("fse_id.sent_on", "=", False),
                    ("company_id", "in", list(where)),
                    "|",
                    ("key_letter", "in", list(names)),
                    ("product_id", "in", list(products)),
                ],
                [
                    "fse_id",
                    "company_id",
                    "product_id",
                    "key_letter",
                    "coefficient_hundredths",
                    "act_date:day",
                    "factor",
                ],
                ["quantity:sum"],
            )
        )
        for fse, company, product, letter, coefficient, day, factor, quantity in groups:
            profession, zone = where[company.id]
            known = products.get(product.id)
            yield Use.once(
                day,
                owner=company.id,
                profession=profession,
                zone=zone,
                code=(known.health_act_code or "") if known else "",
                key_letter=letter,
                coefficient=coefficient,
                quantity=quantity,
                factor=factor or 100,
                ref=fse.id,
            )

    def _visit_uses(self, where, products):
        self.env["health.visit.act"].flush_model()
        self.env["health.visit"].flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT v.company_id, a.product_id, v.day, SUM(a.quantity)
                  FROM health_visit_act a JOIN health_visit v ON v.id = a.visit_id
                 WHERE v.state IN ('planned', 'done') AND v.fse_id IS NULL
                   AND a.product_id IN %s AND v.company_id IN %s
                 GROUP BY v.company_id, a.product_id, v.day
                """,
                tuple(products) or (0,),
                tuple(where) or (0,),
            )
        )
        for company_id, product_id, day, quantity in rows:
            yield Use.once(
                day,
                quantity=int(quantity),
                is_planned=True,
                **self._use_of(company_id, products[product_id], where),
            )

    def _plan_uses(self, where, products):
        """Recurring care of the days ahead, without the days that have their visit already."""
        first = fields.Date.context_today(self)
        days = self.env["health.parameter"].value_of("catalogue_impact_days")
        last = first + timedelta(days=days)
        self.env["health.round.plan.act"].flush_model()
        self.env["health.round.plan"].flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT p.company_id, a.product_id, a.quantity,
                       GREATEST(p.date_from, %(first)s), LEAST(COALESCE(p.date_to, %(last)s), %(last)s),
                       ARRAY[p.monday, p.tuesday, p.wednesday, p.thursday, p.friday, p.saturday, p.sunday],
                       ARRAY(SELECT DISTINCT v.day FROM health_visit v
                              WHERE v.plan_id = p.id AND v.day >= %(first)s AND v.day < %(last)s)
                  FROM health_round_plan_act a JOIN health_round_plan p ON p.id = a.plan_id
                 WHERE p.active AND p.date_from < %(last)s
                   AND (p.date_to IS NULL OR p.date_to > %(first)s)
                   AND a.product_id IN %(products)s AND p.company_id IN %(companies)s
                """,
                first=first,
                last=last,
                products=tuple(products) or (0,),
                companies=tuple(where) or (0,),
            )
        )
        for company_id, product_id, quantity, start, end, flags, made in rows:
            common = self._use_of(company_id, products[product_id], where)
            weekdays = frozenset(number for number, is_on in enumerate(flags) if is_on)
            yield Use(
                start=start,
                end=end,
                weekdays=weekdays,
                quantity=quantity,
                is_planned=True,
                **common,
            )
            for day in made:
                if start <= day < end and day.weekday() in weekdays:
                    yield Use.once(day, quantity=-quantity, is_planned=True, **common)

    def _use_of(self, company_id, product, where):
        profession, zone = where[company_id]
        return {
            "owner": company_id,
            "profession": profession,
            "zone": zone,
            "code": product.health_act_code or "",
            "key_letter": product.health_key_letter,
            "coefficient": product.health_coefficient_hundredths,
        }

    def _impact_vals(self, lines, impact):
        """One impact per practitioner whom at least one change concerns, with the news for them."""
        billed = {}
        for profession, key_letter in (
            self.env["product.product"]
            .sudo()
            ._read_group(
                [("health_key_letter", "!=", False)], ["health_profession", "health_key_letter"]
            )
        ):
            billed.setdefault(key_letter, set()).add(profession)
        result, news = [], {}
        for company in self.env["res.company"].sudo().search([("health_provider_no", "!=", False)]):
            kind = (company.health_profession, company.health_zone)
            if kind not in news:
                news[kind] = self._news(
                    [line for line in lines if self._concerns(line, *kind, billed)]
                )
            count = impact.owners.get(company.id)
            if not news[kind] and not count:
                continue
            result.append(
                {
                    "company_id": company.id,
                    "act_count": count.acts if count else 0,
                    "planned_count": count.planned if count else 0,
                    "open_count": count.acts - count.planned if count else 0,
                    "amount": euros(count.cents) if count else 0,
                    "news": news[kind],
                }
            )
        return result

    @api.model
    def _concerns(self, line, profession, zone, billed):
        if line["target"] == "act":
            return line["profession"] == profession
        if line["zone"] != zone:
            return False
        if line["profession"]:
            return line["profession"] == profession
        return profession in billed.get(line["name"], ())

    @api.model
    def _news(self, lines):
        kinds = {
            ("act", "added"): self.env._("New act"),
            ("act", "ended"): self.env._("Act that ends"),
            ("act", "changed"): self.env._("Act changed"),
            ("value", "added"): self.env._("New value"),
            ("value", "ended"): self.env._("Value that ends"),
            ("value", "changed"): self.env._("Value changed"),
        }
        texts = []
        for line in lines[:NEWS_LINES]:
            facts = " → ".join(filter(None, (line["before"], line["after"])))
            texts.append(f"{kinds[line['target'], line['kind']]} : {line['name']} ({facts})")
        if len(lines) > NEWS_LINES:
            texts.append(self.env._("… and %s more changes", len(lines) - NEWS_LINES))
        return "\n".join(texts)

    # -- applying ------------------------------------------------------------------------------------

    def action_apply(self):
        """Record the changes shown, all or none, and tell the practitioners concerned.

        :raises UserError: when the catalogue changed since the comparison; nothing is then recorded.
        """
        self._check_manager()
        self.ensure_one()
        # two managers at once: the second sees what the first did
        self.env.cr.execute("LOCK TABLE health_ngap_value IN SHARE ROW EXCLUSIVE MODE")
        if self.state == "done":
            raise UserError(self.env._("This update was applied already."))
        if self.problems or not self.fingerprint:
            raise UserError(
                self.env._("Nothing can be applied yet: compare files without a broken row first.")
            )
        if not self.line_count:
            raise UserError(self.env._("Nothing changes: there is nothing to apply."))
        issues, acts, act_changes, values, value_changes, _old = self._merge()
        if issues or self._fingerprint(act_changes, value_changes) != self.fingerprint:
            raise UserError(
                self.env._(
                    "The catalogue or the files changed since the comparison: compare again, then apply."
                )
            )
        self.env["product.product"].sudo()._health_apply(act_changes, acts.loaded, acts.gone)
        self.env["health.ngap.value"].sudo()._apply(value_changes, values.loaded)
        self._keep_files()
        self.write(
            {
                "state": "done",
                "applied_by_id": self.env.uid,
                "applied_on": fields.Datetime.now(),
            }
        )
        self.env["health.ngap.value"].sudo()._withdraw_findings()
        self.impact_ids._tell()

    def _keep_files(self):
        """The files that were applied stay with the log, those of the program too."""
        if self.attachment_ids:
            return
        files = self._shipped_files(file_path("health_billing/data/ngap"))
        self.attachment_ids = self.env["ir.attachment"].create(
            [
                {
                    "name": name,
                    "datas": base64.b64encode(content),
                    "res_model": self._name,
                    "res_id": self.id,
                }
                for name, content in files.items()
            ]
        )

    def _headline(self):
        """Short title of the news: without a care label, it is read in a mail."""
        self.ensure_one()
        if self.first_day:
            return self.env._(
                "NGAP: what changes for you from %s", self.first_day.strftime("%d/%m/%Y")
            )
        return self.env._("NGAP: what changes for you")

    @api.model
    def _propose_shipped(self):
        """Have the differences of newly shipped files wait as one update to check; never applied by itself."""
        # no user's language here: French, as every screen
        if "fr_FR" in dict(self.env["res.lang"].get_installed()):
            self = self.with_context(lang="fr_FR")
        waiting = self.search([("is_shipped", "=", True), ("state", "=", "draft")], limit=1)
        probe = waiting or self.new(
            {"is_shipped": True, "effective_on": fields.Date.context_today(self)}
        )
        issues, _acts, act_changes, _values, value_changes, _old = probe._merge()
        if not issues and not act_changes and not value_changes:
            waiting.unlink()
            return self.browse()
        if not waiting:
            waiting = self.with_context(**QUIET).create(
                {
                    "is_shipped": True,
                    "name": self.env._(
                        "NGAP, files of the program of %s",
                        fields.Date.context_today(self).strftime("%d/%m/%Y"),
                    ),
                }
            )
        waiting._compare()
        return waiting

    # -- FSE touched ---------------------------------------------------------------------------------

    def action_reprice(self):
        """Give the FSE touched that are still to validate their new price; validated ones keep theirs."""
        self.ensure_one()
        fses = self.fse_ids.filtered(lambda fse: fse.state == "entered")
        if not fses:
            raise UserError(
                self.env._("No FSE still to validate is touched: the others keep their price.")
            )
        fses._compute_all()
        return self.action_open_fses()

    def action_open_fses(self):
        """The FSE not sent that the update touches: the next computing gives them their new price."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("FSE touched, not sent"),
            "res_model": "health.fse",
            "view_mode": "list,form",
            "domain": [("id", "in", self.sudo().fse_ids.ids), ("sent_on", "=", False)],
        }
