"""Settings, by environment: `OMS_ENV` is `local` (embedded servers, nothing to configure), `production` or `test`."""

import os

from django.utils.translation import gettext_lazy as _

from oms.kernel.observability import logs
from oms.runtime import embedded, secrets
from oms.runtime.environment import Environment, broker, database
from oms.runtime.places import BASE_DIR, places
from oms.schedule import BEAT_SCHEDULE, QUEUES, ROUTES

OMS_ENV = os.environ.get("OMS_ENV", "local")
PRODUCTION, TEST = OMS_ENV == "production", OMS_ENV == "test"
DEBUG = False

env = Environment(production=PRODUCTION)
DATABASE_URL = env.text("DATABASE_URL") if PRODUCTION else embedded.database_url()
REDIS_URL = env.text("REDIS_URL") if PRODUCTION else embedded.redis_url(env.number("OMS_REDIS_DATABASE", 0))
SECRET_KEY = env.text("SECRET_KEY") or ("" if PRODUCTION else secrets.secret_key(places()))
# Fernet keys: the first encrypts, all decrypt. Rotation: put a new key in front, re-encrypt, remove the old one.
OMS_ENCRYPTION_KEYS = env.items("OMS_ENCRYPTION_KEYS") or ([] if PRODUCTION else [secrets.encryption_key(places())])
HOSTS = env.items("ALLOWED_HOSTS", "*")
ALLOWED_HOSTS = [*HOSTS, "localhost"]  # health checks ask from inside
CSRF_TRUSTED_ORIGINS = env.items("CSRF_TRUSTED_ORIGINS") or [f"https://{host}" for host in HOSTS if host != "*"]

ATTACHMENTS = places().data / "attachments"  # files that belong to orders
EXPORTS = places().data / "exports"  # files of orders written out, for some days

DATABASES = {"default": database(DATABASE_URL, statement_timeout_s=env.number("OMS_STATEMENT_TIMEOUT_S", 30))}
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "cache",
    }
}

INSTALLED_APPS = [
    "oms.runtime",  # first: its `changepassword` stands in for that of auth
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "django_filters",
    "django_structlog",
    "oms.kernel",
    "inventory",
    "customers",
    "orders",
    "fulfillment",
    "channels",
    "oms.pages",
]
MIDDLEWARE = [
    "oms.kernel.observability.middleware.RequestMetricsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "oms.kernel.middleware.ContentSecurityPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "oms.kernel.middleware.ChosenLanguageMiddleware",
    "oms.kernel.own_words.OwnWordsMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "oms.kernel.middleware.StorableTextMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "oms.kernel.middleware.LoginByHtmxMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "oms.kernel.sign_in.SignInMiddleware",
    "oms.pages.scope.ScopeMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
CSRF_FAILURE_VIEW = "oms.pages.views.errors.csrf_failure"
ROOT_URLCONF = "oms.urls"
WSGI_APPLICATION = "oms.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "oms.pages.navigation.chrome",
            ]
        },
    }
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# People
AUTH_USER_MODEL = "kernel.User"
AUTHENTICATION_BACKENDS = ["oms.kernel.sign_in.Backend", "oms.kernel.sign_in.PinBackend"]
LOGIN_URL = "pages:login"
LOGIN_REDIRECT_URL = "pages:home"
SECOND_STEP_URL = "pages:second-step"  # where who must set up a second step is led
# How many proxies stand in front; each appends to X-Forwarded-For where its request came from (docs/operations.md).
TRUSTED_PROXIES = max(0, env.number("OMS_TRUSTED_PROXIES", 1 if PRODUCTION else 0))
# Devices of stores, where people sign in by PIN (docs/operations.md).
PIN_IDLE_S = 60 * max(1, env.number("OMS_PIN_IDLE_MINUTES", 10))
STORE_DEVICE_DAYS = max(1, env.number("OMS_STORE_DEVICE_DAYS", 90))
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
if TEST:
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # a safe one costs 0.2 s a login

# Protection. A proxy in front ends TLS and must set X-Forwarded-Proto itself (docs/operations.md).
SECURE_CSP = {
    "default-src": ["'self'"],
    "img-src": ["'self'", "data:", "https:"],  # product pictures come from the malls
    "object-src": ["'none'"],
    "base-uri": ["'none'"],
    "form-action": ["'self'"],
    "frame-ancestors": ["'none'"],
}
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PRODUCTION else None
SECURE_SSL_REDIRECT = PRODUCTION
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^metrics$"]  # asked from inside, without TLS
SECURE_HSTS_SECONDS = env.number("OMS_HSTS_SECONDS", 31_536_000 if PRODUCTION else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.flag("OMS_HSTS_SUBDOMAINS", default=False)
SECURE_HSTS_PRELOAD = env.flag("OMS_HSTS_PRELOAD", default=False)
# One host of a merchant's domain must not decide for its other hosts; both can be switched on above.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
SECURE_REFERRER_POLICY = "same-origin"
# Webhooks of rules go to public addresses only, unless the company wants its own machines called.
WEBHOOK_PRIVATE = env.flag("OMS_WEBHOOK_PRIVATE", default=False)
DATA_UPLOAD_MAX_NUMBER_FIELDS = 20_000  # bulk selection of a whole page of lines

# Words
PRODUCT_NAME = _("受注デスク")
LANGUAGE_CODE = "ja"
LANGUAGES = [("ja", "日本語"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "Asia/Tokyo"
USE_TZ = True
USE_I18N = True

# Files. Locally straight from the source folders; in production collected, hashed and compressed.
STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = BASE_DIR / "staticfiles" if PRODUCTION else None
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not PRODUCTION
WHITENOISE_AUTOREFRESH = TEST  # else every test client would first list all files

# Mails: SMTP in production. Locally nothing leaves: every mail keeps its text on its row and is read on a page.
EMAIL_BACKEND = "oms.kernel.mailer.Backend" if PRODUCTION else "django.core.mail.backends.dummy.EmailBackend"
EMAIL_HOST = env.text("EMAIL_HOST", "localhost")
EMAIL_PORT = env.number("EMAIL_PORT", 587)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD")
EMAIL_USE_SSL = env.flag("EMAIL_USE_SSL", default=False)
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS", default=not EMAIL_USE_SSL)
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.text("DEFAULT_FROM_EMAIL", "shop@example.com")
# Mails to customers (docs/mails.md). How long each waits so that it can be pulled back; where shops with a relay of
# their mall send ("shop=smtp://user:password@host:587", comma-separated); where bounces come back, and are read.
MAIL_DELAY_S = env.number("MAIL_DELAY_S", 60)
MAIL_RELAYS = dict(item.split("=", 1) for item in env.items("MAIL_RELAYS") if "=" in item)
MAIL_BOUNCE_ADDRESS = env.text("MAIL_BOUNCE_ADDRESS")
MAIL_BOUNCE_IMAP = env.text("MAIL_BOUNCE_IMAP")  # imaps://user:password@host:993/INBOX
PUBLIC_URL = env.text("PUBLIC_URL").rstrip("/")  # how customers reach this product, for links in mails

# Celery. Messages carry ids and are lost without harm: a sweep finds the work.
CELERY_BROKER_URL = "memory://" if TEST else broker(REDIS_URL)  # a test never needs, nor waits for, a broker
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = (ROUTES,)  # one router, made of the list's patterns in order
CELERY_BEAT_SCHEDULE = BEAT_SCHEDULE
CELERY_BEAT_SCHEDULE_FILENAME = str(places().data / "beat-schedule")
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_connect_timeout": 2, "socket_timeout": 10, "visibility_timeout": 3600}
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.2}
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_TASKS_PER_CHILD = 5000
CELERY_WORKER_MAX_MEMORY_PER_CHILD = env.number("OMS_WORKER_MEMORY_KB", 240_000)
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_SOFT_TIME_LIMIT = 540
CELERY_TASK_TIME_LIMIT = 600
CELERY_TIMEZONE = TIME_ZONE

# Telling what goes on
OMS_QUEUES = QUEUES
LOGGING = logs.configure(json=PRODUCTION, level=env.text("OMS_LOG_LEVEL", "WARNING" if TEST else "INFO"))
DJANGO_STRUCTLOG_CELERY_ENABLED = True
DJANGO_STRUCTLOG_CELERY_DEFAULT_LOG_LEVEL = DJANGO_STRUCTLOG_STATUS_START_LOG_LEVEL = logs.DEBUG
DJANGO_STRUCTLOG_CELERY_TASK_RETRY_LOG_LEVEL = logs.DEBUG  # also an expired sweep, of which the next is on its way
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False

env.complain()
