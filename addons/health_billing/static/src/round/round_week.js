import { Component, onMounted, onPatched, onWillStart, useRef, useState } from "@odoo/owl";
import { ConfirmationDialog } from "@web/core/confirmation_dialog/confirmation_dialog";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { FormViewDialog } from "@web/views/view_dialogs/form_view_dialog";
import { SelectCreateDialog } from "@web/views/view_dialogs/select_create_dialog";
import { searchActs } from "./act_search";

const DAYS = 7;
const UNDO_DEPTH = 50;

/**
 * The week of one practitioner: patients down, days across, everything by keyboard.
 *
 * A change is shown at once and saved behind it, one save after the other; when the server refuses, the cells of that
 * change get their content of before and the reason is told.
 */
export class RoundWeek extends Component {
    static template = "health_billing.RoundWeek";
    static props = ["*"];

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.dialog = useService("dialog");
        this.notification = useService("notification");
        this.root = useRef("root");
        this.input = useRef("search");
        this.hourInput = useRef("hour");
        this.state = useState({
            data: null,
            sel: { r: 0, c: 0 },
            search: null,
            hour: null,
            clipboard: null,
            saving: 0,
            dropRow: null,
            said: "",
        });
        this.undoStack = [];
        this.queue = Promise.resolve();
        this.ids = {}; // uid of a visit made here → its id
        this.uid = 0;
        this.hourTyped = "";
        this.wantsFocus = true;
        onWillStart(() => this.load());
        onMounted(() => this.focus());
        onPatched(() => this.focus());
    }

    // -- reading ------------------------------------------------------------------------------------

    async load(companyId = false, day = false) {
        await this.queue;
        const data = await this.orm.call("health.round.week", "data", [companyId, day]);
        this.acts = Object.fromEntries(data.acts.map((act) => [act.id, act]));
        this.undoStack = [];
        const todayColumn = data.days.findIndex((one) => one.is_today);
        this.state.data = data;
        this.state.sel = { r: 0, c: Math.max(todayColumn, 0) };
        this.state.search = this.state.hour = null;
        this.wantsFocus = true;
    }

    reload() {
        return this.load(this.state.data.company.id, this.state.data.monday);
    }

    /** New rows of the same week; the selection stays on its patient. */
    setRows({ rows, totals }) {
        const key = this.current?.key;
        const empty = this.state.data.rows.filter(
            (row) => row.isNew && !rows.some((other) => other.key === row.key)
        );
        this.state.data.rows = [...rows, ...empty];
        this.state.data.totals = totals;
        this.selectKey(key);
    }

    selectKey(key) {
        const r = this.state.data.rows.findIndex((row) => row.key === key);
        this.state.sel.r = Math.max(r, 0);
        this.wantsFocus = true;
    }

    get rows() {
        return this.state.data.rows;
    }

    get days() {
        return this.state.data.days;
    }

    /** The selected row; not named `row`, which is the loop variable of the template. */
    get current() {
        return this.rows[this.state.sel.r];
    }

    get date() {
        return this.days[this.state.sel.c].date;
    }

    get title() {
        const first = luxon.DateTime.fromISO(this.state.data.monday).setLocale("fr");
        const last = first.plus({ days: DAYS - 1 });
        const start = first.month === last.month ? first.toFormat("d") : first.toFormat("d LLLL");
        return _t("Week of %(from)s to %(to)s", { from: start, to: last.toFormat("d LLLL yyyy") });
    }

    visits(row, date) {
        return row.cells[date] || [];
    }

    label(visit) {
        if (!visit.acts.length) {
            return _t("no act");
        }
        return visit.acts
            .map(([id, quantity]) => {
                const short = this.acts[id]?.short || "?";
                return quantity === 1 ? short : `${quantity} × ${short}`;
            })
            .join(" + ");
    }

    stateLabel(state) {
        return {
            planned: _t("planned"),
            done: _t("done"),
            billed: _t("billed"),
            cancelled: _t("cancelled"),
        }[state];
    }

    /** What a screen reader says of a cell. */
    cellLabel(row, day) {
        const what = this.visits(row, day.date).map(
            (visit) => `${this.label(visit)}, ${this.stateLabel(visit.state)}`
        );
        return `${row.name}, ${day.long} : ${what.join(" ; ") || _t("nothing")}`;
    }

    cellTitle(row, day) {
        return this.visits(row, day.date)
            .map((visit) => {
                const lines = visit.acts.map(([id, quantity]) => {
                    const act = this.acts[id];
                    return act ? `${quantity} × ${act.short} ${act.label}` : "?";
                });
                const fse = visit.fse ? ` (FSE ${visit.fse})` : "";
                return [`${visit.time} ${this.stateLabel(visit.state)}${fse}`, ...lines].join("\n");
            })
            .join("\n");
    }

    /** Visits of a day (or of the week), cancelled ones left out, and how many were made. */
    count(date) {
        let all = 0;
        let made = 0;
        for (const row of this.rows) {
            for (const day of date ? [date] : Object.keys(row.cells)) {
                for (const visit of this.visits(row, day)) {
                    all += visit.state !== "cancelled";
                    made += visit.state === "done" || visit.state === "billed";
                }
            }
        }
        return { all, made };
    }

    get found() {
        return searchActs(this.state.data.acts, this.current.favourites, this.state.search.text);
    }

    // -- selection and focus ------------------------------------------------------------------------

    focus() {
        if (this.state.hour !== null) {
            const input = this.hourInput.el;
            if (input && document.activeElement !== input) {
                input.focus();
                if (this.hourTyped) {
                    input.value = this.hourTyped;
                } else {
                    input.select();
                }
            }
        } else if (this.state.search) {
            if (document.activeElement !== this.input.el) {
                this.input.el?.focus();
            }
        } else if (this.wantsFocus) {
            this.wantsFocus = false;
            const cell = this.root.el?.querySelector("td[tabindex='0']");
            cell?.focus({ preventScroll: true });
            cell?.scrollIntoView({ block: "nearest", inline: "nearest" });
        }
    }

    select(r, c) {
        this.state.sel.r = Math.min(Math.max(r, 0), this.rows.length - 1);
        this.state.sel.c = Math.min(Math.max(c, 0), DAYS - 1);
        this.wantsFocus = true;
    }

    onClickCell(r, c) {
        this.state.search = null;
        this.select(r, c);
    }

    onDoubleClick(r, c) {
        this.select(r, c);
        this.toggleDone();
    }

    // -- keyboard -----------------------------------------------------------------------------------

    onKeydown(ev) {
        if (this.state.search) {
            // typed before the input had the focus
            if (ev.key.length === 1 && !ev.ctrlKey && !ev.metaKey) {
                this.state.search.text += ev.key;
                ev.preventDefault();
            } else {
                this.onSearchKeydown(ev);
            }
            return;
        }
        if (this.state.hour !== null) {
            // typed before the input had the focus
            if (ev.key.length === 1 && !ev.ctrlKey && !ev.metaKey) {
                this.hourTyped += ev.key;
                ev.preventDefault();
            }
            return;
        }
        if (!this.rows.length) {
            return;
        }
        const { r, c } = this.state.sel;
        const control = ev.ctrlKey || ev.metaKey;
        if (control && ev.key === "Enter") {
            this.bill();
        } else if (control && ev.key.toLowerCase() === "z") {
            this.undo();
        } else if (control || ev.altKey) {
            return;
        } else if (ev.key in this.moves) {
            this.select(...this.moves[ev.key](r, c));
        } else if (ev.key === "PageUp" || ev.key === "PageDown") {
            this.shiftWeek(ev.key === "PageUp" ? -1 : 1);
        } else if (ev.key === "Enter" && !this.visits(this.current, this.date).length) {
            this.openSearch("");
        } else if (ev.key in this.commands) {
            this.commands[ev.key]();
        } else if (/^[\p{L}\d/]$/u.test(ev.key)) {
            this.openSearch(ev.key === "/" ? "" : ev.key);
        } else {
            return;
        }
        ev.preventDefault();
        ev.stopPropagation();
    }

    moves = {
        ArrowUp: (r, c) => [r - 1, c],
        ArrowDown: (r, c) => [r + 1, c],
        ArrowLeft: (r, c) => [r, c - 1],
        ArrowRight: (r, c) => [r, c + 1],
        Home: (r) => [r, 0],
        End: (r) => [r, DAYS - 1],
    };

    commands = {
        Enter: () => this.toggleDone(),
        " ": () => this.toggleDone(),
        Delete: () => this.removeVisit(),
        Backspace: () => this.removeLastAct(),
        c: () => this.copy(),
        v: () => this.paste(),
        j: () => this.copyYesterday(),
        t: () => this.wholeDayDone(),
        h: () => this.editHour(),
        e: () => this.editPlan(),
        p: () => this.prepare(),
        "+": () => this.addPatient(),
    };

    // -- changes ------------------------------------------------------------------------------------

    /** Change cells: `change(visits, row)` answers the new visits of a cell, or nothing to leave it. */
    apply(targets, change, said) {
        const before = [];
        for (const { row, date } of targets) {
            const visits = this.visits(row, date);
            const after = change(visits, row, date);
            if (after) {
                before.push({ row, date, visits });
                row.cells[date] = after;
            }
        }
        if (before.length) {
            this.state.said = said || "";
            this.remember({ cells: before.map(({ row, date, visits }) => ({ key: row.key, date, visits })) });
            this.save(before);
        }
        return before.length;
    }

    remember(step) {
        this.undoStack.push(step);
        this.undoStack.splice(0, this.undoStack.length - UNDO_DEPTH);
    }

    idOf(visit) {
        return visit.id || this.ids[visit.uid] || false;
    }

    /** Send the present content of the cells; `before` is what they fall back to. */
    save(before) {
        const wanted = before.map(({ row, date }) => ({ row, date, visits: row.cells[date] }));
        this.enqueue(
            () =>
                this.orm.silent.call("health.round.week", "save", [
                    this.state.data.company.id,
                    this.state.data.monday,
                    wanted.map(({ row, date, visits }, index) => ({
                        patient_id: row.patient_id,
                        passage: row.passage,
                        day: date,
                        known: before[index].visits.map((visit) => this.idOf(visit)).filter(Boolean),
                        visits: visits.map((visit) => ({
                            id: this.idOf(visit),
                            uid: visit.uid || false,
                            state: visit.state,
                            time: visit.time,
                            acts: visit.acts,
                        })),
                    })),
                ]),
            (answer) => {
                Object.assign(this.ids, answer.created);
                answer.cells.forEach((cell, index) => {
                    const { row, date, visits } = wanted[index];
                    // a later change of the same cell is on its way: its own answer will tell
                    if (row.cells[date] === visits) {
                        row.cells[date] = cell.visits;
                    }
                });
                this.state.data.totals = answer.totals;
            },
            () => {
                wanted.forEach(({ row, date, visits }, index) => {
                    if (row.cells[date] === visits) {
                        row.cells[date] = before[index].visits;
                    }
                });
                this.undoStack = [];
            }
        );
    }

    /** One call after the other; a refusal is told in the words of the server. */
    enqueue(call, done, failed) {
        const turn = async () => {
            this.state.saving++;
            try {
                done(await call());
            } catch (error) {
                failed?.();
                const reason = error.data?.message || _t("The server does not answer; nothing was saved.");
                this.notification.add(reason, { type: "danger", sticky: true });
            } finally {
                this.state.saving--;
            }
        };
        this.queue = this.queue.then(turn);
        return this.queue;
    }

    undo() {
        const step = this.undoStack.pop();
        if (!step) {
            this.state.said = _t("Nothing to undo");
            return;
        }
        this.state.said = _t("Undone");
        if (step.made) {
            this.enqueue(
                () =>
                    this.orm.call("health.round.week", "remove", [
                        this.state.data.company.id,
                        this.state.data.monday,
                        step.made,
                    ]),
                (answer) => this.setRows(answer)
            );
            return;
        }
        const before = [];
        for (const { key, date, visits } of step.cells) {
            const row = this.rows.find((one) => one.key === key);
            if (row) {
                before.push({ row, date, visits: this.visits(row, date) });
                row.cells[date] = [...visits];
            }
        }
        if (before.length) {
            this.save(before);
        }
    }

    get here() {
        return [{ row: this.current, date: this.date }];
    }

    isOpen(visit) {
        return visit.state === "planned" || visit.state === "done";
    }

    warnBilled(visits) {
        if (visits.some((visit) => visit.state === "billed")) {
            this.notification.add(_t("This visit is billed: correct its FSE instead."), { type: "warning" });
        }
    }

    toggleDone() {
        const visits = this.visits(this.current, this.date);
        const open = visits.filter((visit) => this.isOpen(visit));
        if (!open.length) {
            this.warnBilled(visits);
            return;
        }
        const state = open.some((visit) => visit.state === "planned") ? "done" : "planned";
        this.apply(this.here, (all) => all.map((visit) => (this.isOpen(visit) ? { ...visit, state } : visit)));
    }

    wholeDayDone() {
        const targets = this.rows.map((row) => ({ row, date: this.date }));
        const changed = this.apply(targets, (all) =>
            all.some((visit) => visit.state === "planned")
                ? all.map((visit) => (visit.state === "planned" ? { ...visit, state: "done" } : visit))
                : null
        );
        this.state.said = changed ? _t("%s visits done", changed) : _t("No planned visit that day");
    }

    removeVisit() {
        const visits = this.visits(this.current, this.date);
        this.warnBilled(visits);
        this.apply(this.here, (all) => {
            if (!all.some((visit) => visit.state !== "billed")) {
                return null;
            }
            return all.flatMap((visit) => {
                if (visit.state === "billed") {
                    return [visit];
                }
                if (visit.state === "cancelled") {
                    return visit.plan_id ? [{ ...visit, state: "planned" }] : [];
                }
                // a planned one is struck and not forgotten, else the plan would make it again
                return visit.plan_id ? [{ ...visit, state: "cancelled" }] : [];
            });
        });
    }

    removeLastAct() {
        this.warnBilled(this.visits(this.current, this.date));
        this.apply(this.here, (all) => {
            const index = all.findLastIndex((visit) => this.isOpen(visit) && visit.acts.length);
            return index < 0
                ? null
                : all.map((visit, n) => (n === index ? { ...visit, acts: visit.acts.slice(0, -1) } : visit));
        });
    }

    addAct(id) {
        this.closeSearch();
        this.warnBilled(this.visits(this.current, this.date));
        this.apply(this.here, (all, row) => {
            const index = all.findLastIndex((visit) => this.isOpen(visit));
            if (index < 0) {
                return all.some((visit) => visit.state === "billed") ? null : [...all, this.newVisit(row, [[id, 1]])];
            }
            return all.map((visit, n) => {
                if (n !== index) {
                    return visit;
                }
                const again = visit.acts.some(([one]) => one === id);
                const acts = again
                    ? visit.acts.map(([one, quantity]) => [one, one === id ? quantity + 1 : quantity])
                    : [...visit.acts, [id, 1]];
                return { ...visit, acts };
            });
        });
    }

    newVisit(row, acts) {
        return { uid: `n${++this.uid}`, state: "planned", time: row.time, acts, plan_id: false, fse: "" };
    }

    copy() {
        const visit = this.visits(this.current, this.date).findLast((one) => one.acts.length);
        this.state.clipboard = visit ? visit.acts.map((pair) => [...pair]) : null;
        this.state.said = visit ? _t("Copied: %s", this.label(visit)) : _t("Nothing to copy here");
    }

    paste() {
        const acts = this.state.clipboard;
        if (!acts) {
            this.state.said = _t("Copy a cell first (c)");
            return;
        }
        this.warnBilled(this.visits(this.current, this.date));
        this.apply(this.here, (all, row) => {
            const copied = acts.map((pair) => [...pair]);
            const index = all.findLastIndex((visit) => this.isOpen(visit));
            if (index >= 0) {
                return all.map((visit, n) => (n === index ? { ...visit, acts: copied } : visit));
            }
            return all.some((visit) => visit.state === "billed") ? null : [...all, this.newVisit(row, copied)];
        });
    }

    // -- whole days and weeks -----------------------------------------------------------------------

    /** A call that makes visits and answers the rows anew; undone by taking these visits back. */
    make(method, args, said) {
        return this.enqueue(
            () => this.orm.call("health.round.week", method, [this.state.data.company.id, ...args]),
            (answer) => {
                this.setRows(answer);
                if (answer.created.length) {
                    this.remember({ made: answer.created });
                }
                this.state.said = said(answer.created.length);
                for (const note of answer.notes || []) {
                    this.notification.add(note, { type: "info" });
                }
            }
        );
    }

    copyYesterday() {
        const source = luxon.DateTime.fromISO(this.date).minus({ days: 1 }).toISODate();
        return this.make("copy_day", [source, this.date], (count) =>
            count ? _t("%s visits copied from the day before", count) : _t("Nothing to copy from the day before")
        );
    }

    prepare() {
        return this.make("prepare", [this.state.data.monday], (count) =>
            count ? _t("%s visits planned", count) : _t("Every plan has its visits already")
        );
    }

    bill() {
        if (!this.state.data.may_bill) {
            return;
        }
        let count = 0;
        for (const row of this.rows) {
            count += Object.values(row.cells).flat().filter((visit) => visit.state === "done").length;
        }
        if (!count) {
            this.notification.add(_t("No visit of this week is done and not billed."), { type: "warning" });
            return;
        }
        this.dialog.add(
            ConfirmationDialog,
            {
                title: _t("Bill the week"),
                body: _t("%(count)s visits of %(who)s are done and will be billed.", {
                    count,
                    who: this.state.data.company.name,
                }),
                confirmLabel: _t("Bill"),
                confirm: () =>
                    this.enqueue(
                        () =>
                            this.orm.call("health.round.week", "bill", [
                                this.state.data.company.id,
                                this.state.data.monday,
                            ]),
                        (action) => this.action.doAction(action)
                    ),
                cancel: () => {},
            },
            { onClose: () => this.refocus() }
        );
    }

    refocus() {
        this.wantsFocus = true;
        this.render();
    }

    shiftWeek(weeks) {
        const day = luxon.DateTime.fromISO(this.state.data.monday).plus({ weeks }).toISODate();
        return this.load(this.state.data.company.id, day);
    }

    goToday() {
        return this.load(this.state.data.company.id, this.state.data.today);
    }

    onCompany(ev) {
        return this.load(Number(ev.target.value), this.state.data.monday);
    }

    // -- search of acts -----------------------------------------------------------------------------

    openSearch(text) {
        const cell = this.root.el.querySelector("td[tabindex='0']");
        const box = cell.getBoundingClientRect();
        const height = 330;
        const below = box.bottom + height < window.innerHeight;
        const left = Math.min(box.left, window.innerWidth - 640);
        this.state.search = {
            text,
            index: 0,
            style: `left:${left}px;` + (below ? `top:${box.bottom}px` : `bottom:${window.innerHeight - box.top}px`),
        };
    }

    closeSearch() {
        this.state.search = null;
        this.wantsFocus = true;
    }

    onSearchInput(ev) {
        this.state.search.text = ev.target.value;
        this.state.search.index = 0;
    }

    onSearchKeydown(ev) {
        const { search } = this.state;
        if (!search) {
            // closed a moment ago: the input is still there for the next key of a fast hand
            this.onKeydown(ev);
            return;
        }
        const found = this.found;
        if (ev.key === "ArrowDown" || ev.key === "ArrowUp") {
            const step = ev.key === "ArrowDown" ? 1 : -1;
            search.index = (search.index + step + found.length) % Math.max(found.length, 1);
        } else if (ev.key === "Enter" || ev.key === "Tab") {
            const act = found[search.index];
            act ? this.addAct(act.id) : this.closeSearch();
        } else if (ev.key === "Escape") {
            this.closeSearch();
        } else {
            return;
        }
        ev.preventDefault();
        ev.stopPropagation();
    }

    // -- hour, plan, patient, prescription ----------------------------------------------------------

    editHour() {
        this.hourTyped = "";
        this.state.hour = this.state.sel.r;
    }

    onHourClick(r) {
        this.select(r, this.state.sel.c);
        this.editHour();
    }

    onHourKeydown(ev) {
        if (ev.key === "Escape") {
            ev.target.value = this.current.time;
            ev.target.blur();
        } else if (ev.key === "Enter" || ev.key === "Tab") {
            ev.preventDefault();
            ev.target.blur();
        }
        ev.stopPropagation();
    }

    onHourDone(ev) {
        const row = this.rows[this.state.hour];
        const time = ev.target.value.trim();
        this.state.hour = null;
        this.wantsFocus = true;
        if (!row || time === row.time) {
            return;
        }
        const targets = this.days
            .filter((day) => this.visits(row, day.date).some((visit) => this.isOpen(visit)))
            .map((day) => ({ row, date: day.date }));
        const changed = this.apply(targets, (all) =>
            all.map((visit) => (this.isOpen(visit) ? { ...visit, time } : visit))
        );
        if (changed) {
            const old = row.time;
            row.time = time;
            this.queue = this.queue.then(() => {
                // what the server made of it ("730" is "07:30"), or the hour of before when it refused
                const visit = Object.values(row.cells).flat().find((one) => this.isOpen(one));
                row.time = visit ? visit.time : old;
            });
        } else {
            row.time = time;
        }
    }

    editPlan() {
        const row = this.current;
        this.dialog.add(
            FormViewDialog,
            {
                title: _t("Round plan"),
                resModel: "health.round.plan",
                resId: row.plan_ids[0] || false,
                context: {
                    default_patient_id: row.patient_id,
                    default_passage: row.passage,
                    default_time: row.time,
                    default_date_from: this.state.data.monday,
                    default_act_ids: this.planActs(row),
                },
                onRecordSaved: () => this.reload(),
            },
            { onClose: () => this.refocus() }
        );
    }

    /** A new plan starts from what the row has. */
    planActs(row) {
        const visit = this.visits(row, this.date)[0] || Object.values(row.cells).flat()[0];
        return (visit?.acts || []).map(([product_id, quantity]) => [0, 0, { product_id, quantity }]);
    }

    addPatient() {
        this.dialog.add(
            SelectCreateDialog,
            {
                title: _t("Add a patient to the round"),
                resModel: "res.partner",
                noCreate: true,
                multiSelect: false,
                domain: [
                    ["health_kind", "=", "patient"],
                    ["company_id", "=", this.state.data.company.id],
                ],
                onSelected: (ids) => this.onPatient(ids[0]),
            },
            { onClose: () => this.refocus() }
        );
    }

    async onPatient(id) {
        const [patient] = await this.orm.read("res.partner", [id], ["name"]);
        const passages = this.rows.filter((row) => row.patient_id === id).map((row) => row.passage);
        const passage = Math.max(0, ...passages) + 1;
        const known = this.rows.find((row) => row.patient_id === id);
        this.rows.push({
            key: `${id}-${passage}`,
            patient_id: id,
            name: patient.name,
            passage,
            time: "",
            plan_ids: [],
            favourites: known ? known.favourites : [],
            cells: {},
            away: known ? known.away : [],
            badge: known ? known.badge : false,
            isNew: true,
        });
        this.select(this.rows.length - 1, this.state.sel.c);
    }

    onDragOver(ev, r) {
        ev.preventDefault();
        this.state.dropRow = r;
    }

    onDragLeave() {
        this.state.dropRow = null;
    }

    async onDrop(ev, row) {
        ev.preventDefault();
        this.state.dropRow = null;
        const [file] = ev.dataTransfer.files;
        if (!file) {
            return;
        }
        const data = await new Promise((resolve, reject) => {
            const reader = new FileReader();
            reader.onerror = () => reject(reader.error);
            reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
            reader.readAsDataURL(file);
        });
        this.enqueue(
            () =>
                this.orm.call("health.round.week", "scan", [
                    this.state.data.company.id,
                    row.patient_id,
                    file.name,
                    data,
                ]),
            (action) => this.action.doAction(action, { onClose: () => this.reload() })
        );
    }
}

registry.category("actions").add("health_round_week", RoundWeek);
