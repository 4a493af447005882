import { Component, onMounted, onPatched, onWillStart, useRef, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";

const LINE = "account.bank.statement.line";
/** Candidates that a figure key reaches. */
const NUMBERED = 9;
const EUROS = new Intl.NumberFormat("fr-FR", { style: "currency", currency: "EUR" });

/**
 * What the matcher leaves to a person: the credit at the left, what may explain it at the right, by keyboard.
 *
 * Amounts travel as whole cents. Nothing is booked before “Book”: choosing only shows what would be booked. A credit that
 * is booked leaves the queue and can be brought back at once.
 */
export class HealthMatch extends Component {
    static template = "health_noemie.Match";
    static props = ["*"];

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.notification = useService("notification");
        this.root = useRef("root");
        this.searchInput = useRef("search");
        this.reasonInput = useRef("reason");
        const params = this.props.action?.params || {};
        this.wanted = params.line_id || this.props.action?.context?.active_line_id || false;
        this.state = useState({
            queue: null,
            company: params.company_id || false,
            current: false,
            detail: null,
            grouped: [],
            chosen: [],
            gap: "",
            preview: null,
            remember: false,
            search: "",
            aside: false,
            reason: "",
            busy: false,
            done: [],
        });
        this.known = {}; // key → candidate, also those that a new search no longer lists
        this.turn = 0;
        this.focusOn = "queue";
        onWillStart(() => this.loadQueue());
        onMounted(() => this.afterRender());
        onPatched(() => this.afterRender());
    }

    // -- reading ------------------------------------------------------------------------------------

    async loadQueue(keep = false) {
        this.state.queue = await this.orm.call(LINE, "health_match_queue", []);
        const wanted = keep || this.wanted;
        this.wanted = false;
        if (wanted && !this.rows.some((row) => row.id === wanted)) {
            this.state.company = false; // the one to show may be of another practitioner
        }
        const found = this.rows.find((row) => row.id === wanted) || this.rows[0];
        await this.select(found ? found.id : false);
    }

    /** The credits shown: those of the practitioner chosen. */
    get rows() {
        const { queue, company } = this.state;
        return (queue || []).filter((row) => !company || row.practitioner_id === company);
    }

    get practitioners() {
        const names = new Map((this.state.queue || []).map((row) => [row.practitioner_id, row.practitioner]));
        return [...names].map(([id, name]) => ({ id, name })).sort((a, b) => a.name.localeCompare(b.name));
    }

    get total() {
        return this.rows.reduce((sum, row) => sum + row.amount, 0);
    }

    /** The credits that are booked together. */
    get lineIds() {
        return this.state.current ? [this.state.current, ...this.state.grouped] : [];
    }

    get received() {
        const { detail, grouped } = this.state;
        if (!detail) {
            return 0;
        }
        const others = detail.others.filter((row) => grouped.includes(row.id));
        return others.reduce((sum, row) => sum + row.amount, detail.credit.amount);
    }

    get chosenTotal() {
        return this.state.chosen.reduce((sum, key) => sum + (this.known[key]?.left ?? this.known[key]?.amount ?? 0), 0);
    }

    get gapCents() {
        return this.received - this.chosenTotal;
    }

    /** Candidates to show: the chosen ones stay even when a search does not name them. */
    get candidates() {
        const listed = this.state.detail?.candidates || [];
        const keys = new Set(listed.map((one) => one.key));
        const pinned = this.state.chosen.filter((key) => !keys.has(key)).map((key) => this.known[key]);
        return [...pinned, ...listed];
    }

    get canBook() {
        return Boolean(!this.state.busy && this.state.chosen.length && this.state.preview?.can_book);
    }

    async select(id) {
        const turn = ++this.turn;
        Object.assign(this.state, { current: id, grouped: [], chosen: [], gap: "", preview: null, search: "", aside: false });
        this.known = {};
        if (!id) {
            this.state.detail = null;
            return;
        }
        const detail = await this.orm.call(LINE, "health_match_open", [id]);
        if (turn !== this.turn) {
            return; // another credit was chosen meanwhile
        }
        this.state.detail = detail;
        this.remember(detail);
        this.state.chosen = detail.candidates.filter((one) => one.chosen).map((one) => one.key);
        this.state.remember = false;
        await this.refresh();
    }

    remember(detail) {
        for (const one of detail.candidates) {
            this.known[one.key] = one;
        }
    }

    async refresh() {
        const turn = ++this.turn;
        if (!this.state.chosen.length) {
            this.state.preview = null;
            return;
        }
        const preview = await this.orm.call(LINE, "health_match_preview", [
            this.lineIds,
            [...this.state.chosen],
            this.state.gap || null,
        ]);
        if (turn === this.turn) {
            this.state.preview = preview;
        }
    }

    // -- choosing -----------------------------------------------------------------------------------

    move(step) {
        const rows = this.rows;
        const at = rows.findIndex((row) => row.id === this.state.current);
        const next = rows[Math.min(Math.max(at + step, 0), rows.length - 1)];
        if (next && next.id !== this.state.current) {
            this.focusOn = "queue";
            return this.select(next.id);
        }
    }

    onCompany(ev) {
        this.state.company = Number(ev.target.value) || false;
        this.focusOn = "queue";
        if (!this.rows.some((row) => row.id === this.state.current)) {
            return this.select(this.rows[0]?.id || false);
        }
    }

    toggle(key) {
        const { chosen } = this.state;
        this.state.chosen = chosen.includes(key) ? chosen.filter((one) => one !== key) : [...chosen, key];
        return this.refresh();
    }

    toggleGrouped(id) {
        const { grouped } = this.state;
        this.state.grouped = grouped.includes(id) ? grouped.filter((one) => one !== id) : [...grouped, id];
        return this.refresh();
    }

    onGap(ev) {
        this.state.gap = ev.target.value;
        return this.refresh();
    }

    clear() {
        Object.assign(this.state, { chosen: [], grouped: [], gap: "", aside: false, preview: null });
        this.focusOn = "queue";
    }

    async onSearch(ev) {
        this.state.search = ev.target.value;
        clearTimeout(this.searchTimer);
        this.searchTimer = setTimeout(() => this.runSearch(), 250);
    }

    async runSearch() {
        const turn = ++this.turn;
        const detail = await this.orm.call(LINE, "health_match_open", [this.state.current, this.state.search]);
        if (turn === this.turn) {
            this.remember(detail);
            this.state.detail.candidates = detail.candidates;
            await this.refresh();
        }
    }

    // -- acting -------------------------------------------------------------------------------------

    /** Run one call to the server at a time; the queue stays as it is when it refuses. */
    async act(call) {
        if (this.state.busy) {
            return;
        }
        this.state.busy = true;
        try {
            return await call();
        } finally {
            this.state.busy = false;
        }
    }

    leave(ids) {
        const rows = this.rows;
        const at = rows.findIndex((row) => row.id === this.state.current);
        const rest = rows.filter((row) => !ids.includes(row.id));
        this.state.queue = this.state.queue.filter((row) => !ids.includes(row.id));
        const next = rest[Math.min(at, rest.length - 1)];
        this.focusOn = "queue";
        return this.select(next ? next.id : false);
    }

    book() {
        if (!this.canBook) {
            return;
        }
        return this.act(async () => {
            const ids = this.lineIds;
            const amount = this.received;
            const answer = await this.orm.call(LINE, "health_match_book", [ids, [...this.state.chosen]], {
                gap: this.state.gap || null,
                remember_name: this.state.remember,
            });
            this.state.done.unshift({ ids: answer.booked || ids, text: answer.message, amount });
            const rest = answer.booked || ids;
            if (this.state.remember) {
                // a name that is remembered may explain other credits too
                this.state.queue = await this.orm.call(LINE, "health_match_queue", []);
            }
            await this.leave(rest);
        });
    }

    undo() {
        const last = this.state.done[0];
        if (!last) {
            return;
        }
        return this.act(async () => {
            await this.orm.call(LINE, "health_match_undo", [last.ids]);
            this.state.done.shift();
            await this.loadQueue(last.ids[0]);
        });
    }

    askReason() {
        this.state.aside = true;
        this.state.reason = "";
        this.focusOn = "reason";
    }

    setAside() {
        if (!this.state.reason.trim()) {
            return;
        }
        return this.act(async () => {
            const ids = this.lineIds;
            await this.orm.call(LINE, "health_match_set_aside", [ids, this.state.reason.trim()]);
            await this.leave(ids);
        });
    }

    openLine() {
        return this.action.doAction({
            type: "ir.actions.act_window",
            name: _t("Bank credit"),
            res_model: LINE,
            res_id: this.state.current,
            views: [[false, "form"]],
        });
    }

    openReconcile() {
        return this.action.doActionButton({
            type: "object",
            resModel: LINE,
            resId: this.state.current,
            name: "action_health_open_reconcile",
        });
    }

    // -- keyboard -----------------------------------------------------------------------------------

    onKeydown(ev) {
        const typing = ["INPUT", "SELECT", "TEXTAREA"].includes(ev.target.tagName) && ev.target.type !== "checkbox";
        if ((ev.ctrlKey || ev.metaKey) && ev.key === "Enter") {
            ev.preventDefault();
            return this.book();
        }
        if ((ev.ctrlKey || ev.metaKey) && ev.key.toLowerCase() === "z" && !typing) {
            ev.preventDefault();
            return this.undo();
        }
        if (ev.key === "Escape") {
            ev.preventDefault();
            return this.clear();
        }
        if (typing || ev.ctrlKey || ev.metaKey || ev.altKey) {
            return;
        }
        const doing = {
            ArrowDown: () => this.move(1),
            ArrowUp: () => this.move(-1),
            "/": () => this.focusSearch(),
            s: () => this.state.current && this.askReason(),
            n: () => (this.state.remember = !this.state.remember),
        }[ev.key];
        if (doing) {
            ev.preventDefault();
            return doing();
        }
        const number = Number(ev.key);
        const candidate = number >= 1 && number <= NUMBERED && this.candidates[number - 1];
        if (candidate) {
            ev.preventDefault();
            return this.toggle(candidate.key);
        }
    }

    onSearchKeydown(ev) {
        if (ev.key === "Escape" || ev.key === "ArrowDown") {
            ev.preventDefault();
            ev.stopPropagation();
            this.focusOn = "queue";
            this.afterRender();
        }
    }

    onReasonKeydown(ev) {
        if (ev.key === "Enter" && !ev.ctrlKey && !ev.metaKey) {
            ev.preventDefault();
            ev.stopPropagation();
            return this.setAside();
        }
    }

    focusSearch() {
        this.searchInput.el?.focus();
    }

    afterRender() {
        if (this.focusOn === "reason" && this.reasonInput.el) {
            this.reasonInput.el.focus();
            this.focusOn = "";
        } else if (this.focusOn === "queue" && this.root.el) {
            const row = this.root.el.querySelector("[aria-selected='true']");
            (row || this.root.el).focus();
            row?.scrollIntoView({ block: "nearest" });
            this.focusOn = "";
        }
    }

    // -- words --------------------------------------------------------------------------------------

    euros(cents) {
        return EUROS.format(cents / 100);
    }

    day(text) {
        return text ? luxon.DateTime.fromISO(text).toFormat("dd/MM/yyyy") : "";
    }

    shortDay(text) {
        return text ? luxon.DateTime.fromISO(text).toFormat("dd/MM") : "";
    }
}

registry.category("actions").add("health_noemie.match", HealthMatch);
