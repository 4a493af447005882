"""The one error of the codec, with a message for the biller."""

ADVICE = "Rien n'a été enregistré ; redemandez le fichier à son émetteur."


class NormError(ValueError):
    """A file or a value that does not respect the exchange norm.

    :param what: what is wrong, in French
    :param record: number of the record or entity, counted from 1
    :param byte: position in the file, counted from 1
    :param advice: what to do, in French
    """

    def __init__(self, what, record=None, byte=None, advice=ADVICE):
        self.what = what
        self.record = record
        self.byte = byte
        self.advice = advice
        where = []
        if record is not None:
            where.append(f"enregistrement {record}")
        if byte is not None:
            where.append(f"octet {byte}")
        place = f" ({', '.join(where)})" if where else ""
        super().__init__(f"{what}{place}. {advice}".strip())
