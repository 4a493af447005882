"""What a good product finds at the end of a month, from the generator's own facts.

Shares are named (billing number, FSE number, part), settlements (billing number, reference).
"""


def share_name(fse, part):
    return fse.provider.provider_no, fse.no, part


def settlement_name(settlement):
    return settlement.provider.provider_no, settlement.reference


class MonthTruth:
    def __init__(self, month):
        self.month = month
        announced = [s for s in month.settlements if s.announced]
        answers = [answer for settlement in announced for answer in settlement.answers]
        self.answered = {(a.fse, a.part) for a in answers}
        #: refused by the payer, and never paid since
        self.rejected = {share_name(a.fse, a.part) for a in answers if a.state == "R"}
        #: paid less than asked: name → cents missing
        self.partial = {
            share_name(a.fse, a.part): a.asked - a.paid
            for a in answers
            if a.state == "P" and 0 < a.paid < a.asked
        }
        self.paid_twice = {
            share_name(a.fse, a.part)
            for a in answers
            if sum((b.fse, b.part, b.state) == (a.fse, a.part, "P") for b in answers) > 1
        }
        linked = {s for link in month.links.values() for s in link.settlements}
        #: announced, and the bank never brought it (or took it back)
        self.not_received = {
            settlement_name(s) for s in announced if s.amount > 0 and s not in linked
        }
        paid_without_return = {share for link in month.links.values() for share in link.shares}
        #: sent, accepted, never answered nor paid
        self.silent = {
            share_name(fse, part)
            for fse, part in month.open_shares
            if part != "patient"
            and fse.lot_result == "positif"
            and (fse, part) not in paid_without_return
        }
        self.refused_lots = {
            share_name(fse, part)
            for fse, part in month.open_shares
            if part != "patient" and fse.lot_result == "negatif"
        }
        self.fses = [fse for fse in month.fses if not fse.broken]

    def by_movement(self):
        """Mark of a movement on the bank line → movement."""
        return {
            (m.provider.provider_no, m.end_to_end.split("-")[0]): m for m in self.month.movements
        }
