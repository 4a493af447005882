{
    "name": "Reports by Chromium",
    "version": "19.0.4.0.0",
    "summary": "Prints PDF reports with Chromium where no patched wkhtmltopdf is installed",
    "license": "AGPL-3",
    "author": "Facturière",
    "website": "https://facturiere.example",
    "category": "Hidden/Tools",
    "depends": ["web"],
    "data": ["security/ir.model.access.csv"],
}
