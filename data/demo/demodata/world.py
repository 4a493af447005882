"""Who exists in the demo, and the plan of the care each patient receives.

Everything here is invented: practitioners' numbers begin with the department 99, SIREN with 000,
patients are born in a commune 999 that does not exist, the bank code is 99999, e-mail addresses
end in example.org and telephone numbers come from the ranges kept for fiction (01 99 00, 06 39 98).
The public funds bear their real names, because the bank labels must look like real ones; their
numbers serve the demo only.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from .keys import french_iban, luhn

FIRST_DAY = date(2026, 9, 21)
LAST_DAY = date(2026, 11, 19)
DEMO_DATE = date(2026, 11, 20)
# Lots leave on Fridays; the last Tuesday too, so that only the last two days are unsent.
SEND_DAYS = [date(2026, 9, 25) + timedelta(weeks=week) for week in range(8)] + [date(2026, 11, 17)]
HOLIDAYS = {date(2026, 11, 11)}

AGENCY = {
    "name": "Cabinet Lumière Facturation",
    "street": "4 place du Kiosque",
    "zip": "99001",
    "city": "Valbrume-sur-Ourse",
    "siren": luhn("00000101"),
    "email": "bonjour@lumiere.example.org",
    "phone": "01 99 00 10 10",
}


@dataclass(frozen=True)
class Practitioner:
    key: str
    first_name: str
    last_name: str
    profession: str
    provider_no: str
    rpps: str
    siren: str
    iban: str
    street: str
    zip: str
    city: str
    email: str
    phone: str
    opening_balance: int  # cents, at the start of the bank statement
    first_fse: int
    first_lot: int

    @property
    def name(self):
        return f"{self.first_name} {self.last_name}"


def _practitioner(rank, key, first, last, profession, body, street, zipcode, city, **kw):
    return Practitioner(
        key=key,
        first_name=first,
        last_name=last,
        profession=profession,
        provider_no=luhn(body),
        rpps=luhn(f"990000000{rank}"),
        siren=luhn(f"0000020{rank}"),
        iban=french_iban("99999", f"0000{rank}", f"0000000{rank}00{rank}"),
        street=street,
        zip=zipcode,
        city=city,
        email=f"{key}@example.org",
        phone=f"01 99 00 20 0{rank}",
        **kw,
    )


PRACTITIONERS = [
    _practitioner(
        1,
        "infirmiere",
        "Aline",
        "Verdoux",
        "infirmier",
        "99600101",
        "12 rue du Lavoir",
        "99001",
        "Valbrume-sur-Ourse",
        opening_balance=184217,
        first_fse=610000412,
        first_lot=214,
    ),
    _practitioner(
        2,
        "kinesitherapeute",
        "Bastien",
        "Corvol",
        "kinesitherapeute",
        "99700202",
        "3 allée des Saules",
        "99002",
        "Saint-Orry-les-Prés",
        opening_balance=326540,
        first_fse=720001187,
        first_lot=531,
    ),
    _practitioner(
        3,
        "orthophoniste",
        "Clémence",
        "Taillis",
        "orthophoniste",
        "99900303",
        "27 rue de l'Écluse",
        "99003",
        "Montclar-le-Vieux",
        opening_balance=97855,
        first_fse=930000258,
        first_lot=87,
    ),
    _practitioner(
        4,
        "orthoptiste",
        "Damien",
        "Ourcelle",
        "orthoptiste",
        "99500404",
        "8 cours des Tanneurs",
        "99001",
        "Valbrume-sur-Ourse",
        opening_balance=251012,
        first_fse=540000906,
        first_lot=342,
    ),
]


@dataclass(frozen=True)
class Payer:
    key: str
    name: str
    org_no: str  # AMO: regime (2) + caisse (3); AMC: 10 digits
    short: str  # as in the first label of a NOEMIE transfer, at most 16 characters
    bank_name: str  # the debtor's name on the bank line
    bank_names: tuple  # every name that the bank may write
    bank_label: str  # shape of the bank line; {ref} is the reference of the transfer
    centre: str = ""
    sender_type: str = ""
    sender_no: str = ""
    with_fund: bool = False  # AMC whose part the fund pays together with its own


FUNDS = {
    payer.key: payer
    for payer in [
        Payer(
            "cpam75",
            "CPAM de Paris",
            "01751",
            "CPAM PARIS",
            "CPAM DE PARIS",
            ("CPAM DE PARIS", "C.P.A.M. DE PARIS", "CPAM 751 PARIS"),
            "VIR SEPA CPAM DE PARIS {ref}",
            "0001",
            "CT",
            "00000001751751",
        ),
        Payer(
            "cpam69",
            "CPAM du Rhône",
            "01691",
            "CPAM RHONE",
            "CPAM DU RHONE",
            ("CPAM DU RHONE", "CPAM 691 LYON", "C.P.A.M. DU RHONE"),
            "VIR CPAM DU RHONE {ref}",
            "0001",
            "CT",
            "00000001691691",
        ),
        Payer(
            "msa",
            "MSA Île-de-France",
            "02750",
            "MSA IDF",
            "MSA ILE DE FRANCE",
            ("MSA ILE DE FRANCE", "MSA IDF", "MUTUALITE SOCIALE AGRICOLE IDF"),
            "VIR SEPA RECU /DE MSA ILE DE FRANCE /MOTIF {ref} PRESTATIONS",
            "0000",
            "MA",
            "00000002750750",
        ),
        Payer(
            "cpam67",
            "CPAM du Bas-Rhin (régime local)",
            "01671",
            "CPAM BAS RHIN",
            "CPAM DU BAS RHIN",
            ("CPAM DU BAS-RHIN", "CPAM DU BAS RHIN", "CPAM 671 STRASBOURG"),
            "VIR CPAM DU BAS-RHIN - STRASBOURG {ref} {ref}{ref}",
            "0001",
            "CT",
            "00000001671671",
        ),
        Payer(
            "cnmss",
            "CNMSS",
            "08835",
            "CNMSS TOULON",
            "CNMSS",
            ("CNMSS", "CNMSS TOULON", "CAISSE NAT MILITAIRE SECURITE SOCIALE"),
            "VIREMENT DE CNMSS TOULON REF {ref}",
            "0001",
            "CM",
            "00000008835835",
        ),
    ]
}

INSURERS = {
    payer.key: payer
    for payer in [
        Payer(
            "tilleuls",
            "Mutuelle des Tilleuls",
            "0099000011",
            "MUT TILLEULS",
            "MUTUELLE DES TILLEULS",
            ("MUTUELLE DES TILLEULS", "MUT TILLEULS"),
            "VIR MUTUELLE DES TILLEULS {ref}",
            with_fund=True,
        ),
        Payer(
            "heron",
            "Mutuelle du Grand Héron",
            "0099000029",
            "MUT GRAND HERON",
            "MUTUELLE DU GRAND HERON",
            ("MUTUELLE DU GRAND HERON", "MUT GRAND HERON", "GRAND HERON TIERS PAYANT"),
            "VIR SEPA MUT GRAND HERON {ref} TIERS PAYANT",
            sender_type="OC",
            sender_no="00000099000029",
        ),
        Payer(
            "belle_rive",
            "Prévoyance Belle Rive",
            "0099000037",
            "PREV BELLE RIVE",
            "PREVOYANCE BELLE RIVE",
            ("PREVOYANCE BELLE RIVE", "PREV BELLE RIVE"),
            "VIR PREVOYANCE BELLE RIVE /{ref}/",
            sender_type="OC",
            sender_no="00000099000037",
        ),
        Payer(
            "horizon",
            "Horizon Clair Assurances",
            "0099000045",
            "HORIZON CLAIR",
            "HORIZON CLAIR ASSURANCES",
            ("HORIZON CLAIR ASSURANCES", "HORIZON CLAIR"),
            "VIR HORIZON CLAIR ASSURANCES REGLEMENT {ref}",
            sender_type="OC",
            sender_no="00000099000045",
        ),
    ]
}

PRESCRIBERS = [
    ("Dr Odile Fargeau", luhn("99100051")),
    ("Dr Simon Tréval", luhn("99100068")),
    ("Dr Maud Lestrange", luhn("99100074")),
    ("Dr Karim Ressart", luhn("99100089")),
]

USERS = [
    {"login": "facturiere", "name": "Faustine Lumière", "role": "biller"},
    {"login": "responsable", "name": "Renaud Lumière", "role": "manager"},
    {"login": "comptable", "name": "Colette Registre", "role": "accountant"},
    {
        "login": "infirmiere",
        "name": PRACTITIONERS[0].name,
        "role": "practitioner",
        "practitioner": PRACTITIONERS[0].provider_no,
    },
]

# One visit per recipe: (key letter, coefficient in hundredths). Only acts paid at the full rate
# side by side, so that every row is coefficient x value of the letter x quantity.
RECIPES = {
    # nurse
    "insuline": [("AMI", 100), ("AMI", 100), ("IFD", 100)],
    "pansement_lourd": [("AMI", 400), ("MCI", 100), ("IFD", 100)],
    "pansement": [("AMI", 202), ("IFD", 100)],
    "injection": [("AMI", 100), ("MAU", 100), ("IFD", 100)],
    "perfusion": [("AMI", 410), ("IFD", 100)],
    "dependance": [("BSB", 100), ("IFI", 100)],
    "prelevement": [("AMI", 150), ("MAU", 100), ("IFD", 100)],
    "vaccination": [("AMI", 240)],
    "ablation_fils": [("AMI", 200)],
    # physiotherapist
    "lombalgie": [("RAM", 809)],
    "cervicalgie": [("RAM", 807)],
    "epaule": [("RSM", 809)],
    "genou": [("RIC", 812)],
    "hemiplegie": [("NMI", 900), ("IFD", 100)],
    "respiratoire": [("ARL", 850)],
    "cheville": [("VIM", 810)],
    "bilan_kine": [("AMK", 1080)],
    # speech therapist
    "langage_ecrit": [("AMO", 1160)],
    "langage_oral": [("AMO", 1210)],
    "langage_oral_petit": [("AMO", 1260)],
    "articulation": [("AMO", 970)],
    "handicap": [("AMO", 1380)],
    "neurologie": [("AMO", 1570), ("IFD", 100)],
    "bilan_langage": [("AMO", 3401)],
    # orthoptist
    "bilan_binoculaire": [("AMY", 1450)],
    "bilan_strabisme": [("AMY", 1500)],
    "amblyopie": [("AMY", 700)],
    "strabisme": [("AMY", 770)],
    "refraction": [("AMY", 800)],
    "lunettes": [("AMY", 870)],
    "retinographie": [("AMY", 670)],
    "perimetrie": [("AMY", 1230)],
}

# Ages of the patients, by recipe; adults otherwise.
CHILD_CARE = {
    "langage_ecrit": (8, 13),
    "langage_oral": (7, 10),
    "langage_oral_petit": (4, 6),
    "articulation": (6, 9),
    "bilan_langage": (6, 12),
    "amblyopie": (4, 8),
    "strabisme": (6, 12),
}
OLD_CARE = {"dependance", "pansement_lourd", "hemiplegie", "neurologie", "insuline"}


@dataclass(frozen=True)
class Plan:
    """The care of one patient: one FSE a week.

    ``cover``: 60 ordinary, ald, c2s, mat (maternity), at (work accident), am (Alsace-Moselle),
    direct (ordinary, but the patient pays everything).
    """

    care: str
    cover: str
    fund: str
    amc: str = ""
    week: int = 0
    weeks: int = 1
    days: str = "03"  # weekdays of the visits, 0 = Monday
    kind: str = "F"
    tag: str = ""  # what the demo shows with this patient
    email: bool = True


def _singles(cares, covers, weeks, count, days="0124"):
    """``count`` one-visit plans, cycling through cares, covers, weeks and weekdays."""
    return [
        Plan(
            cares[rank % len(cares)],
            *covers[rank % len(covers)],
            week=weeks[(rank * 5 + rank // len(weeks)) % len(weeks)],
            days=days[rank % len(days)],
            email=rank % 3 != 2,
        )
        for rank in range(count)
    ]


_WEEKS = list(range(9))

PLANS = {
    "infirmiere": [
        Plan("insuline", "ald", "msa", week=0, weeks=9, days="024"),
        Plan("insuline", "ald", "cpam75", week=0, weeks=9, days="13", tag="exemption"),
        Plan("dependance", "ald", "cpam75", week=0, weeks=9, days="024"),
        Plan("pansement_lourd", "60", "cpam75", "tilleuls", week=0, weeks=9, days="024"),
        Plan("pansement", "60", "cpam69", "heron", week=1, weeks=7, days="135"),
        Plan("injection", "60", "cpam75", week=0, weeks=3, days="024", tag="late"),
        Plan("perfusion", "ald", "cpam69", week=3, weeks=3, days="024"),
        Plan("pansement", "c2s", "cpam75", week=2, weeks=4, days="024"),
        Plan("pansement", "am", "cpam67", "belle_rive", week=2, weeks=4, days="13"),
        Plan("injection", "60", "cnmss", "belle_rive", week=4, weeks=3, days="024"),
        Plan("prelevement", "mat", "cpam75", week=5, days="1"),
        Plan("vaccination", "60", "cpam75", week=2, days="3", tag="late"),
        Plan("prelevement", "60", "cpam75", week=1, days="2", tag="guard"),
        Plan("vaccination", "60", "cpam69", week=4, days="0", tag="pays", kind="B"),
        Plan("pansement", "60", "cpam75", week=7, days="0", tag="not_due"),
        *_singles(
            ["vaccination", "prelevement", "ablation_fils", "vaccination"],
            [
                ("60", "cpam75", "tilleuls"),
                ("60", "cpam75", "heron"),
                ("ald", "cpam75"),
                ("60", "cpam69", "belle_rive"),
                ("c2s", "cpam75"),
                ("60", "msa", "tilleuls"),
                ("am", "cpam67", "heron"),
                ("60", "cnmss", "horizon"),
            ],
            _WEEKS,
            34,
        ),
    ],
    "kinesitherapeute": [
        Plan("lombalgie", "60", "cpam75", "tilleuls", week=0, weeks=7, days="03"),
        Plan("epaule", "60", "cpam75", "tilleuls", week=1, weeks=8, days="14"),
        Plan("genou", "60", "cpam75", "heron", week=0, weeks=8, days="024"),
        Plan("hemiplegie", "ald", "cpam75", week=0, weeks=9, days="024"),
        Plan("respiratoire", "ald", "cpam69", week=2, weeks=6, days="13"),
        Plan("cervicalgie", "60", "cpam69", "heron", week=3, weeks=6, days="03"),
        Plan("epaule", "at", "cpam75", week=1, weeks=6, days="24"),
        Plan("lombalgie", "am", "cpam67", "belle_rive", week=2, weeks=5, days="14"),
        Plan("cheville", "60", "cnmss", "belle_rive", week=0, weeks=4, days="03"),
        Plan("genou", "60", "msa", "tilleuls", week=3, weeks=5, days="14"),
        Plan("lombalgie", "c2s", "cpam75", week=4, weeks=4, days="03"),
        Plan("cervicalgie", "60", "cpam75", week=0, weeks=2, days="14", tag="late"),
        Plan("cheville", "60", "cpam69", week=1, weeks=2, days="03", tag="pays"),
        Plan("epaule", "am", "cpam67", week=5, weeks=2, days="03", tag="not_due"),
        Plan("bilan_kine", "60", "cpam75", week=8, days="2", tag="broken"),
        Plan("bilan_kine", "ald", "cpam69", week=8, days="2", tag="broken"),
        Plan("bilan_kine", "60", "cpam75", "heron", week=8, days="3", tag="broken"),
        *_singles(
            ["bilan_kine", "respiratoire"],
            [("60", "cpam75", "belle_rive"), ("ald", "cpam69"), ("60", "cpam75", "horizon")],
            _WEEKS,
            10,
        ),
    ],
    "orthophoniste": [
        Plan("langage_ecrit", "60", "cpam75", "tilleuls", week=0, weeks=9, days="2"),
        Plan("langage_oral", "60", "cpam75", "heron", week=0, weeks=8, days="1"),
        Plan("langage_oral_petit", "60", "cpam69", "tilleuls", week=1, weeks=8, days="3"),
        Plan("articulation", "60", "cpam75", "horizon", week=0, weeks=6, days="2"),
        Plan("handicap", "ald", "cpam75", week=0, weeks=9, days="4"),
        Plan("neurologie", "ald", "cpam69", week=2, weeks=6, days="03"),
        Plan("langage_ecrit", "c2s", "cpam75", week=2, weeks=5, days="2"),
        Plan("langage_oral", "60", "msa", "belle_rive", week=3, weeks=5, days="4"),
        Plan("langage_ecrit", "am", "cpam67", "heron", week=1, weeks=4, days="2"),
        Plan("articulation", "60", "cnmss", "horizon", week=4, weeks=4, days="0"),
        Plan("bilan_langage", "60", "cpam75", week=0, days="3", tag="late"),
        Plan(
            "langage_ecrit",
            "60",
            "cpam69",
            week=1,
            weeks=2,
            days="2",
            tag="late_no_email",
            email=False,
        ),
        Plan("bilan_langage", "60", "cpam75", week=3, days="1", tag="pays"),
        Plan("langage_oral", "60", "cpam75", week=5, weeks=3, days="2", tag="not_due"),
        Plan("bilan_langage", "60", "cpam69", "heron", week=2, days="0"),
        Plan("bilan_langage", "60", "cpam75", "belle_rive", week=4, days="1"),
        Plan("bilan_langage", "60", "cpam75", "tilleuls", week=7, days="4"),
    ],
    "orthoptiste": [
        Plan("amblyopie", "60", "cpam75", "tilleuls", week=0, weeks=6, days="2"),
        Plan("strabisme", "60", "cpam69", "belle_rive", week=1, weeks=6, days="2"),
        Plan("strabisme", "60", "cpam75", "heron", week=3, weeks=5, days="4"),
        Plan("bilan_binoculaire", "60", "cpam75", week=1, days="1", tag="late"),
        Plan("refraction", "direct", "cpam75", week=0, days="3", tag="late_direct"),
        Plan("bilan_strabisme", "60", "cpam69", week=2, days="0", tag="pays"),
        Plan("lunettes", "direct", "cpam69", week=5, days="2", tag="pays"),
        Plan("perimetrie", "60", "msa", week=6, days="3", tag="not_due"),
        *_singles(
            ["refraction", "retinographie", "lunettes", "bilan_binoculaire", "perimetrie"],
            [
                ("60", "cpam75", "tilleuls"),
                ("60", "cpam75", "belle_rive"),
                ("ald", "cpam75"),
                ("60", "cpam69", "heron"),
                ("c2s", "cpam69"),
                ("am", "cpam67", "horizon"),
                ("60", "cnmss", "heron"),
                ("60", "msa", "tilleuls"),
            ],
            _WEEKS,
            29,
            days="0134",
        ),
    ],
}

LAST_NAMES = """Abrial Aubertin Bessac Blondelle Bourdin Brassac Cabriol Cazenove Chantrel Clarette
Combaz Corbier Courtade Daumier Delmont Desroches Dubreil Esnault Estrade Fabrègue Faucher Fournel
Gaillac Gardet Gaubert Ginoux Grandval Guérande Hébrard Hourtin Jalabert Joubard Kerlan Lacombe
Lambray Larzac Lavergne Lescure Lormeau Maillard Marsac Mazière Mérignac Mirande Montbrun Nadal
Nogent Orsini Oudard Paillard Pascalet Périer Pontac Prévost Quélen Rabier Ramondou Ravel Ribeyre
Roquette Rouvière Sabatier Saligny Sarrazin Savignac Ségur Tavernel Thibaud Tourette Trémont Ussel
Valadier Vasseur Verneuil Viala Vignal Villedieu Vitrac Yssel Zeller""".split()
WOMEN = """Adèle Agathe Alice Anaïs Camille Céline Chloé Claire Denise Élise Emma Gisèle Hélène Inès
Jeanne Julie Léa Louise Lucie Manon Marthe Nadia Odette Paulette Rose Sarah Simone Yvonne""".split()
MEN = """Adrien Albert Antoine Benoît Charles Denis Émile Fabien Gabriel Georges Hugo Jules Karim
Léon Louis Lucas Marcel Mathis Nathan Noé Oscar Paul Raymond René Samuel Théo Victor Yves""".split()
