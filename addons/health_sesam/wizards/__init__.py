from . import health_arl_record
