import re

from odoo import models

#: French mobile numbers, however they are written
MOBILE = re.compile(r"(?:0|33|0033)[67]\d{8}")
#: when neither the wish nor the level can be followed
FALLBACK = ("email", "sms", "letter", "phone")
#: means that the debtor's wish does not replace: they are the proof
PROOF = ("registered",)


class ResPartner(models.Model):
    _inherit = "res.partner"

    def _health_channels(self, company, level_by_debtor, shares_by_debtor=None):
        """By what means each of these debtors is written to.

        What they wish comes first, then what the level says, then what reaches them; a letter at
        last. A registered letter stays one: it is the proof. Where the agency writes in its own
        name, what nobody had a letter about yet is told by letter.

        :param level_by_debtor: dict of debtor → level of the message.
        :param shares_by_debtor: dict of debtor → shares that the message is about.
        :return: dict of debtor → channel.
        """
        reachable = self._health_reachable(company)
        shares = shares_by_debtor or {}
        unwritten = company._health_without_letter(self.env["health.share"].union(*shares.values()))
        channels = {}
        for debtor in self:
            level = level_by_debtor[debtor]
            wish = debtor.health_contact_channel
            if level.channel in PROOF:
                order = (*PROOF, "letter")
            elif unwritten and shares.get(debtor, unwritten.browse()) & unwritten:
                order = ("letter",)
            else:
                order = (*((wish,) if wish else ()), level.channel, *FALLBACK)
            channels[debtor] = next(
                (
                    channel
                    for channel in order
                    if channel in reachable[debtor] and (channel != "sms" or level.health_sms_text)
                ),
                "letter",
            )
        return channels

    def _health_reachable(self, company):
        """By what means each of these people can be reached by this practitioner.

        :return: dict of partner → set of channels.
        """
        open_channels = company._health_open_channels()
        refused = self._health_refused_emails()
        result = {}
        for partner in self:
            can = set()
            if partner.email_normalized and partner.email_normalized not in refused:
                can.add("email")
            if partner.phone:
                can.add("phone")
                if MOBILE.fullmatch(re.sub(r"\D", "", partner.phone)):
                    can.add("sms")
            if partner.city and (partner.street or partner.street2):
                can |= {"letter", "registered"}
            result[partner] = can & open_channels
        return result

    def _health_refused_emails(self):
        """Addresses that want no message."""
        addresses = list(filter(None, self.mapped("email_normalized")))
        blocked = self.env["mail.blacklist"].sudo().search([("email", "in", addresses)])
        return set(blocked.mapped("email"))
