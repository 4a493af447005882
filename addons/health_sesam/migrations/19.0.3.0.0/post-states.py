"""Shares and FSE that were “sent” say what became of their lot; their stored states are not computed by themselves."""


def migrate(cr, version):
    cr.execute(
        """
        UPDATE health_share share
           SET state = CASE lot.state WHEN 'refused' THEN 'arl_refused' ELSE lot.state END
          FROM health_fse fse JOIN health_lot lot ON lot.id = fse.lot_id
         WHERE share.fse_id = fse.id AND share.state = 'sent'
           AND lot.state IN ('refused', 'arl_missing', 'acknowledged')
        """
    )
    cr.execute(
        """
        UPDATE health_fse fse SET state = 'arl_refused'
         WHERE fse.state IN ('sent', 'partial')
           AND EXISTS (SELECT FROM health_share share WHERE share.fse_id = fse.id AND share.state = 'arl_refused')
        """
    )
