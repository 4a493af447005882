{
    "name": "Health NOEMIE",
    "version": "19.0.3.0.0",
    "license": "AGPL-3",
    "author": "Facturière",
    "category": "Accounting/Health",
    "summary": "Payers' returns, bank credits and claims that agree to the cent",
    "depends": [
        "health_sesam",
        "account_reconcile_oca",
        "account_statement_import_file",
        "account_statement_import_camt",
    ],
    "uninstall_hook": "uninstall_hook",
    "data": [
        "security/ir.model.access.csv",
        "security/rules.xml",
        "data/health_parameter.xml",
        "data/health.reject.family.csv",
        "data/health.reject.code.csv",
        "views/health_settlement_views.xml",
        "views/account_bank_statement_line_views.xml",
        "views/health_rejection_views.xml",
        "views/health_reject_code_views.xml",
        "views/health_share_views.xml",
        "views/menus.xml",
        "views/match.xml",
    ],
    "assets": {
        "web.assets_backend": [
            "health_noemie/static/src/match/*",
        ],
    },
}
