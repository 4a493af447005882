"""The practitioner's page on the phone: to complete, to sign, questions; and the visits of the week."""

from datetime import timedelta

from odoo import fields, http
from odoo.exceptions import UserError
from odoo.http import request
from odoo.tools import format_date

from odoo.addons.portal.controllers.web import Home

from ..models.health_question import MAX_FILES, PATH, AlreadyAnswered
from ..models.health_share import CLOSED
from ..tools import cents, format_cents

TABS = ("complete", "sign", "question")
HEADERS = {
    "Cache-Control": "no-store, private",
    "X-Robots-Tag": "noindex, nofollow",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
#: counters of progress that the address carries never go beyond
MOST = 999
ROUTE = {"type": "http", "auth": "user", "sitemap": False}


def _count(text):
    """A counter of the address, for display only: whatever is not a small number is 0."""
    text = str(text or "")
    return min(int(text), MOST) if text.isascii() and text.isdigit() and len(text) < 6 else 0


class PractitionerHome(Home):
    def _login_redirect(self, uid, redirect=None):
        """Override of `portal`: a practitioner on the phone starts on their own page."""
        if not redirect:
            user = request.env["res.users"].sudo().browse(uid)
            if (
                user._is_portal()
                and request.env["res.company"].with_user(user)._health_own_practices()
            ):
                redirect = PATH
        return super()._login_redirect(uid, redirect=redirect)


class PractitionerPortal(http.Controller):
    # -- who, and what ---------------------------------------------------------------------------

    def _practices(self):
        """Practices of the user, with full rights; none for whoever has no business here."""
        if request.env["res.lang"]._get_data(code="fr_FR"):
            request.update_context(lang="fr_FR")
        return request.env["res.company"]._health_own_practices()

    def _render(self, template, values, status=200):
        values = {"path": PATH, "tabs": TABS, **values}
        response = request.render(f"health_billing.practice_{template}", values, status=status)
        response.headers.update(HEADERS)
        return response

    def _refuse(self, status):
        return self._render("refused", {"code": status, "practices": ()}, status=status)

    def _open(self, practices, kind=None):
        """Open questions of the practices, oldest deadline first.

        They are read with the user's own rights; what they speak of (patients, visits) is then
        shown with full ones: a portal user has none on those records.
        """
        Question = request.env["health.question"]
        domain = Question._portal_domain(practices)
        if kind:
            domain &= fields.Domain("kind", "=", kind)
        return Question.search(domain, order="deadline, id").sudo()

    def _find(self, practices, question_id):
        """A question of the practices, in any state, with full rights; empty when it is not theirs."""
        return (
            request.env["health.question"]
            .search([("id", "=", question_id), ("company_id", "in", practices.ids)])
            .sudo()
        )

    # -- values of the pages ---------------------------------------------------------------------

    def _day(self, day, pattern="EEEE d MMMM"):
        return format_date(request.env, day, date_format=pattern) if day else ""

    def _card(self, question, today, practices):
        days = question._portal_days()
        when = self._day(days[0]) if days else ""
        if len(days) > 1:
            when = request.env._(
                "%(first)s to %(last)s",
                first=self._day(
                    days[0], "d" if len({d.replace(day=1) for d in days}) == 1 else "d MMMM"
                ),
                last=self._day(days[-1], "d MMMM"),
            )
        return {
            "id": question.id,
            "kind": question.kind,
            "initials": question._initials(),
            "when": when,
            "text": question.text,
            "care": question._portal_care(),
            "expects": question.expects,
            "fills": question.fills,
            "choices": question._choice_pairs(),
            "is_late": bool(question.deadline and question.deadline < today),
            "due": self._due(question, today),
            "practice": question.company_id.name if len(practices) > 1 else "",
            "state": question.state,
        }

    def _due(self, question, today):
        if not question.deadline:
            return ""
        day = self._day(question.deadline, "d MMMM")
        if question.deadline < today:
            return request.env._("Late: expected on %s", day)
        return request.env._("Before the end of %s", day)

    def _details(self, question, ticked=None):
        """What only the page of one question shows."""
        return {
            "patient": question.patient_id.name or "",
            "previous": request.env._(
                "Your answer before: “%s”. The agency asks again.", question.previous_id.answer
            )
            if question.previous_id
            else "",
            "fses": [
                {
                    "id": fse.id,
                    "name": fse.name,
                    "initials": "".join(
                        f"{word[0].upper()}." for word in (fse.patient_id.name or "").split()[:3]
                    ),
                    "day": self._day(fse.fse_date, "d MMMM"),
                    "amount": format_cents(cents(fse.amount_total)),
                    # what was unticked stays so after a mistake
                    "is_ticked": ticked is None or str(fse.id) in ticked,
                }
                for fse in question._all_fses()
            ]
            if question.expects == "sent"
            else [],
            "answer": question.answer or "",
            "already": request.env._(
                "Already answered on %s. Nothing was changed.", self._day(question.answered_on)
            )
            if question.answered_on
            else request.env._("The agency does not ask this any more."),
            "hint": request.env._(
                "JPEG, PNG or PDF, %s MB at most per file.",
                request.env["health.question"].sudo()._file_limit() // (1024 * 1024),
            ),
            "max_files": MAX_FILES,
            "today": fields.Date.context_today(question).isoformat(),
        }

    def _figures(self, practices, today):
        """Billed and received this month, and what is waited for: sums of shares, no ledger."""
        Share = request.env["health.share"].sudo()
        domain = [("company_id", "in", practices.ids)]
        month = domain + [
            ("fse_date", ">=", today.replace(day=1)),
            ("fse_date", "<=", today),
            # billed again under another number: billed once
            ("state", "!=", "replaced"),
        ]
        [(billed, left)] = Share._read_group(month, [], ["amount:sum", "amount_residual:sum"])
        [(lost,)] = Share._read_group(month + [("state", "=", "written_off")], [], ["amount:sum"])
        [(waiting,)] = Share._read_group(
            domain + [("state", "not in", ("draft", *CLOSED))], [], ["amount_residual:sum"]
        )
        billed, left, lost, waiting = (cents(amount) for amount in (billed, left, lost, waiting))
        return {
            "label": request.env._("Billed in %s", self._day(today, "MMMM")),
            "billed": format_cents(billed),
            "received": format_cents(billed - left - lost),
            "waiting": format_cents(waiting),
        }

    # -- the list --------------------------------------------------------------------------------

    @http.route(PATH, methods=["GET"], **ROUTE)
    def practice(self, onglet=None, fini=None, **_kwargs):
        practices = self._practices()
        if not practices:
            return self._refuse(403)
        today = fields.Date.context_today(practices)
        questions = self._open(practices)
        cards = {kind: [] for kind in TABS}
        for question in questions._portal_load():
            cards[question.kind].append(self._card(question, today, practices))
        tab = onglet if onglet in TABS else next((kind for kind in TABS if cards[kind]), TABS[0])
        return self._render(
            "list",
            {
                "practices": practices,
                "figures": self._figures(practices, today),
                "cards": cards[tab],
                "counts": {kind: len(cards[kind]) for kind in TABS},
                "answer_all": request.env._("Answer all %s", len(cards[tab])),
                "tab": tab,
                "is_finished": bool(fini),
                "page": "list",
            },
        )

    # -- one question ----------------------------------------------------------------------------

    @http.route(f"{PATH}/demande/<int:question_id>", methods=["GET"], **ROUTE)
    def question(self, question_id, n=None, sur=None, **_kwargs):
        practices = self._practices()
        if not practices:
            return self._refuse(403)
        question = self._find(practices, question_id)
        if not question:
            return self._refuse(404)
        return self._question_page(practices, question, n, sur)

    def _question_page(self, practices, question, n, sur, error="", values=None, status=200):
        today = fields.Date.context_today(question)
        position, total = self._progress(practices, question, n, sur)
        ticked = values["fse"] if values and not values.get("unable") else None
        return self._render(
            "question",
            {
                "practices": practices,
                "card": {
                    **self._card(question, today, practices),
                    **self._details(question, ticked),
                },
                "position": position,
                "total": total,
                "progress": request.env._("%(rank)s of %(total)s", rank=position, total=total),
                "next_url": self._next_url(practices, question, position, total),
                "error": error,
                "values": values or {},
                "tab": question.kind,
                "page": "question",
            },
            status=status,
        )

    def _progress(self, practices, question, n, sur):
        """“3 of 7”: the address carries it from one card to the next, else it is counted."""
        position, total = _count(n), _count(sur)
        if 0 < position <= total:
            return position, total
        ids = self._open(practices, question.kind).ids
        if question.id not in ids:
            return 0, 0
        return ids.index(question.id) + 1, len(ids)

    def _next_url(self, practices, question, position, total):
        """Address of the next open question of the same kind, or of the list at the end."""
        later = self._open(practices, question.kind).filtered(
            lambda other: (
                (other.deadline or fields.Date.to_date("9999-12-31"), other.id)
                > (question.deadline or fields.Date.to_date("9999-12-31"), question.id)
            )
        )[:1]
        if not later:
            return f"{PATH}?onglet={question.kind}"
        step = min(position + 1, total) if position else 0
        return f"{PATH}/demande/{later.id}" + (f"?n={step}&sur={total}" if step else "")

    @http.route(f"{PATH}/demande/<int:question_id>/repondre", methods=["POST"], **ROUTE)
    def answer(self, question_id, n=None, sur=None, **post):
        practices = self._practices()
        if not practices:
            return self._refuse(403)
        question = self._find(practices, question_id)
        if not question:
            return self._refuse(404)
        form = request.httprequest.form
        values = {
            name: post.get(name) if isinstance(post.get(name), str) else ""
            for name in ("answer", "date", "reason", "unable")
        }
        values["fse"] = form.getlist("fse")
        try:
            question._answer(values, self._uploads())
        except AlreadyAnswered:
            return self._question_page(practices, question, n, sur, status=409)
        except UserError as error:
            return self._question_page(
                practices, question, n, sur, error=str(error), values=values, status=422
            )
        url = self._next_url(practices, question, *self._progress(practices, question, n, sur))
        if url.startswith(f"{PATH}?"):
            url += "&fini=1"
        return request.redirect(url)

    def _uploads(self):
        """Files sent, each read to just beyond the limit: more is refused anyway."""
        limit = request.env["health.question"].sudo()._file_limit() + 1
        files = request.httprequest.files
        found = [*files.getlist("photo"), *files.getlist("file")]
        return [
            (upload.filename, upload.stream.read(limit))
            for upload in found[: MAX_FILES + 1]
            if upload.filename
        ]

    # -- the week --------------------------------------------------------------------------------

    @http.route(f"{PATH}/semaine", methods=["GET"], **ROUTE)
    def week(self, **_kwargs):
        practices = self._practices()
        if not practices:
            return self._refuse(403)
        today = fields.Date.context_today(practices)
        monday = today - timedelta(days=today.weekday())
        visits = (
            request.env["health.visit"]
            .sudo()
            .search(
                [
                    ("company_id", "in", practices.ids),
                    ("day", ">=", monday),
                    ("day", "<", monday + timedelta(days=7)),
                    ("state", "!=", "cancelled"),
                ],
                order="day, time, passage, id",
            )
        )
        days = [
            {
                "label": self._day(day),
                "is_today": day == today,
                "anchor": day.isoformat(),
                "visits": [self._visit(visit, today) for visit in group],
                "ratio": request.env._(
                    "%(done)s of %(count)s done",
                    done=len(group.filtered(lambda visit: visit.state != "planned")),
                    count=len(group),
                ),
            }
            for day, group in sorted(
                visits.grouped("day").items(), key=lambda pair: (pair[0] != today, pair[0])
            )
        ]
        return self._render(
            "week", {"practices": practices, "days": days, "page": "week", "tab": ""}
        )

    def _visit(self, visit, today):
        words = (visit.patient_id.name or "").split()
        return {
            "id": visit.id,
            "initials": " ".join(f"{word[0].upper()}." for word in words[:3]),
            "time": visit.time or "",
            "state": visit.state,
            # what is to come cannot have been done
            "may_be_done": visit.state == "planned" and visit.day <= today,
            "may_be_undone": visit.state == "done" and not visit.fse_id,
        }

    @http.route(
        f"{PATH}/visite/<int:visit_id>/<any(faite,annuler):step>", methods=["POST"], **ROUTE
    )
    def visit(self, visit_id, step, **_kwargs):
        practices = self._practices()
        if not practices:
            return self._refuse(403)
        visit = (
            request.env["health.visit"]
            .sudo()
            .search([("id", "=", visit_id), ("company_id", "in", practices.ids)])
        )
        if not visit:
            return self._refuse(404)
        seen = self._visit(visit, fields.Date.context_today(visit))
        # a second tap finds it done already, and changes nothing
        if step == "faite" and seen["may_be_done"]:
            visit.action_done()
        elif step == "annuler" and seen["may_be_undone"]:
            visit.action_plan()
        return request.redirect(f"{PATH}/semaine#j{visit.day.isoformat()}")
