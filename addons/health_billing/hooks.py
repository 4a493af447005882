def post_init_hook(env):
    """Load the NGAP catalogue that ships with the addon."""
    env["health.ngap.value"]._load_catalogue()
