"""The demo agency's input files, made from a fixed seed.

``world``    who exists: agency, practitioners, payers, users, treatment plans
``care``     what was done and billed: patients, FSE, lots
``returns``  what the payers answered: NOEMIE settlements
``bank``     what the bank received: CAMT.053 entries
``truth``    what a correct product must find, computed from the above only
``writers``  the files

Amounts are integer cents everywhere.
"""
