{
    "name": "Health SESAM",
    "summary": "Lots of FSE, B2 control files, acknowledgements (ARL); codec of B2 and NOEMIE",
    "version": "19.0.3.0.0",
    "license": "AGPL-3",
    "author": "Facturière",
    "website": "https://facturiere.example",
    "category": "Accounting/Health",
    "depends": ["health_billing"],
    "data": [
        "security/ir.model.access.csv",
        "security/rules.xml",
        "data/parameters.xml",
        "views/health_lot_views.xml",
        "views/health_arl_views.xml",
        "views/health_arl_record_views.xml",
        "views/health_fse_views.xml",
    ],
}
