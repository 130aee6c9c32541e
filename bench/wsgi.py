"""The product with the benchmarks' floor page beside it, for a server started by `bench.web`."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oms.settings")

from django.conf import settings
from django.core.wsgi import get_wsgi_application

settings.ROOT_URLCONF = "bench.desk"
application = get_wsgi_application()
