def post_init_hook(env):
    """Practitioners set up before this addon was installed get their policy and payment provider
    too.
    """
    env["res.company"].search([("health_provider_no", "!=", False)])._health_setup_collections()


def uninstall_hook(env):
    """The practitioners' policies outlive this addon: they go back to the base addon's message."""
    ours = env.ref("health_collections.mail_template_reminder", raise_if_not_found=False)
    base = env.ref("account_credit_control.email_template_credit_control_base", False)
    if ours and base:
        levels = env["credit.control.policy.level"].search([("email_template_id", "=", ours.id)])
        levels.email_template_id = base
