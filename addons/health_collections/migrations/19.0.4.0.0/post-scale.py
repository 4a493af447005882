"""Policies of one level become the graduated scale; each practitioner gets scales for payers too."""

from lxml import etree

from odoo import SUPERUSER_ID, api
from odoo.tools.misc import file_path

DATA = "health_collections/data/credit_control_policy.xml"
OLD_SUBJECT = "Rappel : une somme reste à régler"
#: what the model's first level says since this version; what a practitioner has set is left as it is
MODEL_FIELDS = (
    "health_subject",
    "health_sms_text",
    "health_call_text",
    "health_basis",
    "health_pause_days",
)


def migrate(cr, version):
    if not version:
        return
    env = api.Environment(cr, SUPERUSER_ID, {"active_test": False, "lang": "en_US"})
    model = env.ref("health_collections.policy_patient_model")
    first = env.ref("health_collections.policy_patient_model_level_1")
    if not model.health_debtor_kind:
        model.health_debtor_kind = "patient"
    if not first.health_subject:
        first.write(values_of(first))
    template = env.ref("health_collections.mail_template_reminder", raise_if_not_found=False)
    # its text now comes from the step; one that somebody has rewritten is left alone
    if template and template.subject == OLD_SUBJECT and template.write_uid.id == SUPERUSER_ID:
        template.reset_template()
        forget_translations(env, template)
    companies = env["res.company"].search([("health_provider_no", "!=", False)])
    for company in companies:
        old = company.credit_policy_id
        is_old = old.company_id == company and not old.health_debtor_kind
        company._health_setup_reminder_policies()
        company._health_setup_policy_page()
        if is_old:
            upgrade(env, old, first)


def forget_translations(env, template):
    """The text is French in its source: an older translation must not stand in front of it."""
    template.flush_recordset()
    env.cr.execute(
        """
        UPDATE mail_template
           SET subject = jsonb_build_object('en_US', subject->>'en_US'),
               body_html = jsonb_build_object('en_US', body_html->>'en_US')
         WHERE id = %s
        """,
        [template.id],
    )
    template.invalidate_recordset()


def values_of(level):
    """What the data file says of the model's first level: its record was not to be updated."""
    name = "policy_patient_model_level_1"
    record = etree.parse(file_path(DATA)).find(f".//record[@id='{name}']")
    texts = {field.get("name"): field.text for field in record}
    return {name: level._fields[name].convert_to_write(texts[name], level) for name in MODEL_FIELDS}


def upgrade(env, policy, first):
    """A scale that was set up as one level gets the others; longer ones are somebody's own work."""
    for level in policy.level_ids.filtered(lambda one: one.level == 1 and not one.health_subject):
        level.write({name: first[name] for name in MODEL_FIELDS})
    if len(policy.level_ids) == 1:
        policy._health_add_missing_levels()
