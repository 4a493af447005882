import {CharField, charField} from "@web/views/fields/char/char_field";
import {onMounted, onWillUnmount} from "@odoo/owl";
import {registry} from "@web/core/registry";

const EVERY = 3000;

/** How far the work on a large file is; reads the record again while it is worked and the tab is in view. */
export class InboxProgressField extends CharField {
    static template = "web.CharField";

    setup() {
        super.setup();
        onMounted(() => this.wait());
        onWillUnmount(() => clearTimeout(this.timer));
    }

    wait() {
        this.timer = setTimeout(() => this.refresh(), EVERY);
    }

    async refresh() {
        const {record} = this.props;
        if (!document.hidden && record.data.state === "queued" && !(await record.isDirty())) {
            await record.load();
        }
        if (record.data.state === "queued") {
            this.wait();
        }
    }
}

registry.category("fields").add("health_inbox_progress", {...charField, component: InboxProgressField});
