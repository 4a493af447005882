import { registry } from "@web/core/registry";
import { CharField, charField } from "@web/views/fields/char/char_field";

/** A column of the sample file: typed, or chosen among those that the file has. Several are written “A + B”. */
export class FileColumnField extends CharField {
    static template = "health_billing.FileColumnField";

    get listId() {
        return `o_health_columns_${this.props.record.id}`;
    }

    get columns() {
        return this.props.record._parentRecord?.data.header || [];
    }
}

registry.category("fields").add("health_file_column", { ...charField, component: FileColumnField });
