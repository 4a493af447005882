def uninstall_hook(env):
    """Learnt codes hold their families, which leave first."""
    env.cr.execute("DELETE FROM health_reject_code")
