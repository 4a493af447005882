import { Component, onWillStart, useRef, useState } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { user } from "@web/core/user";
import { _t } from "@web/core/l10n/translation";

const OVERVIEW_CARDS = 3;

/** The cockpit: what must I do now? One lane per kind of work, one card per decision that settles many cases. */
export class HealthCockpit extends Component {
    static template = "health_billing.Cockpit";
    static props = ["*"];

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.notification = useService("notification");
        this.fileInput = useRef("file");
        this.state = useState({ data: null, dropping: false, busy: 0, received: [], lane: null });
        onWillStart(() => this.load());
    }

    async load() {
        this.state.data = await this.orm.call("health.cockpit", "data", [], {
            context: user.context,
        });
    }

    /** The lane that was chosen, else every lane that has work in it. */
    get lanes() {
        const { lane, data } = this.state;
        return data.lanes.filter((l) => (lane ? l.code === lane : l.cards.length));
    }

    /** Lanes with nothing to do: one line each. */
    get idle() {
        return this.state.data.lanes.filter((l) => !l.cards.length);
    }

    /** All cards of a chosen lane; in the overview the most pressing ones only. */
    cards(lane) {
        return this.state.lane ? lane.cards : lane.cards.slice(0, OVERVIEW_CARDS);
    }

    get day() {
        return luxon.DateTime.fromISO(this.state.data.day).setLocale("fr").toFormat("cccc d LLLL yyyy");
    }

    choose(code) {
        this.state.lane = this.state.lane === code ? null : code;
    }

    open(card) {
        this.action.doAction(card.action);
    }

    openInbox(id) {
        this.action.doAction({
            type: "ir.actions.act_window",
            name: _t("Received file"),
            res_model: "health.inbox",
            res_id: id,
            views: [[false, "form"]],
        });
    }

    onDragOver(ev) {
        ev.preventDefault();
        this.state.dropping = true;
    }

    onDragLeave() {
        this.state.dropping = false;
    }

    async onDrop(ev) {
        ev.preventDefault();
        this.state.dropping = false;
        await this.ingest(ev.dataTransfer.files);
    }

    async onPick() {
        await this.ingest(this.fileInput.el.files);
        this.fileInput.el.value = "";
    }

    /** Files are taken one after the other, so that each answer is shown as it comes. */
    async ingest(files) {
        for (const file of [...files]) {
            this.state.busy++;
            try {
                const data = await this.toBase64(file);
                const answer = await this.orm.call("health.inbox", "action_ingest", [file.name, data]);
                this.state.received.unshift(answer);
            } finally {
                this.state.busy--;
            }
        }
        await this.load();
    }

    toBase64(file) {
        return new Promise((resolve, reject) => {
            const reader = new FileReader();
            reader.onerror = () => reject(reader.error);
            reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
            // an empty file has no comma-separated payload
            file.size ? reader.readAsDataURL(file) : resolve("");
        });
    }
}

registry.category("actions").add("health_cockpit", HealthCockpit);
