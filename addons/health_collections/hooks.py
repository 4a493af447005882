def post_init_hook(env):
    """Practitioners set up before this addon was installed get their policy and payment provider
    too.
    """
    env["res.company"].search([("health_provider_no", "!=", False)])._health_setup_collections()
